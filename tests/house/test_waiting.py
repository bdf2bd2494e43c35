"""Cancelling a wait with a bound must end it: `asyncio.wait_for` loses a cancellation that meets its event
(until Python 3.12), and a role then never stops. `asyncio.timeout` does not."""

import asyncio
import contextlib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_nothing_of_ours_waits_so_that_a_cancellation_can_be_lost() -> None:
    found = [
        str(path.relative_to(ROOT))
        for folder in ("streams", "sinks", "schemas")
        for path in (ROOT / folder).rglob("*.py")
        if "asyncio.wait_for(" in path.read_text(encoding="utf-8")
    ]
    assert found == []


async def test_a_cancellation_that_meets_the_event_is_not_lost() -> None:
    event = asyncio.Event()

    async def for_ever() -> None:
        while True:
            event.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(60):
                    await event.wait()

    task = asyncio.create_task(for_ever())
    await asyncio.sleep(0.01)
    event.set()
    task.cancel()
    done, _ = await asyncio.wait({task}, timeout=2)
    assert done
    assert task.cancelled()
