-- Table: what breaches next, soonest first.
SELECT
    tenant,
    source,
    ticket_id,
    clock,
    cycle_id,
    toUnixTimestamp64Milli(next_due_at) AS due_ms,
    toBool(ifNull(toUnixTimestamp64Milli(at_risk_at) <= {now_ms:Int64}, false)) AS is_at_risk,
    ifNull(toString(team), '') AS team_name,
    ifNull(toString(priority), '') AS priority_name
FROM v_ticket_clocks
WHERE state = 'running' AND NOT breached AND next_due_at IS NOT NULL
    AND ({tenant:String} = '' OR tenant = {tenant:String})
ORDER BY next_due_at, tenant, source, ticket_id, clock, cycle_id
LIMIT {rows_max:UInt32}
