"""When a process counts as hung: by a clock moved by hand."""

import asyncio
import time

import pytest

from streams.shell import watchdog
from streams.shell.lifecycle import EXIT_HUNG, EXIT_STOP_TOO_SLOW, HungError, Lifecycle
from streams.shell.watchdog import (
    CLOSING_SECONDS_MAX,
    LOOK_SECONDS,
    Heartbeat,
    Verdict,
    Vigil,
)

SILENT_SECONDS_MAX = 10.0
STOP_SECONDS_MAX = 20.0


class Watch:
    """A vigil, and the process that it watches."""

    def __init__(self, silent_seconds_max: float = SILENT_SECONDS_MAX) -> None:
        self.vigil = Vigil(silent_seconds_max, STOP_SECONDS_MAX)
        self.life = Lifecycle()
        self.now = 1_000.0
        self.beats = 0
        self.excused = False

    def look(self, after_seconds: float = LOOK_SECONDS) -> Verdict | None:
        self.now += after_seconds
        return self.vigil.look(self.now, self.beats, self.life, excused=self.excused)

    def seconds_until_verdict(self, seconds_max: float) -> tuple[float, Verdict] | None:
        began = self.now
        while self.now - began < seconds_max:
            verdict = self.look()
            if verdict is not None:
                return self.now - began, verdict
        return None


def test_a_loop_that_falls_silent_is_ended_soon_after_the_bound() -> None:
    watch = Watch()
    watch.beats = 1
    watch.look()

    found = watch.seconds_until_verdict(60)

    assert found is not None
    seconds, verdict = found
    assert SILENT_SECONDS_MAX < seconds <= SILENT_SECONDS_MAX + 2 * LOOK_SECONDS
    assert verdict.exit_code == EXIT_HUNG
    assert "event loop has not answered for" in verdict.reason


def test_a_loop_that_beats_is_left_alone() -> None:
    watch = Watch()
    for _ in range(1_000):
        watch.beats += 1
        assert watch.seconds_until_verdict(SILENT_SECONDS_MAX - 2 * LOOK_SECONDS) is None


def test_before_the_first_beat_silence_means_nothing() -> None:
    assert Watch().seconds_until_verdict(100) is None


def test_a_long_restore_is_no_hang_but_silence_after_it_is() -> None:
    watch = Watch()
    watch.beats = 1
    watch.excused = True
    assert watch.seconds_until_verdict(3_600) is None

    watch.excused = False
    assert watch.seconds_until_verdict(60) is not None


def test_a_process_that_was_paused_as_a_whole_may_go_on() -> None:
    watch = Watch()
    watch.beats = 1
    watch.look()

    assert watch.look(after_seconds=3_600) is None
    watch.beats += 1
    assert watch.look() is None


def test_zero_seconds_means_that_no_silence_ends_it() -> None:
    watch = Watch(silent_seconds_max=0)
    watch.beats = 1

    assert watch.seconds_until_verdict(1_000) is None


def test_stopping_is_bounded_and_what_hangs_is_named() -> None:
    watch = Watch()
    watch.beats = 1
    watch.look()
    watch.life.stop_asked(watch.now)
    watch.life.stopping("compute")

    found = watch.seconds_until_verdict(60)

    assert found is not None
    seconds, verdict = found
    bound = STOP_SECONDS_MAX + CLOSING_SECONDS_MAX
    assert bound < seconds <= bound + 2 * LOOK_SECONDS
    assert verdict == Verdict("compute did not stop within 20 s", EXIT_STOP_TOO_SLOW)


class Striving:
    """A worker that says for how long it has got nowhere."""

    name = "compute"
    restoring = False

    def __init__(self, stuck_seconds: float) -> None:
        self._stuck_seconds = stuck_seconds

    async def start(self) -> None: ...

    async def run(self) -> None: ...

    async def stop(self) -> None: ...

    def healthy(self) -> str | None:
        return None

    def stuck_seconds(self) -> float:
        return self._stuck_seconds


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "BEAT_SECONDS", 0.01)


@pytest.mark.usefixtures("quick")
async def test_a_worker_without_checkpoints_breaks_the_heartbeat() -> None:
    with pytest.raises(HungError, match="compute runs, but has made no checkpoint for 301 s") as it:
        await asyncio.wait_for(Heartbeat([Striving(301.0)], 300.0).run(), 5)

    assert it.value.exit_code == EXIT_HUNG


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(("stuck_seconds", "bound"), [(299.0, 300.0), (10_000.0, 0.0)])
async def test_a_heartbeat_goes_on_until_it_is_stopped(stuck_seconds: float, bound: float) -> None:
    heartbeat = Heartbeat([Striving(stuck_seconds)], bound)
    running = asyncio.ensure_future(heartbeat.run())
    while heartbeat.beats < 3:  # noqa: ASYNC110  # a count has no event
        await asyncio.sleep(0.01)

    await heartbeat.stop()
    await asyncio.wait_for(running, 5)


@pytest.mark.usefixtures("quick")
async def test_blocking_the_loop_is_counted() -> None:
    heartbeat = Heartbeat([], 0.0)
    running = asyncio.ensure_future(heartbeat.run())
    await asyncio.sleep(0.05)
    before = heartbeat.blocked_seconds_total
    time.sleep(0.3)  # noqa: ASYNC251  # that is what is tested
    while heartbeat.blocked_seconds_total - before < 0.2:  # noqa: ASYNC110
        await asyncio.sleep(0.01)

    await heartbeat.stop()
    await running


def test_restoring_excuses() -> None:
    worker = Striving(0.0)
    heartbeat = Heartbeat([worker], 0.0)
    assert not heartbeat.excused

    worker.restoring = True
    assert heartbeat.excused
