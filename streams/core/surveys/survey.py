"""What a survey says: of each question the last answer, as corrected.

A correction may arrive before the answer that it corrects, and several may correct one: the last counts. An
answer that was taken back (score null) is none, and the one before it does not come back: the person has
changed their mind about the question, not about the form.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from msgspec.structs import replace

from schemas.events import Event, SurveyAnswered, SurveyCorrected, SurveyExpired, SurveySent
from schemas.wire import answer_problem
from streams.core.event_order import SKEW_MS_MAX, in_order
from streams.core.statistics.answers import Answer

_RANKS = {"sent": 0, "answered": 1, "corrected": 2, "expired": 3}
Question = tuple[str, str]  # metric, question


@dataclass(slots=True)
class Survey:
    """One questionnaire to one person. Instants in ms; None: that has not happened."""

    survey_id: str
    sent_ms: int | None = None
    expired_ms: int | None = None
    ticket_id: str | None = None
    call_id: str | None = None
    customer_id: str | None = None
    channel: str | None = None
    agent: str | None = None
    team: str | None = None
    said: dict[Question, SurveyAnswered] = field(default_factory=dict)
    answers: dict[Question, Answer] = field(default_factory=dict)
    oddities: set[str] = field(default_factory=set)

    def scores(self, metric: str) -> list[Answer]:
        """Answers of one metric that count, in the order of their questions."""
        found = sorted(
            (question, answer)
            for (of, question), answer in self.answers.items()
            if of == metric and answer.score is not None
        )
        return [answer for _, answer in found]

    @property
    def answered(self) -> bool:
        return any(answer.score is not None for answer in self.answers.values())


def survey_of(events: Iterable[Event], future_skew_ms_max: int = SKEW_MS_MAX) -> Survey:
    """The survey that these events tell of, in any order and number. All must be of one survey."""
    ordered = in_order(events, _RANKS, future_skew_ms_max)
    assert ordered, "a survey without an event is no survey"
    survey = Survey(ordered[0].entity_id)
    corrections = {
        event.data.corrects: event.data.score
        for event in ordered
        if isinstance(event.data, SurveyCorrected)
    }
    for event in ordered:
        _take(survey, event, corrections)
    for name in set(corrections) - {event.event_id for event in ordered}:
        survey.oddities.add(f"corrects_nothing:{name}")
    return survey


def _take(survey: Survey, event: Event, corrections: dict[str, float | None]) -> None:
    data = event.data
    if isinstance(data, SurveySent):
        if survey.sent_ms is None:
            survey.sent_ms = event.occurred_ms
        survey.channel = survey.channel or data.channel
        _about(survey, data)
    elif isinstance(data, SurveyExpired):
        survey.expired_ms = event.occurred_ms
    elif isinstance(data, SurveyAnswered):
        question = data.metric, data.question
        score = corrections.get(event.event_id, data.score)
        if score is not None and answer_problem(replace(data, score=score)) is not None:
            survey.oddities.add(f"correction_off_the_scale:{event.event_id}")
            score = data.score
        survey.said[question] = data
        ticket_id = data.ticket_id or survey.ticket_id or ""
        survey.answers[question] = Answer(
            event.event_id, ticket_id, data.question, event.occurred_ms, score
        )
        _about(survey, data)


def _about(survey: Survey, data: SurveySent | SurveyAnswered) -> None:
    for name in ("ticket_id", "call_id", "customer_id", "agent", "team"):
        if getattr(survey, name) is None:
            setattr(survey, name, getattr(data, name))
