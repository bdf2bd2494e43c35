"""Every input that fuzzing has kept still holds its properties, quickly and within memory."""

import time

from tests.fuzz import corpus
from tests.fuzz.properties import TARGETS, check

SECONDS_MAX = 0.5  # for an input of 2 kB; usual is a tenth of a millisecond


def test_the_corpus_holds() -> None:
    inputs = corpus.inputs()
    assert len(inputs) > 100
    assert {data[0] % len(TARGETS) for data in inputs if data} == set(range(len(TARGETS)))
    for data in inputs:
        started_at = time.perf_counter()
        check(data)
        assert time.perf_counter() - started_at < SECONDS_MAX, data


def test_golden_messages_hold_and_reach_their_target() -> None:
    examples = corpus.examples()
    assert len(examples) > 50
    for data in examples:
        check(data)
