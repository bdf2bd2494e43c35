"""What comes in while everything goes wrong: ticket events, late, doubled, malformed ones among them."""

import random
from dataclasses import dataclass, field

import orjson

from schemas.instants import rfc3339

PRIORITIES = ("P1", "P2", "P3")
TEAMS = ("L1", "L2", "network")
LATE_SHARE = 0.12
DOUBLE_SHARE = 0.05
MALFORMED_SHARE = 0.01


@dataclass(frozen=True, slots=True, order=True)
class Step:
    """One event: when it is published, how much earlier it happened, what it says."""

    at_seconds: float
    ticket: str
    number: int
    kind: str = field(compare=False)
    late_seconds: float = field(compare=False)
    data: dict[str, object] = field(compare=False)
    malformed: bool = field(default=False, compare=False)

    def message(self, start_ms: int, now_ms: int) -> tuple[bytes, bytes]:
        """Key and value, as an edge makes them at `now_ms`."""
        occurred_ms = start_ms + round((self.at_seconds - self.late_seconds) * 1_000)
        event = {
            "schema_version": 1,
            "source": "desk",
            "event_id": f"{self.ticket}-{self.number}",
            "type": "exploded" if self.malformed else self.kind,
            "occurred_at": rfc3339(min(occurred_ms, now_ms)),
            "ingested_at": rfc3339(now_ms),
            "ticket_id": self.ticket,
            "data": self.data,
        }
        return f"default/desk/{self.ticket}".encode(), orjson.dumps(event)


def story(seed: int, seconds: float, tickets_per_second: float) -> list[Step]:
    """Steps by time of publication, all within `seconds`."""
    rng = random.Random(f"{seed} story")
    steps: list[Step] = []
    for number in range(int(seconds * tickets_per_second)):
        steps += _life(rng, f"T{number}", number / tickets_per_second)
    kept = [step for step in steps if step.at_seconds < seconds]
    doubled = [step for step in kept if rng.random() < DOUBLE_SHARE]
    return sorted([*kept, *doubled])


def _life(rng: random.Random, ticket: str, at_seconds: float) -> list[Step]:
    steps: list[Step] = []

    def add(kind: str, **data: object) -> None:
        late = rng.uniform(0.5, 8.0) if rng.random() < LATE_SHARE else 0.0
        malformed = rng.random() < MALFORMED_SHARE
        steps.append(Step(at_seconds + late, ticket, len(steps), kind, late, data, malformed))

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
    return steps
