"""Escalation files: who is paged when nobody acts, who is on duty, what waits for the morning. As models."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from schemas.policy_values import Duration, IntervalText, TimeOfDay

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.@+-]+$", max_length=100)]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
ATTRIBUTES = ("tenant", "team", "tier", "priority", "clock", "source")


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Step(_Model):
    """One rung: so long after the warning or the due instant, to the assignee or to a duty of the team's rota.
    `unless_acknowledged`: an acknowledgement holds it back until it expires."""

    since: Literal["at_risk", "breach"] = "breach"
    after: Duration = "0s"
    to: Name = "assignee"
    severity: Literal["warning", "critical"] | None = None
    unless_acknowledged: bool = True


class Ladder(_Model):
    """The first ladder whose `match` holds is climbed; an empty match holds always."""

    match: dict[
        Literal["tenant", "team", "tier", "priority", "clock", "source"], tuple[str, ...]
    ] = {}
    steps: Annotated[tuple[Step, ...], Field(min_length=1)]


class Shift(_Model):
    """Who is on duty: on these days (all), at these hours (always), by the rota's zone. A night shift belongs to
    the day it starts on."""

    who: Name
    days: tuple[Day, ...] = ()
    hours: IntervalText | None = None


class Rota(_Model):
    """A team's duties: of each, the first shift that covers the instant. A duty that nobody covers falls to the
    next one named in `duties`."""

    zone: str
    duties: dict[Name, tuple[Shift, ...]]


class Absence(_Model):
    """Somebody is away; whoever stands in is asked instead."""

    from_: AwareDatetime = Field(alias="from")
    to: AwareDatetime
    substitute: Name | None = None


class Person(_Model):
    """Somebody who can be on duty. `mention`: how a channel calls them, e.g. {slack: U123, mail: li@shop.example}."""

    name: str = ""
    mention: dict[str, str] = {}
    away: tuple[Absence, ...] = ()


class QuietHours(_Model):
    """Every day from … to … of a zone: warnings wait until they end. Breaches never do."""

    zone: str
    from_: TimeOfDay = Field(alias="from")
    to: TimeOfDay


class Escalation(_Model):
    """One file."""

    acknowledgement: Duration = "30m"
    quiet_hours: QuietHours | None = None
    ladders: Annotated[tuple[Ladder, ...], Field(min_length=1)]
    rotas: dict[str, Rota] = {}  # by team; "else": of every other
    people: dict[Name, Person] = {}

    @model_validator(mode="after")
    def _everybody_is_known(self) -> Self:
        named = {
            (f"rotas.{team}.{duty}", shift.who)
            for team, rota in self.rotas.items()
            for duty, shifts in rota.duties.items()
            for shift in shifts
        }
        named |= {
            (f"people.{name}.away", absence.substitute)
            for name, person in self.people.items()
            for absence in person.away
            if absence.substitute is not None
        }
        unknown = sorted(f"{where}: {who!r}" for where, who in named if who not in self.people)
        duties = {duty for rota in self.rotas.values() for duty in rota.duties}
        unknown += sorted(
            f"a step to {step.to!r}: no rota has that duty"
            for ladder in self.ladders
            for step in ladder.steps
            if step.to != "assignee" and step.to not in duties
        )
        if unknown:
            message = "nobody of that name: " + "; ".join(unknown)
            raise ValueError(message)
        return self


def is_away(person: Person, moment: datetime) -> Absence | None:
    """The absence that holds an instant, if any."""
    return next((one for one in person.away if one.from_ <= moment < one.to), None)
