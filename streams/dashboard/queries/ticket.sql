-- One ticket as it stands.
SELECT
    tenant,
    source,
    ticket_id,
    event_time AS created_at,
    status,
    source_status,
    open,
    ticket_type,
    priority,
    tier,
    channel,
    team,
    agent,
    first_agent,
    stage,
    solved_at,
    closed_at,
    reopen_count,
    reassignment_count,
    event_count,
    last_event_at,
    merged_into,
    flags,
    policy_version,
    judged_at
FROM v_tickets
WHERE tenant = {tenant:String} AND source = {source:String} AND ticket_id = {ticket_id:String}
