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
from streams.core.histories import History
from streams.core.measures import Measures, SurveyMeasures
from streams.core.surveys.kind import SurveyKind
from streams.core.surveys.survey import survey_of
from streams.core.windows.family import SURVEYS

KIND = SurveyKind()
Counts = dict[str, int]


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


def counted(
    events: list[Event], surveys: SurveyMeasures | None = None
) -> dict[tuple[str, str], Counts]:
    """What a survey adds, by metric and dimension, without zeros."""
    measures = Measures(surveys=surveys or SurveyMeasures())
    history = History("default", "poll", "S1", tuple(events))
    found: dict[tuple[str, str], Counts] = {}
    for part in KIND.parts(history, KIND.tell(history, measures), measures):
        _, _, _, _, metric, dimension, *_ = part.key
        sums = found.setdefault((str(metric), str(dimension)), {})
        for name, count in zip(SURVEYS.counts, part.counts, strict=True):
            if count:
                sums[name] = sums.get(name, 0) + count
    return found


CSAT, SENT = ("csat", ""), ("", "")


def test_the_last_answer_of_each_question_counts() -> None:
    survey = survey_of(STORY)
    assert counted(STORY) == {
        SENT: {"sent": 1, "sent_answered": 1},
        CSAT: {"satisfied": 1, "responses": 2, "score_sum_thousandths": 8_000},
        ("nps", ""): {"promoters": 1, "responses": 1, "score_sum_thousandths": 9_000},
    }
    assert (survey.ticket_id, survey.agent, survey.channel) == ("T1", "ann", "sms")
    assert survey.answered


def test_order_of_arrival_and_copies_change_nothing() -> None:
    truth = survey_of(STORY)
    for order in permutations(STORY):
        assert survey_of([*order, order[0]]) == truth


def test_a_correction_restates_even_when_it_comes_first() -> None:
    correction = at(200, SurveyCorrected("second", 1))
    for events in ([*STORY, correction], [correction, *STORY]):
        assert counted(events)[CSAT] == {"responses": 2, "score_sum_thousandths": 4_000}
    later = at(300, SurveyCorrected("second", 4))
    assert counted([later, *STORY, correction])[CSAT]["satisfied"] == 1


def test_an_answer_taken_back_leaves_none() -> None:
    found = counted([*STORY, at(200, SurveyCorrected("second", None))])
    assert found[CSAT] == {"responses": 1, "score_sum_thousandths": 3_000}


def test_a_survey_without_an_answer_counts_as_sent() -> None:
    events = [STORY[0], at(500, SurveyExpired())]
    silent = survey_of(events)
    assert counted(events) == {SENT: {"sent": 1}}
    assert (silent.answered, silent.expired_ms) == (False, 500_000)


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
    found = counted(
        [
            at(1, SurveyAnswered("ces", "easy", 6)),
            at(2, SurveyAnswered("servqual", "kept", 4, dimension="reliability", expectation=6)),
            at(3, SurveyAnswered("servqual", "on time", 5, dimension="reliability", expectation=6)),
            at(4, SurveyAnswered("servqual", "kind", 7, dimension="empathy")),
            at(5, SurveyAnswered("reputation", "again", 1, dimension="return")),
            at(6, SurveyAnswered("reputation", "complained", 0, dimension="complaint")),
        ]
    )
    assert found == {
        ("ces", ""): {"responses": 1, "score_sum_thousandths": 6_000, "top_box": 1},
        ("servqual", "reliability"): {
            "responses": 2,
            "score_sum_thousandths": 9_000,
            "pairs": 2,
            "perception_sum_thousandths": 9_000,
            "expectation_sum_thousandths": 12_000,
        },
        ("servqual", "empathy"): {"responses": 1, "score_sum_thousandths": 7_000},
        ("reputation", "return"): {"responses": 1, "score_sum_thousandths": 1_000, "yes": 1},
        ("reputation", "complaint"): {"responses": 1},
    }


def test_another_scale_has_its_own_definition() -> None:
    ten = replace(STORY[1], data=SurveyAnswered("csat", "overall", 8, scale_max=10))
    assert counted([ten], SurveyMeasures(satisfied_min=8))[CSAT]["satisfied"] == 1
    assert "satisfied" not in counted([ten], SurveyMeasures(satisfied_min=9))[CSAT]
