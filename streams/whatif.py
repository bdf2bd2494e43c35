"""What another policy would have changed: one history, judged twice, compared cycle by cycle.

Nothing pages, nothing is written to live tables: both judgements are replays with a hand-moved clock.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Literal, NamedTuple, cast

from schemas.outcomes import TicketClockRow, Verdict
from streams.core.effects import OutcomeRow
from streams.core.policy import PolicyBook
from streams.replay import Progress, ReplaySinks, replay_file

EXAMPLES_MAX = 10
Change = Literal["added", "removed"]
CycleKey = tuple[str, str, str, str, str]  # tenant, source, ticket, clock, cycle
DAYS = 7
HOURS = 24


class Judged(NamedTuple):
    """What one policy says of one cycle."""

    verdict: Verdict
    breached: bool
    breach_at: datetime | None
    due_at: datetime | None
    team: str | None  # holder at breach, else holder
    tier: str | None


def _counters() -> dict[Change, Counter[str]]:
    return {"added": Counter(), "removed": Counter()}


@dataclass(slots=True)
class Side:
    """One clock under one policy. Compliance = met ÷ (met + breached), of ended cycles and open overdue
    ones; void, no-target and pending cycles are outside."""

    cycles: int = 0
    met: int = 0
    breached: int = 0

    @property
    def compliance(self) -> float | None:
        """0 to 1; None when nothing was judged."""
        judged = self.met + self.breached
        return self.met / judged if judged else None


@dataclass(frozen=True, slots=True)
class Example:
    """A cycle whose breach one policy adds or takes away."""

    change: Change
    ticket_id: str
    clock: str
    due_at: datetime | None
    breach_at: datetime | None
    team: str | None


@dataclass(slots=True)
class Comparison:
    """Breaches added and removed by the new policy, and both sides' totals."""

    events: int = 0
    tickets: int = 0
    old: dict[str, Side] = field(default_factory=dict)
    new: dict[str, Side] = field(default_factory=dict)
    by_clock: dict[Change, Counter[str]] = field(default_factory=_counters)
    by_team: dict[Change, Counter[str]] = field(default_factory=_counters)
    by_tier: dict[Change, Counter[str]] = field(default_factory=_counters)
    by_hour: dict[Change, Counter[tuple[int, int]]] = field(
        default_factory=lambda: {"added": Counter(), "removed": Counter()}
    )  # (weekday, hour) of the breach, Monday is 0
    examples: list[Example] = field(default_factory=list)
    rejected: Counter[str] = field(default_factory=Counter)

    def total(self, change: Change) -> int:
        """How many breaches were added, or removed."""
        return self.by_clock[change].total()


def compare(
    events: Path,
    old: PolicyBook,
    new: PolicyBook,
    zone: tzinfo,
    progress: Callable[[int], Progress] | None = None,
) -> Comparison:
    """Judge a file of events under both books. `zone`: of the hours of the week. `progress` is asked
    for the run's (0, 1) own. Memory holds one short record per cycle.

    ProblemsError when the file can't be read.
    """
    before: dict[CycleKey, Judged] = {}
    result = Comparison()

    def remember(key: CycleKey, judged: Judged) -> None:
        before[key] = judged
        _count(result.old, key[3], judged)

    def meet(key: CycleKey, judged: Judged) -> None:
        _count(result.new, key[3], judged)
        _compare(result, key, before.pop(key, None), judged, zone)

    summary = replay_file(events, old, _sinks(remember, progress, 0))
    replay_file(events, new, _sinks(meet, progress, 1))
    for key, judged in before.items():  # cycles that the new policy doesn't open at all
        _compare(result, key, judged, None, zone)
    result.events = summary.events
    result.tickets = summary.tickets
    result.rejected = summary.rejected
    result.examples.sort(key=lambda example: (example.change, example.ticket_id, example.clock))
    return result


def _sinks(
    take: Callable[[CycleKey, Judged], None], progress: Callable[[int], Progress] | None, run: int
) -> ReplaySinks:
    def on_row(row: OutcomeRow) -> None:
        if row[0] == "ticket_clocks":
            clock_row = cast("TicketClockRow", row[1])
            if not clock_row["removed"]:
                take(_key(clock_row), _judged(clock_row))

    return ReplaySinks(on_row=on_row, progress=None if progress is None else progress(run))


def _key(row: TicketClockRow) -> CycleKey:
    return row["tenant"], row["source"], row["ticket_id"], row["clock"], row["cycle_id"]


def _judged(row: TicketClockRow) -> Judged:
    breached = row["breached"] and row["verdict"] != "void"
    team = row["breach_team"] if breached else row["team"]
    return Judged(row["verdict"], breached, row["breach_at"], row["due_at"], team, row["tier"])


def _count(sides: dict[str, Side], clock: str, judged: Judged) -> None:
    side = sides.setdefault(clock, Side())
    side.cycles += 1
    side.met += judged.verdict == "met"
    side.breached += judged.breached


def _compare(
    result: Comparison, key: CycleKey, old: Judged | None, new: Judged | None, zone: tzinfo
) -> None:
    was = old is not None and old.breached
    is_ = new is not None and new.breached
    if was == is_:
        return
    change: Change = "added" if is_ else "removed"
    judged = new if is_ else old
    assert judged is not None
    result.by_clock[change][key[3]] += 1
    result.by_team[change][judged.team or ""] += 1
    result.by_tier[change][judged.tier or ""] += 1
    if judged.breach_at is not None:
        local = judged.breach_at.astimezone(zone)
        result.by_hour[change][local.weekday(), local.hour] += 1
    if sum(example.change == change for example in result.examples) < EXAMPLES_MAX:
        result.examples.append(
            Example(change, key[2], key[3], judged.due_at, judged.breach_at, judged.team)
        )
