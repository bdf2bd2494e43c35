"""Real exports beside the checkout (not shipped): imported whole, checked against the raw rows."""

import csv
import gzip
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from schemas.customers import CustomerIds
from schemas.decode import decode
from schemas.events import Event, ExternalVerdict
from streams.core.business_time import ALWAYS
from streams.core.policy import ClockSpec, Matcher, Policy, PolicyBook, Rule
from streams.core.tickets.logic import TicketLogic
from streams.core.tickets.state import TicketState
from streams.importing import Source, TimeSorter, convert, load_mapping

DATA = Path(__file__).parents[3] / "shared/data"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.exists(), reason="the real exports are not beside this checkout"),
]


@cache
def imported(mapping: str, file: str) -> dict[str, list[Event]]:
    """Events per id in the order in which they were known; every row must be taken."""
    found: dict[str, list[Event]] = defaultdict(list)
    with TimeSorter() as sorter:
        source = Source(DATA / file, load_mapping(mapping), customers=CustomerIds("clear"))
        tally = convert(source, sorter, lambda _row: None)
        assert tally.rejected == 0
        for message in sorter:
            event = decode(message.value, key=message.key, received_ms=0)
            assert isinstance(event, Event)
            found[event.entity_id].append(event)
    return found


def rows_of(file: str, delimiter: str = ",") -> Iterator[dict[str, str]]:
    with gzip.open(DATA / file, "rt", newline="") as stream:
        yield from csv.DictReader(stream, delimiter=delimiter)


def test_servicenow_verdicts_are_those_at_the_last_closing_and_never_earlier() -> None:
    file = "servicenow_incidents/incidents.csv.gz"
    published: dict[str, str] = {}
    for row in rows_of(file):
        if row["incident_state"] == "Closed":
            published[row["number"]] = "met" if row["made_sla"] == "true" else "breached"
    incidents = imported("servicenow", file)
    assert len(incidents) == 12_438
    for number, events in incidents.items():
        assert len({event.event_id for event in events}) == len(events)
        verdicts = [event.data for event in events if isinstance(event.data, ExternalVerdict)]
        assert verdicts[-1].verdict == published[number]
        types = [event.type for event in events]
        assert types.count("external_verdict") == types.count("closed")
        assert types.index("external_verdict") > types.index("closed")


_STATUS = {
    "New": "new", "Active": "open", "Awaiting User Info": "pending", "Awaiting Vendor": "on_hold",
    "Awaiting Problem": "on_hold", "Awaiting Evidence": "on_hold", "Resolved": "solved",
    "Closed": "closed", "-100": "open",
}  # fmt: skip


def test_servicenow_ends_where_its_last_rows_end_whatever_order_they_come_in() -> None:
    """Arrival is shuffled within an hour, and every twentieth event comes twice."""
    file = "servicenow_incidents/incidents.csv.gz"
    last = {row["number"]: row for row in rows_of(file)}
    rng = random.Random(3)
    events = [event for events in imported("servicenow", file).values() for event in events]
    twice = rng.sample(events, len(events) // 20)
    arrivals = [
        (event.ingested_ms + rng.randrange(3_600_000), number, event)
        for number, event in enumerate([*events, *twice])
    ]
    clock = ClockSpec("resolution", start=(Matcher("created"),), stop=(Matcher("closed"),))
    policy = Policy(
        id="any", version="any@1", effective_from_ms=0, calendar=ALWAYS, clocks=(clock,),
        rules=(Rule("all", (), {}),), horizon_ms=10**12,
    )  # fmt: skip
    logic = TicketLogic(PolicyBook((policy,)))
    states: dict[str, TicketState] = {}
    for now_ms, _number, event in sorted(arrivals, key=lambda arrival: arrival[:2]):
        states[event.entity_id], effects = logic.advance(states.get(event.entity_id), event, now_ms)
        assert effects == ()

    assert len(states) == len(last) == 12_438
    facts = {number: state.facts for number, state in states.items()}
    assert [
        number
        for number, row in last.items()
        if facts[number].status != _STATUS[row["incident_state"]]
    ] == []
    assert [
        number
        for number, row in last.items()
        if facts[number].reopen_count != int(row["reopen_count"])
    ] == []
    verdicts = Counter(dict(one.external).get("resolution") for one in facts.values())
    told = Counter(
        {"true": "met", "false": "breached"}[row["made_sla"]]
        for row in last.values()
        if row["incident_state"] == "Closed"
    )
    assert verdicts == told == {"met": 7_906, "breached": 4_532}


def test_helpdesk_cases_begin_once_and_wait_when_they_waited() -> None:
    file = "helpdesk/helpdesk.csv.gz"
    waits = Counter(row["Case ID"] for row in rows_of(file) if row["Activity"] == "Wait")
    cases = imported("helpdesk", file)
    assert len(cases) == 4_580
    for case, events in cases.items():
        types = [event.type for event in events]
        assert types.count("created") == 1
        assert types[0] == "created"
        pending = sum(getattr(event.data, "status", "") == "pending" for event in events)
        assert pending <= waits[case]
        assert bool(pending) is bool(waits[case])


def test_waits_of_the_bank_are_those_of_the_log() -> None:
    """`q_time` is the log's own; two of a thousand rows disagree with themselves by a second."""
    file = "bank_calls/1999-02-01_to_14.tsv.gz"
    calls = imported("bank_calls", file)
    compared = equal = 0
    for row in rows_of(file, "\t"):
        events = {event.type: event for event in calls[f"{row['vru+line']}-{row['call_id']}-{row['date']}"]}  # fmt: skip
        ended = events["ended"]
        assert events["ivr_entered"].occurred_ms <= ended.occurred_ms
        left = events.get("answered") or events.get("abandoned")
        if "queued" not in events or left is None:
            continue
        compared += 1
        equal += left.occurred_ms - events["queued"].occurred_ms == int(row["q_time"]) * 1_000
    assert compared == 8_871
    assert equal / compared >= 0.998
