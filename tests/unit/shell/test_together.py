"""Roles of one process: order, failure, stopping."""

import asyncio

import pytest

from streams.shell.together import run_together


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
