"""What one survey adds to the sums of its metrics; a survey that was sent counts even without an answer."""

from dataclasses import dataclass

from streams.core.statistics.satisfaction import CesSums, CsatSums, NpsSums
from streams.core.statistics.service_quality import GapSums, YesSums
from streams.core.surveys.survey import Survey


@dataclass(frozen=True, slots=True)
class SatisfactionDefinition:
    """From which score on an answer is satisfied, promotes, detracts or is in the top box. Stored with every
    number made by it; the defaults are those of the usual scales (1–5, 0–10, 1–7)."""

    satisfied_min: float = 4
    promoter_min: float = 9
    detractor_max: float = 6
    top_box_min: float = 6


def csat_sums(survey: Survey, definition: SatisfactionDefinition) -> CsatSums:
    """Of CSAT questions. Sent counts once per survey."""
    scores = [answer.score or 0.0 for answer in survey.scores("csat")]
    satisfied = sum(score >= definition.satisfied_min for score in scores)
    return CsatSums(satisfied, len(scores), int(survey.sent_ms is not None), sum(scores))


def nps_sums(survey: Survey, definition: SatisfactionDefinition) -> NpsSums:
    """Of NPS questions."""
    scores = [answer.score or 0.0 for answer in survey.scores("nps")]
    promoters = sum(score >= definition.promoter_min for score in scores)
    detractors = sum(score <= definition.detractor_max for score in scores)
    return NpsSums(promoters, len(scores) - promoters - detractors, detractors)


def ces_sums(survey: Survey, definition: SatisfactionDefinition) -> CesSums:
    """Of effort questions."""
    scores = [answer.score or 0.0 for answer in survey.scores("ces")]
    return CesSums(
        len(scores), sum(scores), sum(score >= definition.top_box_min for score in scores)
    )


def gap_sums(survey: Survey) -> dict[str, GapSums]:
    """SERVQUAL by dimension; answers without an expectation have no gap."""
    found: dict[str, GapSums] = {}
    for (metric, _question), said in survey.said.items():
        answer = survey.answers[metric, _question]
        if metric != "servqual" or said.expectation is None or answer.score is None:
            continue
        dimension = said.dimension or ""
        found[dimension] = found.get(dimension, GapSums()) + GapSums(
            1, answer.score, said.expectation
        )
    return found


def reputation_sums(survey: Survey) -> dict[str, YesSums]:
    """The reputation index by dimension: 1 is yes, 0 is no."""
    found: dict[str, YesSums] = {}
    for question, said in survey.said.items():
        answer = survey.answers[question]
        if question[0] != "reputation" or answer.score is None:
            continue
        dimension = said.dimension or ""
        found[dimension] = found.get(dimension, YesSums()) + YesSums(int(answer.score > 0), 1)
    return found
