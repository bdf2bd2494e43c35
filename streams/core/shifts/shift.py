"""A shift as its events tell it: one presence of one agent, in spells of one state each.

What is known ends with the last event: a spell that goes on is counted up to it, and on with the next one. A silence
that is too long counts as nothing, and so does what follows the longest shift there is: nobody was there.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from schemas.events import AgentState, AgentStateChanged, Event, ShiftBegan, ShiftEnded
from streams.core.event_order import in_order

SHIFT_MS_MAX = 48 * 3_600_000
Doing = Literal["busy", "idle", "away"]
# Occupancy = busy ÷ (busy + idle): breaks and other absences are no time for contacts.
DOING: dict[AgentState, Doing] = {
    "available": "idle",
    "on_contact": "busy",
    "after_contact": "busy",
    "on_break": "away",
    "away": "away",
}
# At one instant an agent signs in before anything else, and out after it.
_RANKS = {"began": 0, "state_changed": 1, "ended": 2}


class Spell(NamedTuple):
    """The agent was in one state in [from, to)."""

    state: AgentState
    from_ms: int
    to_ms: int


@dataclass(slots=True)
class Shift:
    """One presence. Instants in ms; None: that has not happened. `oddities`: what its events say that can't be."""

    agent: str | None = None
    team: str | None = None
    began_ms: int | None = None
    ended_ms: int | None = None
    state: AgentState | None = None  # of the last event; None: it is over, or has not begun
    state_since_ms: int | None = None
    known_ms: int = 0  # of its last event that counts
    spells: list[Spell] = field(default_factory=list)
    oddities: list[str] = field(default_factory=list)

    def time_ms(self, doing: Doing) -> int:
        """Of all its spells."""
        return sum(one.to_ms - one.from_ms for one in self.spells if DOING[one.state] == doing)


def shift_of(events: Iterable[Event], silence_ms_max: int) -> Shift:
    """The shift; events in any order, any number of times."""
    shift = Shift()
    for event in in_order(events, _RANKS):
        data = event.data
        if isinstance(data, ShiftBegan):
            _begin(shift, event.occurred_ms, data)
        elif shift.began_ms is None:
            _note(shift, "no_beginning")
        elif shift.ended_ms is not None:
            _note(shift, "event_after_end")
        elif isinstance(data, AgentStateChanged):
            _close(shift, event.occurred_ms, silence_ms_max)
            if data.state != shift.state:
                shift.state, shift.state_since_ms = data.state, event.occurred_ms
        elif isinstance(data, ShiftEnded):
            _close(shift, event.occurred_ms, silence_ms_max)
            shift.ended_ms = event.occurred_ms
            shift.state = shift.state_since_ms = None
    return shift


def by_minute(spells: Iterable[Spell], minute_ms: int = 60_000) -> Iterator[tuple[int, Doing, int]]:
    """Each spell cut at the minutes: (beginning of the minute, doing, ms in it)."""
    for state, from_ms, to_ms in spells:
        doing = DOING[state]
        start_ms = from_ms - from_ms % minute_ms
        while start_ms < to_ms:
            yield start_ms, doing, min(to_ms, start_ms + minute_ms) - max(from_ms, start_ms)
            start_ms += minute_ms


def _begin(shift: Shift, at_ms: int, data: ShiftBegan) -> None:
    if shift.began_ms is not None:
        _note(shift, "began_twice")
        return
    shift.agent, shift.team = data.agent, data.team
    shift.began_ms = shift.state_since_ms = shift.known_ms = at_ms
    shift.state = data.state


def _close(shift: Shift, at_ms: int, silence_ms_max: int) -> None:
    """Count what has passed since the last event."""
    assert shift.state is not None
    assert shift.began_ms is not None
    from_ms, shift.known_ms = shift.known_ms, at_ms
    if at_ms - shift.began_ms > SHIFT_MS_MAX:
        _note(shift, "too_long")
    elif at_ms - from_ms > silence_ms_max:
        _note(shift, "silent_too_long")
    elif at_ms > from_ms:
        shift.spells.append(Spell(shift.state, from_ms, at_ms))


def _note(shift: Shift, oddity: str) -> None:
    if oddity not in shift.oddities:
        shift.oddities.append(oddity)
