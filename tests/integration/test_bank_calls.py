"""A real call-centre log: from events alone, what its own columns say."""

import csv
import gzip
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from schemas.customers import CustomerIds
from schemas.decode import decode
from schemas.events import Event
from schemas.instants import from_ms
from streams.core.calls.call import Call, call_of
from streams.core.calls.sums import queue_sums
from streams.core.measures import CallMeasures
from streams.core.statistics.service_level import QueueSums, service_level_percent
from streams.importing import Source, TimeSorter, convert, load_mapping

DATA = Path(__file__).parents[3] / "shared/data/bank_calls/1999-02-01_to_14.tsv.gz"
ZONE = ZoneInfo("Asia/Jerusalem")
NONE = "0:00:00"
Row = Mapping[str, str]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.exists(), reason="the real exports are not beside this checkout"),
]


@cache
def calls() -> dict[str, Call]:
    found: dict[str, list[Event]] = defaultdict(list)
    with TimeSorter() as sorter:
        source = Source(DATA, load_mapping("bank_calls"), customers=CustomerIds("clear"))
        assert convert(source, sorter, lambda _row: None).rejected == 0
        for message in sorter:
            event = decode(message.value, key=message.key, received_ms=0)
            assert isinstance(event, Event)
            found[event.entity_id].append(event)
    return {call_id: call_of(events) for call_id, events in found.items()}


@cache
def rows() -> dict[str, Row]:
    with gzip.open(DATA, "rt", newline="") as stream:
        return {
            f"{row['vru+line']}-{row['call_id']}-{row['date']}": row
            for row in csv.DictReader(stream, delimiter="\t")
        }


def waited(row: Row) -> bool:
    return (row["q_start"], row["q_exit"]) != (NONE, NONE) and row["outcome"] != "PHANTOM"


def served(row: Row) -> bool:
    return row["outcome"] == "AGENT" and (row["ser_start"], row["ser_exit"]) != (NONE, NONE)


def off_by(pairs: Iterable[tuple[int | None, str]]) -> Counter[int | None]:
    """Seconds by which the events differ from the column."""
    return Counter(None if ms is None else ms // 1_000 - int(column) for ms, column in pairs)


def share(found: Counter[int | None], within: int) -> float:
    good = sum(n for off, n in found.items() if off is not None and abs(off) <= within)
    return good / found.total()


def test_repeated_ids_are_not_merged_and_impossible_calls_are_few() -> None:
    assert len(calls()) == len(rows()) == 17_456
    odd = [call for call in calls().values() if call.oddities]
    # Service ended by the agents' clock before the queue was left by its own, one second off.
    assert [call.oddities for call in odd] == [{"event_after_end"}] * 3


def test_waits_equal_the_column() -> None:
    found = off_by(
        (calls()[key].legs[0].wait_ms, row["q_time"]) for key, row in rows().items() if waited(row)
    )
    assert found.total() == 8_871
    # The others are the three impossible ones: their wait ends when the service did.
    assert found == {0: 8_868, -1: 3}


def test_time_in_the_menu_and_of_service_within_the_skew_of_the_clocks() -> None:
    """The log has clocks of its own for menu, queue and agents, which differ by a second or two; an event
    has one instant, so a border between two systems is taken from one of them."""
    menu = off_by((calls()[key].ivr_ms, row["vru_time"]) for key, row in rows().items())
    assert share(menu, 0) > 0.65
    assert share(menu, 2) > 0.98
    service = off_by(
        (calls()[key].legs[-1].talk_ms, row["ser_time"])
        for key, row in rows().items()
        if served(row)
    )
    assert service.total() == 14_380
    assert share(service, 0) > 0.61
    assert share(service, 2) > 0.99


def test_calls_over_midnight_are_not_a_day_long() -> None:
    over = [
        call
        for call in calls().values()
        if call.first_ms is not None and call.ended_ms is not None
        and from_ms(call.first_ms).astimezone(ZONE).date() != from_ms(call.ended_ms).astimezone(ZONE).date()
    ]  # fmt: skip
    assert len(over) == 14
    for call in over:
        assert call.first_ms is not None
        assert call.ended_ms is not None
        assert 0 <= call.ended_ms - call.first_ms < 2 * 3_600_000


def seconds(row: Row, name: str) -> datetime:
    """A time of day of the row; one before the menu's is of the next day."""
    moment = datetime.strptime(f"19{row['date']} {row[name]}", "%Y%m%d %H:%M:%S").replace(
        tzinfo=UTC
    )
    entered = datetime.strptime(f"19{row['date']} {row['vru_entry']}", "%Y%m%d %H:%M:%S").replace(
        tzinfo=UTC
    )
    return moment + timedelta(days=1) if moment < entered - timedelta(hours=12) else moment


def test_service_level_abandonment_and_speed_of_answer_per_hour_and_type() -> None:
    """By hour of the day in which the call was queued and by type, against the columns counted directly."""
    measures = CallMeasures()
    found: dict[tuple[int, str], QueueSums] = defaultdict(QueueSums)
    odd = {key for key, call in calls().items() if call.oddities}
    for call in calls().values():
        for leg, sums in queue_sums(call, measures):
            assert leg.queued_ms is not None
            hour = from_ms(leg.queued_ms).astimezone(ZONE).hour
            found[hour, leg.queue or ""] += sums

    names = {"PS": "regular", "PE": "english", "IN": "internet", "NE": "stock_exchange",
             "NW": "prospective", "TT": "callback"}  # fmt: skip
    wanted: dict[tuple[int, str], QueueSums] = defaultdict(QueueSums)
    for key, row in rows().items():
        if not waited(row) or key in odd:
            continue
        wait = int(row["q_time"])
        answered, gave_up = row["outcome"] == "AGENT", row["outcome"] == "HANG"
        wanted[seconds(row, "q_start").hour, names[row["type"]]] += QueueSums(
            queued=1,
            answered=int(answered),
            answered_within=int(answered and wait <= 20),
            abandoned=int(gave_up),
            abandoned_within=int(gave_up and wait <= 20),
            short_abandoned=int(gave_up and wait <= 5),
            wait_sum_ms=wait * 1_000 if answered else 0,
        )
    assert dict(found) == dict(wanted)
    total = sum(found.values(), QueueSums())
    assert total.queued == 8_868
    assert 0 < (total.abandonment_percent or 0) < 100
    offered = service_level_percent(total, "sl.offered")
    answered_only = service_level_percent(total, "sl.answered_only")
    assert offered is not None
    assert answered_only is not None
    assert offered < answered_only
