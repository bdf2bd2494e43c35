CREATE TABLE IF NOT EXISTS shifts${on_cluster}
(
    tenant LowCardinality(String) COMMENT 'tenant (租户)',
    source LowCardinality(String) COMMENT 'source system (来源系统)',
    source_partition UInt32 COMMENT 'source partition that made the row',
    version UInt64 COMMENT 'checkpoint number of that partition; the highest wins',
    shift_id String COMMENT 'one presence of one agent (班次)',
    event_time DateTime64(3, 'UTC') COMMENT 'its first event',
    agent LowCardinality(Nullable(String)) COMMENT 'agent; null: nobody has signed in yet (座席)',
    team LowCardinality(Nullable(String)) COMMENT 'team of the agent (班组)',
    began_at Nullable(DateTime64(3, 'UTC')) COMMENT 'when the agent signed in (签入时间)',
    ended_at Nullable(DateTime64(3, 'UTC')) COMMENT 'when the agent signed out (签出时间)',
    state LowCardinality(Nullable(String)) COMMENT 'what the agent does now; null: gone (座席状态)',
    state_since Nullable(DateTime64(3, 'UTC')) COMMENT 'since when',
    busy_ms Int64 COMMENT 'on contacts and after-contact work (工作时长)',
    idle_ms Int64 COMMENT 'available, waiting for a contact (空闲时长)',
    away_ms Int64 COMMENT 'on break or away (离席时长)',
    flags Array(LowCardinality(String)) COMMENT 'what is odd about it (数据质量标记)',
    policy_version LowCardinality(String) COMMENT 'content hash of the policy that judged',
    judged_at DateTime64(3, 'UTC') COMMENT 'the pipeline\'s now when the row was made',
    INDEX event_time_minmax event_time TYPE minmax,
    CONSTRAINT shift_id_given CHECK notEmpty(shift_id)
)
ENGINE = ${replicated}ReplacingMergeTree(version)
ORDER BY (tenant, source, shift_id)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'one row per presence of an agent, from signing in to signing out (座席班次)';

CREATE TABLE IF NOT EXISTS shift_windows${on_cluster}
(
    tenant LowCardinality(String) COMMENT 'tenant (租户)',
    source LowCardinality(String) COMMENT 'source system (来源系统)',
    source_partition UInt32 COMMENT 'source partition that made the row',
    version UInt64 COMMENT 'checkpoint number of that partition; the highest wins',
    window_start DateTime64(3, 'UTC') COMMENT 'beginning of the minute of event time (统计时段)',
    team LowCardinality(String) COMMENT 'team of the agents; empty: unknown (班组)',
    agents_began UInt32 COMMENT 'agents who signed in (签入人数)',
    busy_sum_ms Int64 COMMENT 'on contacts and after-contact work, ms (工作时长合计)',
    idle_sum_ms Int64 COMMENT 'available, waiting for a contact, ms (空闲时长合计)',
    away_sum_ms Int64 COMMENT 'on break or away, ms (离席时长合计)',
    INDEX window_start_minmax window_start TYPE minmax,
    CONSTRAINT source_given CHECK notEmpty(source)
)
ENGINE = ${replicated}ReplacingMergeTree(version)
ORDER BY (tenant, window_start, team, source, source_partition)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'time of agents by what they did, in the minutes in which it passed: absolute sums of one source partition (座席时段统计)';

CREATE VIEW IF NOT EXISTS v_shifts${on_cluster} AS
SELECT
    tenant,
    source,
    source_partition,
    version,
    shift_id,
    event_time,
    agent,
    team,
    began_at,
    ended_at,
    state,
    state_since,
    busy_ms,
    idle_ms,
    away_ms,
    flags,
    policy_version,
    judged_at
FROM shifts FINAL
COMMENT 'current rows: one row per presence of an agent, from signing in to signing out (座席班次)';

CREATE VIEW IF NOT EXISTS v_shift_windows${on_cluster} AS
SELECT
    tenant,
    source,
    source_partition,
    version,
    window_start,
    team,
    agents_began,
    busy_sum_ms,
    idle_sum_ms,
    away_sum_ms
FROM shift_windows FINAL
COMMENT 'current rows: time of agents by what they did, in the minutes in which it passed: absolute sums of one source partition (座席时段统计)';
