-- Headline: what the clocks say. Tickets are counted where work is to be done (at risk, due soon,
-- overdue), clock cycles where promises are (breached). Excluded cycles (void) count nowhere.
SELECT
    uniqExactIf(
        (tenant, source, ticket_id),
        state IN ('running', 'paused') AND NOT breached
            AND toUnixTimestamp64Milli(at_risk_at) <= {now_ms:Int64}
    ) AS at_risk_tickets,
    uniqExactIf(
        (tenant, source, ticket_id),
        state = 'running' AND NOT breached
            AND toUnixTimestamp64Milli(next_due_at) <= {soon_ms:Int64}
    ) AS due_soon_tickets,
    uniqExactIf(
        (tenant, source, ticket_id), state IN ('running', 'paused') AND breached
    ) AS overdue_tickets,
    countIf(
        breached AND state != 'void' AND toUnixTimestamp64Milli(breach_at) >= {day_start_ms:Int64}
    ) AS breached_today,
    countIf(breached AND state != 'void') AS breached_total
FROM v_ticket_clocks
WHERE {tenant:String} = '' OR tenant = {tenant:String}
