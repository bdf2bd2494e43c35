-- Complaints of known customers, and whether the same customer had complained in the 90 days before.
SELECT
    tenant,
    source,
    ifNull(team, '') AS team,
    ifNull(tier, '') AS tier,
    event_time,
    customer_id,
    arrayExists(
        earlier -> earlier < event_time AND earlier >= event_time - INTERVAL 90 DAY, instants) AS repeated
FROM
(
    SELECT
        *,
        groupArray(event_time) OVER (PARTITION BY tenant, customer_id) AS instants
    FROM v_tickets
    WHERE ticket_type = 'complaint' AND customer_id IS NOT NULL
)
