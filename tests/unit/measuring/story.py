"""A small day of a call centre whose numbers can be worked out by hand."""

from collections.abc import Iterator
from typing import Any

import orjson

from schemas.instants import parse_rfc3339, rfc3339

DAY = "2026-03-02"
START_MS = parse_rfc3339(f"{DAY}T00:00:00Z")
HOUR_MS = 3_600_000
_ENTITY = {"tickets": "ticket_id", "calls": "call_id", "surveys": "survey_id", "shifts": "shift_id"}
Message = tuple[str, bytes, bytes]

POLICY = """
policy: story
effective_from: 2000-01-01T00:00:00Z
calendars: {always: {always: true}}
calendar: always
clocks:
  resolution: {start: created, stop: solved}
  follow_up: {start: solved, stop: {type: stage_changed, stage: followed_up}}
rules:
  - {id: all, targets: {resolution: 1h, follow_up: 3d}}
measures:
  calls:
    known_only: true
    queues: {sales: {}, vip: {answer_within: 10s}}
"""


def event(topic: str, entity: str, second: float, type_: str, **data: Any) -> Message:
    """An event so many seconds after the day began."""
    document = {
        "schema_version": 1,
        "tenant": "default",
        "source": "centre",
        "event_id": f"{entity}-{type_}-{second:g}",
        "type": type_,
        "occurred_at": rfc3339(START_MS + round(second * 1_000)),
        "ingested_at": rfc3339(START_MS + round(second * 1_000)),
        _ENTITY[topic]: entity,
        "data": data,
    }
    return topic, f"default/centre/{entity}".encode(), orjson.dumps(document)


def call(
    name: str, begin: float, queue: str, *steps: tuple[float, str, dict[str, Any]]
) -> Iterator[Message]:
    """A call that waits in a queue; steps are told in seconds after its beginning."""
    yield event("calls", name, begin, "ivr_entered", call_type="regular", customer_id=name[:2])
    yield event("calls", name, begin + 5, "queued", queue=queue, call_type="regular")
    for after, type_, data in steps:
        yield event("calls", name, begin + 5 + after, type_, **data)


def answered(
    name: str, begin: float, wait: float, talk: float, queue: str = "sales"
) -> Iterator[Message]:
    return call(
        name,
        begin,
        queue,
        (wait, "answered", {"agent": "ann", "team": "blue"}),
        (wait + talk, "ended", {}),
        (wait + talk + 30, "after_call_ended", {}),
    )


def calls() -> Iterator[Message]:
    """Waits of answered ones: 10, 20, 21 and 60 s; two abandons, after 3 and after 50 s; one callback."""
    yield from answered("c1-a", 3_600, 10, 100)  # within
    yield from answered("c2-a", 3_700, 20, 200)  # exactly at the threshold: within; over 3 minutes
    yield from answered("c3-a", 3_800, 21, 400)  # over 5 minutes
    yield from answered("c4-a", 3_900, 60, 100, queue="vip")
    yield from call("c5-a", 4_000, "sales", (3, "abandoned", {}), (3, "ended", {}))
    yield from call("c6-a", 4_100, "sales", (50, "abandoned", {}), (50, "ended", {}))
    yield from call(
        "c7-a",
        4_200,
        "sales",
        (15, "callback_requested", {}),
        (15, "ended", {}),
        (5 * 3_600, "callback_made", {"agent": "ann"}),  # promised within 4 hours
    )
    # The customer of c1 calls again two hours later: c1 did not solve it.
    yield from call(
        "c1-b",
        11_000,
        "sales",
        (10, "answered", {"agent": "bob", "team": "red"}),
        (40, "held", {}),
        (60, "retrieved", {}),
        (80, "transferred", {"to_queue": "vip"}),
        (80, "queued", {"queue": "vip"}),
        (85, "answered", {"agent": "eve", "team": "red"}),
        (185, "ended", {}),
    )
    yield event("calls", "c8-a", 5_000, "ivr_entered", call_type="regular")
    yield event("calls", "c8-a", 5_004, "abandoned", where="ivr")
    yield event("calls", "c8-a", 5_004, "ended")


def tickets() -> Iterator[Message]:
    """Resolutions after 30, 50 and 90 minutes; one is open. Two complaints of one customer."""
    for name, minutes, type_, customer in (
        ("T1", 30, "repair", "p"),
        ("T2", 50, "complaint", "q"),
        ("T3", 90, "complaint", "q"),
        ("T4", None, "repair", "r"),
    ):
        begin = 3_600 + 60 * int(name[1])
        yield event(
            "tickets", name, begin, "created", ticket_type=type_, customer_id=customer, team="blue"
        )
        if minutes is not None:
            yield event("tickets", name, begin + 60 * minutes, "solved")
    yield event("tickets", "T1", 20_000, "stage_changed", stage="followed_up")
    yield event("tickets", "T2", 20_100, "reopened")
    yield event("tickets", "T2", 20_200, "solved")
    yield event("tickets", "T3", 20_300, "closed")


def surveys() -> Iterator[Message]:
    """Four questionnaires, three answered."""
    for name, ticket in (("S1", "T1"), ("S2", "T2"), ("S3", "T3"), ("S4", None)):
        about = {} if ticket is None else {"ticket_id": ticket}
        yield event("surveys", name, 21_000, "sent", channel="sms", team="blue", **about)
    yield event("surveys", "S1", 22_000, "answered", metric="csat", question="all", score=2)
    yield event("surveys", "S1", 22_100, "answered", metric="csat", question="all", score=5)
    yield event("surveys", "S2", 22_000, "answered", metric="csat", question="all", score=4)
    yield event("surveys", "S3", 22_000, "answered", metric="csat", question="all", score=1)
    for at, score in enumerate((10, 9, 8, 3)):
        yield event(
            "surveys", f"N{at}", 23_000, "answered", metric="nps", question="q", score=score
        )
    for at, score in enumerate((7, 6, 6, 3)):
        yield event(
            "surveys", f"E{at}", 23_000, "answered", metric="ces", question="q", score=score
        )
    yield event("surveys", "A1", 23_000, "answered", metric="audit", question="q", score=80)
    yield event("surveys", "A2", 23_000, "answered", metric="audit", question="q", score=95)
    yield event("surveys", "M1", 23_000, "answered", metric="employee", question="q", score=3)
    for at, (dimension, score) in enumerate(
        (
            ("tangibles", 5),
            ("reliability", 4),
            ("responsiveness", 6),
            ("assurance", 7),
            ("empathy", 3),
        )
    ):
        yield event(
            "surveys", f"Q{at}", 23_000, "answered",
            metric="servqual", question="q", dimension=dimension, score=score, expectation=5,
        )  # fmt: skip
    for at, (dimension, score) in enumerate(
        (("favourable", 1), ("awareness", 1), ("return", 0), ("complaint", 0), ("repurchase", 1))
    ):
        yield event(
            "surveys", f"R{at}", 23_000, "answered",
            metric="reputation", question="q", dimension=dimension, score=score,
        )  # fmt: skip


def shifts() -> Iterator[Message]:
    """Two agents. Ann: busy 130 s, idle 580 s, on break 300 s; Bob: busy 90 s, idle 20 s."""
    yield event("shifts", "ann-1", 3_590, "began", agent="ann", team="blue")
    for second, state in (
        (3_600, "on_contact"), (3_700, "after_contact"), (3_730, "available"),
        (4_000, "on_break"), (4_300, "available"),
    ):  # fmt: skip
        yield event("shifts", "ann-1", second, "state_changed", state=state)
    yield event("shifts", "ann-1", 4_600, "ended")
    yield event("shifts", "bob-1", 10_990, "began", agent="bob", team="red")
    yield event("shifts", "bob-1", 11_010, "state_changed", state="on_contact")
    yield event("shifts", "bob-1", 11_100, "ended")


def day() -> list[Message]:
    """Everything that happened."""
    return [*calls(), *tickets(), *surveys(), *shifts()]
