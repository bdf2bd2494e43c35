"""Roles as processes that are killed, frozen and started again, as a supervisor would."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parents[2]
RESTART_SECONDS = 0.5
STOP_SECONDS_MAX = 30.0
WATCH_SECONDS = 0.1


class RoleProcess:
    """One role. `keep` starts it again whenever it has ended, but while a fault keeps it down."""

    def __init__(
        self, role: str, name: str, folder: Path, environment: Mapping[str, str], offset: Path
    ) -> None:
        self.name = name
        self.log = folder / f"{name.replace(' ', '-')}.log"
        self.ended_by_itself: list[str] = []
        self.killed_ms: list[int] = []
        self._command = [sys.executable, "-m", "tests.chaos.role", role, str(offset)]
        self._environment = dict(environment)
        self._process: subprocess.Popen[bytes] | None = None
        self._down = False

    def start(self) -> None:
        """Begin; its log goes on in one file."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._down = False

    async def keep(self) -> None:
        """Start it again when it has ended by itself; for ever."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            process = self._process
            if self._down or process is None or process.poll() is None:
                continue
            last = self.log.read_text(errors="replace").splitlines()[-1:]
            self.ended_by_itself.append(f"{process.returncode}: {''.join(last)}")
            await asyncio.sleep(RESTART_SECONDS)
            if not self._down:
                self.start()

    async def suffer(self, kind: str, lasts_seconds: float) -> None:
        """Return when the fault is over and the process runs again."""
        process = self._process
        assert process is not None
        if kind == "freeze":
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGSTOP)
            await asyncio.sleep(lasts_seconds)
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)
            return
        self._down = True
        self.killed_ms.append(time.time_ns() // 1_000_000)
        if kind == "restart":
            process.terminate()
            await asyncio.to_thread(self._wait)
        process.kill()
        process.wait()
        await asyncio.sleep(lasts_seconds)
        self.start()

    def _wait(self) -> None:
        assert self._process is not None
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS_MAX)

    def end(self) -> None:
        """In good order if it can; by force otherwise."""
        self._down = True
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
            self._wait()
            self._process.kill()
            self._process.wait()

    def resident_bytes(self) -> int | None:
        """Memory in RAM, or None when it doesn't run."""
        process = self._process
        if process is None or process.poll() is not None:
            return None
        with suppress(OSError):
            pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
            return pages * 4096
        return None


def log_of_trouble(processes: list[RoleProcess]) -> list[str]:
    """How processes ended that nobody had killed."""
    return [f"{one.name}: {text}" for one in processes for text in one.ended_by_itself]
