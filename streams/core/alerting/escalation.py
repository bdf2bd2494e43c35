"""How one alert stands on its ladder at an instant: which rung has been reached, when the next one is, who is on
duty, and whether anything waits (a silence, quiet hours). Pure: the same answer for whoever asks."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from schemas import escalation as language
from schemas.escalation import Rota, Shift, is_away
from schemas.instants import from_ms
from schemas.notifications import Wanted
from schemas.policy_values import duration_ms, interval_minutes, minute_of
from streams.core.alerting.ladder import Cycle, Step, rungs
from streams.core.alerting.quiet_hours import QuietHours
from streams.core.business_time.zones import zone

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Action(NamedTuple):
    """Somebody did something about an alert."""

    at_ms: int
    action: str  # schemas.outcomes.AlertAction
    until_ms: int | None = None


class Standing(NamedTuple):
    """`step`: the place of the last rung reached among those of the warning, or of the breach, from 1. `next_ms`: the next rung's instant.
    `held_ms`: nothing is told before."""

    step: int
    next_ms: int | None
    to: str | None
    severity: str | None
    held_ms: int | None = None


NOWHERE = Standing(0, None, None, None)


@dataclass(frozen=True, slots=True)
class _Ladder:
    match: tuple[tuple[str, frozenset[str]], ...]
    steps: tuple[Step, ...]

    def matches(self, wanted: Wanted) -> bool:
        return all((getattr(wanted, name) or "") in values for name, values in self.match)


class Escalation:
    """A checked file, ready to be asked."""

    def __init__(self, file: language.Escalation) -> None:
        """ValueError when a zone is none."""
        self._file = file
        self._acknowledgement_ms = duration_ms(file.acknowledgement)
        self._ladders = [_ladder(one) for one in file.ladders]
        self._zones = {team: zone(rota.zone) for team, rota in file.rotas.items()}
        quiet = file.quiet_hours
        self._quiet = None if quiet is None else QuietHours(
            zone(quiet.zone), minute_of(quiet.from_), minute_of(quiet.to), ("at_risk",)
        )  # fmt: skip

    def standing(self, wanted: Wanted, actions: Sequence[Action], now_ms: int) -> Standing:
        """Of an alert that fires."""
        ladder = next((one for one in self._ladders if one.matches(wanted)), None)
        held_ms = self._held_ms(wanted, actions, now_ms)
        if ladder is None:
            return NOWHERE._replace(held_ms=held_ms)
        at_risk_ms = wanted.recorded_ms if wanted.level == "at_risk" else None
        due_ms = wanted.breach_ms if wanted.level == "breach" else None
        cycle = Cycle(at_risk_ms, due_ms, acknowledged_ms=self._acknowledged(actions))
        steps = [step for step in ladder.steps if step.on == wanted.level]
        found = rungs(steps, cycle, self._acknowledgement_ms)
        reached = [rung for rung in found if rung.at_ms <= now_ms]
        ahead = [rung.at_ms for rung in found if rung.at_ms > now_ms]
        next_ms = min(ahead, default=None)
        if not reached:
            return Standing(0, next_ms, None, None, held_ms)
        place = max(rung.step for rung in reached)
        step = steps[place]
        to = self.on_duty(step.to, wanted, now_ms)
        return Standing(place + 1, next_ms, to, step.severity, held_ms)

    def on_duty(self, duty: str, wanted: Wanted, now_ms: int) -> str | None:
        """Who is meant: the assignee, or whoever has the duty of the team then. None: nobody is named."""
        if duty == "assignee":
            return wanted.agent or wanted.team
        team = wanted.team if wanted.team in self._file.rotas else "else"
        rota = self._file.rotas.get(team or "else")
        if rota is None:
            return None
        moment = from_ms(now_ms).astimezone(self._zones[team or "else"])
        names = list(rota.duties)
        later = names[names.index(duty) :] if duty in names else []
        for name in later:
            who = self._shift_of(rota, name, moment)
            if who is not None:
                return who
        return None

    def person(self, name: str | None) -> language.Person | None:
        """What is known of somebody."""
        return None if name is None else self._file.people.get(name)

    def _shift_of(self, rota: Rota, duty: str, moment: datetime) -> str | None:
        for shift in rota.duties[duty]:
            if _covers(shift, moment):
                who = self._present(shift.who, moment)
                if who is not None:
                    return who
        return None

    def _present(self, name: str, moment: datetime) -> str | None:
        """The person, or whoever stands in; None: nobody does."""
        seen: set[str] = set()
        who: str | None = name
        while who is not None and who not in seen:
            seen.add(who)
            absence = is_away(self._file.people[who], moment)
            if absence is None:
                return who
            who = absence.substitute
        return None

    def _held_ms(self, wanted: Wanted, actions: Sequence[Action], now_ms: int) -> int | None:
        """A silence holds everything, quiet hours hold warnings."""
        held = [one for one in (silenced_until(actions, now_ms),) if one is not None]
        if self._quiet is not None:
            told_ms = self._quiet.told_ms(now_ms, wanted.level)
            if told_ms > now_ms:
                held.append(told_ms)
        return max(held, default=None)

    def _acknowledged(self, actions: Sequence[Action]) -> tuple[int, ...]:
        """Instants of acknowledgements that count. One that was given longer, or shorter, than usual is told as
        usual ones that end when it does; one that was taken back has never been."""
        given: list[int] = []
        lasts_ms = self._acknowledgement_ms
        for one in sorted(actions):
            if one.action == "release":
                given.clear()
            elif one.action == "acknowledge":
                until_ms = one.at_ms + lasts_ms if one.until_ms is None else one.until_ms
                last_ms = max(until_ms - lasts_ms, one.at_ms - lasts_ms + 1)
                given += [*range(one.at_ms, last_ms, lasts_ms), last_ms]
        return tuple(given)


def silenced_until(actions: Iterable[Action], now_ms: int) -> int | None:
    """Until when nothing is told of it; None: it is not silenced."""
    until_ms: int | None = None
    for one in sorted(actions):
        if one.action == "silence":
            until_ms = one.until_ms
        elif one.action == "unsilence":
            until_ms = None
    return until_ms if until_ms is not None and until_ms > now_ms else None


def _ladder(given: language.Ladder) -> _Ladder:
    return _Ladder(
        tuple((name, frozenset(values)) for name, values in given.match.items()),
        tuple(
            Step(
                step.since,
                duration_ms(step.after),
                step.to,
                step.severity or ("warning" if step.since == "at_risk" else "critical"),
                step.unless_acknowledged,
            )
            for step in given.steps
        ),
    )


def _covers(shift: Shift, moment: datetime) -> bool:
    minute = moment.hour * 60 + moment.minute
    if shift.hours is None:
        return not shift.days or _DAYS[moment.weekday()] in shift.days
    start, end = interval_minutes(shift.hours)
    if start < end:
        return start <= minute < end and _on(shift, moment)
    if minute >= start:
        return _on(shift, moment)
    return minute < end and _on(shift, moment - timedelta(days=1))


def _on(shift: Shift, moment: datetime) -> bool:
    return not shift.days or _DAYS[moment.weekday()] in shift.days
