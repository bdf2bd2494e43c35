SELECT
    toStartOfHour(moment) AS hour, ticket_type, team, tier, channel,
    sum(created_one) AS created, sum(solved_one) AS solved, sum(closed_one) AS closed,
    sum(reopened) AS reopened_solved, sum(lifetime) AS lifetime_sum_ms
FROM
(
    SELECT
        ticket_id,
        anyIf(JSONExtractString(data, 'ticket_type'), type = 'created') AS ticket_type,
        anyIf(JSONExtractString(data, 'team'), type = 'created') AS team,
        anyIf(JSONExtractString(data, 'tier'), type = 'created') AS tier,
        anyIf(JSONExtractString(data, 'channel'), type = 'created') AS channel,
        [minIf(at, type = 'created'), maxIf(at, type = 'solved'), maxIf(at, type = 'closed')] AS moments,
        countIf(type = 'reopened') > 0 AS was_reopened,
        maxIf(ms, type = 'solved') - minIf(ms, type = 'created') AS lifetime_ms
    FROM raw
    WHERE ticket_id != '' AND survey_id = '' AND call_id = ''
    GROUP BY ticket_id
)
ARRAY JOIN
    moments AS moment,
    [1, 0, 0] AS created_one,
    [0, 1, 0] AS solved_one,
    [0, 0, 1] AS closed_one,
    [0, was_reopened, 0] AS reopened,
    [0, lifetime_ms, 0] AS lifetime
GROUP BY ALL
ORDER BY ALL
