"""The watchdog: a process that hangs is ended, rather than looking alive.

A role in the event loop beats (`Heartbeat`); a thread listens (`watch_over`) and ends the process when
the beats stay away, or when stopping takes longer than it may. What a killed process had begun is repeated
by the next one, so ending it costs seconds; a hung one would hold its partitions for ever.
"""

import asyncio
import contextlib
import faulthandler
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from streams.runtime.role import Restores, Role, Strives
from streams.shell.lifecycle import EXIT_HUNG, EXIT_STOP_TOO_SLOW, HungError, Lifecycle

log = logging.getLogger(__name__)

BEAT_SECONDS = 1.0
LOOK_SECONDS = 0.5
CLOSING_SECONDS_MAX = 5.0  # for connections, after the roles
TELL_SECONDS_MAX = 2.0


class Verdict(NamedTuple):
    """Why the process must end, and with which exit code."""

    reason: str
    exit_code: int


class Vigil:
    """Judges at every look whether the process hangs. Pure: the instant is an argument.

    Time is counted in steps that are bounded: a process that was paused as a whole (SIGSTOP, a
    sleeping machine) gets its chance to go on.
    """

    def __init__(self, silent_seconds_max: float, stop_seconds_max: float) -> None:
        self._silent_seconds_max = silent_seconds_max
        self._stop_seconds_max = stop_seconds_max
        self._last_look: float | None = None
        self._beats = 0
        self._silent_seconds = 0.0
        self._stopping_seconds = 0.0

    def look(
        self, now_seconds: float, beats: int, life: Lifecycle, *, excused: bool
    ) -> Verdict | None:
        """None while all is well. `beats` so far; `excused`: silence is no sign of a hang now."""
        last = now_seconds if self._last_look is None else self._last_look
        self._last_look = now_seconds
        step_seconds = min(now_seconds - last, 2 * LOOK_SECONDS)
        if life.phase == "stopping":
            return self._while_stopping(step_seconds, life)
        if beats != self._beats or excused:
            self._beats, self._silent_seconds = beats, 0.0
        elif beats:
            self._silent_seconds += step_seconds
        if not self._silent_seconds_max or self._silent_seconds <= self._silent_seconds_max:
            return None
        return Verdict(
            f"the event loop has not answered for {self._silent_seconds:.0f} s", EXIT_HUNG
        )

    def _while_stopping(self, step_seconds: float, life: Lifecycle) -> Verdict | None:
        self._stopping_seconds += step_seconds
        if self._stopping_seconds <= self._stop_seconds_max + CLOSING_SECONDS_MAX:
            return None
        reason = f"{life.busy_with} did not stop within {self._stop_seconds_max:g} s"
        return Verdict(reason, EXIT_STOP_TOO_SLOW)


class Heartbeat:
    """A role that shows that the event loop answers, and asks the others whether they get anywhere.

    Breaks with HungError when one doesn't: the process then stops in good order.
    """

    name = "heartbeat"

    def __init__(self, roles: Sequence[Role], stuck_seconds_max: float) -> None:
        self._roles = roles
        self._stuck_seconds_max = stuck_seconds_max
        self._stopping = asyncio.Event()
        self.beats = 0
        self.blocked_seconds_total = 0.0  # by which beats came late

    async def start(self) -> None:
        return

    async def run(self) -> None:
        self.beats += 1  # from here on silence counts, also if another role blocks at once
        while not self._stopping.is_set():
            began = time.monotonic()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(BEAT_SECONDS):
                    await self._stopping.wait()
            late_seconds = time.monotonic() - began - BEAT_SECONDS
            self.blocked_seconds_total += max(0.0, late_seconds)
            self.beats += 1
            self._ask()

    async def stop(self) -> None:
        self._stopping.set()

    def healthy(self) -> str | None:
        return None

    @property
    def excused(self) -> bool:
        """Whether a role restores state: much work at once, in which the loop may be silent."""
        return any(isinstance(role, Restores) and role.restoring for role in self._roles)

    def _ask(self) -> None:
        for role in self._roles:
            if not isinstance(role, Strives) or not self._stuck_seconds_max:
                continue
            seconds = role.stuck_seconds()
            if seconds > self._stuck_seconds_max:
                message = f"{role.name} runs, but has made no checkpoint for {seconds:.0f} s"
                raise HungError(message, EXIT_HUNG)


class Watchdog:
    """The thread's side. `listen_to` gives it the heartbeat, once there is one."""

    def __init__(
        self,
        life: Lifecycle,
        silent_seconds_max: float,
        stop_seconds_max: float,
        end: Callable[[Verdict], None] | None = None,
    ) -> None:
        self._life = life
        self._vigil = Vigil(silent_seconds_max, stop_seconds_max)
        self._end = end or _end_process
        self._heartbeat: Heartbeat | None = None

    def listen_to(self, heartbeat: Heartbeat) -> None:
        """From now on silence counts."""
        self._heartbeat = heartbeat

    def start(self) -> None:
        """Watch until the process ends, its last moments included."""
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def _watch(self) -> None:
        verdict = None
        while verdict is None:
            time.sleep(LOOK_SECONDS)
            heartbeat = self._heartbeat
            beats = 0 if heartbeat is None else heartbeat.beats
            excused = heartbeat is not None and heartbeat.excused
            verdict = self._vigil.look(time.monotonic(), beats, self._life, excused=excused)
        self._end(verdict)


def _end_process(verdict: Verdict) -> None:
    """Tell why, then end, whatever the rest of the process does."""
    # In a thread of its own: what hangs may hold the log's lock.
    telling = threading.Thread(target=_tell, args=(verdict,), daemon=True)
    telling.start()
    telling.join(TELL_SECONDS_MAX)
    os._exit(verdict.exit_code)


def _tell(verdict: Verdict) -> None:
    log.critical(
        "watchdog: %s; the process is ended (exit code %d), what it had begun is repeated at the next"
        " start. Where each thread stands:",
        verdict.reason,
        verdict.exit_code,
    )
    if sys.__stderr__ is not None:
        faulthandler.dump_traceback(sys.__stderr__)
