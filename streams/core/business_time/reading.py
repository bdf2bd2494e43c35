"""A plain mapping, as JSON or YAML gives it → a calendar's rules; all mistakes told at once."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from difflib import get_close_matches

from schemas.instants import parse_rfc3339
from schemas.problems import Problem, ProblemsError
from streams.core.business_time.spec import (
    DAYS,
    MINUTES_PER_DAY,
    CalendarSpec,
    Closure,
    Holidays,
    Interval,
    MovedWorkdays,
)
from streams.core.business_time.zones import zone

Resolve = Callable[[str], CalendarSpec]

_KEYS = ("always", "union", "tz", "weekly", "holidays", "overrides", "moved_workdays", "closures")
_OWN_HOURS = frozenset({"tz", "weekly", "holidays", "overrides", "moved_workdays"})
_TIME = re.compile(r"([01]\d|2[0-4]):([0-5]\d)")


def spec_from_mapping(
    rules: Mapping[str, object], id_: str, resolve: Resolve | None = None
) -> CalendarSpec:
    """`{always: true}`, `{union: [...]}` or `{tz, weekly, holidays?, overrides?, moved_workdays?}`, each
    with `closures?`. ProblemsError names every mistake and where it stands.

    `weekly` and `overrides`: weekday or date → [[from, to], …]. `holidays`: dates or `{date, name}`.
    `moved_workdays`: date → weekday it works like. `closures`: `{from, to, reason?}`, instants. Members of
    a union stand in it as mappings, or by names that `resolve` knows. Intervals that overlap count once.
    """
    reader = _Reader(resolve)
    spec = reader.spec(rules, id_, id_)
    if reader.problems:
        raise ProblemsError(*reader.problems)
    return spec


def minute_of(text: object) -> int:
    """`09:30` → 570; `24:00` → 1440; ValueError with what is wrong."""
    match = _TIME.fullmatch(text) if isinstance(text, str) else None
    if match is None or (match[1] == "24" and match[2] != "00"):
        message = f"{text!r} is not a time of day such as 09:30 (24:00 ends a day)"
        raise ValueError(message)
    return int(match[1]) * 60 + int(match[2])


class _Reader:
    """Reads on after a mistake, to find the others."""

    def __init__(self, resolve: Resolve | None) -> None:
        self.problems: list[Problem] = []
        self._resolve = resolve

    def spec(self, rules: Mapping[str, object], id_: str, where: str) -> CalendarSpec:
        self._check_keys(rules, where)
        closures = tuple(self._closures(rules.get("closures", ()), f"{where}.closures"))
        if rules.get("always"):
            return CalendarSpec(id_, always=True, closures=closures)
        if "union" in rules:
            members = self._members(rules["union"], id_, f"{where}.union")
            return CalendarSpec(id_, union=tuple(members), closures=closures)
        weekly = dict(self._weekly(rules.get("weekly", {}), f"{where}.weekly"))
        return CalendarSpec(
            id_,
            tz=self._tz(rules.get("tz"), f"{where}.tz"),
            weekly=tuple(weekly.get(day, ()) for day in DAYS),
            holidays=self._holidays(rules.get("holidays", ()), f"{where}.holidays"),
            overrides=tuple(self._overrides(rules.get("overrides", {}), f"{where}.overrides")),
            moved_workdays=self._moved(rules.get("moved_workdays", {}), f"{where}.moved_workdays"),
            closures=closures,
        )

    def _check_keys(self, rules: Mapping[str, object], where: str) -> None:
        for key in rules:
            if key not in _KEYS:
                self._wrong(f"{where}.{key}", f"unknown key {key!r}", _near(key, _KEYS))
        forms = [name for name in ("always", "union") if rules.get(name)]
        if _OWN_HOURS & set(rules):
            forms.append("hours of its own")
        if len(forms) > 1:
            self._wrong(where, f"{' and '.join(forms)}: a calendar is only one of them")

    def _members(self, given: object, id_: str, where: str) -> Iterator[CalendarSpec]:
        members = self._list(given, where)
        if not members:
            self._wrong(where, "a union of nothing is never open", "name its members")
        for at, member in enumerate(members):
            here = f"{where}[{at}]"
            if isinstance(member, Mapping):
                yield self.spec(member, f"{id_}/{at}", here)
            elif self._resolve is None or not isinstance(member, str):
                self._wrong(here, f"{member!r} is not a calendar")
            else:
                with self._at(here):
                    yield self._resolve(member)

    def _tz(self, given: object, where: str) -> str:
        if not isinstance(given, str):
            self._wrong(where, "missing", "write an IANA zone such as Asia/Shanghai")
            return "UTC"
        with self._at(where):
            zone(given)
        return given

    def _weekly(self, given: object, where: str) -> Iterator[tuple[str, tuple[Interval, ...]]]:
        for day, pairs in self._mapping(given, where).items():
            if day not in DAYS:
                self._wrong(f"{where}.{day}", f"unknown weekday {day!r}", f"use {', '.join(DAYS)}")
            yield str(day), tuple(self._intervals(pairs, f"{where}.{day}"))

    def _holidays(self, given: object, where: str) -> Holidays:
        found: dict[date, str] = {}
        for at, item in enumerate(self._list(given, where)):
            named = item if isinstance(item, Mapping) else {"date": item}
            with self._at(f"{where}[{at}]"):
                found[_date(named.get("date"))] = str(named.get("name", ""))
        return tuple(sorted(found.items()))

    def _overrides(self, given: object, where: str) -> Iterator[tuple[date, tuple[Interval, ...]]]:
        for day, pairs in self._mapping(given, where).items():
            with self._at(f"{where}.{day}"):
                yield _date(day), tuple(self._intervals(pairs, f"{where}.{day}"))

    def _moved(self, given: object, where: str) -> MovedWorkdays:
        found: dict[date, int] = {}
        for day, weekday in self._mapping(given, where).items():
            with self._at(f"{where}.{day}"):
                found[_date(day)] = _weekday(weekday)
        return tuple(sorted(found.items()))

    def _closures(self, given: object, where: str) -> Iterator[Closure]:
        for at, item in enumerate(self._list(given, where)):
            here = f"{where}[{at}]"
            if not isinstance(item, Mapping):
                self._wrong(here, f"{item!r} is not a mapping {{from, to, reason}}")
                continue
            with self._at(here):
                start, end = _instant(item.get("from")), _instant(item.get("to"))
                if end <= start:
                    self._wrong(here, "ends before it starts")
                yield Closure(start, end, str(item.get("reason", "")))

    def _intervals(self, pairs: object, where: str) -> Iterator[Interval]:
        for at, pair in enumerate(self._list(pairs, where)):
            with self._at(f"{where}[{at}]"):
                yield _interval(pair)

    def _list(self, given: object, where: str) -> Sequence[object]:
        if isinstance(given, Sequence) and not isinstance(given, str):
            return given
        self._wrong(where, f"{given!r} is not a list")
        return ()

    def _mapping(self, given: object, where: str) -> Mapping[object, object]:
        if isinstance(given, Mapping):
            return given
        self._wrong(where, f"{given!r} is not a mapping")
        return {}

    @contextmanager
    def _at(self, where: str) -> Iterator[None]:
        """A ValueError within is a mistake of this place."""
        try:
            yield
        except ValueError as error:
            self._wrong(where, str(error))

    def _wrong(self, where: str, what: str, hint: str = "") -> None:
        self.problems.append(Problem(where, what, hint))


def _interval(pair: object) -> Interval:
    if not isinstance(pair, Sequence) or isinstance(pair, str) or len(pair) != 2:
        message = f"{pair!r} is not a pair [from, to]"
        raise ValueError(message)
    interval = Interval(minute_of(pair[0]), minute_of(pair[1]))
    if interval.from_minute == MINUTES_PER_DAY:
        message = f"{pair!r} starts at 24:00; write 00:00 of the next day"
        raise ValueError(message)
    return interval


def _date(given: object) -> date:
    """YAML has dates, JSON has texts."""
    if type(given) is date:
        return given
    try:
        return date.fromisoformat(str(given))
    except ValueError as error:
        message = f"{given!s} is not a date such as 2026-10-01"
        raise ValueError(message) from error


def _instant(given: object) -> int:
    try:
        return parse_rfc3339(given.isoformat() if isinstance(given, datetime) else str(given))
    except ValueError as error:
        message = f"{given!s} is not an instant with its zone such as 2026-10-01T08:00:00Z"
        raise ValueError(message) from error


def _weekday(given: object) -> int:
    if given not in DAYS:
        message = f"unknown weekday {given!r}; use {', '.join(DAYS)}"
        raise ValueError(message)
    return DAYS.index(str(given))


def _near(key: str, known: Sequence[str]) -> str:
    near = get_close_matches(key, known, n=1)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
