"""Every topic, declared once, as data."""

from dataclasses import dataclass
from typing import Literal

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic as it should be. `retention_ms` -1: for ever; compaction keeps the newest per key.
    `partitions`: where the number matters to the meaning; else the setting."""

    name: str
    meaning: str
    role: Literal["source", "changelog", "outcome", "control"]
    key: str
    value: str
    cleanup: Literal["delete", "compact", "compact,delete"] = "delete"
    retention_ms: int = 7 * DAY_MS
    max_message_bytes: int = 1_048_588
    min_compaction_lag_ms: int = 0
    max_compaction_lag_ms: int = 0  # what was replaced is gone after that; 0: some day
    partitions: int | None = None
    table: str | None = None  # outcome topics: the ClickHouse table in JSONEachRow


def _source(name: str, entity: str) -> TopicSpec:
    return TopicSpec(
        name, f"{entity} events", "source", f"tenant/source/{entity}_id", f"{entity} event (JSON)"
    )


def _changelog(source: str) -> TopicSpec:
    return TopicSpec(
        f"{source}-changelog",
        f"state, outbox, marker and claims of {source}",
        "changelog",
        "record kind and id",
        "snapshot",
        cleanup="compact",
        retention_ms=-1,
        max_message_bytes=32 * 1024 * 1024,
        min_compaction_lag_ms=6 * 3_600_000,
        max_compaction_lag_ms=7 * DAY_MS,  # as long as the source topic keeps the events
    )


def _outcome(
    table: str,
    key: str,
    meaning: str,
    max_message_bytes: int = 1_048_588,
    retention_ms: int = 14 * DAY_MS,
) -> TopicSpec:
    return TopicSpec(
        f"outcomes-{table.replace('_', '-')}",
        meaning,
        "outcome",
        key,
        f"schemas.outcomes row of {table} (JSON)",
        retention_ms=retention_ms,
        max_message_bytes=max_message_bytes,
        table=table,
    )


TOPICS: tuple[TopicSpec, ...] = (
    _source("tickets", "ticket"),
    _source("calls", "call"),
    _source("surveys", "survey"),
    _source("shifts", "shift"),
    _changelog("tickets"),
    _changelog("calls"),
    _changelog("surveys"),
    _changelog("shifts"),
    _outcome("ticket_clocks", "tenant/source/ticket_id", "one row per clock cycle"),
    _outcome("tickets", "tenant/source/ticket_id", "one row per ticket"),
    _outcome("alert_intents", "alert key", "what a supervisor should hear, per clock cycle"),
    _outcome(
        "dead_letters",
        "topic/partition/offset",
        "what could not be processed, and why",
        max_message_bytes=4 * 1024 * 1024,  # the largest message of a source topic, in base64
        retention_ms=7 * DAY_MS,  # as long as the source topic: they hold what customers wrote
    ),
    _outcome("partition_progress", "topic/partition", "how far each source partition is"),
    _outcome(
        "customer_aliases",
        "tenant/alias",
        "pseudonyms of one customer by an old and a new key",
        retention_ms=7 * DAY_MS,
    ),
    _outcome("audit", "audit id", "who did what that must be accounted for"),
    _outcome("calls", "tenant/source/call_id", "one row per call"),
    _outcome("call_legs", "tenant/source/call_id", "one row per wait and talk of a call"),
    _outcome("surveys", "tenant/source/survey_id", "one row per questionnaire"),
    _outcome("survey_answers", "tenant/source/survey_id", "the answer that counts per question"),
    _outcome("shifts", "tenant/source/shift_id", "one row per presence of an agent"),
    _outcome("call_windows", "window (JSON)", "calls per minute, queue, team and type"),
    _outcome("survey_windows", "window (JSON)", "answers per minute, metric, channel and team"),
    _outcome("shift_windows", "window (JSON)", "time of agents by what they did, per minute"),
    _outcome("clock_windows", "window (JSON)", "clock cycles that ended, per minute"),
    _outcome("ticket_windows", "window (JSON)", "tickets that began and ended, per minute"),
    _outcome("complaint_numbers", "tenant/scope/month/number", "numbers of complaints"),
    _outcome(
        "alert_actions",
        "alert key",
        "acknowledgements and silences, which the notifier follows",
        retention_ms=90 * DAY_MS,  # as long as a notice: an open alert may be so old
    ),
    TopicSpec(
        "complaint-requests",
        "complaints in the order in which they get their numbers: the order is the number",
        "control",
        "tenant/source/ticket_id",
        "schemas.complaints.NumberRequest (JSON)",
        retention_ms=-1,  # not compacted: a complaint's first record counts, for ever
        partitions=1,  # one order of all complaints
    ),
    TopicSpec(
        "notifications",
        "what each receiver has heard of a clock cycle, and what it should",
        "control",
        "alert key",
        "schemas.notifications.Notice (JSON)",
        cleanup="compact,delete",
        retention_ms=90 * DAY_MS,  # of a cycle that nobody has said anything about for so long
        min_compaction_lag_ms=6 * 3_600_000,
    ),
    TopicSpec(
        "policies",
        "policy versions and rejudgements, which every worker follows",
        "control",
        "policy version, or rejudge/ and an instant",
        "schemas.policy_records record (JSON)",
        retention_ms=-1,  # not compacted: the first record of a version counts, for ever
        max_message_bytes=8 * 1024 * 1024,  # a policy file of 1 MiB and the calendars beside it
        partitions=1,  # one order of all versions
    ),
)

BY_NAME = {spec.name: spec for spec in TOPICS}
OUTCOME_TOPIC_OF_TABLE = {spec.table: spec.name for spec in TOPICS if spec.table is not None}


def changelog_of(source_topic: str) -> str:
    """Name of the changelog topic of a source topic."""
    return f"{source_topic}-changelog"
