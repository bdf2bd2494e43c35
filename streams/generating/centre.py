"""Seeded events. The same seed and size give the same bytes; ids come from the seed, never from a clock."""

import random
from bisect import bisect
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import NamedTuple

import orjson

from schemas.customers import Keys
from schemas.events import EntityKind
from schemas.instants import from_ms, rfc3339
from schemas.wire import TOPIC_OF
from streams.generating import shape
from streams.generating.shape import Queue

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
BREAK_MS, SHIFT_MS_MAX = 1_800_000, 10 * HOUR_MS
_LETTERS: dict[EntityKind, str] = {"call": "C", "ticket": "T", "survey": "S", "shift": "W"}
_CUSTOMER_KEY = "67656e657261746564206e6f207365637265742067656e657261746564212121"  # of nobody real
Data = dict[str, object]


class Told(NamedTuple):
    """An event as it goes onto its topic. `at_ms`: when it happened, and is told."""

    topic: str
    key: bytes
    value: bytes
    at_ms: int


class Contact(NamedTuple):
    """An agent was on it in [from, talked), and busy with it in [from, to)."""

    from_ms: int
    talked_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True)
class Size:
    """How much happens, over all days."""

    days: int
    calls: int
    tickets: int

    def of_day(self, total: int, day: int) -> int:
        """An even share of each day; the hours of the week shape what is inside."""
        return total * (day + 1) // self.days - total * day // self.days


class Centre:
    """A centre from an instant on. Events of each day stand in the order in which they happened; what begins
    on one day may end on another."""

    def __init__(
        self,
        seed: int,
        start_ms: int,
        size: Size,
        source: str = "generated",
        ticket_types: Sequence[tuple[str, float]] = shape.TICKET_TYPES,
    ) -> None:
        self._rng = random.Random(seed)  # noqa: S311  # it should be repeatable, not secret
        self._start_ms = start_ms
        self._size = size
        self._source = source
        self._ticket_types = ticket_types
        self._keys = Keys([_CUSTOMER_KEY])
        self._customers = max(50, (size.calls + size.tickets) // 6)
        self._pseudonyms: dict[int, str] = {}
        self._counts = {"call": 0, "ticket": 0, "survey": 0, "shift": 0}
        self._contacts: dict[tuple[str, str], list[Contact]] = {}  # of the day, by agent and team

    def days(self) -> Iterator[list[Told]]:
        """Day by day; a day holds everything of what began in it, so days overlap a little in time."""
        for day in range(self._size.days):
            began_ms = self._start_ms + day * DAY_MS
            told: list[Told] = []
            for at_ms in self._arrivals(began_ms, self._size.of_day(self._size.calls, day)):
                told += self._call(at_ms)
            for at_ms in self._arrivals(began_ms, self._size.of_day(self._size.tickets, day)):
                told += self._ticket(at_ms)
            for (agent, team), contacts in sorted(self._contacts.items()):
                told += self._shifts(agent, team, contacts)
            self._contacts.clear()
            told.sort(key=lambda one: one.at_ms)
            yield told

    def _arrivals(self, began_ms: int, count: int) -> Iterator[int]:
        """Instants of a day by the hours of its week."""
        weekday = from_ms(began_ms).weekday()
        weights = shape.HOUR_OF_WEEK[weekday * 24 : weekday * 24 + 24]
        sums = list(accumulate(weights))
        for _ in range(count):
            hour = bisect(sums, self._rng.random() * sums[-1])
            yield began_ms + min(hour, 23) * HOUR_MS + int(self._rng.random() * HOUR_MS)

    def _pick(self, choices: Sequence[tuple[str, float]]) -> str:
        roll = self._rng.random()
        for name, share in choices:
            roll -= share
            if roll < 0:
                return name
        return choices[-1][0]

    def _queue(self) -> Queue:
        names = [(queue.name, queue.share) for queue in shape.QUEUES]
        picked = self._pick(names)
        return next(queue for queue in shape.QUEUES if queue.name == picked)

    def _customer(self) -> str:
        """Some come again and again, most once."""
        number = int(self._customers * self._rng.random() ** 2)
        if number not in self._pseudonyms:
            self._pseudonyms[number] = self._keys.pseudonyms("default", f"customer-{number}")[0]
        return self._pseudonyms[number]

    def _agent(self, queue: Queue) -> tuple[str, str]:
        """Agent and team; the first few of a team take most."""
        number = int(queue.agents * self._rng.random() ** 1.3)
        return f"{queue.name}-{number + 1:02d}", queue.teams[number % len(queue.teams)]

    def _seconds(self, median: float, spread: float = 0.7) -> int:
        """A skewed duration in ms, at least one second."""
        return max(1_000, round(1_000 * median * self._rng.lognormvariate(0.0, spread)))

    # -- calls --------------------------------------------------------------------------------

    def _call(self, at_ms: int) -> Iterator[Told]:
        story = _Story(self, "call")
        rng, queue = self._rng, self._queue()
        call_type, customer = self._pick(shape.CALL_TYPES), self._customer()
        about: Data = {"call_type": call_type, "customer_id": customer}
        yield story.event("ivr_entered", at_ms, line="95555", **about)
        at_ms += self._seconds(18, 0.4)
        if rng.random() < shape.MENU_ABANDONED:
            yield story.event("abandoned", at_ms, where="ivr")
            yield story.event("ended", at_ms, ended_by="customer")
            return
        yield story.event("queued", at_ms, queue=queue.name, **about)
        wait_ms = self._wait_ms(queue)
        patience_ms = round(1_000 * shape.PATIENCE_SECONDS * rng.expovariate(1.0))
        if rng.random() < shape.CALLBACK and wait_ms > 30_000:
            yield from self._called_back(story, at_ms + 25_000, queue)
            return
        if patience_ms < wait_ms:
            yield story.event("abandoned", at_ms + patience_ms, where="queue")
            yield story.event("ended", at_ms + patience_ms, ended_by="customer")
            return
        yield from self._answered(story, at_ms + wait_ms, wait_ms, queue)

    def _wait_ms(self, queue: Queue) -> int:
        if self._rng.random() >= queue.busy:
            return round(self._rng.random() * 6_000)
        return self._seconds(queue.wait_seconds, 0.8)

    def _called_back(self, story: "_Story", at_ms: int, queue: Queue) -> Iterator[Told]:
        yield story.event("callback_requested", at_ms, queue=queue.name)
        yield story.event("ended", at_ms, ended_by="customer")
        if self._rng.random() < 0.9:
            agent, _ = self._agent(queue)
            yield story.event("callback_made", at_ms + self._seconds(5_400, 0.9), agent=agent)

    def _answered(self, story: "_Story", at_ms: int, wait_ms: int, queue: Queue) -> Iterator[Told]:
        rng = self._rng
        agent, team = self._agent(queue)
        yield story.event("answered", at_ms, agent=agent, team=team)
        answered_ms = at_ms
        talk_ms = self._seconds(queue.talk_seconds)
        if rng.random() < shape.HELD:
            held_ms = at_ms + talk_ms // 3
            yield story.event("held", held_ms, agent=agent)
            hold_ms = self._seconds(30)
            yield story.event("retrieved", held_ms + hold_ms, agent=agent)
            talk_ms += hold_ms
        at_ms += talk_ms
        if rng.random() < shape.TRANSFERRED:
            other = shape.QUEUES[1] if queue is not shape.QUEUES[1] else shape.QUEUES[2]
            yield story.event("transferred", at_ms, to_queue=other.name)
            yield story.event("queued", at_ms, queue=other.name)
            self._was_busy(agent, team, answered_ms, at_ms, at_ms)
            at_ms += self._seconds(15)
            agent, team = self._agent(other)
            yield story.event("answered", at_ms, agent=agent, team=team)
            answered_ms = at_ms
            at_ms += self._seconds(other.talk_seconds)
        yield story.event("ended", at_ms, ended_by="customer" if rng.random() < 0.7 else "agent")
        after_ms = at_ms + self._seconds(35)
        yield story.event("after_call_ended", after_ms, agent=agent)
        self._was_busy(agent, team, answered_ms, at_ms, after_ms)
        if rng.random() < shape.ASKED_AFTER_CALL:
            pleased = 0.9 - min(0.5, wait_ms / 200_000) - min(0.3, talk_ms / 3_000_000)
            about: Data = {"call_id": story.name, "agent": agent, "team": team, "channel": "sms"}
            yield from self._survey(
                at_ms + 60_000, about, pleased, shape.ANSWERS_AFTER_CALL, "csat", "ces"
            )

    # -- agents -------------------------------------------------------------------------------

    def _was_busy(self, agent: str, team: str, from_ms: int, talked_ms: int, to_ms: int) -> None:
        self._contacts.setdefault((agent, team), []).append(Contact(from_ms, talked_ms, to_ms))

    def _shifts(self, agent: str, team: str, contacts: list[Contact]) -> Iterator[Told]:
        """Signed in a little before the first contact and out a little after the last; a long day is two shifts,
        and the longest pause has a break in it."""
        for shift in _split(_merged(contacts)):
            story = _Story(self, "shift")
            pauses = [(after.from_ms - one.to_ms, one.to_ms) for one, after in pairwise(shift)]
            longest_ms, break_ms = max(pauses, default=(0, 0))
            yield story.event("began", shift[0].from_ms - 300_000, agent=agent, team=team)
            for one in shift:
                yield story.event("state_changed", one.from_ms, state="on_contact")
                if one.to_ms > one.talked_ms:
                    yield story.event("state_changed", one.talked_ms, state="after_contact")
                yield story.event("state_changed", one.to_ms, state="available")
                if one.to_ms == break_ms and longest_ms > 2 * BREAK_MS:
                    yield story.event("state_changed", break_ms + 60_000, state="on_break")
                    ends_ms = break_ms + 60_000 + BREAK_MS
                    yield story.event("state_changed", ends_ms, state="available")
            yield story.event("ended", shift[-1].to_ms + 300_000)

    # -- tickets ------------------------------------------------------------------------------

    def _ticket(self, at_ms: int) -> Iterator[Told]:
        story = _Story(self, "ticket")
        rng = self._rng
        ticket_type, priority = self._pick(self._ticket_types), self._pick(shape.PRIORITIES)
        queue = shape.QUEUES[2] if ticket_type == "complaint" else self._queue()
        agent, team = self._agent(queue)
        attributes = {"cause": self._pick(shape.CAUSES)} if ticket_type == "complaint" else {}
        about: Data = {
            "status": "new", "ticket_type": ticket_type, "priority": priority, "team": team,
            "tier": self._pick(shape.TIERS), "channel": self._pick(shape.CHANNELS),
            "customer_id": self._customer(),
        }  # fmt: skip
        if attributes:
            about["attributes"] = attributes
        yield story.event("created", at_ms, **about)
        reply_ms = at_ms + self._seconds(1_500, 0.9)
        yield story.event("assigned", at_ms + (reply_ms - at_ms) // 2, team=team, agent=agent)
        yield story.event("message", reply_ms, author="agent", public=True)
        solve_ms = self._seconds(3_600 * shape.SOLVE_HOURS[priority], 0.8)
        solved_ms = reply_ms + solve_ms
        if ticket_type == "complaint":
            for at, stage in enumerate(shape.STAGES[:6]):
                yield story.event("stage_changed", reply_ms + solve_ms * at // 6, stage=stage)
        yield story.event("solved", solved_ms)
        if rng.random() < shape.REOPENED:
            reopened_ms = solved_ms + self._seconds(20_000)
            yield story.event("reopened", reopened_ms)
            solved_ms = reopened_ms + self._seconds(9_000)
            yield story.event("solved", solved_ms)
        if rng.random() < 0.8:
            yield story.event(
                "stage_changed", solved_ms + self._seconds(90_000), stage="followed_up"
            )
        if rng.random() < shape.ASKED_AFTER_TICKET:
            pleased = 0.92 - min(0.6, solve_ms / HOUR_MS / 80)
            told: Data = {"ticket_id": story.name, "agent": agent, "team": team, "channel": "app"}
            yield from self._survey(
                solved_ms + HOUR_MS, told, pleased, shape.ANSWERS_AFTER_TICKET, "csat", "nps"
            )
        yield story.event("closed", solved_ms + self._seconds(170_000, 0.3))

    # -- questionnaires -----------------------------------------------------------------------

    def _survey(
        self, at_ms: int, about: Data, pleased: float, answers: float, *metrics: str
    ) -> Iterator[Told]:
        story = _Story(self, "survey")
        rng = self._rng
        yield story.event("sent", at_ms, **about)
        if rng.random() >= answers:
            yield story.event("expired", at_ms + 7 * DAY_MS)
            return
        about = {name: value for name, value in about.items() if name != "channel"}
        answered_ms = at_ms + self._seconds(5_400, 1.1)
        for metric in metrics:
            score = self._score(metric, pleased)
            yield story.event(
                "answered", answered_ms, metric=metric, question="overall", score=score, **about
            )
            if rng.random() < shape.CORRECTED:
                yield story.event(
                    "corrected", answered_ms + 600_000,
                    corrects=story.last_id, score=self._score(metric, pleased),
                )  # fmt: skip
            answered_ms += 15_000

    def _score(self, metric: str, pleased: float) -> int:
        low, high = {"csat": (1, 5), "ces": (1, 7), "nps": (0, 10)}[metric]
        drawn = self._rng.betavariate(1 + 6 * max(0.05, pleased), 1 + 6 * (1 - min(0.95, pleased)))
        return min(high, low + int(drawn * (high - low + 1)))

    def numbered(self, kind: EntityKind) -> int:
        """The next number of a kind of entity."""
        self._counts[kind] += 1
        return self._counts[kind]

    @property
    def source(self) -> str:
        return self._source


def _merged(contacts: Iterable[Contact]) -> list[Contact]:
    """Calls were dealt out without asking who was free: what overlaps is one long contact."""
    merged: list[Contact] = []
    for one in sorted(contacts):
        last = merged[-1] if merged else None
        if last is not None and one.from_ms <= last.to_ms:
            talked_ms = max(last.talked_ms, one.talked_ms)
            merged[-1] = Contact(last.from_ms, talked_ms, max(last.to_ms, one.to_ms))
        else:
            merged.append(one)
    return merged


def _split(contacts: Sequence[Contact]) -> Iterator[list[Contact]]:
    """Into shifts that people can work."""
    shift: list[Contact] = []
    for one in contacts:
        if shift and one.to_ms - shift[0].from_ms > SHIFT_MS_MAX:
            yield shift
            shift = []
        shift.append(one)
    if shift:
        yield shift


class _Story:
    """One entity being told."""

    def __init__(self, centre: Centre, kind: EntityKind) -> None:
        self.name = f"{_LETTERS[kind]}{centre.numbered(kind):07d}"
        self.last_id = ""
        self._source = centre.source
        self._kind = kind
        self._events = 0

    def event(self, type_: str, at_ms: int, **data: object) -> Told:
        """The next event."""
        self._events += 1
        self.last_id = f"{self.name}-{self._events}"
        stamp = rfc3339(at_ms)
        document = {
            "schema_version": 1,
            "tenant": "default",
            "source": self._source,
            "event_id": self.last_id,
            "type": type_,
            "occurred_at": stamp,
            "ingested_at": stamp,
            f"{self._kind}_id": self.name,
            "data": data,
        }
        key = f"default/{self._source}/{self.name}".encode()
        return Told(TOPIC_OF[self._kind], key, orjson.dumps(document), at_ms)
