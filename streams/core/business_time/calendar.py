"""Compiled calendars: sorted open intervals with running sums, grown by whole years as needed."""

import hashlib
import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from streams.core.business_time.date_rules import members
from streams.core.business_time.outlook import outlook_warning
from streams.core.business_time.reasons import Closed, reasons
from streams.core.business_time.spec import CalendarSpec
from streams.core.business_time.stretches import Open, open_stretches
from streams.core.business_time.years import YEAR_MAX, known_year, year_ms
from streams.core.business_time.zones import TZDATA_VERSION, zone


@dataclass(frozen=True, slots=True)
class AlwaysCalendar:
    """Round the clock."""

    id: str = "24x7"
    version: str = "always"

    def add(self, instant_ms: int, duration_ms: int) -> int | None:
        """See `streams.core.policy.Calendar`."""
        return instant_ms + duration_ms if duration_ms > 0 else instant_ms

    def measure(self, from_ms: int, to_ms: int) -> int:
        """See `streams.core.policy.Calendar`."""
        return to_ms - from_ms if to_ms > from_ms else 0

    def open_intervals(self, from_ms: int, to_ms: int) -> Iterator[Open]:
        """The one stretch there is."""
        if from_ms < to_ms:
            yield Open(from_ms, to_ms)

    def closed_because(self, _from_ms: int, _to_ms: int) -> Iterator[Closed]:
        """Nothing is ever closed."""
        return iter(())

    def outlook_warning(self, _now_ms: int) -> str | None:
        """Nothing to warn of."""
        return None


ALWAYS = AlwaysCalendar()


class CompiledCalendar:
    """Implements `streams.core.policy.Calendar` in O(log n), lazily grown in both directions.

    What it answers does not depend on what it was asked before.
    """

    def __init__(self, spec: CalendarSpec) -> None:
        self.id = spec.id
        self.version = version_of(spec)
        self.spec = spec
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._sums: list[int] = []  # working ms up to the end of each interval, from a fixed origin
        self._from_ms = self._to_ms = 0  # the compiled range
        self._first_year = self._next_year = 0
        self._last_year = _last_open_year(spec)

    def __eq__(self, other: object) -> bool:
        """The same rules under the same name, however far each has been compiled."""
        if not isinstance(other, CompiledCalendar):
            return NotImplemented
        return (self.id, self.version) == (other.id, other.version)

    def __hash__(self) -> int:
        return hash((self.id, self.version))

    def add(self, instant_ms: int, duration_ms: int) -> int | None:
        """Earliest instant t >= instant with measure(instant, t) == duration; None: never."""
        if duration_ms <= 0:
            return instant_ms
        if not self._from_ms <= instant_ms < self._to_ms:
            self._cover(instant_ms)
        target = self._worked(instant_ms) + duration_ms
        while not self._sums or self._sums[-1] < target:
            if self._next_year > self._last_year:
                return None
            self._grow_forward()
        at = bisect_left(self._sums, target)
        return self._ends[at] - (self._sums[at] - target)

    def measure(self, from_ms: int, to_ms: int) -> int:
        """Working milliseconds in [from, to); 0 when to <= from."""
        if to_ms <= from_ms:
            return 0
        if not (self._from_ms <= from_ms and to_ms < self._to_ms):
            self._cover(from_ms)
            self._cover(to_ms)
        return self._worked(to_ms) - self._worked(from_ms)

    def open_intervals(self, from_ms: int, to_ms: int) -> Iterator[Open]:
        """Working time in [from, to), ascending, disjoint and not touching."""
        if to_ms <= from_ms:
            return
        self._cover(from_ms)
        self._cover(to_ms)
        first, last = bisect_right(self._ends, from_ms), bisect_left(self._starts, to_ms)
        # Copies: whoever reads may ask the calendar meanwhile, and make it grow.
        starts, ends = self._starts[first:last], self._ends[first:last]
        for start, end in zip(starts, ends, strict=True):
            yield Open(max(from_ms, start), min(to_ms, end))

    def closed_because(self, from_ms: int, to_ms: int) -> Iterator[Closed]:
        """The complement of `open_intervals` in [from, to), each stretch with its rule."""
        at_ms = from_ms
        for interval in self.open_intervals(from_ms, to_ms):
            if at_ms < interval.from_ms:
                yield from reasons(self.spec, at_ms, interval.from_ms)
            at_ms = interval.to_ms
        if at_ms < to_ms:
            yield from reasons(self.spec, at_ms, to_ms)

    def outlook_warning(self, now_ms: int) -> str | None:
        """A sentence when it knows no holiday in the next 60 days, else None."""
        return outlook_warning(self.spec, now_ms)

    def _worked(self, instant_ms: int) -> int:
        """Working ms from the origin to an instant of the covered range."""
        at = bisect_right(self._starts, instant_ms) - 1
        if at < 0:
            return self._sums[0] - (self._ends[0] - self._starts[0]) if self._sums else 0
        open_ms = self._ends[at] - instant_ms
        return self._sums[at] - open_ms if open_ms > 0 else self._sums[at]

    def _cover(self, instant_ms: int) -> None:
        year = known_year(instant_ms)
        if self._next_year == 0:
            self._first_year = self._next_year = year
            self._from_ms = self._to_ms = year_ms(year)
        while self._next_year <= year:
            self._grow_forward()
        while self._first_year > year:
            self._grow_backward()

    def _grow_forward(self) -> None:
        end_ms = year_ms(self._next_year + 1)
        total = self._sums[-1] if self._sums else 0
        for start, end in open_stretches(self.spec, self._to_ms, end_ms):
            total += end - start
            if self._ends and self._ends[-1] == start:
                self._ends[-1], self._sums[-1] = end, total
                continue
            self._starts.append(start)
            self._ends.append(end)
            self._sums.append(total)
        self._to_ms = end_ms
        self._next_year += 1

    def _grow_backward(self) -> None:
        start_ms = year_ms(self._first_year - 1)
        pieces = list(open_stretches(self.spec, start_ms, self._from_ms))
        origin = self._sums[0] - (self._ends[0] - self._starts[0]) if self._sums else 0
        if pieces and self._starts and pieces[-1].to_ms == self._starts[0]:
            last = pieces.pop()
            self._starts[0] = last.from_ms
            origin -= last.to_ms - last.from_ms
        sums: list[int] = []
        for piece in reversed(pieces):
            sums.append(origin)
            origin -= piece.to_ms - piece.from_ms
        self._starts[:0] = [piece.from_ms for piece in pieces]
        self._ends[:0] = [piece.to_ms for piece in pieces]
        self._sums[:0] = reversed(sums)
        self._from_ms = start_ms
        self._first_year -= 1


def compile_calendar(spec: CalendarSpec) -> CompiledCalendar | AlwaysCalendar:
    """Make a calendar ready to be asked; ValueError for an unknown zone."""
    if spec.always and not spec.closures:
        return AlwaysCalendar(spec.id)
    for member in members(spec):
        if not member.always:
            zone(member.tz)
    return CompiledCalendar(spec)


def version_of(spec: CalendarSpec) -> str:
    """Content hash: rules, holidays, closures and the tzdata version."""
    content = json.dumps([asdict(spec), TZDATA_VERSION], sort_keys=True, default=str)
    return hashlib.sha256(content.encode()).hexdigest()[:12]


def _last_open_year(spec: CalendarSpec) -> int:
    """After it the calendar can't be open: what never opens again is known without looking far."""
    if any(member.always or any(member.weekly) for member in members(spec)):
        return YEAR_MAX
    days = [day for member in members(spec) for day, hours in member.overrides if hours]
    # A night shift of New Year's Eve ends, and zones west of UTC lie, in the year after.
    return min(max(days).year + 1, YEAR_MAX) if days else 0
