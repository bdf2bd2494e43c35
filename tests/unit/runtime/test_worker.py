"""How the worker treats its handler around rebalances, without Faust or a broker."""

import asyncio
from collections.abc import Callable, Mapping
from types import SimpleNamespace

import pytest
from faust.tables.recovery import RebalanceAgain
from faust.types import TP

from streams.runtime import worker as worker_module
from streams.runtime.transport import RecordBatch
from streams.runtime.worker import BatchWorker, WorkerCrashedError

ZERO, ONE = TP("tickets", 0), TP("tickets", 1)
BOTH = frozenset({ZERO, ONE})


class FakeConsumer:
    """The consumer's side of a rebalance."""

    def __init__(self) -> None:
        self.number: int | None = 1
        self.started_at: Mapping[TP, int] | None = None
        self.story: list[str] = []
        self.stale = False

    def assignment(self) -> frozenset[TP]:
        return BOTH

    def current_assignment(self) -> int | None:
        return self.number

    def start_at(self, positions: Mapping[TP, int]) -> None:
        self.started_at = positions

    def close_partitions(self, partitions: frozenset[TP]) -> None:
        self.story.append(f"close {len(partitions)}")

    async def commit_now(self) -> None:
        self.story.append("commit")

    def is_stale(self, batch: RecordBatch) -> bool:
        return self.stale


class Handler:
    """Does what the test says, and notes it."""

    def __init__(self) -> None:
        self.story: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.error: Exception | None = None
        self.positions: dict[TP, int] = {ZERO: 5, ONE: 7}
        self.is_current: Callable[[], bool] = lambda: True

    async def assigned(
        self, partitions: frozenset[TP], is_current: Callable[[], bool]
    ) -> Mapping[TP, int]:
        assert partitions == BOTH
        self.is_current = is_current
        await self._do("assigned")
        return self.positions

    async def revoked(self, partitions: frozenset[TP]) -> None:
        await self._do("revoked")

    async def take(self, batch: RecordBatch) -> None:
        await self._do("take")

    async def _do(self, what: str) -> None:
        self.story.append(f"{what} begins")
        await self.gate.wait()
        self.story.append(f"{what} ends")
        if self.error is not None:
            raise self.error


class World:
    """A worker between a fake consumer and a handler."""

    def __init__(self) -> None:
        self.handler = Handler()
        self.consumer = FakeConsumer()
        self.worker = BatchWorker(
            self.handler,
            bootstrap="nowhere:1",
            group="group",
            topics=["tickets"],
            session_timeout_seconds=10.0,
        )
        self.app = SimpleNamespace(crashed=False, crash_reason=None, stop=self._stop)
        self.worker._consumer = self.consumer
        self.worker._app = self.app

    async def _stop(self) -> None:
        self.consumer.story.append("leave")


@pytest.fixture
async def world() -> World:
    return World()


async def test_after_an_assignment_it_reads_where_the_handler_says(world: World) -> None:
    await world.worker._on_rebalanced()

    assert world.consumer.started_at == {ZERO: 5, ONE: 7}


async def test_a_restore_outrun_by_a_rebalance_opens_nothing(world: World) -> None:
    world.handler.gate.clear()
    restoring = asyncio.create_task(world.worker._on_rebalanced())
    await asyncio.sleep(0)
    assert world.handler.is_current()
    world.consumer.number = None
    assert not world.handler.is_current()
    world.handler.gate.set()

    with pytest.raises(RebalanceAgain):
        await restoring
    assert world.consumer.started_at is None


async def test_an_error_of_an_outrun_restore_breaks_nothing(world: World) -> None:
    world.handler.gate.clear()
    world.handler.error = RuntimeError("fenced by the next owner")
    restoring = asyncio.create_task(world.worker._on_rebalanced())
    await asyncio.sleep(0)
    world.consumer.number = 2
    world.handler.gate.set()

    with pytest.raises(RebalanceAgain):
        await restoring
    assert world.worker._failure is None


async def test_an_assignment_that_is_over_already_is_not_even_restored(world: World) -> None:
    world.consumer.number = None

    with pytest.raises(RebalanceAgain):
        await world.worker._on_rebalanced()
    assert world.handler.story == []


async def test_a_position_missing_breaks_the_run(world: World) -> None:
    del world.handler.positions[ONE]

    with pytest.raises(ValueError, match="positions of"):
        await world.worker._on_rebalanced()
    with pytest.raises(ValueError, match="positions of"):
        await world.worker.run()
    assert world.consumer.started_at is None


async def test_giving_up_waits_for_the_restore_to_end(world: World) -> None:
    world.handler.gate.clear()
    restoring = asyncio.create_task(world.worker._on_rebalanced())
    await asyncio.sleep(0)
    world.consumer.number = None
    giving_up = asyncio.create_task(world.worker._on_revoked(BOTH))
    await asyncio.sleep(0)
    world.handler.gate.set()
    await asyncio.gather(restoring, giving_up, return_exceptions=True)

    assert world.handler.story == [
        "assigned begins",
        "assigned ends",
        "revoked begins",
        "revoked ends",
    ]


async def test_giving_up_too_slowly_is_cut_off_and_breaks_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "REVOKED_SECONDS_MAX", 0.02)
    world.handler.gate.clear()

    await asyncio.wait_for(world.worker._on_revoked(BOTH), 2)

    assert world.handler.story == ["revoked begins"]
    assert world.worker._failure is None


async def test_failing_to_give_up_breaks_the_run(world: World) -> None:
    world.handler.error = RuntimeError("no checkpoint")

    await world.worker._on_revoked(BOTH)

    with pytest.raises(RuntimeError, match="no checkpoint"):
        await world.worker.run()


async def test_stale_batches_and_those_after_a_failure_are_not_taken(world: World) -> None:
    batch = RecordBatch("tickets", 0, 0, 0, [])
    world.consumer.stale = True
    await world.worker._deliver(batch)
    world.consumer.stale = False
    world.worker.fail(RuntimeError("broken"))
    await world.worker._deliver(batch)

    assert world.handler.story == []


async def test_a_stop_closes_gives_up_commits_and_leaves_in_this_order(world: World) -> None:
    await world.worker.stop()
    await world.worker.stop()
    await world.worker.run()

    assert world.handler.story == ["revoked begins", "revoked ends"]
    assert world.consumer.story == ["close 2", "commit", "leave"]


async def test_a_broken_worker_stops_without_a_last_checkpoint(world: World) -> None:
    world.worker.fail(RuntimeError("broken"))

    await world.worker.stop()

    assert world.handler.story == []
    assert world.consumer.story == ["leave"]


async def test_a_crash_of_faust_breaks_the_run_with_its_reason(world: World) -> None:
    world.app.crashed = True
    world.app.crash_reason = OSError("no route")

    with pytest.raises(WorkerCrashedError, match="no route"):
        await world.worker.run()
