"""A checked policy file → the core's policy: calendars compiled, tables written out, content hashed."""

import hashlib
import json
from collections.abc import Iterator

from schemas.instants import to_ms
from schemas.policy import (
    DAY_NAMES,
    ByDate,
    Calendar,
    Clock,
    Labels,
    Matchers,
    Measures,
    PolicyFile,
    QueueMeasures,
    Rule,
)
from schemas.policy_tables import rows_of
from schemas.policy_values import duration_ms, interval_minutes, marks_of, minute_of
from streams.core import measures, policy as core
from streams.core.business_time import CalendarSpec, Closure, Interval, compile_calendar
from streams.core.business_time.working_days import WorkingDays
from streams.policies.holidays import LookedUp


def compile_policy(file: PolicyFile, looked_up: LookedUp) -> core.Policy:
    """The policy of a file without mistakes, whose holidays were looked up."""
    return _Compiler(file, _specs(file, looked_up)).policy()


def _specs(file: PolicyFile, looked_up: LookedUp) -> dict[str, CalendarSpec]:
    """The calendars of a file as rules, by name; members of unions come first."""
    found: dict[str, CalendarSpec] = {}
    for name, calendar in sorted(file.calendars.items(), key=lambda item: bool(item[1].union)):
        found[name] = _spec(name, calendar, found, looked_up)
    return found


def _spec(
    name: str, calendar: Calendar, others: dict[str, CalendarSpec], looked_up: LookedUp
) -> CalendarSpec:
    closures = tuple(
        Closure(to_ms(closure.from_), to_ms(closure.to), closure.reason)
        for closure in calendar.closures
    )
    if calendar.zone is None:
        members = tuple(others[member] for member in calendar.union)
        return CalendarSpec(name, always=calendar.always, union=members, closures=closures)
    weekly = {str(day): texts for day, texts in calendar.weekly.items()}
    return CalendarSpec(
        name,
        tz=calendar.zone,
        weekly=tuple(_intervals(weekly.get(day, ())) for day in DAY_NAMES),
        holidays=tuple(sorted(looked_up.holidays[name].items())),
        overrides=tuple(
            (day, _intervals(texts)) for day, texts in sorted(calendar.overrides.items())
        ),
        moved_workdays=tuple(sorted(looked_up.moved[name].items())),
        closures=closures,
    )


def _intervals(texts: tuple[str, ...]) -> tuple[Interval, ...]:
    return tuple(sorted((Interval(*interval_minutes(text)) for text in texts), key=_start))


def _start(interval: Interval) -> int:
    return interval.from_minute


class _Compiler:
    """A file without mistakes and its calendars → the core's policy."""

    def __init__(self, file: PolicyFile, specs: dict[str, CalendarSpec]) -> None:
        self._file = file
        self._specs = specs
        self._calendars: dict[str, core.Calendar] = {
            name: compile_calendar(spec) for name, spec in specs.items()
        }

    def policy(self) -> core.Policy:
        """The whole."""
        file, calendars = self._file, self._calendars
        return core.Policy(
            id=file.policy,
            version=f"{file.policy}@{self._digest()}",
            effective_from_ms=to_ms(file.effective_from),
            calendar=calendars[file.calendar],
            clocks=tuple(self._clock(name, clock) for name, clock in file.clocks.items()),
            rules=tuple(row for rule in file.rules for row in self._rows(rule)),
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
            measures=_measures(file.measures),
        )

    def _digest(self) -> str:
        """Of what the file says, however it is written; the calendars' versions bring holidays and zone
        rules in. What is left to its default is left out, so that a language that has grown gives an
        old file its old version."""
        content = self._file.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        versions = {name: calendar.version for name, calendar in self._calendars.items()}
        text = json.dumps([content, versions], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def _clock(self, name: str, clock: Clock) -> core.ClockSpec:
        return core.ClockSpec(
            id=name,
            kind=clock.kind,
            team=clock.team,
            calendar=None if clock.calendar is None else self._calendars[clock.calendar],
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
            at_risk=tuple(core.AtRiskMark(*mark) for mark in marks_of(clock.at_risk)),
            grace_ms=duration_ms(clock.grace),
            labels=_texts(clock.labels),
        )

    def _rows(self, rule: Rule) -> Iterator[core.Rule]:
        """A rule for every case that its tables distinguish; named `rule/value/value`."""
        for row in rows_of(rule):
            asked = {name: (value,) for name, value in row.values if value is not None}
            named = [rule.id, *(values[0] for values in asked.values())]
            yield core.Rule(
                id="/".join(named),
                match=_conditions({**rule.match, **asked}),
                targets={
                    clock: duration_ms(promise)
                    for clock, promise in row.targets.items()
                    if isinstance(promise, str)
                },
                calendar=None if rule.calendar is None else self._calendars[rule.calendar],
                due_rules={
                    clock: self._by_date(promise, clock, rule)
                    for clock, promise in row.targets.items()
                    if isinstance(promise, ByDate)
                },
            )

    def _by_date(self, promise: ByDate, clock: str, rule: Rule) -> WorkingDays:
        own = self._file.clocks[clock].calendar
        name = promise.calendar or own or rule.calendar or self._file.calendar
        return WorkingDays(
            self._specs[name],
            promise.working_days,
            None if promise.cut_off is None else minute_of(promise.cut_off),
            minute_of(promise.next_start),
            None if promise.due is None else minute_of(promise.due),
        )


def _measures(given: Measures) -> measures.Measures:
    calls, surveys, customers = given.calls, given.surveys, given.customers
    return measures.Measures(
        calls=measures.CallMeasures(
            usual=_queue(calls.usual),
            queues={name: _queue(queue) for name, queue in calls.queues.items()},
            known_only=calls.known_only,
            handle_aim_ms=duration_ms(calls.handle_aim),
            handle_limit_ms=duration_ms(calls.handle_limit),
            callback_within_ms=duration_ms(calls.callback_within),
            never_ended_after_ms=duration_ms(calls.never_ended_after),
            horizon_ms=duration_ms(calls.horizon),
        ),
        surveys=measures.SurveyMeasures(
            satisfied_min=surveys.satisfied_min,
            promoter_min=surveys.promoter_min,
            detractor_max=surveys.detractor_max,
            top_box_min=surveys.top_box_min,
            horizon_ms=duration_ms(surveys.horizon),
        ),
        shifts=measures.ShiftMeasures(
            never_ended_after_ms=duration_ms(given.shifts.never_ended_after),
            horizon_ms=duration_ms(given.shifts.horizon),
        ),
        customers=measures.CustomerMeasures(
            lost_after_ms=duration_ms(customers.lost_after),
            loyal_contacts=customers.loyal_contacts,
            loyal_complaints_max=customers.loyal_complaints_max,
            first_contact_within_ms=duration_ms(customers.first_contact_within),
            contribution_attribute=customers.contribution_attribute or "",
        ),
    )


def _queue(given: QueueMeasures) -> measures.QueueMeasures:
    return measures.QueueMeasures(
        duration_ms(given.answer_within), duration_ms(given.short_abandon)
    )


def _texts(labels: Labels) -> dict[str, str]:
    return {language: text for language, text in labels.items()}  # noqa: C416  # widens the key's type


def _matchers(matchers: Matchers) -> tuple[core.Matcher, ...]:
    return tuple(
        core.Matcher(
            matcher.type,
            tuple((name, _known(values)) for name, values in matcher.conditions().items()),
        )
        for matcher in matchers
    )


def _known(values: tuple[object, ...]) -> frozenset[str | bool]:
    return frozenset(value for value in values if isinstance(value, str | bool))


def _conditions(match: dict[str, tuple[str, ...]]) -> tuple[tuple[str, frozenset[str]], ...]:
    return tuple((name, frozenset(values)) for name, values in match.items())
