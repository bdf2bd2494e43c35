"""Every table as data: columns, meaning, key. DDL, views, the memory sink and tests follow from it.

Two decisions hold for all of them.

* `ReplacingMergeTree(version)` ordered by the natural key: a row is absolute, the highest version wins.
* No partitions. FINAL reads only the partitions that a filter leaves over, so a row whose
  partition column changed (late truth moves `event_time`, `due_at`, `breach_at`) would come back in
  its old shape; a hostile broker timestamp would open a partition per row. Skip indexes on the
  instants do the pruning instead; ClickHouse re-checks them under FINAL.
"""

from dataclasses import dataclass
from typing import Literal

TEXT = "String"
CODE = "LowCardinality(String)"
MAYBE_CODE = "LowCardinality(Nullable(String))"
MAYBE_TEXT = "Nullable(String)"
INSTANT = "DateTime64(3, 'UTC')"
MAYBE_INSTANT = "Nullable(DateTime64(3, 'UTC'))"
COUNT = "UInt32"
BIG_COUNT = "UInt64"
MILLISECONDS = "Int64"
MAYBE_MILLISECONDS = "Nullable(Int64)"
YES_NO = "Bool"
CODES = "Array(LowCardinality(String))"
TEXTS_BY_NAME = "Map(LowCardinality(String), String)"


@dataclass(frozen=True, slots=True)
class Column:
    """A column with its ClickHouse type and its meaning; `zh` is the rule-books' term."""

    name: str
    type: str
    meaning: str
    zh: str = ""

    @property
    def comment(self) -> str:
        return f"{self.meaning} ({self.zh})" if self.zh else self.meaning


@dataclass(frozen=True, slots=True)
class TableSpec:
    """A table. `key` is the natural key and the sort order; `removed` marks rows that ended to exist."""

    name: str
    meaning: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    zh: str = ""
    removed: Literal["removed", ""] = ""
    pruned_by: tuple[str, ...] = ()

    @property
    def comment(self) -> str:
        return f"{self.meaning} ({self.zh})" if self.zh else self.meaning

    @property
    def view(self) -> str:
        """The current rows only: what people and dashboards read."""
        return f"v_{self.name}"

    def column(self, name: str) -> Column:
        """The column of that name; KeyError when there is none."""
        return {column.name: column for column in self.columns}[name]


_ORIGIN = (
    Column("tenant", CODE, "tenant", "租户"),
    Column("source", CODE, "source system", "来源系统"),
    Column("source_partition", COUNT, "source partition that made the row"),
    Column("version", BIG_COUNT, "checkpoint number of that partition; the highest wins"),
)
_POLICY_VERSION = Column("policy_version", CODE, "content hash of the policy that judged")
_JUDGED_AT = Column("judged_at", INSTANT, "the pipeline's now when the row was made")
_TICKET_ID = Column("ticket_id", TEXT, "ticket, as its source names it", "工单号")
_CLOCK = Column("clock", CODE, "clock of the policy", "时限")
_CYCLE_ID = Column("cycle_id", TEXT, "event that opened the cycle")
_DUE_AT = Column("due_at", MAYBE_INSTANT, "instant by which the clock must stop", "到期时间")
_BREACH_AT = Column("breach_at", MAYBE_INSTANT, "instant of the breach", "逾期时间")
_TEAM = Column("team", MAYBE_CODE, "team that holds the ticket now", "责任部门")
_AGENT = Column("agent", MAYBE_CODE, "agent who holds the ticket now", "责任人")
_TIER = Column("tier", MAYBE_CODE, "customer tier", "客户分级")
_PRIORITY = Column("priority", MAYBE_CODE, "priority", "优先级")
_TICKET_TYPE = Column("ticket_type", MAYBE_CODE, "ticket type", "工单类型")
_CHANNEL = Column("channel", MAYBE_CODE, "channel", "渠道")
_RECORDED_AT = Column("recorded_at", INSTANT, "the pipeline's now when it became known")

TICKET_CLOCKS = TableSpec(
    "ticket_clocks",
    "one row per cycle of a clock of a ticket",
    ("tenant", "source", "ticket_id", "clock", "cycle_id"),
    (
        *_ORIGIN,
        _TICKET_ID,
        _CLOCK,
        _CYCLE_ID,
        Column("cycle_ordinal", COUNT, "number of the cycle, for display"),
        Column("kind", CODE, "sla, ola or uc"),
        Column("event_time", INSTANT, "when the cycle opened"),
        Column("state", CODE, "running, paused, met, breached, void or no_target"),
        Column("verdict", CODE, "pending, met, breached, void or no_target", "判定"),
        Column(
            "target_ms", MAYBE_MILLISECONDS, "target in force, working milliseconds", "时限目标"
        ),
        _DUE_AT,
        Column("next_due_at", MAYBE_INSTANT, "due instant while the clock runs"),
        Column("stopped_at", MAYBE_INSTANT, "when the clock stopped"),
        Column("withdrawn_at", MAYBE_INSTANT, "when cancel, merge or exclusion ended it"),
        Column("elapsed_ms", MILLISECONDS, "working milliseconds used", "已用时"),
        Column("breached", YES_NO, "the due instant passed without a stop", "逾期"),
        _BREACH_AT,
        Column("breach_reason", MAYBE_CODE, "deadline, target_shortened or due_before_start"),
        Column("at_risk_at", MAYBE_INSTANT, "first at-risk mark reached", "预警时间"),
        _TEAM,
        _AGENT,
        Column("breach_team", MAYBE_CODE, "team that held the ticket at the breach"),
        Column("breach_agent", MAYBE_CODE, "agent who held the ticket at the breach"),
        Column("largest_team", MAYBE_CODE, "team that used most of the budget"),
        _TIER,
        _PRIORITY,
        _TICKET_TYPE,
        _CHANNEL,
        Column("external_verdict", MAYBE_CODE, "what the source itself says; never used to judge"),
        Column("flags", CODES, "marks on how the cycle was judged"),
        _POLICY_VERSION,
        Column("rule", MAYBE_CODE, "policy rule that matched"),
        _JUDGED_AT,
        Column("removed", YES_NO, "late truth took the cycle away"),
    ),
    zh="工单时限",
    removed="removed",
    pruned_by=("event_time", "breach_at", "next_due_at"),
)

TICKETS = TableSpec(
    "tickets",
    "one row per ticket",
    ("tenant", "source", "ticket_id"),
    (
        *_ORIGIN,
        _TICKET_ID,
        Column("event_time", INSTANT, "created, or the first known event"),
        Column("status", CODE, "status category", "状态"),
        Column("source_status", MAYBE_CODE, "status as the source names it"),
        Column("open", YES_NO, "still to be worked on", "未结"),
        _TICKET_TYPE,
        _PRIORITY,
        _TIER,
        _CHANNEL,
        _TEAM,
        _AGENT,
        Column("first_agent", MAYBE_CODE, "first-contact responsibility", "首问负责制"),
        Column("customer_id", MAYBE_TEXT, "pseudonym of the customer", "客户"),
        Column("stage", MAYBE_CODE, "stage of the process it is in", "处理阶段"),
        Column("solved_at", MAYBE_INSTANT, "when it was solved", "解决时间"),
        Column("closed_at", MAYBE_INSTANT, "when it was closed", "关闭时间"),
        Column("reopen_count", COUNT, "times reopened", "重开次数"),
        Column("reassignment_count", COUNT, "times reassigned", "转派次数"),
        Column("event_count", COUNT, "events known"),
        Column("last_event_at", INSTANT, "its latest event"),
        Column("merged_into", MAYBE_TEXT, "ticket that goes on instead"),
        Column("attributes", TEXTS_BY_NAME, "further attributes of the source"),
        Column("flags", CODES, "marks on how the ticket was read"),
        _POLICY_VERSION,
        _JUDGED_AT,
    ),
    zh="工单",
    pruned_by=("event_time",),
)

ALERT_INTENTS = TableSpec(
    "alert_intents",
    "what a supervisor should hear, per clock cycle",
    ("key",),
    (
        *_ORIGIN,
        Column("key", TEXT, "sla:{ticket}:{clock}:{cycle_id}"),
        _TICKET_ID,
        _CLOCK,
        _CYCLE_ID,
        Column("event_time", INSTANT, "when the cycle opened"),
        Column("level", CODE, "at_risk, breach, retracted or resolved", "逾期反应"),
        _DUE_AT,
        _BREACH_AT,
        Column("page_at", MAYBE_INSTANT, "not to be paged before this instant"),
        Column("open", YES_NO, "the cycle is still open"),
        _TEAM,
        _AGENT,
        _TIER,
        _PRIORITY,
        _POLICY_VERSION,
        _RECORDED_AT,
    ),
    zh="预警与逾期通知",
    pruned_by=("recorded_at",),
)

DEAD_LETTERS = TableSpec(
    "dead_letters",
    "what could not be processed, and why",
    ("topic", "partition", "offset"),
    (
        Column("topic", CODE, "topic it was read from"),
        Column("partition", COUNT, "its partition"),
        Column("offset", BIG_COUNT, "its offset"),
        Column("reason", CODE, "reason code", "原因"),
        Column("detail", TEXT, "what exactly was wrong"),
        Column("key", TEXT, "the record's key, base64"),
        Column("original", TEXT, "the record's value, base64"),
        Column("original_bytes", BIG_COUNT, "length of the value"),
        Column("event_time", INSTANT, "the broker's timestamp of the record"),
        _RECORDED_AT,
        Column("version", BIG_COUNT, "the highest wins"),
    ),
    zh="无法处理的消息",
    pruned_by=("recorded_at",),
)

PARTITION_PROGRESS = TableSpec(
    "partition_progress",
    "how far each source partition is",
    ("topic", "partition"),
    (
        Column("topic", CODE, "source topic"),
        Column("partition", COUNT, "source partition"),
        Column("version", BIG_COUNT, "checkpoint number; the highest wins"),
        Column("position", BIG_COUNT, "next source offset"),
        Column("event_time", INSTANT, "watermark: latest effective instant seen"),
        Column("clock_now", INSTANT, "the pipeline's now, maybe virtual"),
        Column("recorded_at", INSTANT, "wall clock at the checkpoint"),
        Column("entities", BIG_COUNT, "tickets, calls or surveys held"),
        Column("open_timers", BIG_COUNT, "instants waited for"),
        Column("events_total", BIG_COUNT, "events taken"),
        Column("rejected_total", BIG_COUNT, "events rejected"),
    ),
    zh="处理进度",
)

CUSTOMER_ALIASES = TableSpec(
    "customer_aliases",
    "pseudonyms of one customer by an old and a new key",
    ("tenant", "alias"),
    (
        Column("tenant", CODE, "tenant", "租户"),
        Column("alias", TEXT, "pseudonym that an older key made"),
        Column("customer_id", TEXT, "pseudonym that counts now", "客户"),
        Column("event_time", INSTANT, "when the edge saw both"),
        Column("version", BIG_COUNT, "the highest wins"),
    ),
    zh="客户别名",
)

AUDIT = TableSpec(
    "audit",
    "who did what that must be accounted for",
    ("audit_id",),
    (
        Column("audit_id", TEXT, "id of the entry"),
        Column("event_time", INSTANT, "when it was done"),
        Column("actor", TEXT, "who did it"),
        Column("action", CODE, "what was done"),
        Column("subject", TEXT, "what it was done to; of a customer only a hash"),
        Column("detail", TEXT, "counts and reasons"),
        Column("version", BIG_COUNT, "the highest wins"),
    ),
    zh="审计",
    pruned_by=("event_time",),
)

TABLES = (
    TICKET_CLOCKS,
    TICKETS,
    ALERT_INTENTS,
    DEAD_LETTERS,
    PARTITION_PROGRESS,
    CUSTOMER_ALIASES,
    AUDIT,
)
BY_NAME = {table.name: table for table in TABLES}
