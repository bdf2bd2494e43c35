"""Puts the roles of one process together: broker, topics, database, page, writer, compute."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from schemas.problems import Problem, ProblemsError
from sinks.clickhouse.client import ClickHouse
from sinks.clickhouse.migrate import migrate_up
from sinks.clickhouse.retention import Keeping, apply_retention
from sinks.contract import SinkError
from sinks.receivers.contract import Receiver
from streams.core.policy import PolicyBook
from streams.dashboard.config import DashboardConfig, DemoClock
from streams.dashboard.server import Dashboard, dashboard_role
from streams.policies import load_book
from streams.runtime.clock import Clock, SystemClock, VirtualClock
from streams.runtime.producer import LoudProducer
from streams.runtime.role import Role
from streams.shell.compute import STALE_CHECKPOINTS_MAX, Compute, compute_role
from streams.shell.customers import customer_ids_of
from streams.shell.database import keeping_of, open_database
from streams.shell.embedded_broker import SESSION_SECONDS, EmbeddedBroker
from streams.shell.health import HealthServer, health_problems
from streams.shell.kafka_security import security_of
from streams.shell.lifecycle import Lifecycle
from streams.shell.notifier import notifier_role
from streams.shell.receivers import receivers_of
from streams.shell.registrar import Registrar
from streams.shell.settings import Settings, listed
from streams.shell.telemetry import telemetry_of
from streams.shell.together import run_together, stop_on_signals
from streams.shell.topics_admin import ensure_topics
from streams.shell.watchdog import Heartbeat, Watchdog
from streams.shell.writer import writer_role

log = logging.getLogger(__name__)

# In the order of starting; stopped in reverse: compute first, so that the writer gets its last rows.
ROLES = ("dashboard", "writer", "notifier", "registrar", "compute")
EMBEDDED = "embedded"


@dataclass(frozen=True, slots=True)
class Parts:
    """What a process has once its surroundings stand: for roles and for what comes beside them.

    `settings.broker_url` is an address, also when the broker is embedded (`broker` then).
    """

    settings: Settings
    clock: Clock
    book: PolicyBook
    database: ClickHouse | None
    producer: LoudProducer
    broker: EmbeddedBroker | None = None


@dataclass(frozen=True, slots=True)
class Extras:
    """What the demo adds: a clock of its own (made once everything stands), roles beside the others, a
    title, a zone."""

    make_clock: Callable[[], Clock] = SystemClock
    beside: Callable[[Parts], Sequence[Role]] = lambda _parts: ()
    title: str = "ticketpulse"
    zone: str = "UTC"


Told = Callable[[Dashboard | None], Awaitable[None]]


async def run_roles(
    settings: Settings, roles: Sequence[str], told: Told, extras: Extras | None = None
) -> None:
    """Run roles until Ctrl-C or SIGTERM, or until one of them breaks (its error is raised).

    `told` is awaited once all have started. ProblemsError names what keeps them from starting. This
    is the process's whole work: its watchdog goes on until the process has ended.
    """
    extras = extras or Extras()
    life = Lifecycle()
    _check(settings, roles)
    book = load_book(settings.policy)
    stop = asyncio.Event()
    watchdog = Watchdog(life, settings.watchdog_seconds, settings.stop_seconds_max)
    watchdog.start()
    with stop_on_signals(stop, life):
        # A Ctrl-C that came before takes effect here, while there is nothing to be undone yet.
        await asyncio.sleep(0)
        async with _parts(settings, roles, book, extras) as parts:
            receivers = receivers_of(parts.settings, _clock_labels(parts.book))
            made = [
                _role(name, parts, extras, receivers)
                for name in ROLES
                if name in roles and (name != "notifier" or receivers or len(roles) == 1)
            ]
            dashboard = next((role for role in made if isinstance(role, Dashboard)), None)
            compute = next((role for role in made if isinstance(role, Compute)), None)
            if dashboard is not None and compute is not None:
                dashboard.explain_with(compute)
            watch = [] if parts.broker is None else [BrokerWatch(parts.broker)]
            working = [*watch, *made, *extras.beside(parts)]
            together = _watched(settings, working, life, watchdog)
            limit = settings.stop_seconds_max
            await run_together(together, stop, lambda: told(dashboard), life, limit)


def _watched(
    settings: Settings, roles: Sequence[Role], life: Lifecycle, watchdog: Watchdog
) -> list[Role]:
    """The roles with what tells of them around: it is started before them and stopped after them."""
    heartbeat = Heartbeat(roles, settings.checkpoint_age_seconds_max)
    watchdog.listen_to(heartbeat)
    if not settings.health_port:
        return [heartbeat, *roles]
    telemetry = telemetry_of(roles, heartbeat)
    return [HealthServer(settings, roles, life, telemetry), heartbeat, *roles]


class BrokerWatch:
    """A role that breaks, and so stops the others, when the embedded broker is gone: what was in it is
    lost, and nothing could be said about what is still true."""

    name = "embedded broker"

    def __init__(self, broker: EmbeddedBroker) -> None:
        self._broker = broker

    async def start(self) -> None:
        return

    async def run(self) -> None:
        await self._broker.until_ended()

    async def stop(self) -> None:
        """The broker itself is ended last, after everything that talks to it."""

    def healthy(self) -> str | None:
        return None


def _check(settings: Settings, roles: Sequence[str]) -> None:
    """An embedded part has one owner: it only serves where all its users run in this process."""
    problems: list[Problem] = []
    alone = set(roles) != set(ROLES)
    if alone and settings.broker_url == EMBEDDED:
        what = "the embedded broker lives inside one process, but this role runs alone"
        hint = "set TICKETPULSE_BROKER_URL=host:port, or run everything with `ticketpulse up`"
        problems.append(Problem("broker_url", what, hint))
    if alone and settings.clickhouse_url == EMBEDDED and {"writer", "dashboard"} & set(roles):
        what = "the embedded ClickHouse has one owner, but this role runs alone"
        hint = "set TICKETPULSE_CLICKHOUSE_URL=http://host:8123, or run `ticketpulse up`"
        problems.append(Problem("clickhouse_url", what, hint))
    problems += health_problems(settings)
    problems += _unknown_zone(settings)
    problems += _too_impatient(settings)
    if problems:
        raise ProblemsError(*problems)


def _unknown_zone(settings: Settings) -> Iterator[Problem]:
    try:
        ZoneInfo(settings.complaint_zone)
    except (ZoneInfoNotFoundError, ValueError):
        what = f"{settings.complaint_zone!r} is no IANA zone"
        yield Problem("complaint_zone", what, "write it as Asia/Shanghai")


def _too_impatient(settings: Settings) -> Iterator[Problem]:
    """A worker must be told to be in trouble before it is ended for it."""
    least = STALE_CHECKPOINTS_MAX * settings.idle_checkpoint_seconds
    if 0 < settings.checkpoint_age_seconds_max < least:
        what = f"a checkpoint may be {least:g} s old before it means trouble"
        hint = f"raise it to {least:g} or more, or lower TICKETPULSE_IDLE_CHECKPOINT_SECONDS"
        yield Problem("checkpoint_age_seconds_max", what, hint)


@asynccontextmanager
async def _parts(
    settings: Settings, roles: Sequence[str], book: PolicyBook, extras: Extras
) -> AsyncIterator[Parts]:
    async with AsyncExitStack() as stack:
        database: ClickHouse | None = None
        if {"writer", "dashboard"} & set(roles):
            database = open_database(settings)
            stack.callback(database.close)
            await asyncio.to_thread(_migrate, database, keeping_of(settings))
        broker = EmbeddedBroker() if settings.broker_url == EMBEDDED else None
        if broker is not None:
            stack.push_async_callback(broker.stop)
            address = await broker.start()
            settings = settings.model_copy(
                update={
                    "broker_url": address,
                    "session_timeout_seconds": SESSION_SECONDS,
                    "kafka_security": "plaintext",
                    "worker_id": "",  # its groups know no static membership, and end with it anyway
                }
            )
        await asyncio.to_thread(_topics, settings)
        producer = LoudProducer(
            settings.broker_url,
            client_id=f"{settings.group}-{'-'.join(roles)}",
            topic_prefix=settings.topic_prefix,
            idempotent=broker is None,
            security=security_of(settings),
        )
        stack.push_async_callback(producer.stop)
        await producer.start()
        yield Parts(settings, extras.make_clock(), book, database, producer, broker)


def _topics(settings: Settings) -> None:
    plan = ensure_topics(
        settings.broker_url,
        settings.partitions,
        settings.topic_prefix,
        security=security_of(settings),
    )
    for item in plan.drift:
        differing = ", ".join(f"{key} is {is_}" for key, (_, is_) in item.settings.items())
        log.warning("topic %s differs: %s; see `ticketpulse topics plan`", item.topic, differing)


def _migrate(database: ClickHouse, keeping: Keeping) -> None:
    try:
        migrate_up(database)
        apply_retention(database, keeping)
    except SinkError as error:
        hint = "try again" if error.retriable else "see `ticketpulse migrate status`"
        raise ProblemsError(Problem("ClickHouse", str(error), hint)) from error


def _role(name: str, parts: Parts, extras: Extras, receivers: Sequence[Receiver]) -> Role:
    if name == "compute":
        return compute_role(parts.settings, parts.book, parts.clock, parts.producer)
    if name == "notifier":
        return notifier_role(parts.settings, parts.clock, parts.producer, receivers)
    if name == "registrar":
        return Registrar(parts.settings, parts.clock, parts.producer)
    assert parts.database is not None
    if name == "writer":
        return writer_role(parts.settings, parts.database, parts.clock)
    assert name == "dashboard", f"no role {name}"
    config = _dashboard_config(parts, extras)
    return dashboard_role(config, parts.database, parts.clock, parts.producer)


def _dashboard_config(parts: Parts, extras: Extras) -> DashboardConfig:
    settings, clock = parts.settings, parts.clock
    return DashboardConfig(
        host=settings.http_host,
        port=settings.http_port,
        token=settings.http_token.get_secret_value(),
        supervisor_token=settings.http_supervisor_token.get_secret_value(),
        viewer_token=settings.http_viewer_token.get_secret_value(),
        stale_after_seconds=settings.stale_after_seconds,
        ingest_bytes_max=settings.ingest_bytes_max,
        tenant=settings.tenant,
        customers=customer_ids_of(settings),
        allowed_hosts=listed(settings.http_names),
        trusted_proxies=listed(settings.trusted_proxies),
        proxy_user_header=settings.proxy_user_header,
        proxy_role_header=settings.proxy_role_header,
        customer_measures=parts.book.as_of(clock.now_ms()).measures.customers,
        compute_urls=listed(settings.compute_urls),
        compute_token=settings.health_token.get_secret_value(),
        title=extras.title,
        demo=DemoClock(clock.start_ms, clock.speed) if isinstance(clock, VirtualClock) else None,
        zone=extras.zone,
        clock_labels=_clock_labels(parts.book),
    )


def _clock_labels(book: PolicyBook) -> dict[str, Mapping[str, str]]:
    """What people call the clocks; of the newest version that has one."""
    return {clock.id: clock.labels for policy in book.policies for clock in policy.clocks}
