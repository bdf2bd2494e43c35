-- Each agent in a period: talks and their handle time, occupancy of the shifts that began in it, tickets solved, breaches while holding the ticket and as the
-- team that used most of the budget, satisfaction, audit scores, complaints caused (attribute responsible_agent).
SELECT
    agent,
    argMaxIf(one_team, weight, one_team != '') AS team,
    toInt64(sum(handled)) AS handled,
    if(handled = 0, NULL, intDiv(sum(handle_ms), handled)) AS handle_ms,
    if(sum(busy_ms) + sum(idle_ms) = 0, NULL, 100 * sum(busy_ms) / (sum(busy_ms) + sum(idle_ms))) AS occupancy,
    toInt64(sum(solved)) AS solved,
    toInt64(sum(breached)) AS breaches_held,
    toInt64(sum(satisfied)) AS satisfied,
    toInt64(sum(answers)) AS answers,
    if(sum(audits) = 0, NULL, sum(audit_points) / sum(audits)) AS audit_score,
    toInt64(sum(complaints)) AS complaints_caused
FROM
(
    SELECT
        assumeNotNull(agent) AS agent, ifNull(team, '') AS one_team, 1 AS weight,
        1 AS handled, talk_ms + hold_ms + ifNull(after_call_ms, 0) AS handle_ms,
        0 AS solved, 0 AS breached, 0 AS satisfied, 0 AS answers, 0. AS audit_points, 0 AS audits, 0 AS complaints,
        0 AS busy_ms, 0 AS idle_ms
    FROM v_call_legs
    WHERE agent IS NOT NULL AND talk_ms IS NOT NULL AND NOT odd AND ended_at >= fromUnixTimestamp64Milli({from_ms:Int64}) AND ended_at < fromUnixTimestamp64Milli({to_ms:Int64}) AND ({tenant:String} = '' OR tenant = {tenant:String})

    UNION ALL

    SELECT assumeNotNull(agent), ifNull(team, ''), 1, 0, 0, 1, 0, 0, 0, 0., 0, 0, 0, 0
    FROM v_tickets
    WHERE agent IS NOT NULL AND solved_at >= fromUnixTimestamp64Milli({from_ms:Int64}) AND solved_at < fromUnixTimestamp64Milli({to_ms:Int64}) AND ({tenant:String} = '' OR tenant = {tenant:String})

    UNION ALL

    SELECT assumeNotNull(breach_agent), ifNull(breach_team, ''), 1, 0, 0, 0, 1, 0, 0, 0., 0, 0, 0, 0
    FROM v_ticket_clocks
    WHERE breach_agent IS NOT NULL AND verdict = 'breached' AND breach_at >= fromUnixTimestamp64Milli({from_ms:Int64}) AND breach_at < fromUnixTimestamp64Milli({to_ms:Int64}) AND ({tenant:String} = '' OR tenant = {tenant:String})

    UNION ALL

    SELECT
        assumeNotNull(agent), ifNull(team, ''), 0, 0, 0, 0, 0,
        metric = 'csat' AND satisfied, metric = 'csat',
        if(metric = 'audit', assumeNotNull(score), 0.), metric = 'audit', 0, 0, 0
    FROM v_survey_answers
    WHERE agent IS NOT NULL AND metric IN ('csat', 'audit') AND score IS NOT NULL AND event_time >= fromUnixTimestamp64Milli({from_ms:Int64}) AND event_time < fromUnixTimestamp64Milli({to_ms:Int64}) AND ({tenant:String} = '' OR tenant = {tenant:String})

    UNION ALL

    SELECT attributes['responsible_agent'], '', 0, 0, 0, 0, 0, 0, 0, 0., 0, 1, 0, 0
    FROM v_tickets
    WHERE ticket_type = 'complaint' AND attributes['responsible_agent'] != '' AND event_time >= fromUnixTimestamp64Milli({from_ms:Int64}) AND event_time < fromUnixTimestamp64Milli({to_ms:Int64}) AND ({tenant:String} = '' OR tenant = {tenant:String})

    UNION ALL

    SELECT assumeNotNull(agent), ifNull(team, ''), 0, 0, 0, 0, 0, 0, 0, 0., 0, 0, busy_ms, idle_ms
    FROM v_shifts
    WHERE agent IS NOT NULL AND event_time >= fromUnixTimestamp64Milli({from_ms:Int64}) AND event_time < fromUnixTimestamp64Milli({to_ms:Int64}) AND ({tenant:String} = '' OR tenant = {tenant:String})
)
GROUP BY agent
HAVING {team:String} = '' OR team = {team:String}
ORDER BY handled + solved DESC, agent
LIMIT {rows_max:UInt32}
