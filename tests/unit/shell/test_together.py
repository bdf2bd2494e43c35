"""Roles of one process: order, failure, stopping."""

import asyncio
import time

import pytest

from streams.shell.lifecycle import EXIT_STOP_TOO_SLOW, HungError, Lifecycle
from streams.shell.together import LAST_SECONDS, run_together


class FakeRole:
    def __init__(self, name: str, log: list[str], breaks: Exception | None = None) -> None:
        self.name = name
        self.log = log
        self.breaks = breaks
        self._stopped = asyncio.Event()

    async def start(self) -> None:
        self.log.append(f"start {self.name}")

    async def run(self) -> None:
        if self.breaks is not None:
            raise self.breaks
        await self._stopped.wait()

    async def stop(self) -> None:
        self.log.append(f"stop {self.name}")
        self._stopped.set()

    def healthy(self) -> str | None:
        return None


async def test_starts_in_order_and_stops_in_reverse() -> None:
    log: list[str] = []
    stop = asyncio.Event()

    async def on_ready() -> None:
        log.append("ready")
        stop.set()

    await run_together([FakeRole("a", log), FakeRole("b", log)], stop, on_ready)

    assert log == ["start a", "start b", "ready", "stop b", "stop a"]


async def test_a_broken_role_stops_the_others_and_is_told() -> None:
    log: list[str] = []
    roles = [FakeRole("a", log), FakeRole("b", log, breaks=ValueError("lost the log"))]

    with pytest.raises(ValueError, match="lost the log"):
        await run_together(roles, asyncio.Event())

    assert log[-2:] == ["stop b", "stop a"]


async def test_a_role_that_ends_by_itself_is_a_failure() -> None:
    log: list[str] = []
    ending = FakeRole("a", log)
    ending._stopped.set()

    with pytest.raises(RuntimeError, match="ended by itself"):
        await run_together([ending], asyncio.Event())


async def test_a_role_that_fails_to_start_is_stopped_with_those_before_it() -> None:
    log: list[str] = []

    class Failing(FakeRole):
        async def start(self) -> None:
            raise OSError("port in use")

    with pytest.raises(OSError, match="port in use"):
        await run_together([FakeRole("a", log), Failing("b", log)], asyncio.Event())

    assert log == ["start a", "stop b", "stop a"]


async def test_a_stop_that_cancels_itself_keeps_no_other_role_from_stopping() -> None:
    log: list[str] = []

    class Cancelled(FakeRole):
        async def stop(self) -> None:
            await super().stop()
            raise asyncio.CancelledError

    roles = [FakeRole("a", log), Cancelled("b", log, breaks=ValueError("lost the log"))]
    with pytest.raises(ValueError, match="lost the log"):
        await run_together(roles, asyncio.Event())

    assert log[-2:] == ["stop b", "stop a"]


async def test_a_cancelled_run_is_cancelled() -> None:
    log: list[str] = []
    entered = asyncio.Event()

    class Slow(FakeRole):
        async def stop(self) -> None:
            entered.set()
            await asyncio.sleep(60)

    stop = asyncio.Event()
    task = asyncio.create_task(run_together([Slow("a", log)], stop))
    await asyncio.sleep(0)
    stop.set()
    await entered.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 5)


async def test_a_stop_while_starting_starts_no_further_role() -> None:
    log: list[str] = []
    stop = asyncio.Event()

    class Interrupted(FakeRole):
        async def start(self) -> None:
            await super().start()
            stop.set()

    await run_together([Interrupted("a", log), FakeRole("b", log)], stop)

    assert log == ["start a", "stop a"]


class Endless(FakeRole):
    """Its stop does not end, and does not let itself be cancelled either."""

    async def stop(self) -> None:
        await super().stop()
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                self.log.append(f"{self.name} was cancelled")
                if self.log.count(f"{self.name} was cancelled") > 1:
                    raise


async def test_a_role_that_does_not_stop_is_cut_at_the_bound_and_named() -> None:
    log: list[str] = []
    stop = asyncio.Event()
    stop_seconds_max = 0.2 + LAST_SECONDS

    async def on_ready() -> None:
        stop.set()

    roles = [FakeRole("writer", log), Endless("compute", log)]
    began = time.monotonic()
    with pytest.raises(HungError, match=r"compute did not stop within 1\.2 s") as raised:
        await run_together(roles, stop, on_ready, stop_seconds_max=stop_seconds_max)

    assert time.monotonic() - began < stop_seconds_max + 0.5
    assert raised.value.exit_code == EXIT_STOP_TOO_SLOW
    assert log[-3:] == ["stop compute", "compute was cancelled", "stop writer"]


async def test_what_broke_a_role_is_told_rather_than_what_did_not_stop() -> None:
    log: list[str] = []
    roles = [Endless("compute", log), FakeRole("writer", log, breaks=ValueError("lost the log"))]

    with pytest.raises(ValueError, match="lost the log"):
        await run_together(roles, asyncio.Event(), stop_seconds_max=0.1)


async def test_a_life_says_what_is_being_done() -> None:
    life = Lifecycle()
    log: list[str] = []
    stop = asyncio.Event()

    class Telling(FakeRole):
        async def start(self) -> None:
            log.append(f"{life.phase} {life.busy_with}")

        async def stop(self) -> None:
            log.append(f"{life.phase} {life.busy_with}")

    async def on_ready() -> None:
        log.append(life.phase)
        stop.set()

    await run_together([Telling("a", log), Telling("b", log)], stop, on_ready, life)

    assert log == ["starting a", "starting b", "running", "stopping b", "stopping a"]
    assert life.stopping_at is not None
