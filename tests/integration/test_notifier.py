"""The notifier on a broker, against a receiver that is down, slow, busy, broken or knows another secret."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import orjson
import pytest
from aiokafka import TopicPartition

from schemas.instants import rfc3339
from streams.runtime.clock import ManualClock
from streams.shell.notifier import INTENTS, Notifier, notifier_role
from streams.shell.receivers import receivers_of
from streams.shell.settings import Settings
from tests.integration.computing import PARTITIONS, new_settings, started_producer, until
from tests.receiver import Mode, PagingReceiver
from tests.serving import serving

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

NOW_MS = 1_767_600_000_000
SECRET = "a shared secret"


def intent(ticket: str, version: int, level: str, **more: object) -> tuple[bytes, bytes]:
    key = f"sla:default/desk/{ticket}:resolution:{ticket}-0"
    row = {
        "tenant": "default",
        "source": "desk",
        "source_partition": 0,
        "version": version,
        "key": key,
        "ticket_id": ticket,
        "clock": "resolution",
        "cycle_id": f"{ticket}-0",
        "event_time": rfc3339(NOW_MS - 10_000),
        "level": level,
        "due_at": rfc3339(NOW_MS),
        "breach_at": rfc3339(NOW_MS) if level != "at_risk" else None,
        "page_at": rfc3339(NOW_MS) if level == "breach" else None,
        "open": level in ("breach", "at_risk"),
        "team": "L1",
        "agent": None,
        "tier": None,
        "priority": "P1",
        "policy_version": "p@1",
        "recorded_at": rfc3339(NOW_MS),
    }
    return key.encode(), orjson.dumps(row | more)


def breaches(count: int, version: int = 1) -> list[tuple[bytes, bytes]]:
    return [intent(f"T{number}", version, "breach") for number in range(count)]


@asynccontextmanager
async def notifying(
    settings: Settings, clock: ManualClock | None = None
) -> AsyncIterator[Notifier]:
    """A notifier in this process; ends in good order, and raises what broke it."""
    async with started_producer(settings) as producer:
        clock = clock or ManualClock(NOW_MS + 1)
        notifier = notifier_role(settings, clock, producer, receivers_of(settings))
        await notifier.start()
        running = asyncio.ensure_future(notifier.run())
        try:
            yield notifier
        finally:
            await notifier.stop()
            await running


async def say(settings: Settings, intents: Sequence[tuple[bytes, bytes]]) -> None:
    async with started_producer(settings) as producer:
        await producer.publish(INTENTS, intents)


async def settings_for(receiver: PagingReceiver, **overrides: object) -> Settings:
    return await new_settings(webhook_url=receiver.url, webhook_secret=SECRET, **overrides)


async def test_breaches_are_paged_once_and_their_ends_said() -> None:
    async with PagingReceiver(SECRET) as receiver:
        settings = await settings_for(receiver)
        async with notifying(settings) as notifier:
            await say(settings, breaches(50))
            await until(lambda: len(receiver.firing()) == 50)
            await say(settings, [*breaches(50), intent("T1", 2, "resolved"), *breaches(3)])
            await say(settings, [intent("T2", 2, "retracted"), intent("T3", 2, "breach")])
            await until(lambda: len(receiver.firing()) == 48)
            await until(lambda: notifier.counters().waiting == {"webhook": 0})
            assert notifier.healthy() is None
    assert receiver.repeats == 0
    assert len(receiver.taken) == 50 + 2
    assert {page["late"] for page in receiver.taken} == {False}


async def test_a_page_waits_for_its_grace_on_the_pipelines_clock() -> None:
    async with PagingReceiver(SECRET) as receiver:
        settings = await settings_for(receiver)
        clock = ManualClock(NOW_MS)
        async with notifying(settings, clock):
            later = rfc3339(NOW_MS + 60_000)
            held = [
                intent("T1", 1, "breach", page_at=later),
                intent("T2", 1, "breach", page_at=later),
            ]
            await say(settings, [*held, intent("T3", 1, "breach")])
            await until(lambda: len(receiver.firing()) == 1)
            # Behind its end in its partition, so that the end has been read when they are paged.
            markers = [intent(f"M{number}", 1, "breach") for number in range(16)]
            await say(settings, [intent("T2", 2, "resolved"), *markers])
            await until(lambda: len(receiver.firing()) == 17)
            clock.move_to(NOW_MS + 60_000)
            await until(lambda: len(receiver.firing()) == 18)
            await asyncio.sleep(0.3)
    told = {page["ticket_id"] for page in receiver.taken}
    assert told == {"T1", "T3", *(f"M{number}" for number in range(16))}
    assert len(receiver.taken) == 18


@pytest.mark.parametrize("mode", ["busy", "broken", "slow", "drops after"])
async def test_a_receiver_in_trouble_gets_every_page_in_the_end(mode: Mode) -> None:
    async with PagingReceiver(SECRET, mode=mode) as receiver:
        settings = await settings_for(receiver)
        async with notifying(settings) as notifier:
            await say(settings, breaches(30))
            await until(lambda: notifier.counters().waiting["webhook"] > 0)
            await asyncio.sleep(1.0)
            await say(settings, [intent("T0", 2, "resolved")])
            receiver.mode = "well"
            await until(lambda: notifier.counters().waiting["webhook"] == 0)
    assert receiver.firing() == {row_key(f"T{number}") for number in range(1, 30)}


async def test_a_receiver_that_is_down_gets_every_page_in_the_end() -> None:
    async with PagingReceiver(SECRET) as receiver:
        settings = await settings_for(receiver)
        await receiver.down()
        async with notifying(settings) as notifier:
            await say(settings, breaches(20))
            await until(lambda: notifier.counters().failures_total["webhook"] > 20)
            await receiver.up()
            await until(lambda: len(receiver.firing()) == 20)
    assert receiver.repeats == 0


async def test_a_wrong_secret_keeps_the_pages_until_it_is_right() -> None:
    async with PagingReceiver("another secret") as receiver:
        settings = await settings_for(receiver)
        async with notifying(settings) as notifier:
            await say(settings, breaches(3))
            await until(lambda: receiver.refused >= 3)
            assert not receiver.taken
            assert notifier.counters().waiting == {"webhook": 3}
            receiver.secret = SECRET
            await until(lambda: len(receiver.firing()) == 3)


async def test_the_next_notifier_repeats_nothing_and_forgets_nothing() -> None:
    async with PagingReceiver(SECRET) as receiver:
        settings = await settings_for(receiver)
        async with notifying(settings):
            await say(settings, breaches(40))
            await until(lambda: len(receiver.firing()) == 40)
        receiver.mode = "broken"
        async with notifying(settings) as second:
            await say(settings, [*breaches(40), *(intent(f"U{n}", 5, "breach") for n in range(5))])
            await until(lambda: second.counters().failures_total["webhook"] >= 5)
        receiver.mode = "well"
        async with notifying(settings):
            await until(lambda: len(receiver.firing()) == 45)
            await say(settings, [intent("T7", 2, "resolved"), intent("U1", 6, "resolved")])
            await until(lambda: len(receiver.firing()) == 43)
    assert receiver.repeats == 0
    assert len(receiver.taken) == 47


def row_key(ticket: str) -> str:
    return intent(ticket, 1, "breach")[0].decode()


async def test_a_breach_that_stands_again_before_its_end_was_said_is_no_second_page() -> None:
    async with PagingReceiver(SECRET) as receiver:
        settings = await settings_for(receiver)
        async with notifying(settings) as notifier:
            await say(settings, breaches(20))
            await until(lambda: len(receiver.firing()) == 20)
            flapping = [
                intent(f"T{n}", version, level)
                for n in range(20)
                for version, level in ((2, "resolved"), (3, "breach"))
            ]
            await say(settings, [*flapping, intent("U1", 1, "breach")])
            await until(lambda: len(receiver.firing()) == 21)
            await until(lambda: notifier.counters().waiting == {"webhook": 0})
    assert receiver.doubled == []
    assert len(receiver.taken) == 21


async def doubted_behind_a_queue(
    settings: Settings, receiver: PagingReceiver, notifier: Notifier
) -> None:
    """Twenty breaches that were paged are at risk only; that is marked and written down, but 150 others come
    before them."""
    await say(settings, breaches(20))
    await until(lambda: len(receiver.firing()) == 20)
    receiver.mode, receiver.slow_seconds = "slow", 0.3
    await say(settings, [intent(f"U{n}", 1, "breach") for n in range(150)])
    await until(lambda: notifier.counters().waiting["webhook"] >= 100)
    await say(settings, [intent(f"T{n}", 2, "at_risk") for n in range(20)])
    await asyncio.sleep(1.0)  # long enough to be read, too short for their turn


async def test_a_breach_that_is_doubted_and_stands_again_before_its_turn_is_no_second_page() -> (
    None
):
    async with PagingReceiver(SECRET) as receiver:
        settings = await settings_for(receiver)
        async with notifying(settings) as notifier:
            await doubted_behind_a_queue(settings, receiver, notifier)
            await say(settings, breaches(20, version=3))
            await until(lambda: notifier.counters().waiting == {"webhook": 0})
            assert len(receiver.firing()) == 170
    assert receiver.doubled == []
    assert len(receiver.taken) == 170


async def test_a_storm_becomes_a_handful_of_chat_messages() -> None:
    async with serving() as server:
        settings = await new_settings(slack_url=server.url + "/hook")
        async with notifying(settings) as notifier:
            await say(settings, breaches(90))
            await until(lambda: notifier.counters().delivered_total == {"slack": 90})
    texts = [orjson.loads(body)["text"] for _, _, body in server.requests]
    assert len(texts) <= 4, "at most fifty a message, and one at a time"
    told = [line for text in texts for line in text.splitlines() if line.startswith("BREACHED")]
    assert len(set(told)) == len(told) == 90


async def test_of_a_long_storm_the_first_is_told_at_once_and_the_rest_at_ticks() -> None:
    """One team is told once per interval; another team, and an end, don't wait for it."""
    clock = ManualClock(NOW_MS + 1)
    async with serving() as server:
        settings = await new_settings(slack_url=server.url + "/hook", group_interval_seconds=30.0)
        async with notifying(settings, clock) as notifier:
            told = notifier.counters
            await say(settings, [intent("T0", 1, "breach")])
            await until(lambda: told().delivered_total == {"slack": 1})
            for second in range(1, 30):
                clock.move_to(NOW_MS + second * 1_000)
                await say(settings, [intent(f"T{second}", 1, "breach")])
            await say(settings, [intent("N1", 1, "breach", team="L2"), intent("T0", 2, "resolved")])
            await until(lambda: told().delivered_total == {"slack": 3})
            await asyncio.sleep(0.3)
            assert told().delivered_total == {"slack": 3}
            clock.move_to(NOW_MS + 30_001)
            await until(lambda: told().delivered_total == {"slack": 32})
            clock.move_to(NOW_MS + 300_000)
            await say(settings, [intent("T99", 1, "breach")])  # the storm is over: at once
            await until(lambda: told().delivered_total == {"slack": 33})
    assert len(server.requests) in (4, 5), "N1 and the end of T0 may or may not share a message"


async def test_what_a_storm_holds_back_and_is_over_before_its_tick_is_never_told() -> None:
    clock = ManualClock(NOW_MS + 1)
    async with serving() as server:
        settings = await new_settings(slack_url=server.url + "/hook", group_interval_seconds=30.0)
        async with notifying(settings, clock) as notifier:
            await say(settings, [intent("T0", 1, "breach")])
            await until(lambda: notifier.counters().delivered_total == {"slack": 1})
            clock.move_to(NOW_MS + 1_000)
            await say(settings, [intent("T1", 1, "breach"), intent("T2", 1, "breach")])
            await say(settings, [intent("T1", 2, "retracted")])
            await until(lambda: notifier.counters().keys == 3)
            await asyncio.sleep(0.3)
            clock.move_to(NOW_MS + 31_000)
            await until(lambda: notifier.counters().delivered_total == {"slack": 2})
            await asyncio.sleep(0.2)
    assert [b"T1" in body for _, _, body in server.requests] == [False, False]


async def test_a_rebalance_does_not_forget_what_was_not_tried_yet() -> None:
    async with PagingReceiver(SECRET) as receiver:
        settings = await settings_for(receiver)
        async with notifying(settings) as notifier:
            await doubted_behind_a_queue(settings, receiver, notifier)
            await notifier.revoked()
            await notifier.assigned([TopicPartition(INTENTS, n) for n in range(PARTITIONS)])
            await say(settings, breaches(20, version=3))
            await until(lambda: notifier.counters().waiting == {"webhook": 0})
            assert len(receiver.firing()) == 170
    assert receiver.doubled == []
