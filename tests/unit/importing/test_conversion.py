"""Rows become events: conditions, maps, rows before, rejections, ids and order."""

import csv
import gzip
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from schemas.decode import decode
from schemas.events import Created, Event, ExternalVerdict, Message as MessageData
from schemas.instants import from_ms, rfc3339
from schemas.problems import ProblemsError
from streams.importing import Message, load_mapping
from tests.unit.importing.samples import (
    SHOP,
    SHOP_HEADER,
    STEPS,
    STEPS_HEADER,
    mapping_of,
    run,
    written,
)


def decoded(messages: list[Message]) -> list[Event]:
    """What a worker would read."""
    events = [decode(item.value, key=item.key, received_ms=0, kind="ticket") for item in messages]
    assert all(isinstance(event, Event) for event in events)
    return [event for event in events if isinstance(event, Event)]


def test_one_row_becomes_its_events_in_the_order_of_time(tmp_path: Path) -> None:
    path = written(
        tmp_path / "shop.csv",
        SHOP_HEADER,
        "7,2026-01-19 09:00,1,2026-01-20 09:00,A3,a,2026-01-19 11:00,yes,2026-01-19 10:00",
    )
    messages, tally, rejected = run(mapping_of(SHOP), path, tenant="acme")
    created, closed, message = decoded(messages)
    assert [item.topic for item in messages] == ["tickets"] * 3
    assert [item.key for item in messages] == [b"acme/shop/7"] * 3
    assert created.data == Created(
        priority="high", targets={"resolution": 1768896000000}, attributes={"shelf": "A3"}
    )
    assert [created.event_id, closed.event_id, message.event_id] == [
        "7:created", "7:closed", "7:message",
    ]  # fmt: skip
    assert message.data == MessageData(author="agent", public=True)
    assert rfc3339(created.occurred_ms) == "2026-01-19T08:00:00Z"
    assert all(event.ingested_ms == event.occurred_ms for event in (created, closed, message))
    assert (tally.rows, tally.rejected, tally.entities, rejected) == (1, 0, 1, [])
    assert tally.events == {"created": 1, "closed": 1, "message": 1}


def test_blank_fields_are_left_out_and_conditions_hold_events_back(tmp_path: Path) -> None:
    path = written(tmp_path / "shop.csv", SHOP_HEADER, "7,2026-01-19 09:00,,,,,,,")
    messages, _tally, _rejected = run(mapping_of(SHOP), path)
    (event,) = decoded(messages)
    assert event.data == Created(priority="normal")


def test_a_row_is_rejected_whole_with_every_reason(tmp_path: Path) -> None:
    path = written(
        tmp_path / "shop.csv",
        SHOP_HEADER,
        "7,noon,2,2026-01-20,A3,x,,maybe,2026-01-19 10:00",
        ",2026-01-19 09:00,,,,,,,",
        "8,2026-01-19 09:00,,,,,,,",
        f"9,2026-01-19 09:00,,,{'y' * 1001},,,,",
    )
    messages, tally, rejected = run(mapping_of(SHOP), path)
    assert [event.entity_id for event in decoded(messages)] == ["8"]
    assert (tally.rows, tally.accepted, tally.rejected) == (4, 1, 3)
    first, second, third = rejected
    assert first.number == 1
    assert [(fault.reason, fault.where) for fault in first.faults] == [
        ("bad_time", "opened"),
        ("bad_time", "due"),
        ("missing_value", "message.at"),
        ("unmapped_value", "by"),
        ("not_a_boolean", "public"),
    ]
    assert isinstance(first.original, dict)
    assert first.original["opened"] == "noon"
    assert [fault.reason for fault in second.faults] == ["missing_value"]
    assert [fault.reason for fault in third.faults] == ["too_long"]
    assert third.faults[0].where == "created.data.attributes.shelf"


def test_a_row_without_an_event_is_rejected(tmp_path: Path) -> None:
    mapping = mapping_of(
        SHOP.replace("    at: opened", "    when: [{column: prio, equals: '9'}]\n    at: opened")
    )
    path = written(tmp_path / "shop.csv", SHOP_HEADER, "7,2026-01-19 09:00,,,,,,,")
    _messages, _tally, rejected = run(mapping, path)
    assert [fault.reason for row in rejected for fault in row.faults] == ["no_event"]


def test_a_file_without_rows_is_told(tmp_path: Path) -> None:
    with pytest.raises(ProblemsError, match="the file has no rows"):
        run(mapping_of(SHOP), written(tmp_path / "shop.csv", SHOP_HEADER))


def test_a_limit_reads_only_so_many_rows(tmp_path: Path) -> None:
    rows = [f"{number},2026-01-19 09:00,,,,,,," for number in range(9)]
    path = written(tmp_path / "shop.csv", SHOP_HEADER, *rows)
    _messages, tally, _rejected = run(mapping_of(SHOP), path, rows_max=4)
    assert tally.rows == 4


@pytest.mark.parametrize(("gap", "rejections"), [("snap", 0), ("reject", 1)])
def test_times_that_do_not_exist_are_counted_or_rejected(
    tmp_path: Path, gap: str, rejections: int
) -> None:
    mapping = mapping_of(SHOP.replace("zone: Europe/Berlin", f"zone: Europe/Berlin, gap: {gap}"))
    path = written(tmp_path / "shop.csv", SHOP_HEADER, "7,2026-03-29 02:30,,,,,,,")
    messages, tally, _rejected = run(mapping, path)
    assert (tally.gaps, tally.rejected, len(messages)) == (1, rejections, 1 - rejections)


def test_a_time_of_day_past_midnight_belongs_to_the_next_day(tmp_path: Path) -> None:
    mapping = mapping_of(
        """\
mapping: calls
labels: {en: Calls}
source: calls
entity: call
id: "{line}-{call}"
time: {zone: UTC, formats: "%Y-%m-%d %H:%M:%S"}
events:
  - type: ivr_entered
    at: {template: "{day} {in}"}
  - type: ended
    at: {template: "{day} {out}", next_day_if_before: {template: "{day} {in}"}}
"""
    )
    header = "line,call,day,in,out"
    path = written(
        tmp_path / "calls.csv",
        header,
        "a,1,2026-01-19,23:59:50,0:00:10",
        "a,2,2026-01-19,10:00:01,10:00:00",  # a second of skew is no midnight
    )
    messages, _tally, _rejected = run(mapping, path)
    assert [(item.key, rfc3339(item.occurred_ms)) for item in messages] == [
        (b"default/calls/a-2", "2026-01-19T10:00:00Z"),
        (b"default/calls/a-2", "2026-01-19T10:00:01Z"),
        (b"default/calls/a-1", "2026-01-19T23:59:50Z"),
        (b"default/calls/a-1", "2026-01-20T00:00:10Z"),
    ]


def types_of(messages: list[Message]) -> list[str]:
    return [event.type for event in decoded(messages)]


def test_differences_between_rows_become_events(tmp_path: Path) -> None:
    #  counter  1 new/T1   2 done/T1   3 work/T2          4 over       5 done
    #           created    solved      reopened assigned  solved       (still solved)
    path = written(
        tmp_path / "steps.csv",
        STEPS_HEADER,
        "7,1,2026-01-19T09:00:00,new,T1",
        "7,3,2026-01-19T09:05:00,work,T2",
        "7,2,2026-01-19T09:05:00,done,T1",  # the same minute: the counter orders them
        "7,4,2026-01-19T09:06:00,over,T2",
        "7,10,2026-01-19T09:06:00,done,T2",
        "8,1,2026-01-19T08:00:00,done,T9",
    )
    messages, tally, _rejected = run(mapping_of(STEPS), path)
    assert types_of(messages) == [
        "created", "solved",  # of 8
        "created", "solved", "reopened", "assigned", "solved",
    ]  # fmt: skip
    events = [event for event in decoded(messages) if event.entity_id == "7"]
    assert [event.sequence for event in events] == [0, 5, 10, 11, 13]
    assert len({event.event_id for event in events}) == 5
    assert tally.entities == 2


def test_a_bad_row_between_others_is_skipped_in_the_comparison(tmp_path: Path) -> None:
    path = written(
        tmp_path / "steps.csv",
        STEPS_HEADER,
        "7,1,2026-01-19T09:00:00,new,T1",
        "7,x,2026-01-19T09:05:00,done,T1",
        "7,2,2026-01-19T09:06:00,new,T2",
    )
    messages, _tally, rejected = run(mapping_of(STEPS), path)
    assert types_of(messages) == ["created", "assigned"]
    assert [(row.number, row.faults[0].reason) for row in rejected] == [(2, "not_a_number")]


def test_rows_of_one_id_that_stand_apart_are_rejected(tmp_path: Path) -> None:
    path = written(
        tmp_path / "steps.csv",
        STEPS_HEADER,
        "7,1,2026-01-19T09:00:00,new,T1",
        "8,1,2026-01-19T09:00:00,new,T1",
        "7,2,2026-01-19T09:05:00,done,T1",
    )
    _messages, _tally, rejected = run(mapping_of(STEPS), path)
    assert [(row.number, row.faults[0].reason) for row in rejected] == [(3, "scattered_id")]


BOSTON_HEADER = (
    "case_enquiry_id,open_dt,target_dt,closed_dt,ontime,case_status,case_title,subject,reason,"
    "type,queue,department,neighborhood,source"
)
BOSTON_REST = (
    "Pothole,Public Works,Highway,Pothole Repair,PWDx_District 02,PWDx,Roxbury,Self Service"
)


def boston(
    tmp_path: Path, *cases: str, exported_ms: int | None = None
) -> dict[str, list[tuple[str, str, str | None]]]:
    """Case → (type, known at, verdict) per event, from `id,open,target,closed,ontime,status` rows."""
    path = written(tmp_path / "b.csv.gz", BOSTON_HEADER, *(f"{case},{BOSTON_REST}" for case in cases), gz=True)  # fmt: skip
    messages, _tally, rejected = run(load_mapping("boston311"), path, exported_ms=exported_ms)
    assert rejected == []
    found: dict[str, list[tuple[str, str, str | None]]] = {}
    for event in decoded(messages):
        verdict = event.data.verdict if isinstance(event.data, ExternalVerdict) else None
        line = (event.type, rfc3339(event.ingested_ms), verdict)
        found.setdefault(event.entity_id, []).append(line)
    return found


def test_boston_verdicts_are_known_when_the_city_knew_them(tmp_path: Path) -> None:
    found = boston(
        tmp_path,
        "1,2011-07-01 08:00:00,2011-07-05 08:00:00,2011-07-04 09:00:00,ONTIME,Closed",
        "2,2011-07-01 08:00:00,2011-07-05 08:00:00,2011-07-06 09:00:00,,Closed",  # blank is late
        "3,2011-07-01 08:00:00,,2011-07-06 09:00:00,ONTIME,Closed",  # no promise: no verdict
        "4,2011-07-01 08:00:00,2011-07-09 08:00:00,,OVERDUE,Open",
        "5,2011-07-01 08:00:00,2012-01-01 08:00:00,,ONTIME,Open",  # not late yet
    )
    opened = "2011-07-01T12:00:00Z"
    export = "2011-07-09T12:00:01Z"  # the newest instant known is the promise of case 4
    assert found == {
        "1": [
            ("created", opened, None),
            ("closed", "2011-07-04T13:00:00Z", None),
            ("external_verdict", "2011-07-04T13:00:00Z", "met"),
        ],
        "2": [
            ("created", opened, None),
            ("closed", "2011-07-06T13:00:00Z", None),
            ("external_verdict", "2011-07-06T13:00:00Z", "breached"),
        ],
        "3": [("created", opened, None), ("closed", "2011-07-06T13:00:00Z", None)],
        "4": [("created", opened, None), ("external_verdict", export, "breached")],
        "5": [("created", opened, None)],
    }


def test_the_instant_of_the_export_may_be_told(tmp_path: Path) -> None:
    case = "4,2011-07-01 08:00:00,2011-07-09 08:00:00,,OVERDUE,Open"
    found = boston(tmp_path, case, exported_ms=1_600_000_000_000)
    assert found["4"][1] == ("external_verdict", "2020-09-13T12:26:40Z", "breached")


def test_nothing_of_the_export_leaks_into_the_opening(tmp_path: Path) -> None:
    case = "1,2011-07-01 08:00:00,2011-07-05 08:00:00,2011-07-04 09:00:00,ONTIME,Closed"
    path = written(tmp_path / "b.csv", BOSTON_HEADER, f"{case},{BOSTON_REST}")
    messages, _tally, _rejected = run(load_mapping("boston311"), path)
    created = decoded(messages)[0].data
    assert isinstance(created, Created)
    assert created == Created(
        status="new",
        source_status="Open",
        ticket_type="Pothole Repair",
        channel="Self Service",
        team="PWDx_District 02",
        targets={"resolution": 1309867200000},
        attributes={
            "title": "Pothole",
            "subject": "Public Works",
            "reason": "Highway",
            "department": "PWDx",
            "neighborhood": "Roxbury",
        },
    )


def test_the_same_file_gives_the_same_bytes_whatever_the_order_of_its_rows(tmp_path: Path) -> None:
    rows = [f"{number},2026-01-{19 + number % 3} 09:0{number},,,,,,," for number in range(9)]
    forth, _, _ = run(mapping_of(SHOP), written(tmp_path / "a.csv", SHOP_HEADER, *rows))
    back, _, _ = run(mapping_of(SHOP), written(tmp_path / "b.csv", SHOP_HEADER, *rows[::-1]))
    assert [item.value for item in forth] == [item.value for item in back]


SERVICENOW_COLUMNS = sorted(load_mapping("servicenow").columns())


def servicenow(tmp_path: Path, *updates: dict[str, str]) -> list[tuple[str, str | None, str]]:
    """(type, what it says, when) per event of one incident."""
    path = tmp_path / "s.csv.gz"
    with gzip.open(path, "wt", newline="") as file:
        writer = csv.DictWriter(file, SERVICENOW_COLUMNS, restval="?")
        writer.writeheader()
        writer.writerows({"number": "1", "opened_at": "29/2/2016 06:38", **row} for row in updates)
    messages, _tally, rejected = run(load_mapping("servicenow"), path)
    assert rejected == []
    told = []
    for event in decoded(messages):
        data = msgspec.structs.asdict(event.data)
        said = data.get("verdict") or data.get("status") or data.get("team") or data.get("priority")
        told.append((event.type, said, rfc3339(event.occurred_ms)[11:16]))
    return told


def test_servicenow_updates_become_events_and_the_verdict_waits_for_the_closing(
    tmp_path: Path,
) -> None:
    def update(
        count: int, minute: int, state: str, group: str, made: str = "true"
    ) -> dict[str, str]:
        return {
            "sys_mod_count": str(count),
            "sys_updated_at": f"29/2/2016 07:{minute:02}",
            "incident_state": state,
            "assignment_group": group,
            "made_sla": made,
        }

    assert servicenow(
        tmp_path,
        update(0, 0, "New", "25"),
        update(2, 5, "Awaiting User Info", "70"),
        update(1, 5, "Active", "70"),  # the same minute, written in the wrong order
        update(3, 6, "Resolved", "70"),
        update(4, 7, "-100", "70"),
        update(5, 8, "Resolved", "70", "false"),
        update(6, 9, "Closed", "70", "false"),
    ) == [
        ("created", "new", "06:38"),
        ("status_changed", "open", "07:05"),
        ("assigned", "70", "07:05"),
        ("status_changed", "pending", "07:05"),
        ("solved", None, "07:06"),
        ("reopened", None, "07:07"),
        ("status_changed", "open", "07:07"),
        ("solved", None, "07:08"),
        ("closed", None, "07:09"),
        ("external_verdict", "breached", "07:09"),
    ]


CALLS_HEADER = "vru+line\tcall_id\tcustomer_id\tpriority\ttype\tdate\tvru_entry\tvru_exit\tvru_time\tq_start\tq_exit\tq_time\toutcome\tser_start\tser_exit\tser_time\tserver"  # fmt: skip
NOT_QUEUED = "0:00:00 0:00:00 0"
NOT_SERVED = "0:00:00 0:00:00 0"


@pytest.mark.parametrize(
    ("entry", "queue", "outcome", "service", "events"),
    [
        ("9:00:00 9:00:09 9", "9:00:09 9:00:39 30", "AGENT", "9:00:38 9:02:00 82 DORIT", [
            ("ivr_entered", "09:00:00"), ("queued", "09:00:09"), ("answered", "09:00:39"),
            ("ended", "09:02:00"),
        ]),
        ("9:00:00 9:00:09 9", NOT_QUEUED, "AGENT", "9:00:08 9:02:00 112 DORIT", [
            ("ivr_entered", "09:00:00"), ("answered", "09:00:08"), ("ended", "09:02:00"),
        ]),
        ("9:00:00 9:00:09 9", "9:00:09 9:00:14 5", "HANG", f"{NOT_SERVED} NO_SERVER", [
            ("ivr_entered", "09:00:00"), ("queued", "09:00:09"), ("abandoned", "09:00:14"),
            ("ended", "09:00:14"),
        ]),
        ("9:00:00 9:00:09 9", NOT_QUEUED, "HANG", f"{NOT_SERVED} NO_SERVER", [
            ("ivr_entered", "09:00:00"), ("abandoned", "09:00:09"), ("ended", "09:00:09"),
        ]),
        ("9:00:00 9:00:09 9", "9:00:09 9:00:33 24", "PHANTOM", "9:00:32 9:00:36 4 NO_SERVER", [
            ("ivr_entered", "09:00:00"), ("ended", "09:00:33"),
        ]),
        ("9:00:00 9:00:09 9", NOT_QUEUED, "AGENT", f"{NOT_SERVED} DORIT", [
            ("ivr_entered", "09:00:00"), ("ended", "09:00:09"),
        ]),
        ("23:59:50 23:59:59 9", "23:59:59 0:00:30 31", "AGENT", "0:00:30 0:02:00 90 DORIT", [
            ("ivr_entered", "23:59:50"), ("queued", "23:59:59"), ("answered", "00:00:30"),
            ("ended", "00:02:00"),
        ]),
    ],
)  # fmt: skip
def test_calls_of_the_bank(
    tmp_path: Path, entry: str, queue: str, outcome: str, service: str, events: list[object]
) -> None:
    fields = f"AA01 7 0 2 PS 990201 {entry} {queue} {outcome} {service}".split(" ")
    path = written(tmp_path / "calls.tsv", CALLS_HEADER, "\t".join(fields))
    messages, _tally, rejected = run(load_mapping("bank_calls"), path)
    assert rejected == []
    found = [decode(item.value, key=item.key, received_ms=0, kind="call") for item in messages]
    assert {event.key for event in found if isinstance(event, Event)} == {
        "default/bank_calls/AA01-7-990201"
    }
    zone = ZoneInfo("Asia/Jerusalem")
    assert [
        (event.type, from_ms(event.occurred_ms).astimezone(zone).strftime("%H:%M:%S"))
        for event in found
        if isinstance(event, Event)
    ] == events
