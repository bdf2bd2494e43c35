"""What is wrong with a policy file that its shape alone doesn't show."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from itertools import pairwise

from schemas.mapping import FieldRule, Mistake, Place, fields_of, suggestion
from schemas.policy import (
    ATTRIBUTES,
    DAY_NAMES,
    STATUSES,
    TICKET_TYPES,
    ByDate,
    Calendar,
    Clock,
    HolidaySource,
    Matcher,
    PolicyFile,
    Rule,
    Table,
    Target,
)
from schemas.policy_tables import ROWS_MAX, row_count
from schemas.policy_values import MINUTES_PER_DAY, duration_ms, interval_minutes, minute_of

WEEK_MINUTES = 7 * MINUTES_PER_DAY
COUNTRY_OF_MOVED_WORKDAYS = "CN"
ROLES = ("start", "stop", "pause", "resume", "reset", "cancel")


def mistakes_of(file: PolicyFile, zones: tuple[str, ...]) -> list[Mistake]:
    """Every mistake that the models can't see. `zones`: the known zone names."""
    found: list[Mistake] = []
    for name, calendar in file.calendars.items():
        found += _calendar_mistakes(file, ("calendars", name), calendar, zones)
    found += _calendar_name_mistakes(file, ("calendar",), file.calendar)
    for index, choice in enumerate(file.calendar_by):
        place: Place = ("calendar_by", index)
        found += _attribute_mistakes(file, (*place, "attribute"), choice.attribute)
        for value, name in choice.calendars.items():
            found += _calendar_name_mistakes(file, (*place, "calendars", value), name)
    for name, clock in file.clocks.items():
        found += _clock_mistakes(file, ("clocks", name), clock)
    found += _rules_mistakes(file)
    return found


def _unknown(place: Place, what: str, wrong: str, known: Iterable[str]) -> Mistake:
    known = list(known)
    hint = suggestion(wrong, known) or f"known: {', '.join(known) or 'none'}"
    return Mistake(place, f"unknown {what} {wrong!r}", hint)


def _attribute_mistakes(file: PolicyFile, place: Place, name: str) -> Iterator[Mistake]:
    known = [*ATTRIBUTES, *file.attributes]
    if name not in known:
        hint = suggestion(name, known)
        hint = hint or f"declare it: `attributes: [{', '.join([*file.attributes, name])}]`"
        yield Mistake(place, f"unknown attribute {name!r}", hint)


# -- calendars ---------------------------------------------------------------------------------------


def _calendar_name_mistakes(file: PolicyFile, place: Place, name: str) -> Iterator[Mistake]:
    if name not in file.calendars:
        yield _unknown(place, "calendar", name, file.calendars)


def _calendar_mistakes(
    file: PolicyFile, place: Place, calendar: Calendar, zones: tuple[str, ...]
) -> Iterator[Mistake]:
    forms = [calendar.always, bool(calendar.union), calendar.zone is not None]
    if sum(forms) != 1:
        what = "a calendar has exactly one of `always: true`, `union: [...]`, `zone: ...`"
        yield Mistake(place, what)
        return
    for index, member in enumerate(calendar.union):
        yield from _calendar_name_mistakes(file, (*place, "union", index), member)
        if member in file.calendars and file.calendars[member].union:
            what = f"{member!r} is a union itself"
            yield Mistake((*place, "union", index), what, "list its members here")
    if calendar.zone is None:
        yield from _hours_without_zone(place, calendar)
    else:
        yield from _zone_mistakes(place, calendar, calendar.zone, zones)
    for index, holiday in enumerate(calendar.holidays):
        yield from _holiday_mistakes((*place, "holidays", index), holiday)
    for index, closure in enumerate(calendar.closures):
        if closure.to <= closure.from_:
            yield Mistake((*place, "closures", index), "it ends before it begins")
    yield from _interval_mistakes(place, calendar)


def _hours_without_zone(place: Place, calendar: Calendar) -> Iterator[Mistake]:
    for name in ("weekly", "holidays", "overrides", "moved_workdays"):
        if getattr(calendar, name):
            form = "always" if calendar.always else "union"
            what = f"means nothing beside `{form}`"
            yield Mistake((*place, name), what, "give it to a calendar with a `zone`")


def _zone_mistakes(
    place: Place, calendar: Calendar, zone: str, zones: tuple[str, ...]
) -> Iterator[Mistake]:
    if zone not in zones:
        hint = suggestion(zone, zones) or "an IANA name, e.g. Asia/Shanghai"
        yield Mistake((*place, "zone"), f"unknown time zone {zone!r}", hint)
    if not any(calendar.weekly.values()) and not any(calendar.overrides.values()):
        hint = 'give weekly hours, e.g. mon: ["09:00-17:00"]'
        yield Mistake((*place, "weekly"), "this calendar is never open", hint)
    for day, like in calendar.moved_workdays.items():
        if not calendar.weekly.get(like):
            what = f"worked like a {like}, which has no hours"
            yield Mistake((*place, "moved_workdays", day.isoformat()), what)


def _holiday_mistakes(place: Place, holiday: HolidaySource) -> Iterator[Mistake]:
    given = [part for part in (holiday.day, holiday.country, holiday.ical) if part is not None]
    if len(given) != 1:
        yield Mistake(place, "give exactly one of date, country, ical")
    if holiday.subdivision is not None and holiday.country is None:
        yield Mistake((*place, "subdivision"), "a subdivision of which country?", "add `country`")
    if holiday.moved_workdays and holiday.country != COUNTRY_OF_MOVED_WORKDAYS:
        what = "moved working days are known for CN only"
        hint = "list others under the calendar's moved_workdays"
        yield Mistake((*place, "moved_workdays"), what, hint)


def _interval_mistakes(place: Place, calendar: Calendar) -> Iterator[Mistake]:
    week = [
        (DAY_NAMES.index(day) * MINUTES_PER_DAY + start, length, here)
        for day, texts in calendar.weekly.items()
        for start, length, here in _intervals((*place, "weekly", day), texts)
    ]
    week.sort(key=lambda interval: interval[0])
    yield from _overlaps(week)
    if len(week) > 1:
        first, (start, length, here) = week[0], week[-1]
        if start + length - WEEK_MINUTES > first[0]:
            yield Mistake(here, "this interval overlaps with the first one of the week")
    for day_, texts in calendar.overrides.items():
        of_day = list(_intervals((*place, "overrides", day_.isoformat()), texts))
        yield from _overlaps(sorted(of_day, key=lambda interval: interval[0]))


def _intervals(place: Place, texts: tuple[str, ...]) -> Iterator[tuple[int, int, Place]]:
    """Start, length and place of each interval."""
    for index, text in enumerate(texts):
        start, end = interval_minutes(text)
        length = end - start if end > start else end + MINUTES_PER_DAY - start
        yield start, length, (*place, index)


def _overlaps(intervals: list[tuple[int, int, Place]]) -> Iterator[Mistake]:
    for (start, length, _place), (next_start, _length, place) in pairwise(intervals):
        if next_start < start + length:
            hint = "merge the two; an interval into the next day counts there too"
            yield Mistake(place, "this interval overlaps with the one before", hint)


# -- clocks ------------------------------------------------------------------------------------------


def _clock_mistakes(file: PolicyFile, place: Place, clock: Clock) -> Iterator[Mistake]:
    for role in ROLES:
        for index, matcher in enumerate(getattr(clock, role)):
            yield from _matcher_mistakes((*place, role, index), matcher)
    if not clock.start:
        yield Mistake((*place, "start"), "nothing starts this clock", "e.g. start: created")
    if not clock.stop:
        what = "nothing can stop this clock: every ticket would breach it"
        yield Mistake((*place, "stop"), what, "e.g. stop: [solved, closed]")
    for attribute in clock.applies:
        yield from _attribute_mistakes(file, (*place, "applies", attribute), attribute)
    if clock.calendar is not None:
        yield from _calendar_name_mistakes(file, (*place, "calendar"), clock.calendar)
    yield from _hold_mistakes(place, clock)
    if clock.kind == "ola" and clock.team is None:
        yield Mistake((*place, "kind"), "an OLA is one team's", "add `team`")
    if clock.kind == "sla" and clock.team is not None:
        what = "an SLA runs whoever holds the ticket"
        yield Mistake((*place, "team"), what, "write `kind: ola`, or `kind: uc` for a supplier")


def _hold_mistakes(place: Place, clock: Clock) -> Iterator[Mistake]:
    if clock.pause and not clock.resume:
        what = "pauses without end: nothing resumes this clock"
        yield Mistake((*place, "pause"), what, "add `resume`")
    if clock.resume and not clock.pause:
        yield Mistake((*place, "resume"), "nothing pauses this clock", "add `pause`")
    for index, status in enumerate(clock.pause_statuses):
        if status not in STATUSES:
            yield _unknown((*place, "pause_statuses", index), "status", status, STATUSES)
    if set(STATUSES) <= set(clock.pause_statuses):
        yield Mistake((*place, "pause_statuses"), "every status holds it: it would never run")


def _matcher_mistakes(place: Place, matcher: Matcher) -> Iterator[Mistake]:
    if matcher.type not in TICKET_TYPES:
        hint = suggestion(matcher.type, TICKET_TYPES) or f"known: {', '.join(TICKET_TYPES)}"
        yield Mistake(place, f"a ticket has no event {matcher.type!r}", hint)
        return
    fields = {
        name: rule
        for name, rule in fields_of("ticket", matcher.type).items()
        if rule.shape in ("text", "boolean")
    }
    for name, values in matcher.conditions().items():
        here = (*place, name)
        if name not in fields:
            known = ", ".join(fields) or "none at all"
            hint = suggestion(name, list(fields)) or f"it can be asked for: {known}"
            yield Mistake(here, f"{matcher.type} has no field {name!r}", hint)
            continue
        if not values:
            yield Mistake(here, "an empty list matches nothing")
        for value in values:
            yield from _value_mistakes(here, value, fields[name])


def _value_mistakes(place: Place, value: object, rule: FieldRule) -> Iterator[Mistake]:
    if rule.shape == "boolean":
        if not isinstance(value, bool):
            yield Mistake(place, f"{value!r} is not true or false")
    elif not isinstance(value, str):
        yield Mistake(place, f"{value!r} is not a text", f'put it in quotes: "{value}"')
    elif rule.allowed and value not in rule.allowed:
        hint = suggestion(value, rule.allowed) or f"one of {', '.join(rule.allowed)}"
        yield Mistake(place, f"{value!r} is not allowed here", hint)


# -- rules -------------------------------------------------------------------------------------------


def _rules_mistakes(file: PolicyFile) -> Iterator[Mistake]:
    seen: set[str] = set()
    for index, rule in enumerate(file.rules):
        place: Place = ("rules", index)
        if rule.id in seen:
            yield Mistake((*place, "id"), f"a second rule is called {rule.id!r}")
        seen.add(rule.id)
        yield from _rule_mistakes(file, place, rule)
        shadow = next((above for above in file.rules[:index] if _covers(above, rule)), None)
        if shadow is not None:
            what = f"unreachable: rule {shadow.id!r} above matches everything that this one does"
            yield Mistake(place, what, "put the narrower rule first")


def _rule_mistakes(file: PolicyFile, place: Place, rule: Rule) -> Iterator[Mistake]:
    for attribute, values in rule.match.items():
        here = (*place, "match", attribute)
        yield from _attribute_mistakes(file, here, attribute)
        if not values:
            yield Mistake(here, "an empty list matches nothing")
    if rule.calendar is not None:
        yield from _calendar_name_mistakes(file, (*place, "calendar"), rule.calendar)
    if row_count(rule) > ROWS_MAX:
        what = f"its tables distinguish more than {ROWS_MAX:,} cases"
        yield Mistake((*place, "targets"), what, "split the rule by `match`")
    for clock, target in rule.targets.items():
        here = (*place, "targets", clock)
        if clock not in file.clocks:
            yield _unknown(here, "clock", clock, file.clocks)
        yield from _target_mistakes(file, here, rule, target)


def _target_mistakes(
    file: PolicyFile, place: Place, rule: Rule, target: Target
) -> Iterator[Mistake]:
    if isinstance(target, Table):
        yield from _table_mistakes(file, place, rule, target)
    elif isinstance(target, ByDate):
        yield from _by_date_mistakes(file, place, rule, target)
    elif duration_ms(target) == 0:
        what = "a target of nothing can't be met"
        yield Mistake(place, what, "leave the clock out for no target")


def _table_mistakes(file: PolicyFile, place: Place, rule: Rule, table: Table) -> Iterator[Mistake]:
    yield from _attribute_mistakes(file, (*place, "by"), table.by)
    allowed = rule.match.get(table.by)
    if not table.choices():
        yield Mistake(place, "a table without values", "write the target itself")
    for value, inner in table.choices().items():
        here = (*place, value)
        if table.otherwise is None and get_close_matches(value, ["else"], cutoff=0.75):
            hint = "write `else`; if it is a value, give an `else` beside it"
            yield Mistake(here, f"{value!r} looks like `else`", hint)
        if allowed is not None and value not in allowed:
            what = f"unreachable: the rule matches {table.by} {', '.join(allowed)} only"
            yield Mistake(here, what, suggestion(value, allowed))
        yield from _target_mistakes(file, here, rule, inner)
    if table.otherwise is not None:
        yield from _target_mistakes(file, (*place, "else"), rule, table.otherwise)


def _by_date_mistakes(
    file: PolicyFile, place: Place, rule: Rule, target: ByDate
) -> Iterator[Mistake]:
    clock = file.clocks.get(str(place[3]))
    own = None if clock is None else clock.calendar
    name = target.calendar or own or rule.calendar or file.calendar
    if target.calendar is not None:
        yield from _calendar_name_mistakes(file, (*place, "calendar"), name)
    counted = file.calendars.get(name)
    if counted is not None and (counted.always or counted.union):
        what = f"calendar {name!r} has no dates of its own to count"
        yield Mistake(place, what, "add `calendar`: one with a `zone`")
    for field in ("cut_off", "next_start"):
        text = getattr(target, field)
        if text is not None and minute_of(text) == MINUTES_PER_DAY:
            yield Mistake((*place, field), "24:00 is the next day")
    if target.cut_off is None and "next_start" in target.model_fields_set:
        yield Mistake((*place, "next_start"), "there is no cut-off", "add `cut_off`")


def _covers(general: Rule, narrow: Rule) -> bool:
    return all(
        name in narrow.match and set(narrow.match[name]) <= set(values)
        for name, values in general.match.items()
    )
