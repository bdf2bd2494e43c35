-- At hand-over: what breaches in the next two hours, by team; with the first one's instant.
SELECT
    ifNull(toString(team), '') AS team_name,
    count() AS clocks,
    uniqExact(tenant, source, ticket_id) AS tickets,
    toUnixTimestamp64Milli(min(next_due_at)) AS first_due_ms
FROM v_ticket_clocks
WHERE state = 'running' AND NOT breached AND next_due_at IS NOT NULL
    AND toUnixTimestamp64Milli(next_due_at) <= {soon_ms:Int64}
    AND ({tenant:String} = '' OR tenant = {tenant:String})
GROUP BY team_name
ORDER BY first_due_ms, team_name
LIMIT {rows_max:UInt32}
