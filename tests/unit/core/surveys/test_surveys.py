"""Surveys: the last answer counts, corrections restate, order does not matter."""

from itertools import permutations

import pytest
from msgspec.structs import replace

from schemas.events import (
    Data,
    Event,
    SurveyAnswered,
    SurveyCorrected,
    SurveyExpired,
    SurveySent,
)
from streams.core.statistics.satisfaction import CesSums, CsatSums, NpsSums
from streams.core.statistics.service_quality import GapSums, YesSums
from streams.core.surveys.sums import (
    SatisfactionDefinition,
    ces_sums,
    csat_sums,
    gap_sums,
    nps_sums,
    reputation_sums,
)
from streams.core.surveys.survey import survey_of

USUAL = SatisfactionDefinition()


def at(second: int, data: Data, event_id: str = "") -> Event:
    type_ = str(type(data).__struct_config__.tag)
    return Event(
        tenant="default", source="poll", kind="survey", entity_id="S1",
        event_id=event_id or f"{type_}-{second}", type=type_,
        occurred_ms=second * 1_000, ingested_ms=second * 1_000, data=data,
    )  # fmt: skip


STORY = [
    at(0, SurveySent(ticket_id="T1", agent="ann", channel="sms")),
    at(60, SurveyAnswered("csat", "overall", 2), "first"),
    at(90, SurveyAnswered("csat", "overall", 5), "second"),
    at(95, SurveyAnswered("csat", "speed", 3), "other"),
    at(99, SurveyAnswered("nps", "recommend", 9), "nps"),
]


def test_the_last_answer_of_each_question_counts() -> None:
    survey = survey_of(STORY)
    assert csat_sums(survey, USUAL) == CsatSums(satisfied=1, responses=2, sent=1, score_sum=8)
    assert nps_sums(survey, USUAL) == NpsSums(promoters=1)
    assert (survey.ticket_id, survey.agent, survey.channel) == ("T1", "ann", "sms")
    assert survey.answered


def test_order_of_arrival_and_copies_change_nothing() -> None:
    truth = survey_of(STORY)
    for order in permutations(STORY):
        assert survey_of([*order, order[0]]) == truth


def test_a_correction_restates_even_when_it_comes_first() -> None:
    correction = at(200, SurveyCorrected("second", 1))
    for events in ([*STORY, correction], [correction, *STORY]):
        assert csat_sums(survey_of(events), USUAL) == CsatSums(0, 2, 1, 4)
    later = at(300, SurveyCorrected("second", 4))
    assert csat_sums(survey_of([later, *STORY, correction]), USUAL).satisfied == 1


def test_an_answer_taken_back_leaves_none() -> None:
    survey = survey_of([*STORY, at(200, SurveyCorrected("second", None))])
    assert csat_sums(survey, USUAL) == CsatSums(satisfied=0, responses=1, sent=1, score_sum=3)


def test_a_survey_without_an_answer_counts_as_sent() -> None:
    silent = survey_of([STORY[0], at(500, SurveyExpired())])
    assert csat_sums(silent, USUAL) == CsatSums(sent=1)
    assert (silent.answered, silent.expired_ms) == (False, 500_000)
    assert csat_sums(silent, USUAL).csat is None


@pytest.mark.parametrize(
    ("correction", "oddity"),
    [
        (SurveyCorrected("nobody", 3), "corrects_nothing:nobody"),
        (SurveyCorrected("second", 9), "correction_off_the_scale:second"),
    ],
)
def test_a_correction_that_can_not_be_is_named_and_changes_nothing(
    correction: SurveyCorrected, oddity: str
) -> None:
    survey = survey_of([*STORY, at(200, correction)])
    assert survey.oddities == {oddity}
    assert survey.answers == survey_of(STORY).answers


def test_effort_gaps_and_reputation() -> None:
    survey = survey_of(
        [
            at(1, SurveyAnswered("ces", "easy", 6)),
            at(2, SurveyAnswered("servqual", "kept", 4, dimension="reliability", expectation=6)),
            at(3, SurveyAnswered("servqual", "on time", 5, dimension="reliability", expectation=6)),
            at(4, SurveyAnswered("servqual", "kind", 7, dimension="empathy")),
            at(5, SurveyAnswered("reputation", "again", 1, dimension="return")),
            at(6, SurveyAnswered("reputation", "complained", 0, dimension="complaint")),
        ]
    )
    assert ces_sums(survey, USUAL) == CesSums(responses=1, score_sum=6, top_box=1)
    assert gap_sums(survey) == {"reliability": GapSums(2, 9, 12)}
    assert gap_sums(survey)["reliability"].gap == -1.5
    assert reputation_sums(survey) == {"return": YesSums(1, 1), "complaint": YesSums(0, 1)}


def test_another_scale_has_its_own_definition() -> None:
    ten = replace(STORY[1], data=SurveyAnswered("csat", "overall", 8, scale_max=10))
    definition = SatisfactionDefinition(satisfied_min=8)
    assert csat_sums(survey_of([ten]), definition) == CsatSums(1, 1, 0, 8)
