"""The notifier in front of a real Alertmanager."""

import asyncio
import time
from pathlib import Path

import pytest

from streams.shell.settings import Settings
from tests.integration.alertmanager import People, RealAlertmanager
from tests.integration.computing import new_settings
from tests.integration.test_notifier import intent, notifying, say
from tests.serving import serving

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

BREACHES = 500
RESEND_SECONDS = 1.5  # an alert that nobody reminds of ends after six seconds: a restart is quicker
TEAMS = ("L1", "L2", "L3")


def breaches() -> list[tuple[bytes, bytes]]:
    return [intent(f"T{n}", 1, "breach", team=TEAMS[n % len(TEAMS)]) for n in range(BREACHES)]


async def settings_for(server: RealAlertmanager) -> Settings:
    return await new_settings(alertmanager_url=server.url, resend_seconds=RESEND_SECONDS)


async def fires(server: RealAlertmanager, count: int) -> None:
    """Wait until exactly so many alerts fire."""
    end = time.monotonic() + 20
    while len(found := await server.active()) != count:
        assert time.monotonic() < end, f"{len(found)} alerts fire, not {count}"
        await asyncio.sleep(0.1)


async def test_a_storm_is_grouped_ends_are_heard_and_a_restart_doubles_nothing(
    tmp_path: Path,
) -> None:
    async with serving() as behind:
        people = People(behind)
        with RealAlertmanager(tmp_path, people.url) as server:
            settings = await settings_for(server)
            async with notifying(settings):
                await say(settings, breaches())
                await fires(server, BREACHES)
                began = {key: alert["startsAt"] for key, alert in (await server.active()).items()}
            async with notifying(settings):
                await say(settings, [*breaches(), intent("T7", 2, "retracted", team="L2")])
                await fires(server, BREACHES - 1)
                await asyncio.sleep(7.0)  # longer than resolve_timeout, and than an alert's own end
                again = await server.active()
                assert len(again) == BREACHES - 1, "what stays open stays firing"
                assert all(alert["startsAt"] == began[key] for key, alert in again.items())
    assert len(people.keys("firing")) == BREACHES
    ended = {key.split(":")[1].rsplit("/", 1)[1] for key in people.keys("resolved")}
    assert ended == {"T7"}
    groups = {(message["groupLabels"]["team"]) for message in people.messages}
    assert groups == set(TEAMS)
    # A first message per team, more while the storm still came in, one for the end: not one per ticket.
    assert len(people.messages) <= 5 * len(TEAMS)


@pytest.mark.full
async def test_a_dead_notifier_is_noticed(tmp_path: Path) -> None:
    async with serving() as behind:
        people = People(behind)
        with RealAlertmanager(tmp_path, people.url) as server:
            settings = await settings_for(server)
            async with notifying(settings):
                await say(settings, breaches()[:3])
                await fires(server, 3)
                await asyncio.sleep(4.5 * RESEND_SECONDS)
                await fires(server, 3)
            await fires(server, 0)
