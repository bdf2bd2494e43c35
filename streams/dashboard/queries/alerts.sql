-- Alerts: what somebody should know now, the gravest and oldest first, and what was done about it.
SELECT
    intent.key AS key,
    intent.tenant AS tenant,
    intent.source AS source,
    intent.ticket_id AS ticket_id,
    intent.clock AS clock,
    intent.level AS level,
    toUnixTimestamp64Milli(intent.due_at) AS due_ms,
    toUnixTimestamp64Milli(intent.breach_at) AS breach_ms,
    toUnixTimestamp64Milli(intent.recorded_at) AS recorded_ms,
    ifNull(toString(intent.team), '') AS team_name,
    ifNull(toString(intent.agent), '') AS agent_name,
    ifNull(toString(intent.tier), '') AS tier_name,
    ifNull(toString(intent.priority), '') AS priority_name,
    done.action AS action,
    done.actor AS actor,
    done.reason AS reason,
    toUnixTimestamp64Milli(done.at) AS action_ms,
    toUnixTimestamp64Milli(done.until_at) AS until_ms
FROM
(
    SELECT * FROM v_alert_intents
    WHERE open AND level IN ('at_risk', 'breach')
        AND ({tenant:String} = '' OR tenant = {tenant:String})
        AND ({team:String} = '' OR ifNull(team, '') = {team:String})
        AND ({level:String} = '' OR level = {level:String})
        AND ({search:String} = '' OR positionCaseInsensitiveUTF8(ticket_id, {search:String}) > 0)
) AS intent
LEFT JOIN
(
    SELECT
        key,
        argMax(action, (event_time, action_id)) AS action,
        argMax(actor, (event_time, action_id)) AS actor,
        argMax(reason, (event_time, action_id)) AS reason,
        argMax(until_at, (event_time, action_id)) AS until_at,
        max(event_time) AS at
    FROM v_alert_actions
    GROUP BY key
) AS done
ON intent.key = done.key
ORDER BY intent.level = 'breach' DESC, intent.due_at, key
LIMIT {rows_max:UInt32}
