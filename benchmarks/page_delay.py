"""`python -m benchmarks.page_delay --broker host:port`: from the due instant to the page.

A worker and a notifier as processes of their own, a local webhook as the receiver. Tickets are promised to be due at
even distances; of each the page's arrival is compared with its due instant, both by this machine's clock. Needs a
real Kafka.
"""

import argparse
import asyncio
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import orjson
from aiohttp import web

from schemas.instants import rfc3339
from streams.runtime.producer import LoudProducer
from streams.shell.settings import PREFIX
from streams.shell.topics_admin import ensure_topics

POLICY = Path(__file__).with_name("policy.yaml")
PARTITIONS = 4
RATES = (1, 100, 1_000)
SECONDS = 20
AHEAD_SECONDS = 12.0
WAIT_SECONDS_MAX = 60.0


class Webhook:
    """Takes pages and notes when they came."""

    def __init__(self) -> None:
        self.came_ms: dict[str, float] = {}
        self.url = ""

    async def start(self) -> web.AppRunner:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_post("/", self._take)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        return runner

    async def _take(self, request: web.Request) -> web.Response:
        now_ms = time.time() * 1_000
        page = orjson.loads(await request.read())
        if page["level"] == "breach" and page["status"] == "firing":
            self.came_ms.setdefault(page["ticket_id"], now_ms)
        return web.Response()


async def measure(broker: str) -> None:
    """Run and print."""
    webhook = Webhook()
    runner = await webhook.start()
    prefix = f"delay-{secrets.token_hex(4)}-"
    await asyncio.to_thread(ensure_topics, broker, PARTITIONS, prefix)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        for role in ("compute", "notifier"):
            running.enter_context(_role(role, broker, prefix, webhook.url, Path(folder)))
        producer = LoudProducer(broker, client_id="benchmark", topic_prefix=prefix)
        await producer.start()
        await _one(producer, webhook, 1, 3)  # until both have joined their groups
        for rate in RATES:
            delays = await _one(producer, webhook, rate, rate * SECONDS)
            p50, p99 = delays[len(delays) // 2], delays[len(delays) * 99 // 100]
            print(
                f"{rate:>6,} breaches/s for {SECONDS} s: {len(delays):,} pages, from due to page"
                f" p50 {p50:.0f} ms, p99 {p99:.0f} ms, max {delays[-1]:.0f} ms"
            )
        await producer.stop()
    await runner.cleanup()


async def _one(producer: LoudProducer, webhook: Webhook, rate: int, count: int) -> list[float]:
    """Delays in ms, ascending."""
    start_ms = round((time.time() + AHEAD_SECONDS) * 1_000)
    due_ms = {f"{rate}-{start_ms}-{n}": start_ms + n * 1_000 // rate for n in range(count)}
    messages = []
    for ticket, instant_ms in due_ms.items():
        now = rfc3339(round(time.time() * 1_000))
        event = {
            "schema_version": 1, "source": "bench", "event_id": ticket, "type": "created",
            "occurred_at": now, "ingested_at": now, "ticket_id": ticket,
            "data": {"team": "L1", "targets": {"resolution": rfc3339(instant_ms)}},
        }  # fmt: skip
        messages.append((f"default/bench/{ticket}".encode(), orjson.dumps(event)))
    await producer.publish("tickets", messages)
    end = time.monotonic() + AHEAD_SECONDS + count / rate + WAIT_SECONDS_MAX
    while any(ticket not in webhook.came_ms for ticket in due_ms):
        missing = sum(ticket not in webhook.came_ms for ticket in due_ms)
        assert time.monotonic() < end, f"{missing} pages never came"
        await asyncio.sleep(0.1)
    return sorted(webhook.came_ms[ticket] - instant_ms for ticket, instant_ms in due_ms.items())


@contextmanager
def _role(role: str, broker: str, prefix: str, url: str, folder: Path) -> Iterator[None]:
    given = {
        "broker_url": broker,
        "topic_prefix": prefix,
        "policy": str(POLICY),
        "webhook_url": url,
    }
    environment = os.environ | {PREFIX + name.upper(): value for name, value in given.items()}
    with (folder / f"{role}.log").open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "streams", role], stdout=out, stderr=out, env=environment
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(40)


def main() -> None:
    """Parse the command line, run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--broker", required=True, help="host:port of Kafka")
    asyncio.run(measure(parser.parse_args().broker))


if __name__ == "__main__":
    main()
