"""Surveys as a `Kind` of history: what they add to windows, and their rows."""

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from schemas.events import Data, EntityKind, SurveyAnswered, SurveyData
from schemas.instants import from_ms, from_ms_or_none
from schemas.outcomes import SurveyAnswerRow, SurveyRow
from streams.core.effects import OutcomeRow, Stamp
from streams.core.event_order import SKEW_MS_MAX
from streams.core.histories import History
from streams.core.measures import Measures, SurveyMeasures
from streams.core.policy import Policy
from streams.core.statistics.answers import Answer
from streams.core.surveys.survey import Question, Survey, survey_of
from streams.core.windows.family import SURVEYS, Part


@dataclass(frozen=True, slots=True)
class SurveyStory:
    """A survey and what is odd about it."""

    survey: Survey
    flags: tuple[str, ...]
    measures: SurveyMeasures


class SurveyKind:
    """See `Kind`."""

    entity: EntityKind = "survey"
    snapshot_version = 1
    data_decoder: msgspec.msgpack.Decoder[Data] = msgspec.msgpack.Decoder(SurveyData)

    def tell(self, history: History, measures: Measures) -> SurveyStory:
        """The survey as of its events."""
        survey = survey_of(history.events)
        # `corrects_nothing:the-id` → the mark alone: ids are in the events.
        flags = {oddity.partition(":")[0] for oddity in survey.oddities}
        if history.conflicting:
            flags.add("conflicting_duplicate")
        if any(event.occurred_ms - event.ingested_ms > SKEW_MS_MAX for event in history.events):
            flags.add("future_clamped")
        return SurveyStory(survey, tuple(sorted(flags)), measures.surveys)

    def due_instants(self, story: SurveyStory, measures: Measures) -> Iterator[int]:
        """None: a survey waits for nothing."""
        yield from ()

    def horizon_ms(self, measures: Measures) -> int:
        """See `Kind`."""
        return measures.surveys.horizon_ms

    def parts(self, history: History, story: SurveyStory, measures: Measures) -> list[Part]:
        """A questionnaire counts in the minute in which it was sent, an answer in its own."""
        return [*_parts(history, story)]

    def rows(
        self,
        history: History,
        story: SurveyStory | None,
        was: SurveyStory | None,
        policy: Policy,
        stamp: Stamp,
    ) -> Iterator[OutcomeRow]:
        """The survey and each of its answers, where they differ."""
        assert story is not None
        rows = _Rows(history, policy, stamp)
        survey = rows.survey(story)
        if was is None or rows.survey(was) != survey:
            yield "surveys", survey
        before = {} if was is None else {name: rows.answer(was, name) for name in was.survey.said}
        for name in story.survey.said:
            answer = rows.answer(story, name)
            if before.pop(name, None) != answer:
                yield "survey_answers", answer
        for gone in before.values():
            gone["removed"] = True
            yield "survey_answers", gone


def _parts(history: History, story: SurveyStory) -> Iterator[Part]:
    survey, origin = story.survey, (history.tenant, history.source)
    channel, team = survey.channel, survey.team
    if survey.sent_ms is not None:
        key = SURVEYS.key(survey.sent_ms, *origin, None, None, channel, team)
        yield SURVEYS.part(key, sent=1, sent_answered=int(survey.answered))
    for (metric, _question), said in survey.said.items():
        answer = survey.answers[metric, _question]
        if answer.score is not None:
            team = said.team or survey.team
            key = SURVEYS.key(answer.occurred_ms, *origin, metric, said.dimension, channel, team)
            yield SURVEYS.part(key, **_counts(metric, answer.score, said, story.measures))


def _counts(
    metric: str, score: float, said: SurveyAnswered, measures: SurveyMeasures
) -> dict[str, int]:
    counts = {"responses": 1, "score_sum_thousandths": thousandths(score)}
    if _satisfied(metric, score, measures):
        counts["satisfied"] = 1
    if metric == "nps":
        counts["promoters"] = int(score >= measures.promoter_min)
        counts["detractors"] = int(score <= measures.detractor_max)
    elif metric == "ces":
        counts["top_box"] = int(score >= measures.top_box_min)
    elif metric == "reputation":
        counts["yes"] = int(score > 0)
    elif metric == "servqual" and said.expectation is not None:
        counts["pairs"] = 1
        counts["perception_sum_thousandths"] = thousandths(score)
        counts["expectation_sum_thousandths"] = thousandths(said.expectation)
    return counts


def thousandths(score: float) -> int:
    """A score as a whole number, so that sums are exact in any order."""
    return round(score * 1_000)


def _satisfied(metric: str, score: float, measures: SurveyMeasures) -> bool:
    return metric in ("csat", "employee") and score >= measures.satisfied_min


class _Rows:
    """Rows of one survey at one stamp."""

    def __init__(self, history: History, policy: Policy, stamp: Stamp) -> None:
        self._history = history
        self._policy = policy
        self._stamp = stamp

    def survey(self, story: SurveyStory) -> SurveyRow:
        survey, history, stamp = story.survey, self._history, self._stamp
        counted = [one for one in survey.answers.values() if one.score is not None]
        return {
            "tenant": history.tenant,
            "source": history.source,
            "source_partition": stamp.source_partition,
            "version": stamp.version,
            "survey_id": history.entity_id,
            "event_time": from_ms(history.first_ms),
            "sent_at": from_ms_or_none(survey.sent_ms),
            "answered_at": from_ms_or_none(min((one.occurred_ms for one in counted), default=None)),
            "expired_at": from_ms_or_none(survey.expired_ms),
            "ticket_id": survey.ticket_id,
            "call_id": survey.call_id,
            "customer_id": survey.customer_id,
            "channel": survey.channel,
            "team": survey.team,
            "agent": survey.agent,
            "answers": len(counted),
            "flags": list(story.flags),
            "policy_version": self._policy.version,
            "judged_at": from_ms(stamp.now_ms),
        }

    def answer(self, story: SurveyStory, name: Question) -> SurveyAnswerRow:
        survey, history, stamp = story.survey, self._history, self._stamp
        said, answer = survey.said[name], survey.answers[name]
        return {
            "tenant": history.tenant,
            "source": history.source,
            "source_partition": stamp.source_partition,
            "version": stamp.version,
            "survey_id": history.entity_id,
            "metric": name[0],
            "question": name[1],
            "event_time": from_ms(answer.occurred_ms),
            "dimension": said.dimension,
            "score": answer.score,
            "expectation": said.expectation,
            "satisfied": _answer_satisfied(name[0], answer, story.measures),
            "ticket_id": said.ticket_id or survey.ticket_id,
            "call_id": said.call_id or survey.call_id,
            "customer_id": said.customer_id or survey.customer_id,
            "channel": survey.channel,
            "team": said.team or survey.team,
            "agent": said.agent or survey.agent,
            "policy_version": self._policy.version,
            "judged_at": from_ms(stamp.now_ms),
            "removed": False,
        }


def _answer_satisfied(metric: str, answer: Answer, measures: SurveyMeasures) -> bool:
    return answer.score is not None and _satisfied(metric, answer.score, measures)
