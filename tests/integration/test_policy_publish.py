"""Policies published while compute runs: no restart, no judgement rewritten unless somebody orders it."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from schemas.instants import parse_rfc3339, rfc3339
from streams.cli.app import app
from streams.policies import load_book
from streams.runtime.clock import ManualClock, SystemClock
from streams.runtime.producer import LoudProducer
from streams.shell import policy_feed
from streams.shell.compute import Compute
from streams.shell.embedded_broker import EmbeddedBroker
from streams.shell.settings import Settings, load_settings
from streams.shell.topics_admin import ensure_topics
from tests.integration.computing import (
    Row,
    acknowledged,
    current,
    new_settings,
    records_of,
    running_compute,
    started_producer,
    until,
)

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

HOUR_MS = 3_600_000
POLICY = """\
policy: desk
effective_from: 2020-01-01T00:00:00Z
calendars:
  always: {always: true}
calendar: always
clocks:
  resolution:
    start: created
    stop: [solved, closed]
rules:
  - id: all
    targets: {resolution: HOURSh}
"""


class Desk:
    """A desk with its policy files, its topics, and a clock that begins at the machine's own now."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder = folder
        self.settings = settings
        self.now_ms = SystemClock().now_ms()
        self.clock = ManualClock(self.now_ms)
        self._sent = 0

    def file(self, hours: int) -> Path:
        path = self.folder / f"promise-{hours}.yaml"
        path.write_text(POLICY.replace("HOURS", str(hours)))
        return path

    async def command(self, *arguments: str) -> tuple[int, str]:
        """`ticketpulse policy …` with these topics."""
        environment = {
            "TICKETPULSE_BROKER_URL": self.settings.broker_url,
            "TICKETPULSE_TOPIC_PREFIX": self.settings.topic_prefix,
            "TICKETPULSE_POLICY": str(self.settings.policy),
        }
        result = await asyncio.to_thread(
            CliRunner().invoke, app, ["policy", *arguments], env=environment
        )
        return result.exit_code, result.output

    async def publish(self, hours: int, *options: str) -> str:
        """Publish another target; its version."""
        code, output = await self.command("publish", str(self.file(hours)), *options)
        assert code == 0, output
        assert output.startswith("published desk@")
        return output.split()[1].rstrip(",")

    async def published(self) -> Mapping[str, list[dict[str, object]]]:
        """What `list` tells."""
        code, output = await self.command("list", "--json")
        assert code == 0, output
        found: Mapping[str, list[dict[str, object]]] = orjson.loads(output)
        return found

    async def happen(
        self, compute: Compute, producer: LoudProducer, ticket: str, kind: str, at_ms: int
    ) -> None:
        """Something happens to a ticket, at an instant to which the clock moves; returns when that is
        durable."""
        self.clock.move_to(at_ms)
        event = {
            "schema_version": 1,
            "source": "desk",
            "event_id": f"{ticket}-{kind}",
            "type": kind,
            "occurred_at": rfc3339(at_ms),
            "ingested_at": rfc3339(at_ms),
            "ticket_id": ticket,
            "data": {"author": "agent"} if kind == "message" else {},
        }
        self._sent += 1
        await producer.publish(
            "tickets", [(f"default/desk/{ticket}".encode(), orjson.dumps(event))]
        )
        await until(lambda: acknowledged(compute) == self._sent)

    async def judged(self) -> dict[str, Row]:
        """The newest row of each ticket's clock."""
        rows = await current(self.settings, "ticket_clocks", "clock")
        return {row["ticket_id"]: row for row in rows.values()}

    @staticmethod
    def promise(row: Row, opened_ms: int, hours: int, version: str) -> bool:
        """Whether a row promises so many hours by a version."""
        due_ms = parse_rfc3339(row["due_at"])
        return (due_ms, row["policy_version"]) == (opened_ms + hours * HOUR_MS, version)


@pytest.fixture
async def desk(tmp_path: Path) -> Desk:
    base = tmp_path / "base.yaml"
    base.write_text(POLICY.replace("HOURS", "8"))
    return Desk(tmp_path, await new_settings(policy=base))


def assigned(compute: Compute, settings: Settings) -> bool:
    return len(compute.counters()) == settings.partitions


async def test_running_workers_judge_by_the_version_as_of_the_event(desk: Desk) -> None:
    """And so they do after a restart, with what the stored states name still known."""
    settings, start_ms = desk.settings, desk.now_ms
    first_ms, second_ms = start_ms + HOUR_MS, start_ms + 2 * HOUR_MS
    async with running_compute(settings, desk.clock) as compute, started_producer(settings) as out:
        await until(lambda: assigned(compute, settings))
        (base,) = compute.policy_versions()
        await desk.happen(compute, out, "before", "created", start_ms)

        first = await desk.publish(4, "--effective-from", rfc3339(first_ms))
        await until(lambda: compute.policy_versions() == (base, first))
        await desk.happen(compute, out, "not-yet", "created", first_ms - 1)
        await desk.happen(compute, out, "first", "created", first_ms)

        second = await desk.publish(2, "--effective-from", rfc3339(second_ms))
        await until(lambda: compute.policy_versions() == (base, first, second))
        await desk.happen(compute, out, "second", "created", second_ms)
        await desk.happen(compute, out, "before", "message", second_ms + 1)
        assert compute.healthy() is None

    wanted = {
        "before": (start_ms, 8, base),
        "not-yet": (first_ms - 1, 8, base),
        "first": (first_ms, 4, first),
        "second": (second_ms, 2, second),
    }
    rows = await desk.judged()
    assert rows.keys() == wanted.keys()
    assert [name for name, row in rows.items() if not desk.promise(row, *wanted[name])] == []

    async with running_compute(settings, desk.clock) as compute, started_producer(settings) as out:
        await until(lambda: assigned(compute, settings))
        assert compute.policy_versions() == (base, first, second)
        await desk.happen(compute, out, "first", "message", second_ms + 2)
        await desk.happen(compute, out, "third", "created", second_ms + 3)
        await desk.happen(compute, out, "first", "solved", second_ms + 4)

    rows = await desk.judged()
    wanted["third"] = (second_ms + 3, 2, second)
    assert [name for name, row in rows.items() if not desk.promise(row, *wanted[name])] == []
    assert rows["first"]["verdict"] == "met"


async def test_a_broken_file_changes_nothing_and_says_so(desk: Desk) -> None:
    settings = desk.settings
    broken = desk.file(4)
    broken.write_text(broken.read_text().replace("start:", "strat:").replace("4h", "-4h"))
    async with running_compute(settings, desk.clock) as compute:
        code, output = await desk.command("publish", str(broken), "--effective-from", "now")
        assert code == 2
        assert f"{broken}:8: " in output
        assert f"{broken}:12: " in output
        assert "start" in output

        too_late = desk.file(2)  # whole, but it would replace what was in force yesterday
        code, output = await desk.command("publish", str(too_late))
        assert code == 2
        assert "--retroactive" in output
        found = await desk.published()
        assert [one["published_at"] for one in found["versions"]] == [None]
        assert found["problems"] == []

        good = await desk.publish(4, "--effective-from", "now")
        await until(lambda: len(compute.policy_versions()) == 2)
        code, output = await desk.command("list")
        assert code == 0
        assert good in output


async def test_a_record_that_is_no_policy_does_not_stop_the_next_one(desk: Desk) -> None:
    settings = desk.settings
    async with running_compute(settings, desk.clock) as compute, started_producer(settings) as out:
        await out.publish("policies", [(b"desk@1", b"{}"), (b"desk@2", b"\xff")])
        good = await desk.publish(4, "--effective-from", "now")
        await until(lambda: compute.policy_versions()[-1] == good)
        assert len(compute.policy_versions()) == 2
        assert compute.healthy() is None
    assert len((await desk.published())["problems"]) >= 2


async def test_history_is_judged_anew_only_when_somebody_orders_it(desk: Desk) -> None:
    settings, start_ms = desk.settings, desk.now_ms
    opened_ms = start_ms - 3 * HOUR_MS
    desk.clock = ManualClock(opened_ms - HOUR_MS)
    async with running_compute(settings, desk.clock) as compute, started_producer(settings) as out:
        await until(lambda: assigned(compute, settings))
        (base,) = compute.policy_versions()
        await desk.happen(compute, out, "older", "created", opened_ms - HOUR_MS)
        await desk.happen(compute, out, "open", "created", opened_ms)
        await desk.happen(compute, out, "done", "created", opened_ms)
        await desk.happen(compute, out, "done", "solved", start_ms)

        short = await desk.publish(2, "--retroactive")
        await until(lambda: short in compute.policy_versions())
        await asyncio.sleep(0.5)
        rows = await desk.judged()
        assert {row["policy_version"] for row in rows.values()} == {base}

        order = ("rejudge", "--version", short, "--since", rfc3339(opened_ms))
        code, output = await desk.command(*order, "--reason", "contract of May", "--yes")
        assert code == 0, output
        await until(lambda: compute.state_of("default/desk/done").rejudged_ms > 0)  # type: ignore[union-attr]
        await until(lambda: compute.state_of("default/desk/open").rejudged_ms > 0)  # type: ignore[union-attr]
        await asyncio.sleep(1.0)

    anew = await desk.judged()
    assert desk.promise(anew["open"], opened_ms, 2, short)
    assert {name: row["verdict"] for name, row in anew.items()} == {
        "older": "pending",
        "open": "breached",
        "done": "breached",
    }
    assert all(anew[name]["version"] > rows[name]["version"] for name in ("open", "done"))
    levels = {
        (row["ticket_id"], row["level"]) for _, row in await records_of(settings, "alert_intents")
    }
    assert levels >= {("open", "breach"), ("done", "breach")}
    (audit,) = (await desk.published())["rejudgements"]
    assert (audit["version"], audit["reason"]) == (short, "contract of May")

    async with running_compute(settings, desk.clock) as compute:
        await until(lambda: assigned(compute, settings))
        await asyncio.sleep(1.0)
    again = await desk.judged()
    assert {name: row["version"] for name, row in again.items()} == {
        name: row["version"] for name, row in anew.items()
    }


async def test_a_quiet_topic_is_no_trouble_and_a_broker_that_is_gone_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy_feed, "SILENT_SECONDS_MAX", 1.5)
    broker = EmbeddedBroker()
    settings = load_settings(broker_url=await broker.start())
    base = tmp_path / "base.yaml"
    base.write_text(POLICY.replace("HOURS", "8"))
    feed = policy_feed.PolicyFeed(settings, load_book(base), learn=lambda _book: None)
    try:
        await asyncio.to_thread(ensure_topics, settings.broker_url, 1)
        await feed.start()
        await asyncio.sleep(3.0)
        assert feed.trouble() is None
        await broker.stop()
        await until(lambda: feed.trouble() is not None, 10)
    finally:
        await feed.stop()
        await broker.stop()
