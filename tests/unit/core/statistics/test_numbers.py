"""Numbers that were worked out by hand."""

import pytest

from streams.core.statistics.answers import Answer, csat_of
from streams.core.statistics.compliance import ComplianceSums
from streams.core.statistics.first_contact import Contact, first_contacts
from streams.core.statistics.handling import HandlingSums
from streams.core.statistics.intervals import by_completion, by_overlap
from streams.core.statistics.proportion import wilson95
from streams.core.statistics.satisfaction import CesSums, CsatSums, NpsSums
from streams.core.statistics.service_level import QueueSums, service_level_percent
from streams.core.statistics.service_quality import (
    REPUTATION,
    SERVQUAL,
    GapSums,
    YesSums,
    overall_gap,
)


def test_wilson_of_one_half_is_symmetric() -> None:
    # 5 of 10: (5 + 1.92073) / 13.84146 ± 1.96 √(2.5 + 0.96036) / 13.84146 = 0.5 ± 0.26341
    low, high = wilson95(5, 10) or (0, 0)
    assert low == pytest.approx(0.236593, abs=1e-6)
    assert high == pytest.approx(0.763407, abs=1e-6)


def test_an_average_speed_of_answer_is_floored_to_the_millisecond() -> None:
    assert QueueSums(answered=3, wait_sum_ms=10_001).average_speed_of_answer_ms == 3_333
    assert QueueSums(abandoned=3, queued=3).average_speed_of_answer_ms is None


def test_a_service_level_has_a_name() -> None:
    queue = QueueSums(queued=10, answered=8, answered_within=6, abandoned=2)
    assert service_level_percent(queue, "sl.offered") == 60.0
    with pytest.raises(KeyError):
        service_level_percent(queue, "sl.the_usual")


def test_handle_time_is_talk_hold_and_after_call_work() -> None:
    sums = HandlingSums(2, talk_ms=100_000, hold_ms=20_000, after_call_ms=30_000, idle_ms=50_000)
    assert (sums.average_handle_ms, sums.occupancy_percent) == (75_000, 75.0)
    assert HandlingSums().occupancy_percent is None


def test_minutes_over_midnight() -> None:
    day = 86_400_000
    assert by_completion(day - 60_000, day + 60_000, day) == (day, 120_000)
    assert [*by_overlap(day - 60_000, day + 60_000, day)] == [(0, 60_000), (day, 60_000)]


def test_effort_and_compliance() -> None:
    effort = CesSums(responses=4, score_sum=22, top_box=3)  # 7, 6, 6, 3 of 7
    assert (effort.mean_score, effort.top_box_share) == (5.5, 0.75)
    assert CesSums().mean_score is None
    assert ComplianceSums(met=9, breached=3).compliance_percent == 75.0
    assert ComplianceSums().wilson95 is None


def test_nps_of_ten() -> None:
    # 6 promoters, 2 detractors of 10: 40; variance 0.8 - 0.16 = 0.64; 1.96 √0.064 = 0.49583
    nps = NpsSums(6, 2, 2)
    assert nps.nps == 40.0
    assert nps.wald95 == pytest.approx((-9.5836, 89.5836), abs=1e-4)


def test_gaps_and_the_reputation_index() -> None:
    reliable = GapSums(pairs=2, perception_sum=8, expectation_sum=10)
    kind = GapSums(pairs=4, perception_sum=20, expectation_sum=18)
    assert (reliable.gap, kind.gap) == (-1.0, 0.5)
    assert overall_gap({"reliability": reliable, "empathy": kind, "tangibles": GapSums()}) == -0.25
    assert overall_gap({}) is None
    assert YesSums(yes=3, responses=4).share == 0.75
    assert (len(SERVQUAL), len(REPUTATION)) == (5, 5)


def test_an_answer_taken_back_is_no_answer() -> None:
    answers = [
        Answer("a", "T1", "overall", 1, 5),
        Answer("b", "T1", "overall", 2, None),
        Answer("c", "T2", "overall", 1, 4),
    ]
    assert csat_of(answers, 4, sent=5) == CsatSums(satisfied=1, responses=1, sent=5, score_sum=4)


def test_a_contact_that_closes_later_is_still_open() -> None:
    contact = Contact("k", "c", "billing", 0, 100)
    (open_,) = first_contacts([contact], 10, as_of_ms=99)
    assert (open_.outcome, open_.final_ms) == ("provisional", None)
    (closed,) = first_contacts([contact], 10, as_of_ms=110)
    assert (closed.outcome, closed.final_ms) == ("resolved", 110)
