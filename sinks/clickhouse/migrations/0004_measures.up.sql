CREATE TABLE IF NOT EXISTS calls${on_cluster}
(
    tenant LowCardinality(String) COMMENT 'tenant (租户)',
    source LowCardinality(String) COMMENT 'source system (来源系统)',
    source_partition UInt32 COMMENT 'source partition that made the row',
    version UInt64 COMMENT 'checkpoint number of that partition; the highest wins',
    call_id String COMMENT 'call, as its source names it (通话)',
    event_time DateTime64(3, 'UTC') COMMENT 'its first event',
    line LowCardinality(Nullable(String)) COMMENT 'line that was called (线路)',
    call_type LowCardinality(Nullable(String)) COMMENT 'kind of call (来电类型)',
    priority LowCardinality(Nullable(String)) COMMENT 'priority (优先级)',
    customer_id Nullable(String) COMMENT 'pseudonym of the customer (客户)',
    ticket_id Nullable(String) COMMENT 'ticket that it is about (工单号)',
    queue LowCardinality(Nullable(String)) COMMENT 'queue that it was put into first (技能组)',
    answered Bool COMMENT 'somebody took it (接通)',
    menu_ms Nullable(Int64) COMMENT 'time in the voice menu (语音导航时长)',
    abandoned_where LowCardinality(Nullable(String)) COMMENT 'ivr, queue or ringing (放弃位置)',
    abandoned_at Nullable(DateTime64(3, 'UTC')) COMMENT 'when the caller gave up (放弃时间)',
    ended_at Nullable(DateTime64(3, 'UTC')) COMMENT 'when it ended',
    after_call_ms Nullable(Int64) COMMENT 'after-call work (话后处理时长)',
    legs UInt32 COMMENT 'waits and answers it went through',
    transfers UInt32 COMMENT 'times transferred (转接次数)',
    callbacks_requested UInt32 COMMENT 'callbacks asked for (请求回拨)',
    callbacks_made UInt32 COMMENT 'of them made (已回拨)',
    callback_due_at Nullable(DateTime64(3, 'UTC')) COMMENT 'by when the last one was promised',
    callback_made_at Nullable(DateTime64(3, 'UTC')) COMMENT 'when that was made',
    callbacks_late UInt32 COMMENT 'made late, or overdue (逾期回拨)',
    flags Array(LowCardinality(String)) COMMENT 'what is odd about it (数据质量标记)',
    policy_version LowCardinality(String) COMMENT 'content hash of the policy that judged',
    judged_at DateTime64(3, 'UTC') COMMENT 'the pipeline\'s now when the row was made',
    INDEX event_time_minmax event_time TYPE minmax,
    CONSTRAINT call_id_given CHECK notEmpty(call_id)
)
ENGINE = ${replicated}ReplacingMergeTree(version)
ORDER BY (tenant, source, call_id)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'one row per call (通话)';

CREATE TABLE IF NOT EXISTS call_legs${on_cluster}
(
    tenant LowCardinality(String) COMMENT 'tenant (租户)',
    source LowCardinality(String) COMMENT 'source system (来源系统)',
    source_partition UInt32 COMMENT 'source partition that made the row',
    version UInt64 COMMENT 'checkpoint number of that partition; the highest wins',
    call_id String COMMENT 'call, as its source names it (通话)',
    leg UInt32 COMMENT 'number of the leg, from 1',
    event_time DateTime64(3, 'UTC') COMMENT 'queued, or answered without a queue',
    queue LowCardinality(Nullable(String)) COMMENT 'queue (技能组)',
    team LowCardinality(Nullable(String)) COMMENT 'team of the agent (班组)',
    agent LowCardinality(Nullable(String)) COMMENT 'agent who took it (座席)',
    call_type LowCardinality(Nullable(String)) COMMENT 'kind of call (来电类型)',
    customer_id Nullable(String) COMMENT 'pseudonym of the customer (客户)',
    outcome LowCardinality(String) COMMENT 'answered, abandoned, callback, transferred, ended or open (结果)',
    queued_at Nullable(DateTime64(3, 'UTC')) COMMENT 'when it was queued',
    answered_at Nullable(DateTime64(3, 'UTC')) COMMENT 'when it was answered',
    ended_at Nullable(DateTime64(3, 'UTC')) COMMENT 'when the talk was over',
    transferred Bool COMMENT 'transferred on after the answer (转接)',
    wait_ms Nullable(Int64) COMMENT 'wait until it was decided (等待时长)',
    talk_ms Nullable(Int64) COMMENT 'talk, without hold (通话时长)',
    hold_ms Int64 COMMENT 'on hold (保持时长)',
    after_call_ms Nullable(Int64) COMMENT 'after-call work (话后处理时长)',
    answer_due_at Nullable(DateTime64(3, 'UTC')) COMMENT 'by when it should be answered',
    answer_verdict LowCardinality(String) COMMENT 'verdict of the answer clock (接听判定)',
    handle_due_at Nullable(DateTime64(3, 'UTC')) COMMENT 'when the time on the phone passes its limit',
    handle_verdict LowCardinality(String) COMMENT 'verdict of the handling clock (通话时长判定)',
    odd Bool COMMENT 'its events can\'t be true: no number counts it',
    policy_version LowCardinality(String) COMMENT 'content hash of the policy that judged',
    judged_at DateTime64(3, 'UTC') COMMENT 'the pipeline\'s now when the row was made',
    removed Bool COMMENT 'late truth took it away',
    INDEX event_time_minmax event_time TYPE minmax,
    CONSTRAINT call_id_given CHECK notEmpty(call_id)
)
ENGINE = ${replicated}ReplacingMergeTree(version, removed)
ORDER BY (tenant, source, call_id, leg)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'one row per wait for an answer and the talk after it (通话段)';

CREATE TABLE IF NOT EXISTS surveys${on_cluster}
(
    tenant LowCardinality(String) COMMENT 'tenant (租户)',
    source LowCardinality(String) COMMENT 'source system (来源系统)',
    source_partition UInt32 COMMENT 'source partition that made the row',
    version UInt64 COMMENT 'checkpoint number of that partition; the highest wins',
    survey_id String COMMENT 'questionnaire to one person (问卷)',
    event_time DateTime64(3, 'UTC') COMMENT 'its first event',
    sent_at Nullable(DateTime64(3, 'UTC')) COMMENT 'when it was sent (发送时间)',
    answered_at Nullable(DateTime64(3, 'UTC')) COMMENT 'its first answer (回答时间)',
    expired_at Nullable(DateTime64(3, 'UTC')) COMMENT 'when nobody would answer any more',
    ticket_id Nullable(String) COMMENT 'ticket that it is about (工单号)',
    call_id Nullable(String) COMMENT 'call that it is about (通话)',
    customer_id Nullable(String) COMMENT 'pseudonym of the customer (客户)',
    channel LowCardinality(Nullable(String)) COMMENT 'channel (渠道)',
    team LowCardinality(Nullable(String)) COMMENT 'team of the agent (班组)',
    agent LowCardinality(Nullable(String)) COMMENT 'agent who took it (座席)',
    answers UInt32 COMMENT 'answers that count (有效回答)',
    flags Array(LowCardinality(String)) COMMENT 'what is odd about it (数据质量标记)',
    policy_version LowCardinality(String) COMMENT 'content hash of the policy that judged',
    judged_at DateTime64(3, 'UTC') COMMENT 'the pipeline\'s now when the row was made',
    INDEX event_time_minmax event_time TYPE minmax,
    CONSTRAINT survey_id_given CHECK notEmpty(survey_id)
)
ENGINE = ${replicated}ReplacingMergeTree(version)
ORDER BY (tenant, source, survey_id)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'one row per questionnaire to one person (满意度问卷)';

CREATE TABLE IF NOT EXISTS survey_answers${on_cluster}
(
    tenant LowCardinality(String) COMMENT 'tenant (租户)',
    source LowCardinality(String) COMMENT 'source system (来源系统)',
    source_partition UInt32 COMMENT 'source partition that made the row',
    version UInt64 COMMENT 'checkpoint number of that partition; the highest wins',
    survey_id String COMMENT 'questionnaire to one person (问卷)',
    metric LowCardinality(String) COMMENT 'csat, nps, ces, servqual, reputation, audit or employee (指标)',
    question LowCardinality(String) COMMENT 'question (题目)',
    event_time DateTime64(3, 'UTC') COMMENT 'when it was answered (回答时间)',
    dimension LowCardinality(Nullable(String)) COMMENT 'dimension of SERVQUAL or of the reputation index (维度)',
    score Nullable(Float64) COMMENT 'score; null: taken back (评分)',
    expectation Nullable(Float64) COMMENT 'what was expected (SERVQUAL) (期望)',
    satisfied Bool COMMENT 'score in the satisfied part of the scale (满意)',
    ticket_id Nullable(String) COMMENT 'ticket that it is about (工单号)',
    call_id Nullable(String) COMMENT 'call that it is about (通话)',
    customer_id Nullable(String) COMMENT 'pseudonym of the customer (客户)',
    channel LowCardinality(Nullable(String)) COMMENT 'channel (渠道)',
    team LowCardinality(Nullable(String)) COMMENT 'team of the agent (班组)',
    agent LowCardinality(Nullable(String)) COMMENT 'agent who took it (座席)',
    policy_version LowCardinality(String) COMMENT 'content hash of the policy that judged',
    judged_at DateTime64(3, 'UTC') COMMENT 'the pipeline\'s now when the row was made',
    removed Bool COMMENT 'late truth took it away',
    INDEX event_time_minmax event_time TYPE minmax,
    CONSTRAINT question_given CHECK notEmpty(question)
)
ENGINE = ${replicated}ReplacingMergeTree(version, removed)
ORDER BY (tenant, source, survey_id, metric, question)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'the answer that counts to each question (问卷回答)';

CREATE TABLE IF NOT EXISTS call_windows${on_cluster}
(
    tenant LowCardinality(String) COMMENT 'tenant (租户)',
    source LowCardinality(String) COMMENT 'source system (来源系统)',
    source_partition UInt32 COMMENT 'source partition that made the row',
    version UInt64 COMMENT 'checkpoint number of that partition; the highest wins',
    window_start DateTime64(3, 'UTC') COMMENT 'beginning of the minute of event time (统计时段)',
    queue LowCardinality(String) COMMENT 'queue; empty: unknown (技能组)',
    team LowCardinality(String) COMMENT 'team that answered; empty: unknown (班组)',
    call_type LowCardinality(String) COMMENT 'kind of call; empty: unknown (来电类型)',
    entered UInt32 COMMENT 'calls that reached the voice menu, by entry (呼入量)',
    menu_abandoned UInt32 COMMENT 'of them given up in the menu (导航放弃)',
    queued UInt32 COMMENT 'waits that were decided in the minute (排队量)',
    answered UInt32 COMMENT 'of them answered (接通量)',
    answered_within UInt32 COMMENT 'answered within the queue\'s threshold (时限内接通)',
    abandoned UInt32 COMMENT 'given up, short ones included (放弃量)',
    abandoned_within UInt32 COMMENT 'given up within the threshold (时限内放弃)',
    short_abandoned UInt32 COMMENT 'given up sooner than anybody could answer (短时放弃)',
    callbacks_within UInt32 COMMENT 'changed to a callback within the threshold',
    callbacks_requested UInt32 COMMENT 'callbacks asked for, by request (请求回拨)',
    callbacks_made UInt32 COMMENT 'of them made (已回拨)',
    callbacks_late UInt32 COMMENT 'made late, or overdue (逾期回拨)',
    flow_outs UInt32 COMMENT 'moved on or ended without an answer (溢出)',
    wait_sum_ms Int64 COMMENT 'waits of answered ones, ms (等待总时长)',
    handled UInt32 COMMENT 'talks that ended in the minute (处理量)',
    talk_sum_ms Int64 COMMENT 'their talk, ms (通话总时长)',
    hold_sum_ms Int64 COMMENT 'their hold, ms (保持总时长)',
    after_call_sum_ms Int64 COMMENT 'their after-call work, ms (话后总时长)',
    over_aim UInt32 COMMENT 'on the phone for longer than the aim (3 min) (超3分钟)',
    over_limit UInt32 COMMENT 'on the phone for longer than the limit (5 min) (超5分钟)',
    transfers UInt32 COMMENT 'talks that ended in a transfer (转接量)',
    wait_sketch Map(Int16, UInt32) COMMENT 'waits of answered ones by bucket (等待分布)',
    handle_sketch Map(Int16, UInt32) COMMENT 'handle times by bucket (处理时长分布)',
    INDEX window_start_minmax window_start TYPE minmax,
    CONSTRAINT source_given CHECK notEmpty(source)
)
ENGINE = ${replicated}ReplacingMergeTree(version)
ORDER BY (tenant, window_start, queue, team, call_type, source, source_partition)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'calls per minute, queue, team and type: absolute sums of one source partition (话务时段统计)';

CREATE TABLE IF NOT EXISTS survey_windows${on_cluster}
(
    tenant LowCardinality(String) COMMENT 'tenant (租户)',
    source LowCardinality(String) COMMENT 'source system (来源系统)',
    source_partition UInt32 COMMENT 'source partition that made the row',
    version UInt64 COMMENT 'checkpoint number of that partition; the highest wins',
    window_start DateTime64(3, 'UTC') COMMENT 'beginning of the minute of event time (统计时段)',
    metric LowCardinality(String) COMMENT 'metric asked; empty: the questionnaire itself (指标)',
    dimension LowCardinality(String) COMMENT 'dimension of the metric; empty: unknown (维度)',
    channel LowCardinality(String) COMMENT 'channel; empty: unknown (渠道)',
    team LowCardinality(String) COMMENT 'team that is rated; empty: unknown (班组)',
    sent UInt32 COMMENT 'questionnaires sent, by sending (发送量)',
    sent_answered UInt32 COMMENT 'of them answered (已回答)',
    responses UInt32 COMMENT 'answers that count, by answer (有效回答)',
    satisfied UInt32 COMMENT 'answers in the satisfied part of the scale (满意数)',
    promoters UInt32 COMMENT 'NPS 9–10 (推荐者)',
    detractors UInt32 COMMENT 'NPS 0–6 (贬损者)',
    top_box UInt32 COMMENT 'CES answers in the two best boxes (轻松数)',
    yes UInt32 COMMENT 'yes to a question of the reputation index (肯定数)',
    score_sum_thousandths Int64 COMMENT 'scores, in thousandths (评分合计)',
    pairs UInt32 COMMENT 'SERVQUAL answers with an expectation (配对数)',
    perception_sum_thousandths Int64 COMMENT 'their perceptions (感知合计)',
    expectation_sum_thousandths Int64 COMMENT 'their expectations (期望合计)',
    INDEX window_start_minmax window_start TYPE minmax,
    CONSTRAINT source_given CHECK notEmpty(source)
)
ENGINE = ${replicated}ReplacingMergeTree(version)
ORDER BY (tenant, window_start, metric, dimension, channel, team, source, source_partition)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'answers per minute, metric, dimension, channel and team: absolute sums of one source partition (满意度时段统计)';

CREATE TABLE IF NOT EXISTS clock_windows${on_cluster}
(
    tenant LowCardinality(String) COMMENT 'tenant (租户)',
    source LowCardinality(String) COMMENT 'source system (来源系统)',
    source_partition UInt32 COMMENT 'source partition that made the row',
    version UInt64 COMMENT 'checkpoint number of that partition; the highest wins',
    window_start DateTime64(3, 'UTC') COMMENT 'beginning of the minute of event time (统计时段)',
    clock LowCardinality(String) COMMENT 'clock of the policy (时限)',
    team LowCardinality(String) COMMENT 'team that held the ticket at the end; empty: unknown (责任部门)',
    tier LowCardinality(String) COMMENT 'customer tier; empty: unknown (客户分级)',
    priority LowCardinality(String) COMMENT 'priority; empty: unknown (优先级)',
    ticket_type LowCardinality(String) COMMENT 'ticket type; empty: unknown (工单类型)',
    met UInt32 COMMENT 'cycles that kept their promise (达标)',
    breached UInt32 COMMENT 'cycles that broke it (逾期)',
    elapsed_sum_ms Int64 COMMENT 'their working time, ms (用时合计)',
    elapsed_sketch Map(Int16, UInt32) COMMENT 'their working time by bucket (用时分布)',
    INDEX window_start_minmax window_start TYPE minmax,
    CONSTRAINT source_given CHECK notEmpty(source)
)
ENGINE = ${replicated}ReplacingMergeTree(version)
ORDER BY (tenant, window_start, clock, team, tier, priority, ticket_type, source, source_partition)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'clock cycles that ended, per minute of their end: absolute sums of one source partition (时限时段统计)';

CREATE TABLE IF NOT EXISTS ticket_windows${on_cluster}
(
    tenant LowCardinality(String) COMMENT 'tenant (租户)',
    source LowCardinality(String) COMMENT 'source system (来源系统)',
    source_partition UInt32 COMMENT 'source partition that made the row',
    version UInt64 COMMENT 'checkpoint number of that partition; the highest wins',
    window_start DateTime64(3, 'UTC') COMMENT 'beginning of the minute of event time (统计时段)',
    ticket_type LowCardinality(String) COMMENT 'ticket type; empty: unknown (工单类型)',
    team LowCardinality(String) COMMENT 'team that holds the ticket; empty: unknown (责任部门)',
    tier LowCardinality(String) COMMENT 'customer tier; empty: unknown (客户分级)',
    channel LowCardinality(String) COMMENT 'channel; empty: unknown (渠道)',
    created UInt32 COMMENT 'tickets created (新建)',
    solved UInt32 COMMENT 'tickets solved, by their last solving (已解决)',
    closed UInt32 COMMENT 'tickets closed (已关闭)',
    reopened_solved UInt32 COMMENT 'of the solved, those reopened before (重开后解决)',
    lifetime_sum_ms Int64 COMMENT 'creation to solving, ms (解决时长合计)',
    lifetime_sketch Map(Int16, UInt32) COMMENT 'creation to solving by bucket (解决时长分布)',
    INDEX window_start_minmax window_start TYPE minmax,
    CONSTRAINT source_given CHECK notEmpty(source)
)
ENGINE = ${replicated}ReplacingMergeTree(version)
ORDER BY (tenant, window_start, ticket_type, team, tier, channel, source, source_partition)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'tickets that began and ended, per minute: absolute sums of one source partition (工单时段统计)';

CREATE TABLE IF NOT EXISTS complaint_numbers${on_cluster}
(
    tenant LowCardinality(String) COMMENT 'tenant (租户)',
    scope LowCardinality(String) COMMENT 'what the numbers run within (编号范围)',
    month LowCardinality(String) COMMENT 'YYYYMM of the complaint\'s beginning, by the zone of the numbers',
    number UInt32 COMMENT 'running number within scope and month (序号)',
    complaint_number String COMMENT 'YYYYMM-NNNN (客诉编号)',
    source LowCardinality(String) COMMENT 'source system (来源系统)',
    ticket_id String COMMENT 'ticket, as its source names it (工单号)',
    event_time DateTime64(3, 'UTC') COMMENT 'when the complaint began',
    recorded_at DateTime64(3, 'UTC') COMMENT 'the pipeline\'s now when it became known',
    version UInt64 COMMENT 'the highest wins',
    CONSTRAINT month_given CHECK notEmpty(month)
)
ENGINE = ${replicated}ReplacingMergeTree(version)
ORDER BY (tenant, scope, month, number)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'numbers of complaints: gap-free per scope and month, handed out once (客诉编号)';

CREATE VIEW IF NOT EXISTS v_calls${on_cluster} AS
SELECT
    tenant,
    source,
    source_partition,
    version,
    call_id,
    event_time,
    line,
    call_type,
    priority,
    customer_id,
    ticket_id,
    queue,
    answered,
    menu_ms,
    abandoned_where,
    abandoned_at,
    ended_at,
    after_call_ms,
    legs,
    transfers,
    callbacks_requested,
    callbacks_made,
    callback_due_at,
    callback_made_at,
    callbacks_late,
    flags,
    policy_version,
    judged_at
FROM calls FINAL
COMMENT 'current rows: one row per call (通话)';

CREATE VIEW IF NOT EXISTS v_call_legs${on_cluster} AS
SELECT
    tenant,
    source,
    source_partition,
    version,
    call_id,
    leg,
    event_time,
    queue,
    team,
    agent,
    call_type,
    customer_id,
    outcome,
    queued_at,
    answered_at,
    ended_at,
    transferred,
    wait_ms,
    talk_ms,
    hold_ms,
    after_call_ms,
    answer_due_at,
    answer_verdict,
    handle_due_at,
    handle_verdict,
    odd,
    policy_version,
    judged_at
FROM call_legs FINAL
WHERE NOT removed
COMMENT 'current rows: one row per wait for an answer and the talk after it (通话段)';

CREATE VIEW IF NOT EXISTS v_surveys${on_cluster} AS
SELECT
    tenant,
    source,
    source_partition,
    version,
    survey_id,
    event_time,
    sent_at,
    answered_at,
    expired_at,
    ticket_id,
    call_id,
    customer_id,
    channel,
    team,
    agent,
    answers,
    flags,
    policy_version,
    judged_at
FROM surveys FINAL
COMMENT 'current rows: one row per questionnaire to one person (满意度问卷)';

CREATE VIEW IF NOT EXISTS v_survey_answers${on_cluster} AS
SELECT
    tenant,
    source,
    source_partition,
    version,
    survey_id,
    metric,
    question,
    event_time,
    dimension,
    score,
    expectation,
    satisfied,
    ticket_id,
    call_id,
    customer_id,
    channel,
    team,
    agent,
    policy_version,
    judged_at
FROM survey_answers FINAL
WHERE NOT removed
COMMENT 'current rows: the answer that counts to each question (问卷回答)';

CREATE VIEW IF NOT EXISTS v_call_windows${on_cluster} AS
SELECT
    tenant,
    source,
    source_partition,
    version,
    window_start,
    queue,
    team,
    call_type,
    entered,
    menu_abandoned,
    queued,
    answered,
    answered_within,
    abandoned,
    abandoned_within,
    short_abandoned,
    callbacks_within,
    callbacks_requested,
    callbacks_made,
    callbacks_late,
    flow_outs,
    wait_sum_ms,
    handled,
    talk_sum_ms,
    hold_sum_ms,
    after_call_sum_ms,
    over_aim,
    over_limit,
    transfers,
    wait_sketch,
    handle_sketch
FROM call_windows FINAL
COMMENT 'current rows: calls per minute, queue, team and type: absolute sums of one source partition (话务时段统计)';

CREATE VIEW IF NOT EXISTS v_survey_windows${on_cluster} AS
SELECT
    tenant,
    source,
    source_partition,
    version,
    window_start,
    metric,
    dimension,
    channel,
    team,
    sent,
    sent_answered,
    responses,
    satisfied,
    promoters,
    detractors,
    top_box,
    yes,
    score_sum_thousandths,
    pairs,
    perception_sum_thousandths,
    expectation_sum_thousandths
FROM survey_windows FINAL
COMMENT 'current rows: answers per minute, metric, dimension, channel and team: absolute sums of one source partition (满意度时段统计)';

CREATE VIEW IF NOT EXISTS v_clock_windows${on_cluster} AS
SELECT
    tenant,
    source,
    source_partition,
    version,
    window_start,
    clock,
    team,
    tier,
    priority,
    ticket_type,
    met,
    breached,
    elapsed_sum_ms,
    elapsed_sketch
FROM clock_windows FINAL
COMMENT 'current rows: clock cycles that ended, per minute of their end: absolute sums of one source partition (时限时段统计)';

CREATE VIEW IF NOT EXISTS v_ticket_windows${on_cluster} AS
SELECT
    tenant,
    source,
    source_partition,
    version,
    window_start,
    ticket_type,
    team,
    tier,
    channel,
    created,
    solved,
    closed,
    reopened_solved,
    lifetime_sum_ms,
    lifetime_sketch
FROM ticket_windows FINAL
COMMENT 'current rows: tickets that began and ended, per minute: absolute sums of one source partition (工单时段统计)';

CREATE VIEW IF NOT EXISTS v_complaint_numbers${on_cluster} AS
SELECT
    tenant,
    scope,
    month,
    number,
    complaint_number,
    source,
    ticket_id,
    event_time,
    recorded_at,
    version
FROM complaint_numbers FINAL
COMMENT 'current rows: numbers of complaints: gap-free per scope and month, handed out once (客诉编号)';
