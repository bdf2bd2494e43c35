-- What was done about alerts, newest first.
SELECT
    key,
    action,
    actor,
    reason,
    toUnixTimestamp64Milli(event_time) AS at_ms,
    toUnixTimestamp64Milli(until_at) AS until_ms
FROM v_alert_actions
ORDER BY event_time DESC, key, action_id
LIMIT {rows_max:UInt32}
