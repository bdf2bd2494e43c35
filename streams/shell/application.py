"""Puts the roles of one process together: broker, database, page, writer, compute."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from schemas.problems import Problem, ProblemsError
from sinks.clickhouse.client import ClickHouse
from sinks.clickhouse.migrate import migrate_up
from streams.core.policy import PolicyBook
from streams.dashboard.config import DashboardConfig
from streams.dashboard.server import Dashboard
from streams.policies import load_book
from streams.runtime.clock import Clock
from streams.runtime.producer import LoudProducer
from streams.runtime.role import Role
from streams.shell.compute import compute_role
from streams.shell.embedded_broker import EmbeddedBroker
from streams.shell.settings import Settings
from streams.shell.together import run_together, stop_on_signals
from streams.shell.topics_admin import ensure_topics
from streams.shell.writer import writer_role

ROLES = ("dashboard", "writer", "compute")
EMBEDDED = "embedded"


@dataclass(frozen=True, slots=True)
class Parts:
    """What a process has once its surroundings stand: for roles and for what comes beside them."""

    settings: Settings
    clock: Clock
    book: PolicyBook
    database: ClickHouse | None
    producer: LoudProducer
    dashboard: Dashboard | None


Beside = Callable[[Parts], Sequence[Role]]
OnReady = Callable[[Parts], Awaitable[None]]
