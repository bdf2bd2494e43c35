"""Every metric of the catalogue against a number worked out by hand; a metric without one fails here."""

import pathlib
import random
from collections.abc import Sequence

import pytest

from sinks.clickhouse.client import ClickHouse
from sinks.clickhouse.queries import read_query
from sinks.clickhouse.tables import BY_NAME
from streams.core.policy import PolicyBook
from streams.core.statistics.proportion import wilson95
from streams.core.statistics.satisfaction import NpsSums
from streams.core.statistics.service_level import VARIANTS, QueueSums
from streams.measuring.asking import Measured, Question, measure, share_of
from streams.measuring.catalogue import CATALOGUE, SOURCES
from streams.policies import load_book
from tests.engine_room import EngineRoom
from tests.unit.measuring.story import HOUR_MS, POLICY, START_MS, Message, call, day, event

pytestmark = pytest.mark.clickhouse
DAY_MS = 24 * HOUR_MS
LATER_MS = START_MS + 30 * DAY_MS

# value, sample. Of the waits: 6 answered (10, 20, 21, 60 in vip, 10, 5 in vip), 2 abandoned, 1 callback.
BY_HAND: dict[str, tuple[float | None, int]] = {
    "sla.compliance": (75.0, 4),  # resolutions met T1, T2; breached T3; follow-up of T1 met
    "sla.met": (3, 3),
    "sla.breached": (1, 1),
    # T1 30 min, T3 90 min, follow-up of T1 14,540 s; T2 50 min and, reopened and solved, 100 s more
    "sla.elapsed": ((1_800 + 5_400 + 14_540 + 3_100) * 1_000 // 4, 4),
    "sla.elapsed_p90": (5_400_000, 4),  # the lower rank of four
    "tickets.created": (4, 4),
    "tickets.solved": (3, 3),
    "tickets.closed": (1, 1),
    "tickets.time_to_solve": ((1_800 + 20_200 - 3_720 + 5_400) * 1_000 // 3, 3),
    "tickets.time_to_solve_p90": (5_400_000, 3),
    "tickets.reopened_share": (100 / 3, 3),
    "tickets.resolution_rate": (75.0, 4),
    "tickets.complaint_rate": (50.0, 4),
    "calls.entered": (9, 9),
    "calls.queued": (9, 9),
    "calls.answered": (6, 6),
    "calls.abandoned": (2, 2),
    "calls.short_abandoned": (1, 1),
    "calls.menu_abandoned": (1, 1),
    "calls.handled": (6, 6),
    "calls.callbacks_requested": (1, 1),
    "calls.callbacks_made": (1, 1),
    "calls.callbacks_late": (1, 1),
    "calls.abandonment": (100 * 2 / 9, 9),
    "calls.asa": (126_000 // 6, 6),
    "calls.wait_p90": (21_000, 6),
    # talks 100, 200, 400, 100, 50 + 20 on hold, 100; after-call work 30 four times
    "calls.aht": ((950 + 20 + 120) * 1_000 // 6, 6),
    "calls.talk": (950_000 // 6, 6),
    "calls.hold": (20_000 // 6, 6),
    "calls.after_call": (120_000 // 6, 6),
    "calls.handle_p90": (230_000, 6),
    "calls.over_aim_share": (100 * 2 / 6, 6),
    "calls.over_limit_share": (100 / 6, 6),
    "calls.transfers_share": (100 / 6, 6),
    # first contacts c1-a (repeated by c1-b), c2, c3, c4
    "calls.first_contact_resolution": (75.0, 4),
    "calls.repeat_share": (25.0, 4),
    # within: c1-a, c2 (at 20), c1-b twice (10; 5 in vip); c4 waited 60 of 10 s; c5 gave up after 3
    "sl.answered_or_abandoned_within": (100 * 5 / 8, 8),
    "sl.answered_only": (100 * 4 / 6, 6),
    "sl.offered": (50.0, 8),
    "sl.excluding_abandoned_within": (100 * 4 / 7, 7),
    "sl.short_abandon_credit": (100 * 5 / 8, 8),
    "sl.genesys_default": (50.0, 8),
    "sl.genesys_excluding_short_abandoned": (100 * 4 / 7, 7),
    "sl.connect": (100 * 6 / 9, 9),  # the callback after 15 s too
    "agents.occupancy": (100 * (130 + 90) / (220 + 600), 820),
    "agents.away_share": (100 * 300 / 1_120, 1_120),
    "agents.signed_in": (2, 2),
    "csat": (100 * 2 / 3, 3),  # 5 (not 2), 4, 1
    "csat.mean": (10 / 3, 3),
    "nps": (25.0, 4),  # two of four promote, one detracts
    "ces.mean": (5.5, 4),
    "ces.top_box": (75.0, 4),
    "surveys.response_rate": (75.0, 4),
    "audit.score": (87.5, 2),
    "employee.score": (3.0, 1),
    "servqual.tangibles": (0.0, 1),
    "servqual.reliability": (-1.0, 1),
    "servqual.responsiveness": (1.0, 1),
    "servqual.assurance": (2.0, 1),
    "servqual.empathy": (-2.0, 1),
    "reputation.favourable": (100.0, 1),
    "reputation.awareness": (100.0, 1),
    "reputation.return": (0.0, 1),
    "reputation.complaint": (0.0, 1),
    "reputation.repurchase": (100.0, 1),
    "csat.given_met": (100.0, 1),  # T1; T2's follow-up is overdue by then
    "csat.given_breached": (50.0, 2),
    "surveys.coverage": (100.0, 3),
    "customers.follow_up_coverage": (100 / 3, 3),
    "customers.repeat_complaints": (50.0, 2),
    "customers.complaining": (1, 1),
}
QUANTILES = {one.id for one in CATALOGUE if one.id.endswith("_p90")}


def book(folder: pathlib.Path) -> PolicyBook:
    path = folder / "story.yaml"
    path.write_text(POLICY, encoding="utf-8")
    return load_book(path)


async def told(
    database: ClickHouse, folder: pathlib.Path, messages: Sequence[Message]
) -> dict[str, Measured]:
    """What the tables say of the day in the end."""
    room = EngineRoom(book(folder), database, START_MS + DAY_MS)
    await room.open()
    for topic in ("calls", "tickets", "surveys", "shifts"):
        await room.feed(topic, [(key, value) for of, key, value in messages if of == topic])
    await room.settle(LATER_MS)
    question = Question(START_MS, START_MS + DAY_MS, LATER_MS)
    found = measure(database, BY_HAND, question)
    assert len(found) == len({one.metric for one in found})
    return {one.metric: one for one in found}


def test_every_metric_has_a_definition_and_a_number_worked_out_by_hand() -> None:
    assert set(BY_HAND) == {one.id for one in CATALOGUE}
    for one in CATALOGUE:
        assert one.label, one.id
        assert one.label_zh, one.id
        assert one.formula, one.id
        assert one.attribution, one.id
        assert one.unit, one.id
        assert bool(one.low) == bool(one.high), one.id
        assert one.interval or not one.low, one.id
        source = SOURCES[one.source]
        if source.is_view:
            columns = BY_NAME[one.source].columns
            asked = [column for column in columns if column.name in one.value]
            assert asked, f"{one.id} asks no column"
            assert all(column.comment for column in asked)


async def test_numbers_are_those_worked_out_by_hand(
    clickhouse: ClickHouse, tmp_path: pathlib.Path
) -> None:
    found = await told(clickhouse, tmp_path, day())
    for name, (value, sample) in BY_HAND.items():
        one = found[name]
        assert one.sample == sample, (name, one)
        tolerance = 0.01 if name in QUANTILES else 1e-9
        assert one.value == pytest.approx(value, rel=tolerance), (name, one)


async def test_order_and_copies_change_no_number(
    clickhouse: ClickHouse, tmp_path: pathlib.Path
) -> None:
    messages = day()
    rng = random.Random(7)
    mixed = [*messages, *rng.sample(messages, len(messages) // 4)]
    rng.shuffle(mixed)
    found = await told(clickhouse, tmp_path, mixed)
    for name, (value, sample) in BY_HAND.items():
        tolerance = 0.01 if name in QUANTILES else 1e-9
        assert found[name].sample == sample, name
        assert found[name].value == pytest.approx(value, rel=tolerance), name


async def test_intervals_are_those_of_the_core(
    clickhouse: ClickHouse, tmp_path: pathlib.Path
) -> None:
    found = await told(clickhouse, tmp_path, day())
    for name in ("csat", "sla.compliance", "reputation.return", "reputation.favourable"):
        one = found[name]
        assert one.value is not None
        wanted = wilson95(round(one.value * one.sample / 100), one.sample)
        assert wanted is not None
        assert (one.low, one.high) == pytest.approx((100 * wanted[0], 100 * wanted[1]))
    nps = NpsSums(promoters=2, passives=1, detractors=1).adjusted_wald95
    assert (found["nps"].low, found["nps"].high) == pytest.approx(nps)


async def test_service_levels_are_those_of_the_core(
    clickhouse: ClickHouse, tmp_path: pathlib.Path
) -> None:
    found = await told(clickhouse, tmp_path, day())
    sums = QueueSums(
        queued=9, answered=6, answered_within=4, abandoned=2, abandoned_within=1,
        short_abandoned=1, callbacks_within=1, wait_sum_ms=126_000,
    )  # fmt: skip
    for variant, ratio in VARIANTS.items():
        hits, whole = ratio(sums)
        assert found[variant].value == pytest.approx(100 * hits / whole), variant


async def test_an_empty_period_has_no_data_and_dimensions_add_up(
    clickhouse: ClickHouse, tmp_path: pathlib.Path
) -> None:
    await told(clickhouse, tmp_path, day())
    empty = Question(START_MS - DAY_MS, START_MS, LATER_MS)
    assert measure(clickhouse, ["csat", "calls.asa"], empty) == []
    by_queue = Question(START_MS, START_MS + DAY_MS, LATER_MS, period="hour", by=("queue",))
    found = {
        ((one.period_ms - START_MS) // HOUR_MS, one.by[0]): one.value
        for one in measure(clickhouse, ["calls.queued"], by_queue)
    }
    assert found == {(1, ""): 0, (1, "sales"): 6, (1, "vip"): 1, (3, ""): 0, (3, "sales"): 1, (3, "vip"): 1}  # fmt: skip
    only = Question(
        START_MS, START_MS + DAY_MS, LATER_MS, only={"queue": ["vip"]}, period="month", zone="Asia/Shanghai"
    )  # fmt: skip
    (one,) = measure(clickhouse, ["calls.asa"], only)
    assert (one.value, one.period_ms) == (32_500, START_MS - DAY_MS - 8 * HOUR_MS)
    with pytest.raises(ValueError, match="has no dimension team"):
        measure(clickhouse, ["calls.first_contact_resolution"], Question(0, 1, 2, by=("team",)))


async def test_what_is_odd_is_shown_by_kind_and_mark(
    clickhouse: ClickHouse, tmp_path: pathlib.Path
) -> None:
    """Nothing is lost and nothing crashes: an impossible event is a dead letter or a mark."""
    late = START_MS + 40_000
    odd = [
        *call("k1", 40_000, "parking", (5, "answered", {"agent": "ann"}), (9, "ended", {})),
        event("calls", "k2", 40_000, "queued", queue="sales"),  # never ends
        event("calls", "k3", 40_000, "queued", queue="sales"),
        event("calls", "k3", 40_001, "ended"),
        event("calls", "k3", 40_005, "answered", agent="ann"),  # after its end
        event("surveys", "o1", 40_000, "sent", ticket_id="nobody", channel="sms"),
        event("surveys", "o2", 40_000, "answered", metric="csat", question="q", score=9),
        event("surveys", "o3", 40_000, "corrected", corrects="nothing", score=2),
    ]
    await told(clickhouse, tmp_path, [*day(), *odd])
    rows = clickhouse.query_rows(
        read_query("streams.measuring.queries", "data_quality"),
        {"from_ms": late, "to_ms": LATER_MS, "tenant": ""},
    )
    assert {(row["kind"], row["mark"]): row["found"] for row in rows} == {
        ("call", "unknown_queue"): 1,
        ("call", "never_ended"): 1,
        ("call", "event_after_end"): 1,
        ("survey", "unknown_ticket"): 1,
        ("survey", "corrects_nothing"): 1,
        ("dead letter", "bad_value"): 1,
    }


async def test_retention_compares_two_periods(
    clickhouse: ClickHouse, tmp_path: pathlib.Path
) -> None:
    await told(clickhouse, tmp_path, day())
    middle = Question(START_MS + 10_000_000, START_MS + DAY_MS, LATER_MS)
    # Before: c1 to c7 and p, q, r; later only the customer of c1.
    assert share_of(clickhouse, "retention", middle, START_MS) == (1, 10)
