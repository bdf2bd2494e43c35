"""The notifier climbs a ladder on a broker: acknowledged, silenced, restarted in between, and with a fallback for what
nobody takes."""

from collections.abc import Sequence
from pathlib import Path

import orjson
import pytest

from schemas.instants import rfc3339
from streams.runtime.clock import ManualClock
from streams.shell.alert_actions import TOPIC
from streams.shell.settings import Settings
from tests.integration.computing import new_settings, started_producer, until
from tests.integration.test_notifier import NOW_MS, SECRET, intent, notifying, say
from tests.receiver import PagingReceiver
from tests.serving import serving

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
MINUTE_MS = 60_000
LADDER = """
acknowledgement: 30m
ladders:
  - steps: [{to: assignee}, {after: 10m, to: lead}, {after: 1h, to: manager}]
rotas:
  else: {zone: UTC, duties: {lead: [{who: li}], manager: [{who: chen}]}}
people: {li: {}, chen: {}}
"""


def key_of(ticket: str) -> str:
    return f"sla:default/desk/{ticket}:resolution:{ticket}-0"


async def act(
    settings: Settings, ticket: str, action: str, minute: float, until_minute: float | None = None
) -> None:
    row = {
        "key": key_of(ticket),
        "action_id": f"{action}-{minute}",
        "event_time": rfc3339(NOW_MS + round(minute * MINUTE_MS)),
        "action": action,
        "until_at": None
        if until_minute is None
        else rfc3339(NOW_MS + round(until_minute * MINUTE_MS)),
        "actor": "lee",
        "reason": "",
        "version": 1,
    }
    async with started_producer(settings) as producer:
        await producer.publish(TOPIC, [(key_of(ticket).encode(), orjson.dumps(row))])


def told(receiver: PagingReceiver, ticket: str) -> list[tuple[str, int, str | None]]:
    """Status, rung and who is asked, in order."""
    return [
        (
            str(page["status"]),
            int(str(page["step"])),
            None if page["to"] is None else str(page["to"]),
        )
        for page in receiver.taken
        if page["key"] == key_of(ticket)
    ]


async def settings_for(receiver: PagingReceiver, folder: Path, **more: object) -> Settings:
    path = folder / "ladder.yaml"
    path.write_text(LADDER, encoding="utf-8")
    return await new_settings(
        webhook_url=receiver.url, webhook_secret=SECRET, escalation=path, **more
    )


async def settled(
    receiver: PagingReceiver, wanted: dict[str, Sequence[tuple[str, int, str | None]]]
) -> None:
    await until(
        lambda: all(told(receiver, ticket) == list(pages) for ticket, pages in wanted.items())
    )


async def test_rungs_are_climbed_acknowledged_and_ended_and_a_restart_doubles_none(
    tmp_path: Path,
) -> None:
    first, lead, manager = ("firing", 1, "L1"), ("firing", 2, "li"), ("firing", 3, "chen")
    async with PagingReceiver(SECRET) as receiver:
        settings = await settings_for(receiver, tmp_path)
        clock = ManualClock(NOW_MS + 1)
        async with notifying(settings, clock) as notifier:
            known = notifier._actions
            await say(settings, [intent(f"T{n}", 1, "breach") for n in range(4)])
            await settled(receiver, {f"T{n}": [first] for n in range(4)})
            await act(settings, "T1", "acknowledge", 5)  # holds until 35
            await act(settings, "T2", "silence", 5, until_minute=45)
            await say(settings, [intent("T3", 2, "resolved")])
            await settled(receiver, {"T3": [first, ("resolved", 1, None)]})
            await until(lambda: all(known.of(key_of(ticket)) for ticket in ("T1", "T2")))
            clock.move_to(NOW_MS + 11 * MINUTE_MS)
            await settled(receiver, {"T0": [first, lead], "T1": [first], "T2": [first]})
        async with notifying(settings, clock):  # another one, which knows what was said
            clock.move_to(NOW_MS + 36 * MINUTE_MS)
            await settled(receiver, {"T0": [first, lead], "T1": [first, lead], "T2": [first]})
            clock.move_to(NOW_MS + 46 * MINUTE_MS)
            await settled(receiver, {"T2": [first, lead]})
            clock.move_to(NOW_MS + 61 * MINUTE_MS)
            await settled(receiver, {f"T{n}": [first, lead, manager] for n in range(3)})
            await say(settings, [intent(f"T{n}", 3, "resolved") for n in range(3)])
            await until(lambda: not receiver.firing())
            clock.move_to(NOW_MS + 600 * MINUTE_MS)
    assert receiver.repeats == 0
    assert {ticket: len(told(receiver, ticket)) for ticket in ("T0", "T1", "T2", "T3")} == {
        "T0": 4, "T1": 4, "T2": 4, "T3": 2,
    }  # fmt: skip


async def test_what_no_receiver_takes_is_told_to_the_fallback(tmp_path: Path) -> None:
    async with PagingReceiver(SECRET, mode="broken") as receiver, serving() as chat:
        settings = await settings_for(
            receiver,
            tmp_path,
            slack_url=chat.url + "/hook",
            fallback_receiver="slack",
            fallback_after_seconds=120,
        )
        clock = ManualClock(NOW_MS + 1)
        async with notifying(settings, clock) as notifier:
            await say(settings, [intent("T1", 1, "breach")])
            await until(lambda: notifier.counters().failures_total["webhook"] > 0)
            assert chat.requests == []
            clock.move_to(NOW_MS + 121_000)
            await until(lambda: len(chat.requests) == 1)
            assert b"T1" in chat.requests[0][2]
            receiver.mode = "well"
            await until(lambda: len(receiver.firing()) == 1)
            # One that is taken in time is none of the fallback's business.
            await say(settings, [intent("T2", 1, "breach", recorded_at=rfc3339(NOW_MS + 121_000))])
            await until(lambda: len(receiver.firing()) == 2)
            clock.move_to(NOW_MS + 300_000)
            await say(settings, [intent("T1", 2, "resolved"), intent("T2", 2, "resolved")])
            await until(lambda: not receiver.firing())
            await until(lambda: len(chat.requests) == 2)  # whoever heard of it hears of its end
    assert not any(b"T2" in body for _, _, body in chat.requests)
