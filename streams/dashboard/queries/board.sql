-- Board: clocks that run towards a deadline or are overdue, soonest first, as far as the filters let them.
SELECT
    tenant,
    source,
    ticket_id,
    clock,
    cycle_id,
    state,
    breached,
    toUnixTimestamp64Milli(if(breached, due_at, next_due_at)) AS due_ms,
    toBool(ifNull(toUnixTimestamp64Milli(at_risk_at) <= {now_ms:Int64}, false)) AS is_at_risk,
    ifNull(toString(team), '') AS team_name,
    ifNull(toString(agent), '') AS agent_name,
    ifNull(toString(tier), '') AS tier_name,
    ifNull(toString(priority), '') AS priority_name,
    ifNull(toString(ticket_type), '') AS type_name
FROM v_ticket_clocks
WHERE state IN ('running', 'paused') AND if(breached, due_at, next_due_at) IS NOT NULL
    AND ({tenant:String} = '' OR tenant = {tenant:String})
    AND ({team:String} = '' OR ifNull(team, '') = {team:String})
    AND ({tier:String} = '' OR ifNull(tier, '') = {tier:String})
    AND ({clock:String} = '' OR clock = {clock:String})
    AND ({search:String} = '' OR positionCaseInsensitiveUTF8(ticket_id, {search:String}) > 0
        OR positionCaseInsensitiveUTF8(ifNull(agent, ''), {search:String}) > 0)
ORDER BY breached, due_ms, tenant, source, ticket_id, clock, cycle_id
LIMIT {rows_max:UInt32}
