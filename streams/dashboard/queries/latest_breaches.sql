-- Table: the latest breaches that stand. A retracted one is not breached any more, so it is gone.
SELECT
    tenant,
    source,
    ticket_id,
    clock,
    cycle_id,
    state,
    toUnixTimestamp64Milli(due_at) AS due_ms,
    toUnixTimestamp64Milli(breach_at) AS breach_ms,
    toUnixTimestamp64Milli(coalesce(stopped_at, withdrawn_at)) AS ended_ms,
    ifNull(toString(coalesce(breach_team, team)), '') AS team_name,
    ifNull(toString(priority), '') AS priority_name
FROM v_ticket_clocks
WHERE breached AND state != 'void' AND ({tenant:String} = '' OR tenant = {tenant:String})
ORDER BY breach_at DESC, tenant, source, ticket_id, clock, cycle_id
LIMIT {rows_max:UInt32}
