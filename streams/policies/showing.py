"""What a compiled policy promises, in lines a person reads, and what to look after."""

from collections.abc import Iterable, Iterator, Mapping

from schemas.instants import from_ms, rfc3339
from schemas.policy_values import duration_text
from streams.core.business_time import CompiledCalendar
from streams.core.business_time.date_rules import members
from streams.core.business_time.outlook import HOLIDAY_OUTLOOK_DAYS
from streams.core.policy import Calendar, ClockSpec, Matcher, Policy, Rule

DAY_MS = 86_400_000


def lines_of(policy: Policy) -> Iterator[str]:
    """Version, calendars, clocks and rules."""
    yield f"policy     {policy.id}{_labels(policy.labels)}"
    yield f"version    {policy.version}"
    yield f"in force   from {rfc3339(policy.effective_from_ms)}"
    skew, horizon = (
        duration_text(policy.future_skew_ms_max),
        duration_text(policy.horizon_ms),
    )
    yield f"limits     stamps up to {skew} ahead, {horizon} after the end of a ticket"
    for calendar in calendars_of(policy):
        default = "  (default)" if calendar is policy.calendar else ""
        yield f"calendar   {calendar.id}@{calendar.version}{default}"
    for choice in policy.calendar_choices:
        chosen = ", ".join(f"{value} → {own.id}" for value, own in choice.calendars.items())
        yield f"           by {choice.attribute}: {chosen}"
    for clock in policy.clocks:
        yield from _clock(clock)
    for rule in policy.rules:
        yield _rule(rule)


def warnings_of(policy: Policy, now_ms: int) -> list[str]:
    """What isn't wrong and yet worth a look: holidays that run out, promises never given."""
    return list(dict.fromkeys(_warnings(policy, now_ms)))  # a union says what its members say


def _warnings(policy: Policy, now_ms: int) -> Iterator[str]:
    for calendar in calendars_of(policy):
        if isinstance(calendar, CompiledCalendar):
            warning = calendar.outlook_warning(now_ms)
            if warning is not None:
                yield warning
            yield from _moved_workdays_warnings(calendar, now_ms)
    promised = {clock for rule in policy.rules for clock in (*rule.targets, *rule.due_rules)}
    for clock in policy.clocks:
        if clock.id not in promised:
            yield f"clock {clock.id} has no target in any rule: only instants that come with a ticket count"


def _moved_workdays_warnings(calendar: CompiledCalendar, now_ms: int) -> Iterator[str]:
    """Working days are moved by yearly decree: of a year without one nothing is known."""
    ahead = from_ms(now_ms + HOLIDAY_OUTLOOK_DAYS * DAY_MS)
    for spec in members(calendar.spec):
        days = [day for day, _ in spec.moved_workdays]
        if days and max(days).year < ahead.year:
            yield (
                f"calendar {spec.id} knows moved working days (调休) up to {max(days)} only; look at it"
                f" again once those of {ahead.year} are decreed"
            )


def calendars_of(policy: Policy) -> list[Calendar]:
    """Every calendar that the policy may measure by, once."""
    found = [policy.calendar]
    found += [rule.calendar for rule in policy.rules if rule.calendar is not None]
    found += [clock.calendar for clock in policy.clocks if clock.calendar is not None]
    for choice in policy.calendar_choices:
        found += choice.calendars.values()
    return list({calendar.id: calendar for calendar in found}.values())


def _clock(clock: ClockSpec) -> Iterator[str]:
    team = f" of {clock.team}" if clock.team is not None else ""
    calendar = f" by {clock.calendar.id}" if clock.calendar is not None else ""
    yield f"clock      {clock.id}  {clock.kind}{team}{calendar}{_labels(clock.labels)}"
    for role in ("start", "stop", "pause", "resume", "reset", "cancel"):
        matchers: tuple[Matcher, ...] = getattr(clock, role)
        if matchers:
            yield f"           {role:<8} {' | '.join(map(_matcher, matchers))}"
    if clock.pause_statuses:
        yield f"           held     while {', '.join(sorted(clock.pause_statuses))}"
    if clock.applies:
        yield f"           applies  to {_conditions(clock.applies)}"
    if clock.at_risk:
        marks = (
            f"{mark.share:.0%}" if mark.share is not None else duration_text(mark.before_ms or 0)
            for mark in clock.at_risk
        )
        yield f"           at risk  {', '.join(marks)}"
    modes = f"reopened {clock.on_reopen}, new target {clock.on_target_change}, new tier {clock.on_tier_change}"
    grace = f", paged after {duration_text(clock.grace_ms)}" if clock.grace_ms else ""
    yield f"           modes    {modes}{grace}"


def _matcher(matcher: Matcher) -> str:
    fields = ", ".join(f"{name}={_values(values)}" for name, values in matcher.fields)
    return f"{matcher.type}({fields})" if fields else matcher.type


def _rule(rule: Rule) -> str:
    promises = [f"{clock} {duration_text(ms)}" for clock, ms in rule.targets.items()]
    promises += [f"{clock} by date" for clock in rule.due_rules]
    targets = ", ".join(promises)
    calendar = f" by {rule.calendar.id}" if rule.calendar is not None else ""
    return f"rule       {rule.id}: {_conditions(rule.match) or 'everything'} → {targets or 'no targets'}{calendar}"


def _conditions(match: Iterable[tuple[str, frozenset[str]]]) -> str:
    return ", ".join(f"{name}={_values(values)}" for name, values in match)


def _values(values: Iterable[str | bool]) -> str:
    return "/".join(sorted(str(value) for value in values))


def _labels(labels: Mapping[str, str]) -> str:
    return f"  {' · '.join(labels.values())}" if labels else ""
