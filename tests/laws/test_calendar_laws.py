"""Laws of business time: for any rules, in zones with the oddest clocks, around their transitions."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import event as note, given, settings, strategies as st

from schemas.instants import from_ms, parse_rfc3339
from streams.core.business_time import CalendarSpec, Closure, Interval, compile_calendar
from streams.core.business_time.calendar import AlwaysCalendar, CompiledCalendar
from streams.core.business_time.zones import zone
from tests.laws.slow_calendar import MINUTE_MS, open_minutes

Calendar = CompiledCalendar | AlwaysCalendar

DAY_MS = 86_400_000
WINDOW_DAYS = 4

# Noon UTC a day or so before something happens to the clocks of each zone.
WINDOWS: Sequence[tuple[str, str]] = (
    ("Europe/Berlin", "2026-03-27T12:00:00Z"),
    ("Europe/Berlin", "2026-10-23T12:00:00Z"),
    ("America/New_York", "2026-03-06T12:00:00Z"),
    ("America/New_York", "2026-10-30T12:00:00Z"),
    ("Australia/Lord_Howe", "2026-04-03T12:00:00Z"),  # half an hour
    ("Australia/Lord_Howe", "2026-10-02T12:00:00Z"),
    ("Pacific/Apia", "2011-12-28T12:00:00Z"),  # 30 December did not exist
    ("Africa/Cairo", "2026-04-22T12:00:00Z"),  # midnight does not exist
    ("Africa/Cairo", "2026-10-28T12:00:00Z"),  # the last hour of a day comes twice
    ("Asia/Beirut", "2026-03-27T12:00:00Z"),
    ("Asia/Beirut", "2026-10-23T12:00:00Z"),
    ("Africa/Casablanca", "2026-02-13T12:00:00Z"),  # back for Ramadan
    ("Africa/Casablanca", "2026-03-20T12:00:00Z"),
    ("America/Santiago", "2026-04-03T12:00:00Z"),
    ("America/Santiago", "2026-09-04T12:00:00Z"),
    ("America/St_Johns", "2010-11-05T12:00:00Z"),  # 00:01 → 23:01 of the day before
    ("America/St_Johns", "2010-03-12T12:00:00Z"),
    ("Antarctica/Troll", "2026-10-23T12:00:00Z"),  # two hours
    ("Pacific/Chatham", "2026-09-25T12:00:00Z"),  # at 02:45
    ("Asia/Kathmandu", "1985-12-30T12:00:00Z"),  # a quarter of an hour, for good
    ("Asia/Shanghai", "2026-02-13T12:00:00Z"),  # no transition; Spring Festival
    ("Europe/Dublin", "2026-12-30T12:00:00Z"),  # the turn of the year
)

usual = st.sampled_from(
    [
        ((Interval(540, 720), Interval(780, 1_020)),) * 5 + ((), ()),
        ((Interval(1_320, 360),),) * 7,
        ((Interval(0, 1_440),),) * 7,
    ]
)


@cache
def minutes_about_the_jump(tz: str, start_ms: int) -> list[int]:
    """Times of day that the clock skips, repeats or just misses, in a zone's window."""
    step = 15 * MINUTE_MS
    walls = [
        from_ms(instant).astimezone(zone(tz)).replace(tzinfo=None)
        for instant in range(start_ms, start_ms + WINDOW_DAYS * DAY_MS, step)
    ]
    jumps = [pair for pair in pairwise(walls) if pair[1] - pair[0] != timedelta(minutes=15)]
    about = [
        wall + timedelta(minutes=minutes)
        for jump in jumps
        for wall in jump
        for minutes in (-30, -1, 0, 1, 15, 30, 45, 75)
    ]
    return [wall.hour * 60 + wall.minute for wall in about] or [0]


def hours(tz: str, start_ms: int, least: int = 0) -> st.SearchStrategy[tuple[Interval, ...]]:
    about = st.sampled_from(minutes_about_the_jump(tz, start_ms))
    minutes = about | about | st.integers(0, 287).map(lambda five: five * 5)
    intervals = st.builds(Interval, minutes, minutes | st.just(1_440))
    return st.lists(intervals, min_size=least, max_size=3).map(tuple)


def weeks(tz: str, start_ms: int) -> st.SearchStrategy[tuple[tuple[Interval, ...], ...]]:
    all_alike = hours(tz, start_ms, least=1).map(lambda day: (day,) * 7)
    return all_alike | all_alike | st.tuples(*[hours(tz, start_ms)] * 7) | usual


@st.composite
def members(draw: st.DrawFn, tz: str, start_ms: int) -> CalendarSpec:
    first = from_ms(start_ms).date()
    days = st.integers(-1, WINDOW_DAYS + 1).map(lambda count: first + timedelta(days=count))
    return CalendarSpec(
        tz,
        tz=tz,
        weekly=draw(weeks(tz, start_ms)),
        holidays=tuple(draw(st.dictionaries(days, st.just("feast"), max_size=2)).items()),
        overrides=tuple(draw(st.dictionaries(days, hours(tz, start_ms), max_size=2)).items()),
        moved_workdays=tuple(draw(st.dictionaries(days, st.integers(0, 6), max_size=1)).items()),
        closures=draw(closures(start_ms)),
    )


def closures(start_ms: int) -> st.SearchStrategy[tuple[Closure, ...]]:
    starts = st.integers(0, WINDOW_DAYS * 1_440).map(lambda minute: start_ms + minute * MINUTE_MS)
    lengths = st.integers(1, 2_000).map(lambda minutes: minutes * MINUTE_MS)
    closure = st.builds(
        lambda start, length, reason: Closure(start, start + length, reason),
        starts,
        lengths,
        st.sampled_from(["fire", "flood"]),
    )
    return st.lists(closure, max_size=2).map(tuple)


@st.composite
def calendars(
    draw: st.DrawFn, windows: Sequence[tuple[str, str]] = WINDOWS
) -> tuple[CalendarSpec, int]:
    """Rules, and where the window around the transition starts."""
    tz, start = draw(st.sampled_from(windows))
    start_ms = parse_rfc3339(start)
    match draw(st.sampled_from(["own", "own", "own", "own", "union", "always"])):
        case "union":
            others = draw(st.lists(st.sampled_from([name for name, _ in WINDOWS]), max_size=2))
            sites = tuple(draw(members(name, start_ms)) for name in [tz, *others])
            spec = CalendarSpec("union", union=sites, closures=draw(closures(start_ms)))
        case "always":
            spec = CalendarSpec("always", always=True, closures=draw(closures(start_ms)))
        case _:
            spec = draw(members(tz, start_ms))
    return spec, start_ms


# On the grid of the rules, so that many fall on an opening or a closing, and off it.
GRID_MS = 5 * MINUTE_MS
on_grid = st.integers(0, WINDOW_DAYS * DAY_MS // GRID_MS).map(lambda count: count * GRID_MS)
offsets = on_grid | st.integers(0, WINDOW_DAYS * DAY_MS)
durations = on_grid | on_grid | st.integers(0, 20 * DAY_MS) | st.integers(0, 1_000)
years_around = st.integers(-2, 2)


def counts(calendar: Calendar, from_: int, to: int) -> int:
    return sum(stretch.to_ms - stretch.from_ms for stretch in calendar.open_intervals(from_, to))


@pytest.mark.parametrize("window", WINDOWS, ids="-".join)
@settings(max_examples=settings().max_examples // 10)  # of each window
@given(data=st.data())
def test_every_minute_is_as_the_clock_on_the_wall_says(
    window: tuple[str, str], data: st.DataObject
) -> None:
    spec, start_ms = data.draw(calendars([window]))
    calendar = compile_calendar(spec)
    minutes = open_minutes(spec, start_ms, WINDOW_DAYS * 1_440)
    instants = range(start_ms, start_ms + len(minutes) * MINUTE_MS, MINUTE_MS)
    found = [False] * len(minutes)
    for stretch in calendar.open_intervals(start_ms, instants.stop):
        first, last = instants.index(stretch.from_ms), (stretch.to_ms - start_ms) // MINUTE_MS
        found[first:last] = [True] * (last - first)
    assert found == minutes
    assert calendar.measure(start_ms, instants.stop) == sum(minutes) * MINUTE_MS
    note(f"open {sum(minutes) * 4 // len(minutes)}/4 of the time")


@given(calendars(), offsets, durations)
def test_what_is_added_is_what_is_measured_and_no_earlier_instant_does(
    case: tuple[CalendarSpec, int], offset: int, duration: int
) -> None:
    spec, start_ms = case
    calendar = compile_calendar(spec)
    instant = start_ms + offset
    due = calendar.add(instant, duration)
    if due is None:
        note("never open again")
        assert calendar.measure(instant, instant + 40 * 366 * DAY_MS) < duration
        return
    assert due >= instant
    assert calendar.measure(instant, due) == duration
    if duration > 0:
        assert calendar.measure(instant, due - 1) == duration - 1
    else:
        assert due == instant


@given(calendars(), offsets, durations, durations)
def test_two_steps_are_one(
    case: tuple[CalendarSpec, int], offset: int, first: int, second: int
) -> None:
    spec, start_ms = case
    calendar = compile_calendar(spec)
    half = calendar.add(start_ms + offset, first)
    whole = calendar.add(start_ms + offset, first + second)
    if half is None:
        assert whole is None
    elif second > 0:
        assert calendar.add(half, second) == whole
    else:
        assert half == whole


@given(calendars(), st.lists(offsets, min_size=2, max_size=6).map(sorted))
def test_parts_add_up_and_never_exceed_the_time_between(
    case: tuple[CalendarSpec, int], cuts: list[int]
) -> None:
    spec, start_ms = case
    calendar = compile_calendar(spec)
    instants = [start_ms + cut for cut in cuts]
    parts = [calendar.measure(from_, to) for from_, to in pairwise(instants)]
    assert sum(parts) == calendar.measure(instants[0], instants[-1])
    between = [to - from_ for from_, to in pairwise(instants)]
    assert all(0 <= part <= most for part, most in zip(parts, between, strict=True))
    assert sum(parts) == counts(calendar, instants[0], instants[-1])
    assert calendar.measure(instants[-1], instants[0]) == 0


@given(calendars(), offsets, offsets, durations)
def test_who_starts_later_is_not_due_earlier(
    case: tuple[CalendarSpec, int], one: int, other: int, duration: int
) -> None:
    spec, start_ms = case
    calendar = compile_calendar(spec)
    early = calendar.add(start_ms + min(one, other), duration)
    late = calendar.add(start_ms + max(one, other), duration)
    assert late is None or (early is not None and early <= late)


@given(calendars(), offsets, offsets)
def test_open_and_closed_partition_the_time(
    case: tuple[CalendarSpec, int], one: int, other: int
) -> None:
    spec, start_ms = case
    calendar = compile_calendar(spec)
    from_, to = start_ms + min(one, other), start_ms + max(one, other)
    open_ = list(calendar.open_intervals(from_, to))
    closed = list(calendar.closed_because(from_, to))
    edges = sorted([piece[:2] for piece in open_] + [piece[:2] for piece in closed])
    assert all(start < end for start, end in edges)
    assert all(before[1] == after[0] for before, after in pairwise(edges))
    assert not edges or (edges[0][0], edges[-1][1]) == (from_, to)
    assert bool(edges) == (from_ < to)
    assert all(before.to_ms < after.from_ms for before, after in pairwise(open_))
    for before, after in pairwise(closed):
        assert before.to_ms < after.from_ms or before.because != after.because
    for piece in closed:
        assert_true_reason(spec, piece.because)
        shut = any(c.from_ms <= piece.from_ms < c.to_ms for c in spec.closures)
        assert shut <= piece.because.startswith("closure:") <= (shut or bool(spec.union))


def assert_true_reason(spec: CalendarSpec, because: str) -> None:
    parts = [spec, *spec.union]
    rule, _, rest = because.partition(":")
    match rule:
        case "closure":
            assert rest in {closure.reason for part in parts for closure in part.closures}
        case "holiday":
            named = {f"{day}:{name}" for part in parts for day, name in part.holidays}
            assert rest in named
        case "override":
            assert rest in {str(day) for part in parts for day, _ in part.overrides}
        case _:
            assert because in {"outside_hours", "day_off"}


@given(calendars(), st.lists(years_around, max_size=3), offsets, durations)
def test_what_was_asked_before_changes_nothing(
    case: tuple[CalendarSpec, int], visited: list[int], offset: int, duration: int
) -> None:
    spec, start_ms = case
    year = from_ms(start_ms).year
    turn_ms = parse_rfc3339(f"{year}-12-30T12:00:00Z")  # where two years meet
    fresh, used = compile_calendar(spec), compile_calendar(spec)
    for other in visited:
        instant = parse_rfc3339(f"{year + other}-12-31T18:00:00Z")
        used.measure(instant, instant + 1)
    from_, to = turn_ms + offset, turn_ms + offset + 3 * DAY_MS
    assert used.add(from_, duration) == fresh.add(from_, duration)
    assert list(used.open_intervals(from_, to)) == list(fresh.open_intervals(from_, to))
    assert used.measure(from_ - 9 * DAY_MS, to) == fresh.measure(from_ - 9 * DAY_MS, to)


@given(calendars(), offsets, offsets)
def test_a_union_counts_once(case: tuple[CalendarSpec, int], one: int, other: int) -> None:
    spec, start_ms = case
    from_, to = start_ms + min(one, other), start_ms + max(one, other)
    alone = compile_calendar(spec).measure(from_, to)
    twice = CalendarSpec("twice", union=(spec, replace(spec, id="again")))
    assert compile_calendar(twice).measure(from_, to) == alone
    sites = [compile_calendar(site).measure(from_, to) for site in spec.union]
    if sites and not spec.closures:
        assert max(sites) <= alone <= sum(sites)
