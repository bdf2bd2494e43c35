CREATE TABLE IF NOT EXISTS ticket_clocks${on_cluster}
(
    tenant LowCardinality(String) COMMENT 'tenant (租户)',
    source LowCardinality(String) COMMENT 'source system (来源系统)',
    source_partition UInt32 COMMENT 'source partition that made the row',
    version UInt64 COMMENT 'checkpoint number of that partition; the highest wins',
    ticket_id String COMMENT 'ticket, as its source names it (工单号)',
    clock LowCardinality(String) COMMENT 'clock of the policy (时限)',
    cycle_id String COMMENT 'event that opened the cycle',
    cycle_ordinal UInt32 COMMENT 'number of the cycle, for display',
    kind LowCardinality(String) COMMENT 'sla, ola or uc',
    event_time DateTime64(3, 'UTC') COMMENT 'when the cycle opened',
    state LowCardinality(String) COMMENT 'running, paused, met, breached, void or no_target',
    verdict LowCardinality(String) COMMENT 'pending, met, breached, void or no_target (判定)',
    target_ms Nullable(Int64) COMMENT 'target in force, working milliseconds (时限目标)',
    due_at Nullable(DateTime64(3, 'UTC')) COMMENT 'instant by which the clock must stop (到期时间)',
    next_due_at Nullable(DateTime64(3, 'UTC')) COMMENT 'due instant while the clock runs',
    stopped_at Nullable(DateTime64(3, 'UTC')) COMMENT 'when the clock stopped',
    withdrawn_at Nullable(DateTime64(3, 'UTC')) COMMENT 'when cancel, merge or exclusion ended it',
    elapsed_ms Int64 COMMENT 'working milliseconds used (已用时)',
    breached Bool COMMENT 'the due instant passed without a stop (逾期)',
    breach_at Nullable(DateTime64(3, 'UTC')) COMMENT 'instant of the breach (逾期时间)',
    breach_reason LowCardinality(Nullable(String)) COMMENT 'deadline, target_shortened or due_before_start',
    at_risk_at Nullable(DateTime64(3, 'UTC')) COMMENT 'first at-risk mark reached (预警时间)',
    team LowCardinality(Nullable(String)) COMMENT 'team that holds the ticket now (责任部门)',
    agent LowCardinality(Nullable(String)) COMMENT 'agent who holds the ticket now (责任人)',
    breach_team LowCardinality(Nullable(String)) COMMENT 'team that held the ticket at the breach',
    breach_agent LowCardinality(Nullable(String)) COMMENT 'agent who held the ticket at the breach',
    largest_team LowCardinality(Nullable(String)) COMMENT 'team that used most of the budget',
    tier LowCardinality(Nullable(String)) COMMENT 'customer tier (客户分级)',
    priority LowCardinality(Nullable(String)) COMMENT 'priority (优先级)',
    ticket_type LowCardinality(Nullable(String)) COMMENT 'ticket type (工单类型)',
    channel LowCardinality(Nullable(String)) COMMENT 'channel (渠道)',
    external_verdict LowCardinality(Nullable(String)) COMMENT 'what the source itself says; never used to judge',
    flags Array(LowCardinality(String)) COMMENT 'marks on how the cycle was judged',
    policy_version LowCardinality(String) COMMENT 'content hash of the policy that judged',
    rule LowCardinality(Nullable(String)) COMMENT 'policy rule that matched',
    judged_at DateTime64(3, 'UTC') COMMENT 'the pipeline\'s now when the row was made',
    removed Bool COMMENT 'late truth took the cycle away',
    INDEX event_time_minmax event_time TYPE minmax,
    INDEX breach_at_minmax breach_at TYPE minmax,
    INDEX next_due_at_minmax next_due_at TYPE minmax,
    CONSTRAINT cycle_id_given CHECK notEmpty(cycle_id)
)
ENGINE = ${replicated}ReplacingMergeTree(version, removed)
ORDER BY (tenant, source, ticket_id, clock, cycle_id)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'one row per cycle of a clock of a ticket (工单时限)';

CREATE TABLE IF NOT EXISTS tickets${on_cluster}
(
    tenant LowCardinality(String) COMMENT 'tenant (租户)',
    source LowCardinality(String) COMMENT 'source system (来源系统)',
    source_partition UInt32 COMMENT 'source partition that made the row',
    version UInt64 COMMENT 'checkpoint number of that partition; the highest wins',
    ticket_id String COMMENT 'ticket, as its source names it (工单号)',
    event_time DateTime64(3, 'UTC') COMMENT 'created, or the first known event',
    status LowCardinality(String) COMMENT 'status category (状态)',
    source_status LowCardinality(Nullable(String)) COMMENT 'status as the source names it',
    open Bool COMMENT 'still to be worked on (未结)',
    ticket_type LowCardinality(Nullable(String)) COMMENT 'ticket type (工单类型)',
    priority LowCardinality(Nullable(String)) COMMENT 'priority (优先级)',
    tier LowCardinality(Nullable(String)) COMMENT 'customer tier (客户分级)',
    channel LowCardinality(Nullable(String)) COMMENT 'channel (渠道)',
    team LowCardinality(Nullable(String)) COMMENT 'team that holds the ticket now (责任部门)',
    agent LowCardinality(Nullable(String)) COMMENT 'agent who holds the ticket now (责任人)',
    first_agent LowCardinality(Nullable(String)) COMMENT 'first-contact responsibility (首问负责制)',
    customer_id Nullable(String) COMMENT 'pseudonym of the customer (客户)',
    stage LowCardinality(Nullable(String)) COMMENT 'stage of the process it is in (处理阶段)',
    solved_at Nullable(DateTime64(3, 'UTC')) COMMENT 'when it was solved (解决时间)',
    closed_at Nullable(DateTime64(3, 'UTC')) COMMENT 'when it was closed (关闭时间)',
    reopen_count UInt32 COMMENT 'times reopened (重开次数)',
    reassignment_count UInt32 COMMENT 'times reassigned (转派次数)',
    event_count UInt32 COMMENT 'events known',
    last_event_at DateTime64(3, 'UTC') COMMENT 'its latest event',
    merged_into Nullable(String) COMMENT 'ticket that goes on instead',
    attributes Map(LowCardinality(String), String) COMMENT 'further attributes of the source',
    flags Array(LowCardinality(String)) COMMENT 'marks on how the ticket was read',
    policy_version LowCardinality(String) COMMENT 'content hash of the policy that judged',
    judged_at DateTime64(3, 'UTC') COMMENT 'the pipeline\'s now when the row was made',
    INDEX event_time_minmax event_time TYPE minmax,
    CONSTRAINT ticket_id_given CHECK notEmpty(ticket_id)
)
ENGINE = ${replicated}ReplacingMergeTree(version)
ORDER BY (tenant, source, ticket_id)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'one row per ticket (工单)';

CREATE TABLE IF NOT EXISTS alert_intents${on_cluster}
(
    tenant LowCardinality(String) COMMENT 'tenant (租户)',
    source LowCardinality(String) COMMENT 'source system (来源系统)',
    source_partition UInt32 COMMENT 'source partition that made the row',
    version UInt64 COMMENT 'checkpoint number of that partition; the highest wins',
    key String COMMENT 'sla:{ticket}:{clock}:{cycle_id}',
    ticket_id String COMMENT 'ticket, as its source names it (工单号)',
    clock LowCardinality(String) COMMENT 'clock of the policy (时限)',
    cycle_id String COMMENT 'event that opened the cycle',
    event_time DateTime64(3, 'UTC') COMMENT 'when the cycle opened',
    level LowCardinality(String) COMMENT 'at_risk, breach, retracted or resolved (逾期反应)',
    due_at Nullable(DateTime64(3, 'UTC')) COMMENT 'instant by which the clock must stop (到期时间)',
    breach_at Nullable(DateTime64(3, 'UTC')) COMMENT 'instant of the breach (逾期时间)',
    page_at Nullable(DateTime64(3, 'UTC')) COMMENT 'not to be paged before this instant',
    open Bool COMMENT 'the cycle is still open',
    team LowCardinality(Nullable(String)) COMMENT 'team that holds the ticket now (责任部门)',
    agent LowCardinality(Nullable(String)) COMMENT 'agent who holds the ticket now (责任人)',
    tier LowCardinality(Nullable(String)) COMMENT 'customer tier (客户分级)',
    priority LowCardinality(Nullable(String)) COMMENT 'priority (优先级)',
    policy_version LowCardinality(String) COMMENT 'content hash of the policy that judged',
    recorded_at DateTime64(3, 'UTC') COMMENT 'the pipeline\'s now when it became known',
    INDEX recorded_at_minmax recorded_at TYPE minmax,
    CONSTRAINT key_given CHECK notEmpty(key)
)
ENGINE = ${replicated}ReplacingMergeTree(version)
ORDER BY (key)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'what a supervisor should hear, per clock cycle (预警与逾期通知)';

CREATE TABLE IF NOT EXISTS dead_letters${on_cluster}
(
    topic LowCardinality(String) COMMENT 'topic it was read from',
    partition UInt32 COMMENT 'its partition',
    offset UInt64 COMMENT 'its offset',
    reason LowCardinality(String) COMMENT 'reason code (原因)',
    detail String COMMENT 'what exactly was wrong',
    key String COMMENT 'the record\'s key, base64',
    original String COMMENT 'the record\'s value, base64',
    original_bytes UInt64 COMMENT 'length of the value',
    event_time DateTime64(3, 'UTC') COMMENT 'the broker\'s timestamp of the record',
    recorded_at DateTime64(3, 'UTC') COMMENT 'the pipeline\'s now when it became known',
    version UInt64 COMMENT 'the highest wins',
    INDEX recorded_at_minmax recorded_at TYPE minmax,
    CONSTRAINT topic_given CHECK notEmpty(topic)
)
ENGINE = ${replicated}ReplacingMergeTree(version)
ORDER BY (topic, partition, offset)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'what could not be processed, and why (无法处理的消息)';

CREATE TABLE IF NOT EXISTS partition_progress${on_cluster}
(
    topic LowCardinality(String) COMMENT 'source topic',
    partition UInt32 COMMENT 'source partition',
    version UInt64 COMMENT 'checkpoint number; the highest wins',
    position UInt64 COMMENT 'next source offset',
    event_time DateTime64(3, 'UTC') COMMENT 'watermark: latest effective instant seen',
    clock_now DateTime64(3, 'UTC') COMMENT 'the pipeline\'s now, maybe virtual',
    recorded_at DateTime64(3, 'UTC') COMMENT 'wall clock at the checkpoint',
    entities UInt64 COMMENT 'tickets, calls or surveys held',
    open_timers UInt64 COMMENT 'instants waited for',
    events_total UInt64 COMMENT 'events taken',
    rejected_total UInt64 COMMENT 'events rejected',
    CONSTRAINT topic_given CHECK notEmpty(topic)
)
ENGINE = ${replicated}ReplacingMergeTree(version)
ORDER BY (topic, partition)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'how far each source partition is (处理进度)';
