-- Solved tickets of known customers, whether the customer was asked how it went, and whether the follow-up
-- contact was made in time (the clock follow_up of the policy, where it has one).
SELECT
    ticket.tenant AS tenant,
    ticket.source AS source,
    ifNull(ticket.team, '') AS team,
    ifNull(ticket.tier, '') AS tier,
    ifNull(ticket.ticket_type, '') AS ticket_type,
    ticket.solved_at AS event_time,
    asked.tickets > 0 AS surveyed,
    followed.verdict AS follow_up
FROM (SELECT * FROM v_tickets WHERE solved_at IS NOT NULL) AS ticket
LEFT JOIN
(
    SELECT tenant, assumeNotNull(ticket_id) AS about, count() AS tickets
    FROM v_surveys
    WHERE sent_at IS NOT NULL AND ticket_id IS NOT NULL
    GROUP BY tenant, about
) AS asked
ON ticket.tenant = asked.tenant AND ticket.ticket_id = asked.about
LEFT JOIN
(
    SELECT tenant, source, ticket_id, argMax(verdict, cycle_ordinal) AS verdict
    FROM v_ticket_clocks
    WHERE clock = 'follow_up'
    GROUP BY tenant, source, ticket_id
) AS followed
ON ticket.tenant = followed.tenant AND ticket.source = followed.source
    AND ticket.ticket_id = followed.ticket_id
