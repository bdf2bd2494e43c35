"""Small mappings and files for the tests of importing."""

import gzip
from pathlib import Path

from schemas.customers import CustomerIds
from schemas.mapping import Mapping
from streams.importing import Message, RejectedRow, Source, Tally, TimeSorter, convert
from streams.importing.catalog import parse_mapping

SHOP = """\
mapping: shop
labels: {en: Shop}
source: shop
id: "{id}"
time: {zone: Europe/Berlin, formats: "%Y-%m-%d %H:%M"}
maps:
  who: {c: customer, a: agent}
events:
  - type: created
    at: opened
    data: {priority: {column: prio, map: {"1": high}, otherwise: normal}}
    targets: {resolution: due}
    attributes: {shelf: shelf}
  - type: message
    when: [{column: by, filled: true}]
    at: replied
    data:
      author: {column: by, map: who}
      public: public
  - type: closed
    when: [{column: closed, filled: true}]
    at: closed
"""
SHOP_HEADER = "id,opened,prio,due,shelf,by,replied,public,closed"

STEPS = """\
mapping: steps
labels: {en: Steps}
source: steps
id: "{id}"
time: {zone: UTC, formats: iso}
history: {order_by: [{column: at, is_time: true}, {column: counter}]}
events:
  - type: created
    when: [{row: first}]
    at: at
    data: {team: team}
  - type: solved
    when: [{column: state, became: [done, over]}]
    at: at
  - type: reopened
    when: [{column: state, was: [done, over], differs: [done, over]}]
    at: at
  - type: assigned
    when: [{column: team, changed: true, filled: true}]
    at: at
    data: {team: team}
"""
STEPS_HEADER = "id,counter,at,state,team"


def mapping_of(text: str) -> Mapping:
    return parse_mapping(text, "shop.yaml")


def run(
    mapping: Mapping, path: Path, **options: object
) -> tuple[list[Message], Tally, list[RejectedRow]]:
    """Convert a file; gives messages in order, the tally and the rejected rows."""
    rejected: list[RejectedRow] = []
    with TimeSorter() as sorter:
        options.setdefault("customers", CustomerIds("clear"))
        source = Source(path, mapping, **options)  # type: ignore[arg-type]  # the tests' own options
        tally = convert(source, sorter, rejected.append)
        return list(sorter), tally, rejected


def written(path: Path, header: str, *rows: str, gz: bool = False) -> Path:
    """A CSV file of these lines."""
    data = "".join(line + "\n" for line in (header, *rows)).encode()
    path.write_bytes(gzip.compress(data) if gz else data)
    return path
