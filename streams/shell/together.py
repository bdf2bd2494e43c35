"""Roles of one process: start in order, fail together, stop in reverse."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Awaitable, Callable, Iterator, Sequence

from streams.runtime.role import Role

log = logging.getLogger(__name__)

STOP_SECONDS_MAX = 30.0

Ready = Callable[[], Awaitable[None]]


async def run_together(
    roles: Sequence[Role], stop: asyncio.Event, on_ready: Ready | None = None
) -> None:
    """Run all roles until `stop` is set, one of them breaks, or `on_ready` raises.

    A broken role stops the others and its error is raised: half a pipeline that looks alive is
    worse than none. Every started role is stopped, the last started first, each within a bound.
    """
    started: list[Role] = []
    try:
        for role in roles:
            if stop.is_set():
                return
            log.info("starting %s", role.name)
            started.append(role)  # before start: a half-started role must be stopped too
            await role.start()
        await _until_stopped_or_broken(started, stop, on_ready)
    finally:
        for role in reversed(started):
            await _stop(role)


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


async def _stop(role: Role) -> None:
    log.info("stopping %s", role.name)
    try:
        await asyncio.wait_for(role.stop(), STOP_SECONDS_MAX)
    except TimeoutError:
        log.exception(
            "%s did not stop within %s s; what it had begun is repeated at the next start",
            role.name,
            STOP_SECONDS_MAX,
        )
    except asyncio.CancelledError:
        # Ours when somebody cancels this task. Else a client's own inner task: without a broker aiokafka
        # lets one out of its stop, and the other roles must still be stopped.
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        log.warning("stopping %s was cut short", role.name)
    except Exception:
        log.exception("stopping %s failed", role.name)


@contextlib.contextmanager
def stop_on_signals(stop: asyncio.Event) -> Iterator[None]:
    """Ctrl-C and SIGTERM set `stop`; a second one is left to the default handler."""
    loop = asyncio.get_running_loop()

    def ask() -> None:
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
