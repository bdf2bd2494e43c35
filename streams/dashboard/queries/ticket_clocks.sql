-- Every clock cycle of one ticket, oldest first.
SELECT
    clock,
    cycle_id,
    cycle_ordinal,
    kind,
    event_time AS started_at,
    state,
    verdict,
    target_ms,
    due_at,
    next_due_at,
    stopped_at,
    withdrawn_at,
    elapsed_ms,
    breached,
    breach_at,
    breach_reason,
    at_risk_at,
    team,
    agent,
    breach_team,
    largest_team,
    external_verdict,
    flags,
    rule,
    policy_version,
    judged_at
FROM v_ticket_clocks
WHERE tenant = {tenant:String} AND source = {source:String} AND ticket_id = {ticket_id:String}
ORDER BY started_at, clock, cycle_ordinal
