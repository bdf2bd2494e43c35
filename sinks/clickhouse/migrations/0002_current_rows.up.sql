CREATE VIEW IF NOT EXISTS v_ticket_clocks${on_cluster} AS
SELECT
    tenant,
    source,
    source_partition,
    version,
    ticket_id,
    clock,
    cycle_id,
    cycle_ordinal,
    kind,
    event_time,
    state,
    verdict,
    target_ms,
    due_at,
    next_due_at,
    stopped_at,
    withdrawn_at,
    elapsed_ms,
    breached,
    breach_at,
    breach_reason,
    at_risk_at,
    team,
    agent,
    breach_team,
    breach_agent,
    largest_team,
    tier,
    priority,
    ticket_type,
    channel,
    external_verdict,
    flags,
    policy_version,
    rule,
    judged_at
FROM ticket_clocks FINAL
WHERE NOT removed
COMMENT 'current rows: one row per cycle of a clock of a ticket (工单时限)';

CREATE VIEW IF NOT EXISTS v_tickets${on_cluster} AS
SELECT
    tenant,
    source,
    source_partition,
    version,
    ticket_id,
    event_time,
    status,
    source_status,
    open,
    ticket_type,
    priority,
    tier,
    channel,
    team,
    agent,
    first_agent,
    customer_id,
    stage,
    solved_at,
    closed_at,
    reopen_count,
    reassignment_count,
    event_count,
    last_event_at,
    merged_into,
    attributes,
    flags,
    policy_version,
    judged_at
FROM tickets FINAL
COMMENT 'current rows: one row per ticket (工单)';

CREATE VIEW IF NOT EXISTS v_alert_intents${on_cluster} AS
SELECT
    tenant,
    source,
    source_partition,
    version,
    key,
    ticket_id,
    clock,
    cycle_id,
    event_time,
    level,
    due_at,
    breach_at,
    page_at,
    open,
    team,
    agent,
    tier,
    priority,
    policy_version,
    recorded_at
FROM alert_intents FINAL
COMMENT 'current rows: what a supervisor should hear, per clock cycle (预警与逾期通知)';

CREATE VIEW IF NOT EXISTS v_dead_letters${on_cluster} AS
SELECT
    topic,
    partition,
    offset,
    reason,
    detail,
    key,
    original,
    original_bytes,
    event_time,
    recorded_at,
    version
FROM dead_letters FINAL
COMMENT 'current rows: what could not be processed, and why (无法处理的消息)';

CREATE VIEW IF NOT EXISTS v_partition_progress${on_cluster} AS
SELECT
    topic,
    partition,
    version,
    position,
    event_time,
    clock_now,
    recorded_at,
    entities,
    open_timers,
    events_total,
    rejected_total
FROM partition_progress FINAL
COMMENT 'current rows: how far each source partition is (处理进度)';
