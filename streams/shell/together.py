"""Roles of one process: start in order, fail together, stop in reverse."""

import asyncio
import contextlib
import logging
import signal
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence

from streams.runtime.role import Role
from streams.shell.lifecycle import EXIT_STOP_TOO_SLOW, HungError, Lifecycle

log = logging.getLogger(__name__)

STOP_SECONDS_MAX = 30.0
LAST_SECONDS = 1.0  # kept for each role that is still to be stopped after a slow one

Ready = Callable[[], Awaitable[None]]


async def run_together(
    roles: Sequence[Role],
    stop: asyncio.Event,
    on_ready: Ready | None = None,
    life: Lifecycle | None = None,
    stop_seconds_max: float = STOP_SECONDS_MAX,
) -> None:
    """Run all roles until `stop` is set, one of them breaks, or `on_ready` raises.

    A broken role stops the others and its error is raised: half a pipeline that looks alive is
    worse than none. Every started role is stopped, the last started first, all of them within
    `stop_seconds_max`; HungError names those that weren't done by then.
    """
    life = life or Lifecycle()
    started: list[Role] = []
    hung: list[str] = []
    try:
        await _run(roles, started, stop, on_ready, life)
    finally:
        life.stop_asked(time.monotonic())
        hung = await _stop_all(started, life, stop_seconds_max)
    if hung:
        names = ", ".join(hung)
        message = (
            f"{names} did not stop within {stop_seconds_max:g} s;"
            " what had begun is repeated at the next start"
        )
        raise HungError(message, EXIT_STOP_TOO_SLOW)


async def _run(
    roles: Sequence[Role],
    started: list[Role],
    stop: asyncio.Event,
    on_ready: Ready | None,
    life: Lifecycle,
) -> None:
    for role in roles:
        if stop.is_set():
            return
        log.info("starting %s", role.name)
        life.starting(role.name)
        started.append(role)  # before start: a half-started role must be stopped too
        await role.start()
    life.running()
    await _until_stopped_or_broken(started, stop, on_ready)


async def _until_stopped_or_broken(
    roles: Sequence[Role], stop: asyncio.Event, on_ready: Ready | None
) -> None:
    running: set[asyncio.Future[None]] = {asyncio.ensure_future(role.run()) for role in roles}
    stopping = asyncio.ensure_future(_wait(stop))
    ready = {asyncio.ensure_future(on_ready())} if on_ready is not None else set()
    watched = running | ready
    try:
        while not stop.is_set():
            done, _ = await asyncio.wait(watched | {stopping}, return_when=asyncio.FIRST_COMPLETED)
            for task in done - {stopping}:
                task.result()  # raises what broke it
                if task in running and not stop.is_set():
                    message = "a role ended by itself"
                    raise RuntimeError(message)
            watched -= done
    finally:
        for task in (*running, *ready, stopping):
            task.cancel()
        await asyncio.gather(*running, *ready, stopping, return_exceptions=True)


async def _wait(stop: asyncio.Event) -> None:
    await stop.wait()


async def _stop_all(started: Sequence[Role], life: Lifecycle, seconds_max: float) -> list[str]:
    """Stop in reverse; the names of roles that took too long."""
    assert life.stopping_at is not None
    end = life.stopping_at + seconds_max
    hung: list[str] = []
    for after, role in reversed(list(enumerate(started))):
        log.info("stopping %s", role.name)
        life.stopping(role.name)
        seconds = max(LAST_SECONDS, end - time.monotonic() - after * LAST_SECONDS)
        if not await _stop(role, seconds):
            log.error("%s did not stop within %.1f s", role.name, seconds)
            hung.append(role.name)
    life.stopping("connections")
    return hung


async def _stop(role: Role, seconds_max: float) -> bool:
    """False when it is not done in time: it is cancelled then, but not waited for."""
    stopping = asyncio.ensure_future(role.stop())
    try:
        done, _ = await asyncio.wait({stopping}, timeout=seconds_max)
    finally:
        stopping.cancel()  # also when we are cancelled ourselves
    if not done:
        return False
    if stopping.cancelled():
        # A client's own inner task: without a broker aiokafka lets one out of its stop, and the other
        # roles must still be stopped.
        log.warning("stopping %s was cut short", role.name)
    elif (error := stopping.exception()) is not None:
        log.error("stopping %s failed", role.name, exc_info=error)
    return True


@contextlib.contextmanager
def stop_on_signals(stop: asyncio.Event, life: Lifecycle | None = None) -> Iterator[None]:
    """Ctrl-C and SIGTERM set `stop`; a second one is left to the default handler."""
    loop = asyncio.get_running_loop()

    def ask() -> None:
        if life is not None:
            life.stop_asked(time.monotonic())
        stop.set()
        release()

    def release() -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ask)
    try:
        yield
    finally:
        release()
