-- The last satisfaction answer about each ticket, with the verdict of the ticket's clocks: met when none was
-- breached, breached when one was. Answers about tickets that nobody knows, or that were never judged, are out.
SELECT
    answer.tenant AS tenant,
    answer.last_source AS source,
    answer.last_time AS event_time,
    answer.last_score AS score,
    answer.last_satisfied AS satisfied,
    answer.last_team AS team,
    verdict.breached AS breached
FROM
(
    SELECT
        tenant,
        ticket_id,
        question,
        argMax(source, (event_time, survey_id)) AS last_source,
        argMax(score, (event_time, survey_id)) AS last_score,
        argMax(satisfied, (event_time, survey_id)) AS last_satisfied,
        argMax(ifNull(team, ''), (event_time, survey_id)) AS last_team,
        max(event_time) AS last_time
    FROM v_survey_answers
    WHERE metric = 'csat' AND score IS NOT NULL AND ticket_id IS NOT NULL
    GROUP BY tenant, ticket_id, question
) AS answer
INNER JOIN
(
    SELECT tenant, ticket_id, max(breached) AS breached
    FROM v_ticket_clocks
    WHERE verdict IN ('met', 'breached')
    GROUP BY tenant, ticket_id
) AS verdict
ON answer.tenant = verdict.tenant AND answer.ticket_id = verdict.ticket_id
