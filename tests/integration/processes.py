"""`ticketpulse` as a person starts it: a process of its own, watched from outside."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import psutil
import pytest

ROOT = Path(__file__).parents[2]
START_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 40.0


class Process:
    """A running command. What it says goes to files of `folder`."""

    def __init__(self, arguments: tuple[str, ...], folder: Path, environment: dict[str, str]):
        self._out, self._err = folder / "stdout", folder / "stderr"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "streams", *arguments],
                cwd=folder,
                env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )

    @property
    def said(self) -> str:
        return self._out.read_text()

    @property
    def complained(self) -> str:
        return self._err.read_text()

    @property
    def url(self) -> str:
        """Where the live page is, as the command said."""
        (line,) = (line for line in self.said.splitlines() if line.startswith("live page: "))
        return line.removeprefix("live page: ")

    def brokers(self) -> list[psutil.Process]:
        """Embedded brokers among its children."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        return [child for child in children if "broker" in child.cmdline()]

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return orjson.loads(answer.read())

    def post(self, path: str, body: object) -> tuple[int, Any]:
        """Status and answer."""
        request = urllib.request.Request(
            self.url + path, orjson.dumps(body), {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, orjson.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, orjson.loads(error.read())

    def until(self, true: Callable[[], object], seconds_max: float = START_SECONDS_MAX) -> None:
        """Wait for something; fails when the process ends or time is over."""
        end = time.monotonic() + seconds_max
        while not true():
            if self.process.poll() is not None:
                pytest.fail(f"ended with {self.process.returncode}: {self.complained}")
            if time.monotonic() > end:
                pytest.fail(f"nothing came within {seconds_max} s: {self.complained}")
            time.sleep(0.1)

    def end(self, number: signal.Signals) -> int:
        """Send a signal; the exit code."""
        self.process.send_signal(number)
        return self.process.wait(STOP_SECONDS_MAX)


@contextmanager
def running(*arguments: str, folder: Path, **environment: str) -> Iterator[Process]:
    """The command, once it has said that it runs; killed in the end if it still does."""
    started = Process(arguments, folder, environment)
    try:
        started.until(lambda: "live page: " in started.said or "running; " in started.said)
        yield started
    finally:
        if started.process.poll() is None:
            started.process.kill()
            started.process.wait()
