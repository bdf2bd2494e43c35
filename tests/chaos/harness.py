"""Runs the pipeline as processes on a real Kafka, lets faults happen, and compares what is left.

Three compute workers, a writer, an HTTP ClickHouse and a broker. Events come in all the time; when the
faults are over everything drains, and every row is compared with what one thread makes of the events
that lie in the topic.
"""

import asyncio
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.errors import KafkaError

from schemas.topics import TOPICS
from sinks.clickhouse.client import ANSWER_SECONDS_MAX
from sinks.clickhouse.migrate import migrate_up
from streams.runtime.producer import LoudProducer, PublishError
from streams.shell.settings import PREFIX, Settings, load_settings
from streams.shell.topics_admin import ensure_topics
from tests.chaos import truth
from tests.chaos.processes import RoleProcess, log_of_trouble
from tests.chaos.schedule import Fault, by_kind, lanes_of, schedule
from tests.chaos.shared_clock import SharedOffset
from tests.chaos.story import Step, story
from tests.clickhouse_facade import Facade, Fault as ClickHouseFault
from tests.clickhouse_fixtures import embedded, engine_path
from tests.integration.computing import records_of
from tests.integration.real_kafka import RealKafka
from tests.receiver import Mode, PagingReceiver

WORKERS = 3
PARTITIONS = 4
SESSION_SECONDS = 6.0
TICKETS_PER_SECOND = 30.0
PUBLISH_SECONDS = 0.1
LAST_DUE_SECONDS = 25.0  # no promise of the policy is due later than this after the last event
DRAIN_SECONDS_MAX = 240.0
# Long enough for what a zombie wrote to be put right, short enough to happen in a run of minutes.
COMPACTION_LAG_MS = 60_000
SECRET = "chaos"
_RECEIVER_MODES: Mapping[str, Mode] = {
    "is busy": "busy",
    "is broken": "broken",
    "drops its answers": "drops after",
    "drops what it is sent": "drops before",
}
_CLICKHOUSE_FAULTS: Mapping[str, ClickHouseFault] = {
    "unavailable": ClickHouseFault("status", status=503),
    "too busy": ClickHouseFault("error", code=252, text="Code: 252. DB::Exception: Too many parts"),
    "disk full": ClickHouseFault(
        "error",
        code=243,
        text="Code: 243. DB::Exception: Cannot reserve 1.00 MiB, not enough space",
    ),
    "drops before the commit": ClickHouseFault("drop_before"),
    "drops after the commit": ClickHouseFault("drop_after"),
    "times out after the commit": ClickHouseFault(
        "delay_after", delay_seconds=ANSWER_SECONDS_MAX + 5.0
    ),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for."""

    seed: int
    seconds: float
    tickets_per_second: float = TICKETS_PER_SECOND
    workers: int = WORKERS
    faults: tuple[Fault, ...] | None = None  # None: by the seed


@dataclass(slots=True)
class Report:
    """What came of it."""

    plan: Plan
    faults: Counter[str]
    events: int = 0
    compared: dict[str, int] = field(default_factory=dict)
    differences: dict[str, list[str]] = field(default_factory=dict)
    ended: list[str] = field(default_factory=list)
    drained_seconds: float = 0.0
    paging: int = 0  # cycles that somebody should be paged for at the end
    pages: int = 0  # taken by the receiver
    pages_excused: int = (
        0  # said again, as the end of the first may have been said by a killed notifier
    )
    pages_repeated: int = 0  # deliveries it had seen, and dropped
    lateness_seconds: list[float] = field(default_factory=list)

    @property
    def differing(self) -> int:
        return sum(len(keys) for keys in self.differences.values())

    def text(self) -> str:
        """For the person who reads it."""
        plan, late = self.plan, self.lateness_seconds
        lines = [
            f"seed {plan.seed}, {plan.seconds:.0f} s, {plan.workers} workers,"
            f" {sum(self.faults.values())} faults:",
            *(f"  {count:>4} {kind}" for kind, count in sorted(self.faults.items())),
            f"events in        {self.events:,}",
            "rows compared    "
            + ", ".join(f"{table} {count:,}" for table, count in self.compared.items()),
            f"differences      {self.differing}",
            *(f"  {table}: {keys[:5]}" for table, keys in self.differences.items() if keys),
            f"pages            {self.pages:,} taken, {self.pages_repeated} repeats dropped,"
            f" {self.pages_excused} said again after a kill,"
            f" {self.paging:,} firing at the end; "
            + ", ".join(
                f"{name} {len(keys)}" for name, keys in self.differences.items() if "page" in name
            ),
            f"drained after    {self.drained_seconds:.1f} s",
        ]
        if late:
            middle, p99 = late[len(late) // 2], late[len(late) * 99 // 100]
            lines.append(
                f"breach said      p50 {middle:.2f} s, p99 {p99:.2f} s, max {late[-1]:.2f} s after its"
                " instant, outages included"
            )
        counts = Counter(
            text.split(": ", 2)[0] + " " + text.split(": ")[-1][:110] for text in self.ended
        )
        lines.append(f"ended by itself  {len(self.ended)} (started again at once)")
        lines += [f"  {count:>4} {text}" for text, count in counts.most_common(8)]
        return "\n".join(lines)


class Chaos:
    """One run. Its logs stay in `folder`."""

    def __init__(self, plan: Plan, kafka: RealKafka, folder: Path) -> None:
        self.plan = plan
        self._kafka = kafka
        self._folder = folder
        self._offset_path = folder / "clock-offset"
        self._offset = SharedOffset(self._offset_path)
        self._prefix = f"chaos-{plan.seed}-{os.getpid()}-"
        self._database = f"chaos_{plan.seed}_{os.getpid()}"
        self._start_ms = 0
        self._published = 0

    async def run(self) -> Report:
        """Everything; the report is not a judgement, its reader asks for `differing`."""
        plan = self.plan
        lanes = lanes_of(plan.workers, SESSION_SECONDS)
        faults = schedule(plan.seed, plan.seconds, lanes) if plan.faults is None else plan.faults
        report = Report(plan, by_kind(faults))
        async with PagingReceiver(SECRET) as receiver:
            with Facade(engine_path()) as facade:
                await self._run(facade, receiver, faults, report)
        return report

    async def _run(
        self, facade: Facade, receiver: PagingReceiver, faults: Sequence[Fault], report: Report
    ) -> None:
        settings = self._settings(facade.url, receiver.url)
        await asyncio.to_thread(self._prepare, settings)
        processes = self._processes(settings)
        async with self._kept(processes):
            watching = asyncio.create_task(self.watch(settings, processes))
            await self._all_at_once(_Around(facade, receiver, processes), faults)
            await watching
            drained_at = time.monotonic()
            await self._drain(settings, receiver, processes["notifier"].killed_ms, report)
            report.drained_seconds = time.monotonic() - drained_at
        report.ended = log_of_trouble(list(processes.values()))
        intents = [row for _key, row in await records_of(settings, "alert_intents")]
        report.lateness_seconds = truth.lateness_seconds(intents)
        report.pages = len(receiver.taken)
        report.pages_repeated = receiver.repeats

    async def watch(self, settings: Settings, processes: dict[str, RoleProcess]) -> None:
        """Look on while it happens; draining waits for it to return."""

    def _settings(self, clickhouse_url: str, webhook_url: str) -> Settings:
        return load_settings(
            broker_url=self._kafka.address,
            topic_prefix=self._prefix,
            partitions=PARTITIONS,
            session_timeout_seconds=SESSION_SECONDS,
            checkpoint_seconds=0.5,
            idle_checkpoint_seconds=2.0,
            writer_flush_seconds=0.5,
            clickhouse_url=clickhouse_url,
            clickhouse_database=self._database,
            webhook_url=webhook_url,
            policy=Path(__file__).with_name("policy.yaml"),
        )

    def _prepare(self, settings: Settings) -> None:
        ensure_topics(settings.broker_url, PARTITIONS, self._prefix)
        eager = {
            "min.compaction.lag.ms": str(COMPACTION_LAG_MS),
            "min.cleanable.dirty.ratio": "0.01",
            "segment.ms": "5000",
            "delete.retention.ms": str(COMPACTION_LAG_MS),
        }
        admin = KafkaAdminClient(bootstrap_servers=[settings.broker_url])
        topics = [self._prefix + spec.name for spec in TOPICS if spec.role == "changelog"]
        try:
            admin.alter_configs(
                [ConfigResource(ConfigResourceType.TOPIC, name, configs=eager) for name in topics]
            )
        finally:
            admin.close()
        with embedded(self._database) as database:
            migrate_up(database)

    def _processes(self, settings: Settings) -> dict[str, RoleProcess]:
        names = settings.model_fields_set
        environment = dict(os.environ) | {
            PREFIX + name.upper(): str(getattr(settings, name)) for name in names
        }
        environment[PREFIX + "WEBHOOK_SECRET"] = SECRET
        found: dict[str, RoleProcess] = {}
        for number in range(self.plan.workers):
            name = f"worker {number}"
            found[name] = RoleProcess("compute", name, self._folder, environment, self._offset_path)
        for role in ("writer", "notifier"):
            found[role] = RoleProcess(role, role, self._folder, environment, self._offset_path)
        return found

    @asynccontextmanager
    async def _kept(self, processes: Mapping[str, RoleProcess]) -> AsyncIterator[None]:
        keepers = []
        try:
            for process in processes.values():
                process.start()
                keepers.append(asyncio.create_task(process.keep()))
            yield
        finally:
            for keeper in keepers:
                keeper.cancel()
            await asyncio.gather(*keepers, return_exceptions=True)
            await asyncio.gather(*(asyncio.to_thread(one.end) for one in processes.values()))

    # -- faults -------------------------------------------------------------------------------

    async def _all_at_once(self, around: "_Around", faults: Sequence[Fault]) -> None:
        """The story and every lane side by side; returns when all are over."""
        started_at = time.monotonic()
        self._start_ms = time.time_ns() // 1_000_000
        work = [
            self._publish(story(self.plan.seed, self.plan.seconds, self.plan.tickets_per_second))
        ]
        for lane in sorted({fault.lane for fault in faults}):
            mine = [fault for fault in faults if fault.lane == lane]
            work.append(self._suffer(mine, started_at, self._actor(lane, around)))
        async with asyncio.TaskGroup() as group:
            for one in work:
                group.create_task(one)

    def _actor(self, lane: str, around: "_Around") -> Callable[[Fault], Awaitable[None]]:
        if lane == "broker":
            return self._break_broker
        if lane == "clock":
            return self._set_clock_wrong
        if lane == "clickhouse":
            return lambda fault: _break_clickhouse(fault, around.facade)
        if lane == "receiver":
            return lambda fault: _break_receiver(fault, around.receiver)
        process = around.processes[lane]
        return lambda fault: process.suffer(fault.kind, fault.lasts_seconds)

    @staticmethod
    async def _suffer(
        faults: Sequence[Fault], started_at: float, act: Callable[[Fault], Awaitable[None]]
    ) -> None:
        """A lane's faults at their time, or right after the one before."""
        for fault in faults:
            await asyncio.sleep(max(0.0, started_at + fault.at_seconds - time.monotonic()))
            await act(fault)

    async def _break_broker(self, fault: Fault) -> None:
        await asyncio.to_thread(self._kafka.kill if fault.kind == "kill" else self._kafka.stop)
        await asyncio.sleep(fault.lasts_seconds)
        await asyncio.to_thread(self._kafka.start)

    async def _set_clock_wrong(self, fault: Fault) -> None:
        """Ahead by half a minute: everything pending seems due. Behind: nothing has happened yet."""
        self._offset.set(30_000 if fault.kind == "ahead" else -30_000)
        await asyncio.sleep(fault.lasts_seconds)
        self._offset.set(0)

    # -- events -------------------------------------------------------------------------------

    async def _publish(self, steps: Sequence[Step]) -> None:
        """Every step at its time; again where it is not known whether it arrived."""
        started_at = time.monotonic()
        producer = LoudProducer(
            self._kafka.address,
            client_id="chaos",
            topic_prefix=self._prefix,
            delivery_seconds_max=10.0,
        )
        await producer.start()
        try:
            position = 0
            while position < len(steps):
                await asyncio.sleep(PUBLISH_SECONDS)
                seconds = time.monotonic() - started_at
                end = position
                while end < len(steps) and steps[end].at_seconds <= seconds:
                    end += 1
                now_ms = time.time_ns() // 1_000_000
                for topic in sorted({step.topic for step in steps[position:end]}):
                    part = [
                        step.message(self._start_ms, now_ms)
                        for step in steps[position:end]
                        if step.topic == topic
                    ]
                    await self._until_published(producer, topic, part)
                position = end
        finally:
            await producer.stop()

    @staticmethod
    async def _until_published(
        producer: LoudProducer, topic: str, messages: Sequence[tuple[bytes, bytes]]
    ) -> None:
        while messages:
            try:
                await producer.reconnect()
                await producer.publish(topic, messages)
            except (PublishError, KafkaError, OSError):
                await asyncio.sleep(0.2)
            else:
                return

    # -- the end ------------------------------------------------------------------------------

    async def _drain(
        self,
        settings: Settings,
        receiver: PagingReceiver,
        kills_ms: Sequence[int],
        report: Report,
    ) -> None:
        """Until every promise has come due and ClickHouse holds the truth, or patience ends."""
        source = await truth.read_sources(settings)
        last_ms = max(event.ingested_ms for event in source.events)
        until_ms = last_ms + round(LAST_DUE_SECONDS * 1_000)
        # In a thread: the receiver of pages lives in this loop, and must go on answering.
        wanted = await asyncio.to_thread(truth.truth_of, source, settings, until_ms)
        report.events = source.total
        report.compared = truth.rows_compared(wanted)
        report.paging = len(wanted.paging)
        await asyncio.sleep(max(0.0, (until_ms - time.time_ns() // 1_000_000) / 1_000))
        oracle = f"{self._database}_truth"
        with embedded(oracle) as database, embedded(self._database) as found:
            await asyncio.to_thread(migrate_up, database)
            await asyncio.to_thread(truth.store, wanted, database)
            end = time.monotonic() + DRAIN_SECONDS_MAX
            while True:
                report.differences = await asyncio.to_thread(
                    truth.differences, wanted, found, oracle
                )
                report.differences |= truth.pages_that_differ(wanted, receiver, kills_ms)
                report.pages_excused = len(truth.excused(receiver, kills_ms))
                if not report.differing or time.monotonic() > end:
                    break
                await asyncio.sleep(2.0)


@dataclass(frozen=True, slots=True)
class _Around:
    """What faults happen to, beside the broker."""

    facade: Facade
    receiver: PagingReceiver
    processes: Mapping[str, RoleProcess]


async def _break_clickhouse(fault: Fault, facade: Facade) -> None:
    if fault.kind == "refuses":
        down = facade.down()
        await asyncio.to_thread(down.__enter__)
        try:
            await asyncio.sleep(fault.lasts_seconds)
        finally:
            await asyncio.to_thread(down.__exit__, None, None, None)
    elif fault.kind == "slow":
        slow = ClickHouseFault("delay", delay_seconds=fault.lasts_seconds)
        facade.faults += [slow, ClickHouseFault("delay", delay_seconds=fault.lasts_seconds)]
    else:
        facade.faults.append(_one(fault.kind))


async def _break_receiver(fault: Fault, receiver: PagingReceiver) -> None:
    receiver.mode = _RECEIVER_MODES[fault.kind]
    await asyncio.sleep(fault.lasts_seconds)
    receiver.mode = "well"


def _one(kind: str) -> ClickHouseFault:
    given = _CLICKHOUSE_FAULTS[kind]
    return replace(given)


async def run_chaos(plan: Plan, kafka: RealKafka, folder: Path) -> Report:
    """See `Chaos`."""
    with suppress(asyncio.CancelledError):
        return await Chaos(plan, kafka, folder).run()
    raise KeyboardInterrupt
