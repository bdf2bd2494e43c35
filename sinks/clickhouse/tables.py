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
MAYBE_NUMBER = "Nullable(Float64)"
WIDE_SUM = "Int64"
SKETCH = "Map(Int16, UInt32)"
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

_CALL_ID = Column("call_id", TEXT, "call, as its source names it", "通话")
_SURVEY_ID = Column("survey_id", TEXT, "questionnaire to one person", "问卷")
_CALL_TYPE = Column("call_type", MAYBE_CODE, "kind of call", "来电类型")
_QUEUE = Column("queue", MAYBE_CODE, "queue", "技能组")
_CUSTOMER_ID = Column("customer_id", MAYBE_TEXT, "pseudonym of the customer", "客户")
_OF_TICKET = Column("ticket_id", MAYBE_TEXT, "ticket that it is about", "工单号")
_LEG_TEAM = Column("team", MAYBE_CODE, "team of the agent", "班组")
_LEG_AGENT = Column("agent", MAYBE_CODE, "agent who took it", "座席")
_REMOVED = Column("removed", YES_NO, "late truth took it away")

CALLS = TableSpec(
    "calls",
    "one row per call",
    ("tenant", "source", "call_id"),
    (
        *_ORIGIN,
        _CALL_ID,
        Column("event_time", INSTANT, "its first event"),
        Column("line", MAYBE_CODE, "line that was called", "线路"),
        _CALL_TYPE,
        _PRIORITY,
        _CUSTOMER_ID,
        _OF_TICKET,
        Column("queue", MAYBE_CODE, "queue that it was put into first", "技能组"),
        Column("answered", YES_NO, "somebody took it", "接通"),
        Column("menu_ms", MAYBE_MILLISECONDS, "time in the voice menu", "语音导航时长"),
        Column("abandoned_where", MAYBE_CODE, "ivr, queue or ringing", "放弃位置"),
        Column("abandoned_at", MAYBE_INSTANT, "when the caller gave up", "放弃时间"),
        Column("ended_at", MAYBE_INSTANT, "when it ended"),
        Column("after_call_ms", MAYBE_MILLISECONDS, "after-call work", "话后处理时长"),
        Column("legs", COUNT, "waits and answers it went through"),
        Column("transfers", COUNT, "times transferred", "转接次数"),
        Column("callbacks_requested", COUNT, "callbacks asked for", "请求回拨"),
        Column("callbacks_made", COUNT, "of them made", "已回拨"),
        Column("callback_due_at", MAYBE_INSTANT, "by when the last one was promised"),
        Column("callback_made_at", MAYBE_INSTANT, "when that was made"),
        Column("callbacks_late", COUNT, "made late, or overdue", "逾期回拨"),
        Column("flags", CODES, "what is odd about it", "数据质量标记"),
        _POLICY_VERSION,
        _JUDGED_AT,
    ),
    zh="通话",
    pruned_by=("event_time",),
)

CALL_LEGS = TableSpec(
    "call_legs",
    "one row per wait for an answer and the talk after it",
    ("tenant", "source", "call_id", "leg"),
    (
        *_ORIGIN,
        _CALL_ID,
        Column("leg", COUNT, "number of the leg, from 1"),
        Column("event_time", INSTANT, "queued, or answered without a queue"),
        _QUEUE,
        _LEG_TEAM,
        _LEG_AGENT,
        _CALL_TYPE,
        _CUSTOMER_ID,
        Column(
            "outcome", CODE, "answered, abandoned, callback, transferred, ended or open", "结果"
        ),
        Column("queued_at", MAYBE_INSTANT, "when it was queued"),
        Column("answered_at", MAYBE_INSTANT, "when it was answered"),
        Column("ended_at", MAYBE_INSTANT, "when the talk was over"),
        Column("transferred", YES_NO, "transferred on after the answer", "转接"),
        Column("wait_ms", MAYBE_MILLISECONDS, "wait until it was decided", "等待时长"),
        Column("talk_ms", MAYBE_MILLISECONDS, "talk, without hold", "通话时长"),
        Column("hold_ms", MILLISECONDS, "on hold", "保持时长"),
        Column("after_call_ms", MAYBE_MILLISECONDS, "after-call work", "话后处理时长"),
        Column("answer_due_at", MAYBE_INSTANT, "by when it should be answered"),
        Column("answer_verdict", CODE, "verdict of the answer clock", "接听判定"),
        Column("handle_due_at", MAYBE_INSTANT, "when the time on the phone passes its limit"),
        Column("handle_verdict", CODE, "verdict of the handling clock", "通话时长判定"),
        Column("odd", YES_NO, "its events can't be true: no number counts it"),
        _POLICY_VERSION,
        _JUDGED_AT,
        _REMOVED,
    ),
    zh="通话段",
    removed="removed",
    pruned_by=("event_time",),
)

SURVEYS = TableSpec(
    "surveys",
    "one row per questionnaire to one person",
    ("tenant", "source", "survey_id"),
    (
        *_ORIGIN,
        _SURVEY_ID,
        Column("event_time", INSTANT, "its first event"),
        Column("sent_at", MAYBE_INSTANT, "when it was sent", "发送时间"),
        Column("answered_at", MAYBE_INSTANT, "its first answer", "回答时间"),
        Column("expired_at", MAYBE_INSTANT, "when nobody would answer any more"),
        _OF_TICKET,
        Column("call_id", MAYBE_TEXT, "call that it is about", "通话"),
        _CUSTOMER_ID,
        _CHANNEL,
        _LEG_TEAM,
        _LEG_AGENT,
        Column("answers", COUNT, "answers that count", "有效回答"),
        Column("flags", CODES, "what is odd about it", "数据质量标记"),
        _POLICY_VERSION,
        _JUDGED_AT,
    ),
    zh="满意度问卷",
    pruned_by=("event_time",),
)

SURVEY_ANSWERS = TableSpec(
    "survey_answers",
    "the answer that counts to each question",
    ("tenant", "source", "survey_id", "metric", "question"),
    (
        *_ORIGIN,
        _SURVEY_ID,
        Column("metric", CODE, "csat, nps, ces, servqual, reputation, audit or employee", "指标"),
        Column("question", CODE, "question", "题目"),
        Column("event_time", INSTANT, "when it was answered", "回答时间"),
        Column("dimension", MAYBE_CODE, "dimension of SERVQUAL or of the reputation index", "维度"),
        Column("score", MAYBE_NUMBER, "score; null: taken back", "评分"),
        Column("expectation", MAYBE_NUMBER, "what was expected (SERVQUAL)", "期望"),
        Column("satisfied", YES_NO, "score in the satisfied part of the scale", "满意"),
        _OF_TICKET,
        Column("call_id", MAYBE_TEXT, "call that it is about", "通话"),
        _CUSTOMER_ID,
        _CHANNEL,
        _LEG_TEAM,
        _LEG_AGENT,
        _POLICY_VERSION,
        _JUDGED_AT,
        _REMOVED,
    ),
    zh="问卷回答",
    removed="removed",
    pruned_by=("event_time",),
)

SHIFTS = TableSpec(
    "shifts",
    "one row per presence of an agent, from signing in to signing out",
    ("tenant", "source", "shift_id"),
    (
        *_ORIGIN,
        Column("shift_id", TEXT, "one presence of one agent", "班次"),
        Column("event_time", INSTANT, "its first event"),
        Column("agent", MAYBE_CODE, "agent; null: nobody has signed in yet", "座席"),
        _LEG_TEAM,
        Column("began_at", MAYBE_INSTANT, "when the agent signed in", "签入时间"),
        Column("ended_at", MAYBE_INSTANT, "when the agent signed out", "签出时间"),
        Column("state", MAYBE_CODE, "what the agent does now; null: gone", "座席状态"),
        Column("state_since", MAYBE_INSTANT, "since when"),
        Column("busy_ms", MILLISECONDS, "on contacts and after-contact work", "工作时长"),
        Column("idle_ms", MILLISECONDS, "available, waiting for a contact", "空闲时长"),
        Column("away_ms", MILLISECONDS, "on break or away", "离席时长"),
        Column("flags", CODES, "what is odd about it", "数据质量标记"),
        _POLICY_VERSION,
        _JUDGED_AT,
    ),
    zh="座席班次",
    pruned_by=("event_time",),
)

_WINDOW_START = Column("window_start", INSTANT, "beginning of the minute of event time", "统计时段")


def _dimension(name: str, meaning: str, zh: str) -> Column:
    return Column(name, CODE, f"{meaning}; empty: unknown", zh)


def _window_key(*dimensions: str) -> tuple[str, ...]:
    return ("tenant", "window_start", *dimensions, "source", "source_partition")


CALL_WINDOWS = TableSpec(
    "call_windows",
    "calls per minute, queue, team and type: absolute sums of one source partition",
    _window_key("queue", "team", "call_type"),
    (
        *_ORIGIN,
        _WINDOW_START,
        _dimension("queue", "queue", "技能组"),
        _dimension("team", "team that answered", "班组"),
        _dimension("call_type", "kind of call", "来电类型"),
        Column("entered", COUNT, "calls that reached the voice menu, by entry", "呼入量"),
        Column("menu_abandoned", COUNT, "of them given up in the menu", "导航放弃"),
        Column("queued", COUNT, "waits that were decided in the minute", "排队量"),
        Column("answered", COUNT, "of them answered", "接通量"),
        Column("answered_within", COUNT, "answered within the queue's threshold", "时限内接通"),
        Column("abandoned", COUNT, "given up, short ones included", "放弃量"),
        Column("abandoned_within", COUNT, "given up within the threshold", "时限内放弃"),
        Column("short_abandoned", COUNT, "given up sooner than anybody could answer", "短时放弃"),
        Column("callbacks_within", COUNT, "changed to a callback within the threshold"),
        Column("callbacks_requested", COUNT, "callbacks asked for, by request", "请求回拨"),
        Column("callbacks_made", COUNT, "of them made", "已回拨"),
        Column("callbacks_late", COUNT, "made late, or overdue", "逾期回拨"),
        Column("flow_outs", COUNT, "moved on or ended without an answer", "溢出"),
        Column("wait_sum_ms", WIDE_SUM, "waits of answered ones, ms", "等待总时长"),
        Column("handled", COUNT, "talks that ended in the minute", "处理量"),
        Column("talk_sum_ms", WIDE_SUM, "their talk, ms", "通话总时长"),
        Column("hold_sum_ms", WIDE_SUM, "their hold, ms", "保持总时长"),
        Column("after_call_sum_ms", WIDE_SUM, "their after-call work, ms", "话后总时长"),
        Column("over_aim", COUNT, "on the phone for longer than the aim (3 min)", "超3分钟"),
        Column("over_limit", COUNT, "on the phone for longer than the limit (5 min)", "超5分钟"),
        Column("transfers", COUNT, "talks that ended in a transfer", "转接量"),
        Column("wait_sketch", SKETCH, "waits of answered ones by bucket", "等待分布"),
        Column("handle_sketch", SKETCH, "handle times by bucket", "处理时长分布"),
    ),
    zh="话务时段统计",
    pruned_by=("window_start",),
)

SURVEY_WINDOWS = TableSpec(
    "survey_windows",
    "answers per minute, metric, dimension, channel and team: absolute sums of one source partition",
    _window_key("metric", "dimension", "channel", "team"),
    (
        *_ORIGIN,
        _WINDOW_START,
        Column("metric", CODE, "metric asked; empty: the questionnaire itself", "指标"),
        _dimension("dimension", "dimension of the metric", "维度"),
        _dimension("channel", "channel", "渠道"),
        _dimension("team", "team that is rated", "班组"),
        Column("sent", COUNT, "questionnaires sent, by sending", "发送量"),
        Column("sent_answered", COUNT, "of them answered", "已回答"),
        Column("responses", COUNT, "answers that count, by answer", "有效回答"),
        Column("satisfied", COUNT, "answers in the satisfied part of the scale", "满意数"),
        Column("promoters", COUNT, "NPS 9–10", "推荐者"),
        Column("detractors", COUNT, "NPS 0–6", "贬损者"),
        Column("top_box", COUNT, "CES answers in the two best boxes", "轻松数"),
        Column("yes", COUNT, "yes to a question of the reputation index", "肯定数"),
        Column("score_sum_thousandths", WIDE_SUM, "scores, in thousandths", "评分合计"),
        Column("pairs", COUNT, "SERVQUAL answers with an expectation", "配对数"),
        Column("perception_sum_thousandths", WIDE_SUM, "their perceptions", "感知合计"),
        Column("expectation_sum_thousandths", WIDE_SUM, "their expectations", "期望合计"),
    ),
    zh="满意度时段统计",
    pruned_by=("window_start",),
)

SHIFT_WINDOWS = TableSpec(
    "shift_windows",
    "time of agents by what they did, in the minutes in which it passed: absolute sums of one source partition",
    _window_key("team"),
    (
        *_ORIGIN,
        _WINDOW_START,
        _dimension("team", "team of the agents", "班组"),
        Column("agents_began", COUNT, "agents who signed in", "签入人数"),
        Column("busy_sum_ms", WIDE_SUM, "on contacts and after-contact work, ms", "工作时长合计"),
        Column("idle_sum_ms", WIDE_SUM, "available, waiting for a contact, ms", "空闲时长合计"),
        Column("away_sum_ms", WIDE_SUM, "on break or away, ms", "离席时长合计"),
    ),
    zh="座席时段统计",
    pruned_by=("window_start",),
)

CLOCK_WINDOWS = TableSpec(
    "clock_windows",
    "clock cycles that ended, per minute of their end: absolute sums of one source partition",
    _window_key("clock", "team", "tier", "priority", "ticket_type"),
    (
        *_ORIGIN,
        _WINDOW_START,
        _CLOCK,
        _dimension("team", "team that held the ticket at the end", "责任部门"),
        _dimension("tier", "customer tier", "客户分级"),
        _dimension("priority", "priority", "优先级"),
        _dimension("ticket_type", "ticket type", "工单类型"),
        Column("met", COUNT, "cycles that kept their promise", "达标"),
        Column("breached", COUNT, "cycles that broke it", "逾期"),
        Column("elapsed_sum_ms", WIDE_SUM, "their working time, ms", "用时合计"),
        Column("elapsed_sketch", SKETCH, "their working time by bucket", "用时分布"),
    ),
    zh="时限时段统计",
    pruned_by=("window_start",),
)

TICKET_WINDOWS = TableSpec(
    "ticket_windows",
    "tickets that began and ended, per minute: absolute sums of one source partition",
    _window_key("ticket_type", "team", "tier", "channel"),
    (
        *_ORIGIN,
        _WINDOW_START,
        _dimension("ticket_type", "ticket type", "工单类型"),
        _dimension("team", "team that holds the ticket", "责任部门"),
        _dimension("tier", "customer tier", "客户分级"),
        _dimension("channel", "channel", "渠道"),
        Column("created", COUNT, "tickets created", "新建"),
        Column("solved", COUNT, "tickets solved, by their last solving", "已解决"),
        Column("closed", COUNT, "tickets closed", "已关闭"),
        Column("reopened_solved", COUNT, "of the solved, those reopened before", "重开后解决"),
        Column("lifetime_sum_ms", WIDE_SUM, "creation to solving, ms", "解决时长合计"),
        Column("lifetime_sketch", SKETCH, "creation to solving by bucket", "解决时长分布"),
    ),
    zh="工单时段统计",
    pruned_by=("window_start",),
)

COMPLAINT_NUMBERS = TableSpec(
    "complaint_numbers",
    "numbers of complaints: gap-free per scope and month, handed out once",
    ("tenant", "scope", "month", "number"),
    (
        Column("tenant", CODE, "tenant", "租户"),
        Column("scope", CODE, "what the numbers run within", "编号范围"),
        Column("month", CODE, "YYYYMM of the complaint's beginning, by the zone of the numbers"),
        Column("number", COUNT, "running number within scope and month", "序号"),
        Column("complaint_number", TEXT, "YYYYMM-NNNN", "客诉编号"),
        Column("source", CODE, "source system", "来源系统"),
        _TICKET_ID,
        Column("event_time", INSTANT, "when the complaint began"),
        _RECORDED_AT,
        Column("version", BIG_COUNT, "the highest wins"),
    ),
    zh="客诉编号",
)

ALERT_ACTIONS = TableSpec(
    "alert_actions",
    "acknowledgements and silences: who did what about an alert",
    ("key", "action_id"),
    (
        Column("key", TEXT, "key of the alert"),
        Column("action_id", TEXT, "id of the action"),
        Column("event_time", INSTANT, "when it was done", "处理时间"),
        Column("action", CODE, "acknowledge, release, silence or unsilence", "操作"),
        Column("until_at", MAYBE_INSTANT, "until when it holds"),
        Column("actor", TEXT, "who did it", "操作人"),
        Column("reason", TEXT, "why, as told", "原因"),
        Column("version", BIG_COUNT, "the highest wins"),
    ),
    zh="预警确认与静默",
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
    CALLS,
    CALL_LEGS,
    SURVEYS,
    SURVEY_ANSWERS,
    SHIFTS,
    CALL_WINDOWS,
    SURVEY_WINDOWS,
    SHIFT_WINDOWS,
    CLOCK_WINDOWS,
    TICKET_WINDOWS,
    COMPLAINT_NUMBERS,
    ALERT_ACTIONS,
)
BY_NAME = {table.name: table for table in TABLES}
