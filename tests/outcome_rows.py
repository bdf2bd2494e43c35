"""Outcome rows for tests of sinks: one valid row in one call."""

from datetime import UTC, datetime, timedelta

import orjson

from schemas.outcomes import (
    AlertIntentRow,
    AuditRow,
    CustomerAliasRow,
    PartitionProgressRow,
    TicketClockRow,
    TicketRow,
)
from streams.core.windows.family import BY_TABLE

Row = dict[str, object]

OPENED = datetime(2026, 1, 19, 8, 0, tzinfo=UTC)


def ticket_clock(number: int = 1, *, version: int = 1, **changes: object) -> Row:
    """A running clock cycle of ticket `number`."""
    row = TicketClockRow(
        tenant="default",
        source="helpdesk",
        source_partition=number % 4,
        version=version,
        ticket_id=f"T-{number:06d}",
        clock="resolution",
        cycle_id=f"T-{number:06d}-created",
        cycle_ordinal=1,
        kind="sla",
        event_time=OPENED,
        state="running",
        verdict="pending",
        target_ms=3_600_000,
        due_at=OPENED + timedelta(hours=1),
        next_due_at=OPENED + timedelta(hours=1),
        stopped_at=None,
        withdrawn_at=None,
        elapsed_ms=0,
        breached=False,
        breach_at=None,
        breach_reason=None,
        at_risk_at=None,
        team="服务一组",
        agent=None,
        breach_team=None,
        breach_agent=None,
        largest_team=None,
        tier="vip",
        priority="high",
        ticket_type="complaint",
        channel="phone",
        external_verdict=None,
        flags=["partial_history"],
        policy_version="0123456789abcdef",
        rule="vip",
        judged_at=OPENED,
        removed=False,
    )
    return {**row, **changes}


def ticket(number: int = 1, *, version: int = 1, **changes: object) -> Row:
    """An open ticket."""
    row = TicketRow(
        tenant="default",
        source="helpdesk",
        source_partition=number % 4,
        version=version,
        ticket_id=f"T-{number:06d}",
        event_time=OPENED,
        status="open",
        source_status="In Bearbeitung",
        open=True,
        ticket_type="complaint",
        priority="high",
        tier=None,
        channel="phone",
        team="服务一组",
        agent=None,
        first_agent="agent_7",
        customer_id=None,
        stage=None,
        solved_at=None,
        closed_at=None,
        reopen_count=0,
        reassignment_count=2,
        event_count=3,
        last_event_at=OPENED,
        merged_into=None,
        attributes={"region": "north"},
        flags=[],
        policy_version="0123456789abcdef",
        judged_at=OPENED,
    )
    return {**row, **changes}


def alert_intent(number: int = 1, *, version: int = 1, **changes: object) -> Row:
    """A breach to be announced."""
    ticket_id = f"T-{number:06d}"
    row = AlertIntentRow(
        tenant="default",
        source="helpdesk",
        source_partition=number % 4,
        version=version,
        key=f"sla:default/helpdesk/{ticket_id}:resolution:{ticket_id}-created",
        ticket_id=ticket_id,
        clock="resolution",
        cycle_id=f"{ticket_id}-created",
        event_time=OPENED,
        level="breach",
        due_at=OPENED + timedelta(hours=1),
        breach_at=OPENED + timedelta(hours=1),
        page_at=None,
        open=True,
        team=None,
        agent=None,
        tier=None,
        priority="high",
        policy_version="0123456789abcdef",
        recorded_at=OPENED + timedelta(hours=1),
    )
    return {**row, **changes}


def partition_progress(partition: int = 0, *, version: int = 1) -> PartitionProgressRow:
    """How far a partition is."""
    return PartitionProgressRow(
        topic="tickets",
        partition=partition,
        version=version,
        position=17,
        event_time=OPENED,
        clock_now=OPENED,
        recorded_at=OPENED,
        entities=3,
        open_timers=2,
        events_total=17,
        rejected_total=1,
    )


def customer_alias(alias: str = "c1.0badcafe.a") -> CustomerAliasRow:
    """Two pseudonyms of one customer."""
    return CustomerAliasRow(
        tenant="default", alias=alias, customer_id="c1.12345678.b", event_time=OPENED, version=1
    )


def audit(audit_id: str = "erase:1") -> AuditRow:
    """Somebody erased somebody."""
    return AuditRow(
        audit_id=audit_id,
        event_time=OPENED,
        actor="ann",
        action="erase",
        subject="customer 0123",
        detail="{}",
        version=1,
    )


def as_json(row: object) -> bytes:
    """The row as it stands in its topic."""
    return orjson.dumps(row, option=orjson.OPT_UTC_Z)


def _origin(number: int, version: int) -> Row:
    return {
        "tenant": "default",
        "source": "helpdesk",
        "source_partition": number % 4,
        "version": version,
    }


def call(number: int = 1, *, version: int = 1, **changes: object) -> Row:
    """A call that was answered and has ended."""
    row = {
        "call_id": f"C-{number:06d}",
        "event_time": OPENED,
        "line": "95555",
        "call_type": "regular",
        "priority": None,
        "customer_id": None,
        "ticket_id": None,
        "queue": "regular",
        "answered": True,
        "menu_ms": 9_000,
        "abandoned_where": None,
        "abandoned_at": None,
        "ended_at": OPENED + timedelta(minutes=4),
        "after_call_ms": None,
        "legs": 1,
        "transfers": 0,
        "callbacks_requested": 0,
        "callbacks_made": 0,
        "callback_due_at": None,
        "callback_made_at": None,
        "callbacks_late": 0,
        "flags": [],
        "policy_version": "0123456789abcdef",
        "judged_at": OPENED,
    }
    return {**_origin(number, version), **row, **changes}


def call_leg(number: int = 1, *, version: int = 1, **changes: object) -> Row:
    """The leg of that call."""
    row = {
        "call_id": f"C-{number:06d}",
        "leg": 1,
        "event_time": OPENED,
        "queue": "regular",
        "team": "服务一组",
        "agent": "agent_7",
        "call_type": "regular",
        "customer_id": None,
        "outcome": "answered",
        "queued_at": OPENED,
        "answered_at": OPENED + timedelta(seconds=12),
        "ended_at": OPENED + timedelta(minutes=4),
        "transferred": False,
        "wait_ms": 12_000,
        "talk_ms": 228_000,
        "hold_ms": 0,
        "after_call_ms": None,
        "answer_due_at": OPENED + timedelta(seconds=20),
        "answer_verdict": "met",
        "handle_due_at": OPENED + timedelta(seconds=312),
        "handle_verdict": "met",
        "odd": False,
        "policy_version": "0123456789abcdef",
        "judged_at": OPENED,
        "removed": False,
    }
    return {**_origin(number, version), **row, **changes}


def survey(number: int = 1, *, version: int = 1, **changes: object) -> Row:
    """A questionnaire with one answer."""
    row = {
        "survey_id": f"S-{number:06d}",
        "event_time": OPENED,
        "sent_at": OPENED,
        "answered_at": OPENED + timedelta(hours=2),
        "expired_at": None,
        "ticket_id": f"T-{number:06d}",
        "call_id": None,
        "customer_id": None,
        "channel": "sms",
        "team": "服务一组",
        "agent": "agent_7",
        "answers": 1,
        "flags": [],
        "policy_version": "0123456789abcdef",
        "judged_at": OPENED,
    }
    return {**_origin(number, version), **row, **changes}


def shift(number: int = 1, *, version: int = 1, **changes: object) -> Row:
    """An agent who is there."""
    row = {
        "shift_id": f"agent_7-{number:06d}",
        "event_time": OPENED,
        "agent": "agent_7",
        "team": "服务一组",
        "began_at": OPENED,
        "ended_at": None,
        "state": "available",
        "state_since": OPENED + timedelta(minutes=10),
        "busy_ms": 480_000,
        "idle_ms": 120_000,
        "away_ms": 0,
        "flags": [],
        "policy_version": "0123456789abcdef",
        "judged_at": OPENED,
    }
    return {**_origin(number, version), **row, **changes}


def survey_answer(number: int = 1, *, version: int = 1, **changes: object) -> Row:
    """Its answer."""
    row = {
        "survey_id": f"S-{number:06d}",
        "metric": "csat",
        "question": "overall",
        "event_time": OPENED + timedelta(hours=2),
        "dimension": None,
        "score": 4.5,
        "expectation": None,
        "satisfied": True,
        "ticket_id": f"T-{number:06d}",
        "call_id": None,
        "customer_id": None,
        "channel": "sms",
        "team": "服务一组",
        "agent": "agent_7",
        "policy_version": "0123456789abcdef",
        "judged_at": OPENED,
        "removed": False,
    }
    return {**_origin(number, version), **row, **changes}


def window(table: str, number: int = 1, *, version: int = 1, **changes: object) -> Row:
    """A window of a family in which nothing but zeros has been counted."""
    family = BY_TABLE[table]
    return {
        **_origin(number, version),
        "window_start": OPENED,
        **dict.fromkeys(family.dimensions, "regular"),
        **dict.fromkeys(family.counts, 0),
        **{name: {"17": 2} for name in family.sketches},
        **changes,
    }


def complaint_number(number: int = 1, *, version: int = 1) -> Row:
    """A complaint's number."""
    return {
        "tenant": "default",
        "scope": "default",
        "month": "202601",
        "number": number,
        "complaint_number": f"202601-{number:04d}",
        "source": "helpdesk",
        "ticket_id": f"T-{number:06d}",
        "event_time": OPENED,
        "recorded_at": OPENED,
        "version": version,
    }


def alert_action(number: int = 1, *, version: int = 1, **changes: object) -> Row:
    """An acknowledgement."""
    return {
        "key": alert_intent(number)["key"],
        "action_id": f"a{version}",
        "event_time": OPENED + timedelta(hours=1, minutes=5),
        "action": "acknowledge",
        "until_at": None,
        "actor": "lee",
        "reason": "",
        "version": version,
        **changes,
    }
