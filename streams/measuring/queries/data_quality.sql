-- What is odd about the data of a period, by kind and mark; nothing here is lost, and nothing is guessed.
SELECT kind, mark, toInt64(count()) AS found, toUnixTimestamp64Milli(max(at)) AS latest_ms
FROM
(
    SELECT 'ticket' AS kind, arrayJoin(flags) AS mark, event_time AS at, tenant FROM v_tickets

    UNION ALL

    SELECT 'call', arrayJoin(flags), event_time, tenant FROM v_calls

    UNION ALL

    SELECT 'survey', arrayJoin(flags), event_time, tenant FROM v_surveys

    UNION ALL

    SELECT 'shift', arrayJoin(flags), event_time, tenant FROM v_shifts

    UNION ALL

    SELECT 'survey', 'unknown_ticket', s.event_time, s.tenant
    FROM (SELECT tenant, event_time, assumeNotNull(ticket_id) AS about FROM v_surveys WHERE ticket_id IS NOT NULL) AS s
    LEFT ANTI JOIN v_tickets AS t ON s.tenant = t.tenant AND s.about = t.ticket_id

    UNION ALL

    SELECT 'survey', 'unknown_call', s.event_time, s.tenant
    FROM (SELECT tenant, event_time, assumeNotNull(call_id) AS about FROM v_surveys WHERE call_id IS NOT NULL) AS s
    LEFT ANTI JOIN v_calls AS c ON s.tenant = c.tenant AND s.about = c.call_id

    UNION ALL

    SELECT 'dead letter', reason, event_time, '' FROM v_dead_letters
)
WHERE at >= fromUnixTimestamp64Milli({from_ms:Int64}) AND at < fromUnixTimestamp64Milli({to_ms:Int64})
    AND ({tenant:String} = '' OR tenant = '' OR tenant = {tenant:String})
GROUP BY kind, mark
ORDER BY found DESC, kind, mark
