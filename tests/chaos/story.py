"""What comes in while everything goes wrong: events of tickets, calls, questionnaires and shifts; late, doubled and
malformed ones among them."""

import random
from dataclasses import dataclass, field

import orjson

from schemas.instants import rfc3339

PRIORITIES = ("P1", "P2", "P3")
TEAMS = ("L1", "L2", "network")
QUEUES = ("sales", "faults")
CALLS_EVERY, SURVEYS_EVERY, SHIFTS_EVERY = 3, 4, 9  # tickets
LATE_SHARE = 0.12
DOUBLE_SHARE = 0.05
MALFORMED_SHARE = 0.01


@dataclass(frozen=True, slots=True, order=True)
class Step:
    """One event: when it is published, how much earlier it happened, what it says."""

    at_seconds: float
    entity: str
    number: int
    kind: str = field(compare=False)
    late_seconds: float = field(compare=False)
    data: dict[str, object] = field(compare=False)
    malformed: bool = field(default=False, compare=False)
    topic: str = field(default="tickets", compare=False)

    def message(self, start_ms: int, now_ms: int) -> tuple[bytes, bytes]:
        """Key and value, as an edge makes them at `now_ms`."""
        occurred_ms = start_ms + round((self.at_seconds - self.late_seconds) * 1_000)
        event = {
            "schema_version": 1,
            "source": "desk",
            "event_id": f"{self.entity}-{self.number}",
            "type": "exploded" if self.malformed else self.kind,
            "occurred_at": rfc3339(min(occurred_ms, now_ms)),
            "ingested_at": rfc3339(now_ms),
            f"{self.topic[:-1]}_id": self.entity,
            "data": self.data,
        }
        return f"default/desk/{self.entity}".encode(), orjson.dumps(event)


def story(seed: int, seconds: float, tickets_per_second: float) -> list[Step]:
    """Steps by time of publication, all within `seconds`."""
    rng = random.Random(f"{seed} story")
    steps: list[Step] = []
    for number in range(int(seconds * tickets_per_second)):
        at_seconds = number / tickets_per_second
        steps += _life(rng, f"T{number}", at_seconds)
        if number % CALLS_EVERY == 0:
            steps += _call(rng, f"C{number}", at_seconds)
        if number % SURVEYS_EVERY == 0:
            steps += _survey(rng, f"S{number}", at_seconds)
        if number % SHIFTS_EVERY == 0:
            steps += _shift(rng, f"W{number}", at_seconds)
    kept = [step for step in steps if step.at_seconds < seconds]
    doubled = [step for step in kept if rng.random() < DOUBLE_SHARE]
    return sorted([*kept, *doubled])


class _Told:
    """One entity's events, some of them late."""

    def __init__(self, rng: random.Random, entity: str, topic: str) -> None:
        self.steps: list[Step] = []
        self._rng = rng
        self._entity = entity
        self._topic = topic

    def add(self, at_seconds: float, kind: str, **data: object) -> None:
        rng = self._rng
        late = rng.uniform(0.5, 8.0) if rng.random() < LATE_SHARE else 0.0
        malformed = rng.random() < MALFORMED_SHARE
        self.steps.append(
            Step(
                at_seconds + late, self._entity, len(self.steps), kind, late, data, malformed,
                self._topic,
            )
        )  # fmt: skip


def _call(rng: random.Random, name: str, at_seconds: float) -> list[Step]:
    told = _Told(rng, name, "calls")
    told.add(at_seconds, "ivr_entered", call_type="fault")
    at_seconds += rng.uniform(0.2, 2.0)
    told.add(at_seconds, "queued", queue=rng.choice(QUEUES))
    at_seconds += rng.expovariate(0.3)
    if rng.random() < 0.2:
        told.add(at_seconds, "abandoned", where="queue")
        told.add(at_seconds, "ended")
        return told.steps
    told.add(at_seconds, "answered", agent=f"a{rng.randrange(9)}", team=rng.choice(TEAMS))
    at_seconds += rng.expovariate(0.2)
    if rng.random() < 0.2:
        told.add(at_seconds, "transferred", to_queue=QUEUES[0])
        told.add(at_seconds, "queued", queue=QUEUES[0])
        at_seconds += rng.expovariate(1.0)
        told.add(at_seconds, "answered", agent="a9", team=TEAMS[0])
        at_seconds += rng.expovariate(0.5)
    if rng.random() < 0.9:
        told.add(at_seconds, "ended")
        told.add(at_seconds + rng.uniform(0.5, 5.0), "after_call_ended")
    return told.steps


def _survey(rng: random.Random, name: str, at_seconds: float) -> list[Step]:
    told = _Told(rng, name, "surveys")
    told.add(at_seconds, "sent", channel="sms", team=rng.choice(TEAMS))
    for _ in range(rng.randrange(3)):
        at_seconds += rng.uniform(0.5, 5.0)
        told.add(at_seconds, "answered", metric="csat", question="all", score=rng.randint(1, 5))
        if rng.random() < 0.3:
            corrects = f"{name}-{len(told.steps) - 1}"
            told.add(at_seconds + 1.0, "corrected", corrects=corrects, score=rng.randint(1, 5))
    return told.steps


def _shift(rng: random.Random, name: str, at_seconds: float) -> list[Step]:
    told = _Told(rng, name, "shifts")
    told.add(at_seconds, "began", agent=f"a{rng.randrange(9)}", team=rng.choice(TEAMS))
    for _ in range(rng.randrange(8)):
        for state in ("on_contact", "after_contact", rng.choice(("available", "on_break"))):
            at_seconds += rng.uniform(0.2, 6.0)
            told.add(at_seconds, "state_changed", state=state)
    if rng.random() < 0.8:
        told.add(at_seconds + rng.uniform(0.5, 5.0), "ended")
    return told.steps


def _life(rng: random.Random, ticket: str, at_seconds: float) -> list[Step]:
    told = _Told(rng, ticket, "tickets")

    def add(kind: str, **data: object) -> None:
        told.add(at_seconds, kind, **data)

    add("created", priority=rng.choice(PRIORITIES), team=rng.choice(TEAMS), status="new")
    at_seconds += rng.uniform(0.3, 9.0)
    add("message", author="agent", public=True)
    if rng.random() < 0.3:
        at_seconds += rng.uniform(0.1, 2.0)
        add("status_changed", status="pending")
        at_seconds += rng.uniform(0.5, 5.0)
        add("status_changed", status="open")
    if rng.random() < 0.3:
        at_seconds += rng.uniform(0.1, 3.0)
        add("assigned", team=rng.choice(TEAMS), agent=f"a{rng.randrange(20)}")
    if rng.random() < 0.9:
        at_seconds += rng.uniform(0.3, 14.0)
        add("solved")
    if rng.random() < 0.1:
        at_seconds += rng.uniform(0.3, 5.0)
        add("reopened")
    return told.steps
