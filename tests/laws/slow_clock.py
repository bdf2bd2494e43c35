"""The clock conventions once more, written straight down and slowly: the core must agree with it.

Nothing is cached and nothing foreseen: segments of activity are kept as a list, and before every
event the due instant is searched again from the first segment on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from schemas.events import Event, Excluded, Message
from streams.core.policy import Calendar, ClockSpec, Policy

Holder = tuple[str | None, str | None]


@dataclass
class Segment:
    start: int
    end: int | None
    calendar: Calendar
    holder: Holder

    def worked(self, now: int) -> int:
        return self.calendar.measure(self.start, now if self.end is None else self.end)


@dataclass
class SlowCycle:
    id: str
    start: int
    opened_by_created: bool
    first_holder: Holder
    calendar: Calendar
    target: int | None
    given: int | None
    open: bool = True
    segments: list[Segment] = field(default_factory=list)
    carried: dict[Holder, int] = field(default_factory=dict)
    carried_at: int = 0
    pinned: int | None = None
    breach: dict[str, Any] | None = None
    stopped: int | None = None
    stopped_by: str = ""
    withdrawn: int | None = None

    @property
    def running(self) -> bool:
        return bool(self.segments) and self.segments[-1].end is None

    def due(self) -> int | None:
        if self.given is not None:
            return self.given
        if self.target is None:
            return None
        left = self.target - sum(self.carried.values())
        if left <= 0:
            return self.carried_at
        for segment in self.segments:
            worked = None if segment.end is None else segment.worked(segment.end)
            if worked is None or worked >= left:
                return segment.calendar.add(segment.start, left)
            left -= worked
        return None

    def used(self, now: int) -> dict[Holder, int]:
        used = dict(self.carried)
        for segment in self.segments:
            used[segment.holder] = used.get(segment.holder, 0) + segment.worked(now)
        return used


class SlowClock:
    """One clock of one ticket under one policy, judged at one instant."""

    def __init__(self, policy: Policy, clock: ClockSpec, events: Sequence[Event], as_of: int):
        self.policy, self.clock, self.as_of = policy, clock, as_of
        self.status = "new"
        self.tier: str | None = None
        self.priority: str | None = None
        self.holder: Holder = (None, None)
        self.history: list[tuple[int, Holder]] = []
        self.cycles: list[SlowCycle] = []
        self.ended = self.excluded = self.armed = False
        self.absorbed: int | None = None
        self.given: int | None = None
        self.flags: list[tuple[str, str | None, int | None]] = []
        created_seen = False
        for instant, event in self._ordered(events):
            if event.type == "created":
                if created_seen:
                    continue
                created_seen = True
            self._event(event, instant)

    def _ordered(self, events: Sequence[Event]) -> list[tuple[int, Event]]:
        kept = self._kept(events)
        instants = {event.event_id: self._unclamped(event) for event in kept}
        begins = [event for event in kept if event.type == "created"]
        if not begins:
            if kept:
                self.flags.append(("partial_history", None, None))
            kept = []
        else:
            begin = min(self._key(event, instants[event.event_id]) for event in begins)[0]
            for event in kept:
                before = instants[event.event_id] - begin
                if before < 0:
                    self.flags.append(("before_start_clamped", event.event_id, before))
                    instants[event.event_id] = begin
        self.flags.sort(key=lambda flag: (flag[0], flag[1] or ""))
        pairs = [(instants[event.event_id], event) for event in kept]
        pairs = [pair for pair in pairs if pair[0] <= self.as_of]
        return sorted(pairs, key=lambda pair: self._key(pair[1], pair[0]))

    def _kept(self, events: Sequence[Event]) -> list[Event]:
        copies: dict[str, list[Event]] = {}
        for event in events:
            if event.ingested_ms <= self.as_of:
                copies.setdefault(event.event_id, []).append(event)
        for event_id, same in copies.items():
            if len({event.digest for event in same}) > 1:
                self.flags.append(("conflicting_duplicate", event_id, None))
        return [
            min(same, key=lambda event: (event.ingested_ms, event.digest))
            for same in copies.values()
        ]

    def _unclamped(self, event: Event) -> int:
        skew = event.occurred_ms - event.ingested_ms
        if skew <= self.policy.future_skew_ms_max:
            return event.occurred_ms
        self.flags.append(("future_clamped", event.event_id, skew))
        return event.ingested_ms

    @staticmethod
    def _key(event: Event, instant: int) -> tuple[Any, ...]:
        data = event.data
        replies = isinstance(data, Message) and data.author == "agent" and data.public
        stops = replies or event.type in ("solved", "closed")
        rank = (1, 0) if event.sequence is None else (0, event.sequence)
        created = 0 if event.type == "created" else 1
        return (instant, created, rank, 0 if stops else 1, event.event_id)

    def _promise(self) -> tuple[int | None, Calendar]:
        have = {"tier": self.tier, "priority": self.priority}
        calendar = self.policy.calendar
        target = None
        for rule in self.policy.rules:
            if all(have[name] in values for name, values in rule.match):
                target = rule.targets.get(self.clock.id)
                calendar = calendar if rule.calendar is None else rule.calendar
                break
        for choice in self.policy.calendar_choices:
            calendar = choice.calendars.get(have[choice.attribute] or "", calendar)
        return (None if self.given is not None else target), calendar

    def _active(self) -> bool:
        held_by_team = self.clock.kind == "sla" or self.holder[0] == self.clock.team
        return self.status not in self.clock.pause_statuses and held_by_team

    def _matches(self, role: str, event: Event) -> bool:
        return any(matcher.matches(event) for matcher in getattr(self.clock, role))

    def _held_before(self, instant: int, cycle: SlowCycle) -> Holder:
        earlier = [holder for at, holder in self.history if at < instant]
        return earlier[-1] if earlier else cycle.first_holder

    def _breach(self, cycle: SlowCycle, due: int) -> None:
        if due < cycle.start:
            breach = {"at": cycle.start, "reason": "due_before_start"}
            holder = cycle.first_holder
        else:
            breach = {"at": due, "reason": "deadline"}
            holder = self._held_before(due, cycle) if due > cycle.start else cycle.first_holder
        cycle.breach = {**breach, "due": due, "holder": holder}

    def _look(self, cycle: SlowCycle, now: int) -> int | None:
        """Write a breach down that lies before now; answer a due instant that is now."""
        due = cycle.due() if cycle.pinned is None else cycle.pinned
        if cycle.breach is not None or due is None or self.excluded:
            return None
        if due < now:
            self._breach(cycle, due)
        return due if due == now else None

    def _event(self, event: Event, now: int) -> None:
        cycle = self.cycles[-1] if self.cycles else None
        due_now = self._look(cycle, now) if cycle is not None and cycle.open else None
        changed = self._attributes(event, now)
        if cycle is not None and cycle.open:
            self._open_cycle(cycle, event, now, changed, due_now)
        elif cycle is not None and self._reopens(cycle, event):
            self._reopen(cycle, event, now)
        self._start(event, now)

    def _reopens(self, cycle: SlowCycle, event: Event) -> bool:
        stopped = cycle.stopped_by in ("solved", "closed")
        return event.type == "reopened" and stopped and not self.ended

    def _attributes(self, event: Event, now: int) -> bool:  # noqa: C901  # one line per type
        data: Any = event.data
        before = self.tier, self.priority
        if event.type == "created":
            self.status, self.tier, self.priority = data.status, data.tier, data.priority
            self.given = data.targets.get(self.clock.id)
        elif event.type == "status_changed":
            self.status = data.status
        elif event.type in ("solved", "closed"):
            self.status = event.type
        elif event.type == "reopened":
            self.status = "open"
        elif event.type == "priority_changed":
            self.priority = data.priority
        elif event.type == "customer_changed":
            self.tier = data.tier
        elif event.type in ("cancelled", "merged"):
            self.ended = True
        elif event.type == "absorbed":
            earlier = [at for at in (self.absorbed, data.started_ms) if at is not None]
            self.absorbed = min(earlier)
        elif event.type == "excluded" and data.clock == self.clock.id:
            self.excluded = True
        if event.type in ("created", "assigned"):
            self.holder = data.team, data.agent
            self.history.append((now, self.holder))
        return (self.tier, self.priority) != before

    def _open_cycle(
        self, cycle: SlowCycle, event: Event, now: int, changed: bool, due_now: int | None
    ) -> None:
        if self._matches("stop", event):
            self._end(cycle, now)
            cycle.stopped, cycle.stopped_by = now, event.type
            return
        excluded_now = isinstance(event.data, Excluded) and event.data.clock == self.clock.id
        if event.type in ("cancelled", "merged") or excluded_now:
            self._end(cycle, now)
            cycle.withdrawn = now
            return
        was = (cycle.running, cycle.segments[-1].holder if cycle.running else None)
        if event.type == "absorbed":
            self._earlier(cycle, now)
        if changed:
            self._retarget(cycle, now)
        if (self._active(), self.holder if self._active() else None) != was:
            self._close_segment(cycle, now)
            if self._active():
                cycle.segments.append(Segment(now, None, cycle.calendar, self.holder))
        pinnable = due_now is not None and cycle.breach is None and cycle.pinned is None
        if pinnable and cycle.due() != due_now:
            cycle.pinned = due_now

    def _end(self, cycle: SlowCycle, now: int) -> None:
        self._close_segment(cycle, now)
        cycle.open, cycle.pinned = False, None

    @staticmethod
    def _close_segment(cycle: SlowCycle, now: int) -> None:
        if cycle.running:
            cycle.segments[-1].end = now
            if cycle.segments[-1].start == now:
                cycle.segments.pop()  # nobody held it for no time

    def _earlier(self, cycle: SlowCycle, now: int) -> None:
        if self.policy.merge_start != "earliest" or not cycle.opened_by_created:
            return
        if self.absorbed is None or self.absorbed >= cycle.start:
            return
        first = cycle.segments[0] if cycle.segments else None
        calendar = first.calendar if first else cycle.calendar
        holder = first.holder if first else self.holder
        cycle.segments.insert(0, Segment(self.absorbed, cycle.start, calendar, holder))
        cycle.start = self.absorbed
        self._shortened(cycle, now)

    def _retarget(self, cycle: SlowCycle, now: int) -> None:
        target, calendar = self._promise()
        if target == cycle.target and calendar == cycle.calendar:
            return
        running = cycle.running
        self._close_segment(cycle, now)
        if calendar != cycle.calendar:
            cycle.calendar = calendar
            if self.clock.on_tier_change == "whole_history":
                for segment in cycle.segments:
                    segment.calendar = calendar
        if target != cycle.target:
            self._carry(cycle, target, now)
        if running:
            holder = cycle.segments[-1].holder if cycle.segments else self.holder
            cycle.segments.append(Segment(now, None, calendar, holder))
        self._shortened(cycle, now)

    def _carry(self, cycle: SlowCycle, target: int | None, now: int) -> None:
        mode = self.clock.on_target_change
        if mode == "restart":
            cycle.segments, cycle.carried = [], {}
        elif mode == "proportional" and target is not None and cycle.target is not None:
            total, scaled, parts = 0, 0, {}
            for holder, used in cycle.used(now).items():
                total += used
                parts[holder] = total * target // cycle.target - scaled
                scaled += parts[holder]
            cycle.segments, cycle.carried, cycle.carried_at = [], parts, now
        cycle.target = target

    def _shortened(self, cycle: SlowCycle, now: int) -> None:
        due = None if self.excluded else cycle.due()
        if cycle.breach is None and due is not None and due < now:
            cycle.breach = {
                "at": now, "reason": "target_shortened", "due": due, "holder": self.holder
            }  # fmt: skip

    def _reopen(self, cycle: SlowCycle, event: Event, now: int) -> None:
        if self.clock.on_reopen == "reset":
            self._open(event, now)
            return
        if self.clock.on_reopen == "count_closed":
            assert cycle.stopped is not None
            turns = [(at, holder) for at, holder in self.history if cycle.stopped < at <= now]
            starts = [(cycle.stopped, self._held_upto(cycle.stopped)), *turns]
            ends = [at for at, _ in turns] + [now]
            for (start, holder), end in zip(starts, ends, strict=True):
                if self.clock.kind == "sla" or holder[0] == self.clock.team:
                    cycle.segments.append(Segment(start, end, cycle.calendar, holder))
        cycle.open, cycle.stopped, cycle.stopped_by = True, None, ""
        if self._active():
            cycle.segments.append(Segment(now, None, cycle.calendar, self.holder))
        due = cycle.due()
        if cycle.breach is None and due is not None and due < now and not self.excluded:
            self._breach(cycle, due)
        self._earlier(cycle, now)
        self._retarget(cycle, now)

    def _held_upto(self, instant: int) -> Holder:
        return [holder for at, holder in self.history if at <= instant][-1]

    def _start(self, event: Event, now: int) -> None:
        if self.ended or (self.cycles and self.cycles[-1].open):
            return
        started = self._matches("start", event)
        if self.clock.kind != "sla":
            if self.holder[0] != self.clock.team:
                self.armed = self.armed or started
                return
            started = started or self.armed
        if started:
            self._open(event, now)

    def _open(self, event: Event, now: int) -> None:
        self.armed = False
        target, calendar = self._promise()
        created = event.type == "created"
        cycle = SlowCycle(event.event_id, now, created, self.holder, calendar, target, self.given)
        if self._active():
            cycle.segments.append(Segment(now, None, calendar, self.holder))
        self.cycles.append(cycle)

    def judged(self) -> list[dict[str, Any]]:
        """Every cycle as of the instant."""
        return [self._judge(cycle) for cycle in self.cycles]

    def _judge(self, cycle: SlowCycle) -> dict[str, Any]:
        if cycle.open:
            self._look(cycle, self.as_of)
        breach = cycle.breach
        used = {holder: ms for holder, ms in cycle.used(self.as_of).items() if ms}
        if breach is not None:
            used.setdefault(breach["holder"], 0)
        return {
            "cycle_id": cycle.id,
            "state": self._state(cycle),
            "target": cycle.target,
            "elapsed": sum(used.values()),
            "due": self._due(cycle),
            "breach_at": breach and breach["at"],
            "reason": breach and breach["reason"],
            "stopped": cycle.stopped,
            "withdrawn": cycle.withdrawn,
            "held": used,
            "holder_at_breach": breach and breach["holder"],
        }

    def _state(self, cycle: SlowCycle) -> str:
        if self.excluded or (cycle.withdrawn is not None and cycle.breach is None):
            return "void"
        if cycle.target is None and cycle.given is None and cycle.breach is None:
            return "no_target"
        if cycle.open:
            return "running" if cycle.running else "paused"
        return "met" if cycle.breach is None else "breached"

    def _due(self, cycle: SlowCycle) -> int | None:
        if cycle.breach is not None:
            due: int = cycle.breach["due"]
            return due
        if self._state(cycle) in ("void", "no_target"):
            return None
        if cycle.given is not None:
            return cycle.given
        if cycle.open:
            return cycle.due() if cycle.running else None
        if cycle.due() is not None:
            return cycle.due()
        assert cycle.target is not None
        assert cycle.stopped is not None
        left = cycle.target - sum(cycle.used(cycle.stopped).values())
        calendar = cycle.calendar
        return calendar.add(cycle.stopped, left)

    def next_due(self) -> int | None:
        """The instant whose passing would breach the open cycle."""
        cycle = self.cycles[-1] if self.cycles else None
        if cycle is None or not cycle.open or cycle.breach is not None or self.excluded:
            return None
        return cycle.due() if cycle.pinned is None else cycle.pinned


Said = tuple[int, str, str, int]  # at, type, cycle id, breach_at


@dataclass
class Record:
    breach_at: int
    page: int | None
    paged: bool = False


class SlowEngine:
    """What a live engine says, found by judging everything anew at every instant that may matter."""

    def __init__(self, policy: Policy, clock: ClockSpec, events: Sequence[Event], as_of: int):
        self.policy, self.clock, self.as_of = policy, clock, as_of
        self.events = [event for event in events if event.ingested_ms <= as_of]
        self.records: dict[str, Record] = {}
        self.said: list[Said] = []
        now = self._next(-(2**62), None)
        while now is not None and now < as_of:
            now = self._next(now, self._look(now))
        self._look(as_of)

    def _look(self, now: int) -> int | None:
        """Say what is new; answer the next due instant. A due instant that is `as_of` has not passed."""
        judged = SlowClock(self.policy, self.clock, self.events, now)
        due = judged.next_due()
        if now < self.as_of:
            judged.as_of = now + 1  # so that a due instant that is now has passed
        cycles = {cycle["cycle_id"]: cycle for cycle in judged.judged()}
        self._records(now, {} if judged.excluded else cycles)
        return due

    def _records(self, now: int, cycles: dict[str, dict[str, Any]]) -> None:
        for cycle_id, cycle in cycles.items():
            breach_at = cycle["breach_at"]
            if breach_at is None:
                continue
            page = max(now, breach_at + self.clock.grace_ms)
            record = self.records.get(cycle_id)
            if record is None:
                record = self.records[cycle_id] = Record(breach_at, page)
                self.said.append((now, "breach", cycle_id, breach_at))
            elif record.breach_at != breach_at:
                record.breach_at = breach_at
                record.page = page if record.page is not None else None
            is_open = cycle["stopped"] is None and cycle["withdrawn"] is None
            self._page(now, cycle_id, record, is_open)
        for cycle_id in [name for name in self.records if not _breached(cycles.get(name))]:
            record = self.records.pop(cycle_id)
            self.said.append((now, "retraction", cycle_id, record.breach_at))
            if record.paged:
                self.said.append((now, "resolve", cycle_id, record.breach_at))

    def _page(self, now: int, cycle_id: str, record: Record, is_open: bool) -> None:
        if record.page is not None and record.page <= now:
            record.page = None  # decided, once
            if is_open:
                record.paged = True
                self.said.append((now, "page", cycle_id, record.breach_at))
        if record.paged and not is_open:
            record.paged = False
            self.said.append((now, "resolve", cycle_id, record.breach_at))

    def _next(self, now: int, due: int | None) -> int | None:
        instants = [
            instant for event in self.events for instant in (event.ingested_ms, event.occurred_ms)
        ]
        instants += [record.page for record in self.records.values() if record.page is not None]
        instants += [] if due is None else [due]
        return min((instant for instant in instants if instant > now), default=None)


def _breached(cycle: dict[str, Any] | None) -> bool:
    return cycle is not None and cycle["breach_at"] is not None
