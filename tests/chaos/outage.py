"""`python -m tests.chaos.outage`: ClickHouse is gone for minutes while events come in at full speed.

What has to hold: clocks don't wait for it, memory stays bounded, what piled up is written in less time
than it was gone, and then every row is right.

A worker grows anyway while tickets come in, because it remembers them: `--control` runs the same without
the outage, and the difference is what the outage costs.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.topics import OUTCOME_TOPIC_OF_TABLE
from streams.shell.settings import Settings
from tests.chaos.harness import Chaos, Plan, Report
from tests.chaos.processes import RoleProcess
from tests.chaos.schedule import Fault
from tests.integration.real_kafka import RealKafka, find_jars

CAUGHT_UP_RECORDS = 2_000  # of all outcome topics: about what comes in between two looks
BEGINS_SECONDS = 20.0
MIB = 1024 * 1024


@dataclass(slots=True)
class Watched:
    """What was seen while the outage lasted, and after it."""

    before_bytes: dict[str, int] = field(default_factory=dict)
    most_bytes: dict[str, int] = field(default_factory=dict)
    most_after_bytes: dict[str, int] = field(default_factory=dict)  # while it is caught up
    lag_records: int = 0
    catch_up_seconds: float = 0.0

    def text(self, report: Report, outage_seconds: float) -> str:
        """For the person who reads it."""
        lines = [
            report.text(),
            f"ClickHouse was gone for {outage_seconds:.0f} s; {self.lag_records:,} records waited for it",
            *(
                f"  {name} grew from {before / MIB:.0f} MiB by {self._grown(self.most_bytes, name):.0f} MiB"
                f" at most, while it was caught up by {self._grown(self.most_after_bytes, name):.0f}"
                for name, before in self.before_bytes.items()
            ),
            f"caught up {self.catch_up_seconds:.0f} s after it came back",
        ]
        return "\n".join(lines)

    def _grown(self, most: dict[str, int], name: str) -> float:
        return (most.get(name, 0) - self.before_bytes[name]) / MIB


class Outage(Chaos):
    """One worker, one writer, at most one fault."""

    def __init__(self, plan: Plan, kafka: RealKafka, folder: Path, lasts_seconds: float) -> None:
        super().__init__(plan, kafka, folder)
        self.watched = Watched()
        self._lasts_seconds = lasts_seconds

    async def watch(self, settings: Settings, processes: dict[str, RoleProcess]) -> None:
        """Sample memory during the outage, and the lag after it."""
        await asyncio.sleep(BEGINS_SECONDS - 1.0)
        self.watched.before_bytes = _sizes(processes)
        self.watched.most_bytes = dict(self.watched.before_bytes)
        ends_at = time.monotonic() + 1.0 + self._lasts_seconds
        while time.monotonic() < ends_at:
            _note(self.watched.most_bytes, processes)
            await asyncio.sleep(1.0)
        self.watched.lag_records = await _writer_lag(settings)
        while await _writer_lag(settings) > CAUGHT_UP_RECORDS:
            _note(self.watched.most_after_bytes, processes)
            await asyncio.sleep(0.5)
        self.watched.catch_up_seconds = time.monotonic() - ends_at


def _note(most: dict[str, int], processes: dict[str, RoleProcess]) -> None:
    for name, size in _sizes(processes).items():
        most[name] = max(most.get(name, 0), size)


def _sizes(processes: dict[str, RoleProcess]) -> dict[str, int]:
    return {
        name: size for name, one in processes.items() if (size := one.resident_bytes()) is not None
    }


async def _writer_lag(settings: Settings) -> int:
    """Records on outcome topics that the writer has not committed."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.broker_url,
        group_id=f"{settings.topic_prefix}{settings.group}-writer",
        enable_auto_commit=False,
    )
    await consumer.start()
    try:
        wheres = [
            TopicPartition(settings.topic_prefix + topic, number)
            for topic in OUTCOME_TOPIC_OF_TABLE.values()
            for number in range(settings.partitions)
        ]
        consumer.assign(wheres)
        ends = await consumer.end_offsets(wheres)
        return sum([ends[where] - (await consumer.committed(where) or 0) for where in wheres])
    finally:
        await consumer.stop()


async def measure(
    kafka: RealKafka, folder: Path, plan: Plan, lasts_seconds: float
) -> tuple[Report, Watched]:
    """Run."""
    outage = Outage(plan, kafka, folder, lasts_seconds)
    return await outage.run(), outage.watched


def main() -> None:
    """Parse the command line, run, tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300.0, help="of the outage")
    parser.add_argument("--tickets-per-second", type=float, default=300.0)
    parser.add_argument("--control", action="store_true", help="the same without the outage")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="ticketpulse-outage-"))
    try:
        kafka = RealKafka(find_jars(), folder)
    except pytest.skip.Exception as skipped:
        sys.exit(str(skipped))
    fault = Fault(BEGINS_SECONDS, "clickhouse", "refuses", options.seconds)
    plan = Plan(
        1,
        options.seconds + 30.0,
        tickets_per_second=options.tickets_per_second,
        workers=1,
        faults=() if options.control else (fault,),
    )
    try:
        kafka.start()
        report, watched = asyncio.run(measure(kafka, folder, plan, options.seconds))
    finally:
        kafka.stop()
    gone_seconds = 0.0 if options.control else options.seconds
    sys.stdout.write(f"{watched.text(report, gone_seconds)}\nlogs             {folder}\n")
    if report.differing or watched.catch_up_seconds > options.seconds:
        sys.exit(1)


if __name__ == "__main__":
    main()
