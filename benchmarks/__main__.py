"""`python -m benchmarks`: throughput as ratios to the raw limit of the same run.

Timings differ from machine to machine and from hour to hour; the ratios of one run compare.
"""

import argparse
import asyncio
import os
import platform

from benchmarks import compute, transport
from benchmarks.workload import ticket_messages
from streams.shell.embedded_broker import EmbeddedBroker

STOCK_EVENTS = 20_000  # a stock agent needs no more to show its speed


async def measure(tickets: int, rounds: int) -> None:
    """Run and print everything; of several rounds the best counts, for all alike."""
    messages = list(ticket_messages(tickets))
    broker = EmbeddedBroker()
    address = await broker.start()
    print(
        f"{len(messages):,} ticket events, {compute.PARTITIONS} partitions, four clocks, office calendar;"
        f" embedded broker; {os.cpu_count()} cores, Python {platform.python_version()};"
        f" best of {rounds}"
    )
    raw = stock = alone = whole = 0.0
    batches = 0.0
    profile = ""
    try:
        for number in range(rounds):
            source = await transport.fill(address, f"raw-{number}", messages)
            raw = max(raw, await transport.raw_client(source))
            stock = max(stock, await transport.stock_agent(source, STOCK_EVENTS))
            batches = max(batches, await transport.batch_worker(source))
            settings = await compute.preload(address, f"c{number}-", messages)
            run = await compute.compute_alone(settings, len(messages))
            if run.events_per_second > alone:
                alone, profile = run.events_per_second, run.profile
            settings = await compute.preload(address, f"d{number}-", messages)
            whole = max(
                whole, (await compute.end_to_end(settings, len(messages))).events_per_second
            )
    finally:
        await broker.stop()
    print(f"(a) raw aiokafka getmany              {raw:>10,.0f} events/s")
    print(f"(b) stock Faust agent                 {stock:>10,.0f} events/s")
    print(
        f"    our transport, empty handler      {batches:>10,.0f} events/s  {batches / raw:.2f} of (a)"
    )
    print(f"(c) compute role complete             {alone:>10,.0f} events/s")
    print(f"(d) until rows are queryable          {whole:>10,.0f} events/s")
    print(f"c/a {alone / raw:.3f}   c/b {alone / stock:.1f}   d/c {whole / alone:.2f}")
    print("where (c) spends its time (main thread, sampled):")
    print(profile)


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--tickets", type=int, default=20_000, help="about five events each")
    parser.add_argument("--rounds", type=int, default=2)
    given = parser.parse_args()
    asyncio.run(measure(given.tickets, given.rounds))


if __name__ == "__main__":
    main()
