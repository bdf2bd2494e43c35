"""A checked policy file → the core's policy: calendars compiled, content hashed."""

import hashlib
import json
from collections.abc import Callable
from datetime import date

from schemas.instants import to_ms
from schemas.mapping import Mistake, Place
from schemas.policy import (
    DAY_NAMES,
    Calendar,
    Clock,
    HolidaySource,
    Labels,
    Matchers,
    PolicyFile,
    Rule,
    duration_ms,
    effective_ms,
    interval_minutes,
    marks_of,
)
from streams.core import policy as core
from streams.core.business_time import CalendarSpec, Closure, Interval, compile_calendar

Beside = Callable[[str], bytes]
YEARS_BEFORE, YEARS_AFTER = 5, 10  # of holidays by country or file, around the start of the policy


def compile_policy(
    file: PolicyFile, beside: Beside | None, mistakes: list[Mistake]
) -> core.Policy | None:
    """The policy; None when `mistakes` got something."""
    calendars: dict[str, core.Calendar] = {}
    specs: dict[str, CalendarSpec] = {}
    simple = {name: c for name, c in file.calendars.items() if not c.union}
    for name, calendar in (simple | file.calendars).items():
        spec = _spec(file, name, calendar, specs, beside, mistakes)
        specs[name] = spec
        calendars[name] = compile_calendar(spec)
    if mistakes:
        return None
    versions = {name: calendar.version for name, calendar in calendars.items()}
    return core.Policy(
        id=file.policy,
        version=f"{file.policy}@{_digest(file, versions)}",
        effective_from_ms=effective_ms(file.effective_from),
        calendar=calendars[file.calendar],
        clocks=tuple(_clock(name, clock) for name, clock in file.clocks.items()),
        rules=tuple(_rule(rule, calendars) for rule in file.rules),
        calendar_choices=tuple(
            core.CalendarChoice(
                choice.attribute,
                {value: calendars[name] for value, name in choice.calendars.items()},
            )
            for choice in file.calendar_by
        ),
        merge_start=file.merge_start,
        future_skew_ms_max=duration_ms(file.future_skew),
        horizon_ms=duration_ms(file.horizon),
        labels=_texts(file.labels),
    )


def _digest(file: PolicyFile, calendar_versions: dict[str, str]) -> str:
    """Of the normalised content; the calendars' versions bring holidays and zone rules in."""
    content = json.dumps(
        [file.model_dump(mode="json"), calendar_versions], sort_keys=True, ensure_ascii=False
    )
    return hashlib.sha256(content.encode()).hexdigest()[:12]


def _spec(
    file: PolicyFile,
    name: str,
    calendar: Calendar,
    specs: dict[str, CalendarSpec],
    beside: Beside | None,
    mistakes: list[Mistake],
) -> CalendarSpec:
    closures = tuple(
        Closure(to_ms(closure.from_), to_ms(closure.to), closure.reason)
        for closure in calendar.closures
    )
    if calendar.always:
        return CalendarSpec(name, always=True, closures=closures)
    if calendar.union:
        members = tuple(specs[member] for member in calendar.union)
        return CalendarSpec(name, union=members, closures=closures)
    holidays: dict[date, str] = {}
    moved = {day: DAY_NAMES.index(weekday) for day, weekday in calendar.moved_workdays.items()}
    years = range(
        file.effective_from.year - YEARS_BEFORE, file.effective_from.year + YEARS_AFTER + 1
    )
    for index, source in enumerate(calendar.holidays):
        place: Place = ("calendars", name, "holidays", index)
        try:
            found, moved_here = _holidays(source, years, beside)
        except (ValueError, OSError) as error:
            mistakes.append(Mistake(place, str(error)))
            continue
        holidays |= found
        moved = moved_here | moved
    assert calendar.zone is not None, "checked before"
    return CalendarSpec(
        name,
        tz=calendar.zone,
        weekly=tuple(_intervals(calendar.weekly.get(day, ())) for day in DAY_NAMES),  # type: ignore[call-overload]  # names of days
        holidays=tuple(sorted(holidays.items())),
        overrides=tuple((day, _intervals(texts)) for day, texts in calendar.overrides.items()),
        moved_workdays=tuple(sorted(moved.items())),
        closures=closures,
    )


def _holidays(
    source: HolidaySource, years: range, beside: Beside | None
) -> tuple[dict[date, str], dict[date, int]]:
    """Holidays with names, and working days moved to weekends."""
    from streams.policies import holidays

    if source.day is not None:
        return {source.day: source.name}, {}
    if source.country is not None:
        found = holidays.of_country(source.country, source.subdivision, years)
        if source.country == "CN":
            found |= holidays.of_china(years)
        return found, holidays.moved_workdays_of_china(years) if source.moved_workdays else {}
    assert source.ical is not None, "checked before"
    if beside is None:
        message = "an iCal file needs a policy that is a file itself"
        raise ValueError(message)
    return holidays.of_ical(beside(source.ical), years), {}


def _intervals(texts: tuple[str, ...]) -> tuple[Interval, ...]:
    return tuple(Interval(*interval_minutes(text)) for text in texts)


def _clock(name: str, clock: Clock) -> core.ClockSpec:
    return core.ClockSpec(
        id=name,
        kind=clock.kind,
        team=clock.team,
        start=_matchers(clock.start),
        stop=_matchers(clock.stop),
        pause=_matchers(clock.pause),
        resume=_matchers(clock.resume),
        reset=_matchers(clock.reset),
        cancel=_matchers(clock.cancel),
        pause_statuses=frozenset(clock.pause_statuses),
        applies=_conditions(clock.applies),
        on_reopen=clock.on_reopen,
        on_target_change=clock.on_target_change,
        on_tier_change=clock.on_tier_change,
        at_risk=tuple(core.AtRiskMark(share, before_ms) for share, before_ms in marks_of(clock)),
        grace_ms=duration_ms(clock.grace),
        labels=_texts(clock.labels),
    )


def _texts(labels: Labels) -> dict[str, str]:
    return {language: text for language, text in labels.items()}  # noqa: C416  # widens the key's type


def _matchers(matchers: Matchers) -> tuple[core.Matcher, ...]:
    return tuple(
        core.Matcher(
            matcher.type,
            tuple((name, frozenset(values)) for name, values in matcher.conditions().items()),
        )
        for matcher in matchers
    )


def _conditions(match: dict[str, tuple[str, ...]]) -> tuple[tuple[str, frozenset[str]], ...]:
    return tuple((name, frozenset(values)) for name, values in match.items())


def _rule(rule: Rule, calendars: dict[str, core.Calendar]) -> core.Rule:
    return core.Rule(
        id=rule.id,
        match=_conditions(rule.match),
        targets={clock: duration_ms(text) for clock, text in rule.targets.items()},
        calendar=None if rule.calendar is None else calendars[rule.calendar],
    )
