"""Rows of living entities and open windows once more, from the changelog: for a database that has lost some.

No claim and no worker is needed. Rows are made of the states as of a partition's last checkpoint and carry
that checkpoint's number, so whatever a worker says later replaces them, and what they repeat is the
same. Pages are not said again; what has been forgotten has no state to make rows of.
"""

from collections.abc import Iterator
from typing import NamedTuple

from streams.core.effects import Stamp
from streams.core.windows.store import WindowStore, key_of
from streams.policies import load_book
from streams.runtime import changelog
from streams.runtime.changelog import Message, Restored
from streams.runtime.partition import row_message, window_message
from streams.runtime.producer import LoudProducer
from streams.shell.policy_feed import read_policies
from streams.shell.settings import Settings
from streams.shell.sources import SOURCES, Learns
from streams.shell.state_reader import ChangelogReader
from streams.shell.tool_producer import tool_producer

PUBLISH_AT_ONCE = 2_000


class Reemitted(NamedTuple):
    """What was said again of a partition."""

    topic: str
    partition: int
    entities: int
    rows: int
    version: int | None  # None: nothing has been said yet


async def reemit(settings: Settings, only: int | None, now_ms: int) -> list[Reemitted]:
    """Of every partition of every source, or of one number. ProblemsError when something can't be read."""
    shelf = await read_policies(settings, load_book(settings.policy))
    told: list[Reemitted] = []
    async with tool_producer(settings, "ticketpulse-reemit") as producer:
        for source in SOURCES:
            logic = source.logic(shelf.book())
            async with ChangelogReader(settings, source) as reader:
                for number in range(reader.partitions) if only is None else (only,):
                    found = await reader.restored(number)
                    stamp = _stamp(number, found, now_ms)
                    rows = await _say_again(producer, logic, found, stamp)
                    version = None if stamp is None else stamp.version
                    entities = 0 if stamp is None else len(found.states)
                    told.append(Reemitted(source.topic, number, entities, rows, version))
    return told


def _stamp(partition: int, found: Restored, now_ms: int) -> Stamp | None:
    """That of the last checkpoint; None when there has been none."""
    return None if found.marker is None else Stamp(partition, found.marker.number, now_ms)


async def _say_again(
    producer: LoudProducer, logic: Learns, found: Restored, stamp: Stamp | None
) -> int:
    waiting: list[Message] = []
    rows = 0
    for message in () if stamp is None else _messages(logic, found, stamp):
        waiting.append(message)
        rows += 1
        if len(waiting) >= PUBLISH_AT_ONCE:
            await producer.publish_messages(waiting)
            waiting = []
    await producer.publish_messages(waiting)
    return rows


def _messages(logic: Learns, found: Restored, stamp: Stamp) -> Iterator[Message]:
    for key, value in found.states.items():
        version, data = changelog.split_state(value)
        state = logic.load(data, version)
        entity = changelog.entity_of(key).encode()
        for row in logic.rows(None, state, (), stamp):
            yield row_message(entity, row)
    windows = WindowStore()
    for key, snapshot in found.windows.items():
        name = changelog.window_name(key)
        windows.load(name, snapshot)
        yield window_message(key_of(name), windows.row(key_of(name), stamp))
