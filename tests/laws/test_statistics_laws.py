"""Laws of sums, intervals and first contacts."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from hypothesis import given, strategies as st

from streams.core.statistics.answers import Answer, csat_of
from streams.core.statistics.compliance import ComplianceSums
from streams.core.statistics.first_contact import Contact, first_contacts
from streams.core.statistics.handling import HandlingSums
from streams.core.statistics.intervals import by_completion, by_overlap, interval_start_ms
from streams.core.statistics.proportion import wilson95
from streams.core.statistics.satisfaction import CesSums, CsatSums, NpsSums
from streams.core.statistics.service_level import QueueSums, service_levels
from streams.core.statistics.service_quality import GapSums, YesSums

COUNTS = st.integers(0, 10_000)
KINDS = (QueueSums, HandlingSums, CsatSums, NpsSums, CesSums, ComplianceSums, GapSums, YesSums)


def sums_of(kind: Callable[..., Any]) -> st.SearchStrategy[Any]:
    return st.tuples(*[COUNTS for _ in fields(kind)]).map(lambda cells: kind(*cells))  # type: ignore[arg-type]


@given(st.sampled_from(KINDS).flatmap(lambda kind: st.tuples(*[sums_of(kind)] * 3)))
def test_sums_merge_in_any_order_and_grouping(three: tuple[Any, Any, Any]) -> None:
    a, b, c = three
    assert a + b == b + a
    assert (a + b) + c == a + (b + c)
    assert a + type(a)() == a


@given(st.integers(1, 5_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_an_interval_holds_its_share_and_stays_on_the_scale(counted: tuple[int, int]) -> None:
    hits, sample = counted
    low, high = wilson95(hits, sample) or (2.0, -1.0)
    assert 0.0 <= low <= hits / sample <= high <= 1.0
    wider = wilson95(hits, sample) or (0.0, 0.0)
    narrower = wilson95(100 * hits, 100 * sample) or (0.0, 0.0)
    assert narrower[1] - narrower[0] < wider[1] - wider[0]


@given(sums_of(NpsSums))
def test_the_adjusted_interval_never_leaves_the_scale_by_much(nps: NpsSums) -> None:
    if nps.nps is None:
        assert nps.adjusted_wald95 is None
        return
    low, high = nps.adjusted_wald95 or (0.0, 0.0)
    assert low < high
    assert -100.0 <= nps.nps <= 100.0
    assert low >= -110.0
    assert high <= 110.0


@given(st.data())
def test_service_levels_are_percentages(data: st.DataObject) -> None:
    answered, abandoned = data.draw(COUNTS), data.draw(COUNTS)
    short = data.draw(st.integers(0, abandoned))
    queue = QueueSums(
        queued=answered + abandoned,
        answered=answered,
        answered_within=data.draw(st.integers(0, answered)),
        abandoned=abandoned,
        abandoned_within=data.draw(st.integers(short, abandoned)),
        short_abandoned=short,
    )
    for variant, percent in service_levels(queue).items():
        assert percent is None or 0.0 <= percent <= 100.0, variant


@given(st.integers(0, 10**7), st.integers(0, 10**6), st.integers(1, 10**5))
def test_overlaps_add_up_and_lie_side_by_side(start: int, length: int, interval: int) -> None:
    found = [*by_overlap(start, start + length, interval)]
    assert sum(part for _, part in found) == length
    assert all(0 <= part <= interval for _, part in found)
    assert [at for at, _ in found] == [
        interval_start_ms(start, interval) + number * interval for number in range(len(found))
    ]
    assert by_completion(start, start + length, interval)[1] == length


_CONTACTS = st.lists(
    st.tuples(
        st.sampled_from("ab"),
        st.sampled_from("xy"),
        st.integers(0, 60),
        st.integers(0, 20) | st.none(),
    ),
    max_size=8,
).map(
    lambda rows: [
        Contact(f"k{n}", who, issue, opened, None if lasts is None else opened + lasts)
        for n, (who, issue, opened, lasts) in enumerate(rows)
    ]
)


@given(_CONTACTS, st.integers(1, 30), st.integers(0, 100), st.randoms(use_true_random=False))
def test_first_contacts_agree_with_the_definition(
    contacts: list[Contact], window: int, as_of: int, random: Any
) -> None:
    found = first_contacts(contacts, window, as_of)
    shuffled = contacts[:]
    random.shuffle(shuffled)
    assert first_contacts(shuffled, window, as_of) == found

    known = [one for one in contacts if one.opened_ms <= as_of]

    def repeats(later: Contact, earlier: Contact) -> bool:
        closed = earlier.closed_ms
        return (
            (later.customer_id, later.issue) == (earlier.customer_id, earlier.issue)
            and (later.opened_ms, later.contact_id) > (earlier.opened_ms, earlier.contact_id)
            and closed is not None
            and closed <= as_of
            and closed <= later.opened_ms < closed + window
        )

    firsts = {one.contact_id for one in known if not any(repeats(one, other) for other in known)}
    assert {one.contact.contact_id for one in found} == firsts
    for one in found:
        again = any(repeats(other, one.contact) for other in known)
        assert (one.outcome == "repeated") == again


@given(_CONTACTS, st.integers(1, 30), st.integers(0, 100))
def test_what_is_final_never_changes(contacts: list[Contact], window: int, as_of: int) -> None:
    final = {
        one.contact.contact_id: one.outcome
        for one in first_contacts(contacts, window, as_of)
        if one.final_ms is not None and one.final_ms <= as_of
    }
    later = {one.contact.contact_id: one.outcome for one in first_contacts(contacts, window, 10**6)}
    assert all(later[contact_id] == outcome for contact_id, outcome in final.items())


_ANSWERS = st.lists(
    st.builds(
        Answer,
        st.sampled_from([f"e{n}" for n in range(20)]),
        st.sampled_from(("T1", "T2")),
        st.sampled_from(("overall", "speed")),
        st.integers(0, 3),
        st.integers(1, 5) | st.none(),
    ),
    unique_by=lambda answer: answer.event_id,
    max_size=12,
)


@given(_ANSWERS, st.randoms(use_true_random=False))
def test_the_order_of_answers_does_not_matter(answers: list[Answer], random: Any) -> None:
    shuffled = answers * 2
    random.shuffle(shuffled)
    assert csat_of(shuffled, 4) == csat_of(answers, 4)
