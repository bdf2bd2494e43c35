"""Shifts as a `Kind` of history: what they add to windows, and their row."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from schemas.events import Data, EntityKind, ShiftData
from schemas.instants import from_ms, from_ms_or_none
from schemas.outcomes import ShiftRow
from streams.core.effects import OutcomeRow, Stamp
from streams.core.event_order import SKEW_MS_MAX
from streams.core.histories import History
from streams.core.measures import Measures
from streams.core.policy import Policy
from streams.core.shifts.shift import Shift, by_minute, shift_of
from streams.core.windows.family import SHIFTS, WINDOW_MS, Part


@dataclass(frozen=True, slots=True)
class ShiftStory:
    """A shift and what is odd about it."""

    shift: Shift
    flags: tuple[str, ...]
    last_ms: int  # of its last event


class ShiftKind:
    """See `Kind`."""

    entity: EntityKind = "shift"
    snapshot_version = 1
    data_decoder: msgspec.msgpack.Decoder[Data] = msgspec.msgpack.Decoder(ShiftData)

    def tell(self, history: History, measures: Measures) -> ShiftStory:
        """The shift as of its events."""
        silence_ms_max = measures.shifts.never_ended_after_ms
        shift = shift_of(history.events, silence_ms_max)
        flags = set(shift.oddities)
        if history.conflicting:
            flags.add("conflicting_duplicate")
        if any(event.occurred_ms - event.ingested_ms > SKEW_MS_MAX for event in history.events):
            flags.add("future_clamped")
        if shift.ended_ms is None and history.as_of_ms() > history.last_ms + silence_ms_max:
            flags.add("never_ended")
        return ShiftStory(shift, tuple(sorted(flags)), history.last_ms)

    def due_instants(self, story: ShiftStory, measures: Measures) -> Iterator[int]:
        """When somebody must have forgotten to sign out."""
        if story.shift.ended_ms is None:
            yield story.last_ms + measures.shifts.never_ended_after_ms + 1

    def horizon_ms(self, measures: Measures) -> int:
        """See `Kind`."""
        return measures.shifts.horizon_ms

    def parts(self, history: History, story: ShiftStory, measures: Measures) -> list[Part]:
        """Each minute gets the time that passed in it, up to the last event."""
        shift = story.shift
        if shift.began_ms is None:
            return []
        origin = (history.tenant, history.source)
        passed: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        passed[shift.began_ms - shift.began_ms % WINDOW_MS]["agents_began"] = 1
        for start_ms, doing, part_ms in by_minute(shift.spells, WINDOW_MS):
            passed[start_ms][f"{doing}_sum_ms"] += part_ms
        return [
            SHIFTS.part(SHIFTS.key(start_ms, *origin, shift.team), **counts)
            for start_ms, counts in passed.items()
        ]

    def rows(
        self,
        history: History,
        story: ShiftStory | None,
        was: ShiftStory | None,
        policy: Policy,
        stamp: Stamp,
    ) -> Iterator[OutcomeRow]:
        """The shift, where it differs."""
        assert story is not None
        row = _row(history, story, policy, stamp)
        if was is None or _row(history, was, policy, stamp) != row:
            yield "shifts", row


def _row(history: History, story: ShiftStory, policy: Policy, stamp: Stamp) -> ShiftRow:
    shift = story.shift
    return {
        "tenant": history.tenant,
        "source": history.source,
        "source_partition": stamp.source_partition,
        "version": stamp.version,
        "shift_id": history.entity_id,
        "event_time": from_ms(history.first_ms),
        "agent": shift.agent,
        "team": shift.team,
        "began_at": from_ms_or_none(shift.began_ms),
        "ended_at": from_ms_or_none(shift.ended_ms),
        "state": shift.state,
        "state_since": from_ms_or_none(shift.state_since_ms),
        "busy_ms": shift.time_ms("busy"),
        "idle_ms": shift.time_ms("idle"),
        "away_ms": shift.time_ms("away"),
        "flags": list(story.flags),
        "policy_version": policy.version,
        "judged_at": from_ms(stamp.now_ms),
    }
