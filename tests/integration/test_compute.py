"""Compute on a real broker: bad input among good, breaches at their instant, late truth, restarts."""

import asyncio
import random
from base64 import b64decode

import orjson
import pytest

from schemas.events import Event, Rejected
from schemas.instants import rfc3339
from streams.policies import load_book
from streams.runtime import producer as producer_module
from streams.runtime.clock import ManualClock
from streams.runtime.partition import SourceRecord
from streams.runtime.stop_rule import StopRuleError
from streams.shell import compute as compute_module
from streams.shell.compute import compute_role
from tests.integration.computing import (
    ComputeProcess,
    acknowledged,
    current,
    in_slices,
    new_settings,
    records_of,
    running_compute,
    started_producer,
    until,
)

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

START_MS = 1_767_600_000_000
HOUR_MS = 3_600_000
Messages = list[tuple[bytes, bytes]]


def message(ticket: str, kind: str, at_ms: int, **data: object) -> tuple[bytes, bytes]:
    event = {
        "schema_version": 1,
        "source": "desk",
        "event_id": f"{ticket}-{kind}-{at_ms}",
        "type": kind,
        "occurred_at": rfc3339(at_ms),
        "ingested_at": rfc3339(at_ms),
        "ticket_id": ticket,
        "data": data,
    }
    return f"default/desk/{ticket}".encode(), orjson.dumps(event)


def created(ticket: str, at_ms: int, due_ms: int) -> tuple[bytes, bytes]:
    return message(ticket, "created", at_ms, team="L1", targets={"resolution": rfc3339(due_ms)})


def bad_message(rng: random.Random, number: int) -> tuple[bytes, bytes]:
    """Something that is no event, each kind in turn."""
    key, value = created(f"bad-{number}", START_MS, START_MS + HOUR_MS)
    event = orjson.loads(value)
    kind = number % 8
    if kind == 0:
        return key, b"\xff\xfe" + value
    if kind == 1:
        return key, value[: rng.randrange(1, len(value) - 1)]
    if kind == 2:
        return key, value.replace(b'"schema_version":1', b'"schema_version":99')
    if kind == 3:
        return key, value.replace(b'"created"', b'"exploded"', 1)
    if kind == 4:
        event["occurred_at"] = "2026-01-05T08:00:00"
    elif kind == 5:
        del event["occurred_at"]
    elif kind == 6:
        return b"default/desk/another", value
    else:
        event["source"] = number
    return key, orjson.dumps(event)


async def test_bad_messages_become_dead_letters_and_the_good_ones_count() -> None:
    """10,000 malformed messages among 100,000 good ones."""
    rng = random.Random(7)
    good: Messages = []
    for number in range(50_000):
        at_ms = START_MS + number
        good.append(created(f"T{number}", at_ms, at_ms + HOUR_MS))
        good.append(message(f"T{number}", "closed", at_ms + 1))
    bad = [bad_message(rng, number) for number in range(10_000)]
    mixed = [(item, False) for item in good] + [(item, True) for item in bad]
    order = sorted(
        range(len(mixed)), key=lambda at: at if at < len(good) else rng.randrange(len(good))
    )
    settings = await new_settings(checkpoint_seconds=1.0)
    async with started_producer(settings) as producer:
        for part in in_slices([mixed[at][0] for at in order], 20_000):
            await producer.publish("tickets", part)
    async with running_compute(settings, ManualClock(START_MS + 10 * HOUR_MS)) as compute:
        await until(lambda: acknowledged(compute) == len(mixed), 100)
        counters = compute.counters().values()
        assert compute.healthy() is None

    assert sum(one.events_total for one in counters) == len(mixed)
    assert sum(one.rejected_total for one in counters) == len(bad)
    assert sum(one.entities for one in counters) == 50_000
    letters = [row for _key, row in await records_of(settings, "dead_letters")]
    places = {(row["topic"], row["partition"], row["offset"]) for row in letters}
    assert len(letters) == len(places) == len(bad)
    assert {row["topic"] for row in letters} == {settings.topic_prefix + "tickets"}
    originals = sorted((b64decode(row["key"]), b64decode(row["original"])) for row in letters)
    assert originals == sorted(bad)
    assert {row["reason"] for row in letters} == {
        "invalid_utf8",
        "not_json",
        "unknown_version",
        "unknown_type",
        "naive_time",
        "missing_field",
        "wrong_key",
        "wrong_type",
    }
    verdicts = await current(settings, "ticket_clocks", "clock")
    met = sum(
        row["verdict"] == "met" for (_, clock), row in verdicts.items() if clock == "resolution"
    )
    assert met == 50_000


async def test_a_breach_is_said_at_its_instant_and_taken_back_by_late_truth() -> None:
    settings = await new_settings(timer_hold_seconds_max=30.0)
    clock = ManualClock(START_MS)
    due_ms = START_MS + HOUR_MS
    async with running_compute(settings, clock) as compute, started_producer(settings) as producer:
        await until(lambda: len(compute.counters()) == settings.partitions)
        await producer.publish("tickets", [created("T1", START_MS, due_ms)])
        await until(lambda: acknowledged(compute) == 1)
        clock.move_to(due_ms - 1)
        await asyncio.sleep(0.4)
        levels = {row["level"] for _, row in await records_of(settings, "alert_intents")}
        assert levels == {"at_risk"}
        clock.move_to(due_ms)
        state = compute.state_of("default/desk/T1")
        await until(lambda: compute.state_of("default/desk/T1") is not state)
        await asyncio.sleep(0.3)
        (breach,) = [
            row
            for _, row in await records_of(settings, "alert_intents")
            if row["level"] == "breach"
        ]
        assert breach["breach_at"] == rfc3339(due_ms)

        clock.move_to(due_ms + HOUR_MS)
        late = orjson.loads(message("T1", "closed", due_ms)[1])
        late["ingested_at"] = rfc3339(due_ms + HOUR_MS)
        await producer.publish("tickets", [(b"default/desk/T1", orjson.dumps(late))])
        await until(lambda: acknowledged(compute) == 2)
        rows = await current(settings, "ticket_clocks", "clock")
        intents = await current(settings, "alert_intents")

    row = rows["default/desk/T1", "resolution"]
    assert (row["verdict"], row["breached"], row["breach_at"]) == ("met", False, None)
    (intent,) = intents.values()
    assert intent["level"] == "retracted"
    assert intent["version"] > breach["version"]


async def test_a_burst_that_has_been_read_delays_no_page() -> None:
    """Large fetches make checkpoints rarer; once the end of the log is reached, a page waits for none."""
    clock = ManualClock(START_MS)
    settings = await new_settings(checkpoint_seconds=20.0, partitions=1)
    burst = [created(f"T{number}", START_MS, START_MS + HOUR_MS) for number in range(2_000)]
    async with started_producer(settings) as producer:
        await producer.publish("tickets", burst)
    async with running_compute(settings, clock) as compute:
        positions = compute.counters
        await until(lambda: sum(one.position for one in positions().values()) == len(burst))
        clock.move_to(START_MS + HOUR_MS)
        await until(lambda: acknowledged(compute) == len(burst), 10.0)
        intents = await records_of(settings, "alert_intents")

    assert len({key for key, row in intents if row["level"] == "breach"}) == len(burst)


async def test_a_timer_waits_for_what_was_already_in_the_log() -> None:
    """The stop was in the log before the due instant, but has not been read: no false breach."""
    settings = await new_settings()
    clock = ManualClock(START_MS)
    due_ms = START_MS + HOUR_MS
    crowd = [created(f"C{n}", START_MS, due_ms + HOUR_MS) for n in range(20_000)]
    async with running_compute(settings, clock) as compute, started_producer(settings) as producer:
        await until(lambda: len(compute.counters()) == settings.partitions)
        await producer.publish("tickets", [created("T1", START_MS, due_ms)])
        await until(lambda: acknowledged(compute) == 1)
        stop = message("T1", "closed", due_ms - 5)
        await producer.publish("tickets", [*crowd, stop])
        clock.move_to(due_ms)  # the backlog is being read at this moment
        await until(lambda: acknowledged(compute) == len(crowd) + 2, 60)
        levels = [
            row["level"] for key, row in await records_of(settings, "alert_intents") if "T1" in key
        ]

    assert "breach" not in levels


async def test_a_deploy_that_understands_nothing_stops_and_the_next_one_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Restarted again and again it lets nothing more through; then everything is there."""
    settings = await new_settings(partitions=1)
    crowd = [created(f"T{n}", START_MS, START_MS + HOUR_MS) for n in range(1_200)]
    async with started_producer(settings) as producer:
        await producer.publish("tickets", crowd)

    def broken(record: SourceRecord) -> Event | Rejected:
        return Rejected(reason="unknown_type", detail="a mistake in the new version")

    with monkeypatch.context() as deploy:
        deploy.setattr(compute_module, "_decoder", lambda _customers, _kind: broken)
        for _ in range(2):
            async with started_producer(settings) as producer:
                compute = compute_role(
                    settings, load_book(settings.policy), ManualClock(START_MS + 1), producer
                )
                await compute.start()
                with pytest.raises(StopRuleError, match=r"unknown_type.*at offset.*a mistake"):
                    await asyncio.wait_for(compute.run(), 30)
                await compute.stop()
    drained = len(await records_of(settings, "dead_letters"))
    assert drained < settings.stop_consecutive

    async with running_compute(settings, ManualClock(START_MS + 1)) as compute:
        await until(lambda: acknowledged(compute) == len(crowd), 60)
    assert len(await current(settings, "tickets")) == len(crowd) - drained
    assert len(await records_of(settings, "dead_letters")) == drained


async def test_a_checkpoint_that_does_not_fit_is_made_of_less_input(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody foresees every ratio of rows to states: claimed anew, half the input is taken."""
    monkeypatch.setattr(producer_module, "APPEND_BYTES_MAX", 60_000)
    settings = await new_settings()
    texts = {f"note{n}": random.Random(n).randbytes(450).hex() for n in range(5)}
    async with started_producer(settings) as producer:
        crowd = [
            message(f"T{n}", "created", START_MS, team="L1", attributes=texts) for n in range(200)
        ]
        await producer.publish("tickets", crowd)
    async with running_compute(settings, ManualClock(START_MS + 1)) as compute:
        await until(lambda: acknowledged(compute) == len(crowd), 60)
    assert len(await current(settings, "tickets")) == len(crowd)
    assert "60,000" in caplog.text


async def test_killed_in_the_middle_nothing_is_lost_or_doubled() -> None:
    """Kill -9, three times, while a stream of events comes in; then everything is as if unharmed."""
    settings = await new_settings()
    clock = ManualClock(START_MS + 100 * HOUR_MS)
    messages: Messages = []
    wanted: dict[str, str] = {}
    for number in range(6_000):
        ticket, at_ms = f"T{number}", START_MS + number
        due_ms = at_ms + HOUR_MS
        messages.append(created(ticket, at_ms, due_ms))
        wanted[ticket] = "breached"
        if number % 3:
            messages.append(message(ticket, "closed", due_ms + number % 3 - 1))
            wanted[ticket] = "met" if number % 3 == 1 else "breached"
    async with started_producer(settings) as producer:

        async def trickle() -> None:
            for part in in_slices(messages, 100):
                await producer.publish("tickets", part)
                await asyncio.sleep(0.03)

        publishing = asyncio.create_task(trickle())
        for count in (1, len(messages) // 4, len(messages) // 2):
            process = ComputeProcess(settings, clock)
            await asyncio.to_thread(process.wait_for, count)
            process.kill()
        await publishing
    last = ComputeProcess(settings, clock)
    await asyncio.to_thread(last.wait_for, len(messages))
    await asyncio.sleep(0.5)
    assert await asyncio.to_thread(last.finish) == "end"

    rows = await current(settings, "ticket_clocks", "clock", "cycle_id")
    verdicts = {
        row["ticket_id"]: row["verdict"]
        for (_, clock_id, _), row in rows.items()
        if clock_id == "resolution"
    }
    assert verdicts == wanted
    assert len(rows) == 2 * len(wanted)  # one cycle of each clock: none doubled
    tickets = await current(settings, "tickets")
    counts = {row["ticket_id"]: row["event_count"] for row in tickets.values()}
    assert sum(counts.values()) == len(messages)
    intents = await current(settings, "alert_intents")
    paged = {row["ticket_id"] for row in intents.values() if row["level"] in ("breach", "resolved")}
    assert paged == {ticket for ticket, verdict in wanted.items() if verdict == "breached"}


async def test_two_workers_share_and_take_over() -> None:
    """A second worker joins under load and takes half; when it leaves the first has all again.

    (When it is killed instead, the embedded broker does not let the group go on.)
    """
    settings = await new_settings()
    clock = ManualClock(START_MS + HOUR_MS // 2)
    messages = [created(f"T{n}", START_MS + n, START_MS + HOUR_MS) for n in range(4_000)]
    parts = in_slices(messages, 1_000)
    async with running_compute(settings, clock) as first, started_producer(settings) as producer:
        await until(lambda: len(first.counters()) == settings.partitions)
        await producer.publish("tickets", parts[0])
        second = ComputeProcess(settings, clock)
        await until(lambda: len(first.counters()) == settings.partitions // 2)
        for part in parts[1:3]:
            await producer.publish("tickets", part)
        await asyncio.to_thread(second.wait_for, 1)
        assert await asyncio.to_thread(second.finish) == "end"
        await producer.publish("tickets", parts[3])
        await until(lambda: acknowledged(first) == len(messages))
        assert sum(one.entities for one in first.counters().values()) == len(messages)

    tickets = await current(settings, "tickets")
    assert {row["ticket_id"] for row in tickets.values()} == {f"T{n}" for n in range(4_000)}
    assert {row["event_count"] for row in tickets.values()} == {1}
