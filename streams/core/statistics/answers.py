"""One answer per person and question: the last one counts, whatever order they arrive in."""

from collections.abc import Iterable
from dataclasses import dataclass

from streams.core.statistics.satisfaction import CsatSums


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer to one question about one ticket. `score` None: a correction took it back."""

    event_id: str
    ticket_id: str
    question: str
    occurred_ms: int
    score: float | None


def last_answers(answers: Iterable[Answer]) -> dict[tuple[str, str], Answer]:
    """By ticket and question, the last by (occurred, event id)."""
    last: dict[tuple[str, str], Answer] = {}
    for answer in answers:
        key = answer.ticket_id, answer.question
        known = last.get(key)
        if known is None or _order(known) < _order(answer):
            last[key] = answer
    return last


def csat_of(answers: Iterable[Answer], satisfied_min_score: float, sent: int = 0) -> CsatSums:
    """Sums over the answers that count."""
    scores = [one.score for one in last_answers(answers).values() if one.score is not None]
    satisfied = sum(score >= satisfied_min_score for score in scores)
    return CsatSums(satisfied, len(scores), sent, sum(scores))


def _order(answer: Answer) -> tuple[int, str]:
    return answer.occurred_ms, answer.event_id
