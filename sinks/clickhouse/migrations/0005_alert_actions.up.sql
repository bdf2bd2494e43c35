CREATE TABLE IF NOT EXISTS alert_actions${on_cluster}
(
    key String COMMENT 'key of the alert',
    action_id String COMMENT 'id of the action',
    event_time DateTime64(3, 'UTC') COMMENT 'when it was done (处理时间)',
    action LowCardinality(String) COMMENT 'acknowledge, release, silence or unsilence (操作)',
    until_at Nullable(DateTime64(3, 'UTC')) COMMENT 'until when it holds',
    actor String COMMENT 'who did it (操作人)',
    reason String COMMENT 'why, as told (原因)',
    version UInt64 COMMENT 'the highest wins',
    INDEX event_time_minmax event_time TYPE minmax,
    CONSTRAINT action_id_given CHECK notEmpty(action_id)
)
ENGINE = ${replicated}ReplacingMergeTree(version)
ORDER BY (key, action_id)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'acknowledgements and silences: who did what about an alert (预警确认与静默)';

CREATE VIEW IF NOT EXISTS v_alert_actions${on_cluster} AS
SELECT
    key,
    action_id,
    event_time,
    action,
    until_at,
    actor,
    reason,
    version
FROM alert_actions FINAL
COMMENT 'current rows: acknowledgements and silences: who did what about an alert (预警确认与静默)';
