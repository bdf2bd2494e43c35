-- Cycles of two clocks without pauses, around the clock: the first reply within an hour, the solution within the
-- hours of its priority; a reopening begins a new resolution.
WITH about AS
(
    SELECT
        ticket_id,
        anyIf(JSONExtractString(data, 'ticket_type'), type = 'created') AS ticket_type,
        anyIf(JSONExtractString(data, 'priority'), type = 'created') AS priority,
        anyIf(JSONExtractString(data, 'tier'), type = 'created') AS tier,
        anyIf(JSONExtractString(data, 'team'), type = 'created') AS team,
        minIf(ms, type = 'created') AS created_ms,
        minIf(ms, type = 'message') AS reply_ms,
        arraySort(groupArrayIf(ms, type IN ('created', 'reopened'))) AS begun,
        arraySort(groupArrayIf(ms, type = 'solved')) AS solved
    FROM raw
    WHERE ticket_id != '' AND survey_id = '' AND call_id = ''
    GROUP BY ticket_id
)
SELECT
    toStartOfHour(fromUnixTimestamp64Milli(end_ms, 'UTC')) AS hour, clock, team, tier, priority, ticket_type,
    countIf(end_ms - start_ms <= target_ms) AS met,
    countIf(end_ms - start_ms > target_ms) AS breached,
    sum(end_ms - start_ms) AS elapsed_sum_ms
FROM
(
    SELECT 'first_reply' AS clock, team, tier, priority, ticket_type, created_ms AS start_ms, reply_ms AS end_ms, 3600000 AS target_ms
    FROM about

    UNION ALL

    SELECT
        'resolution', team, tier, priority, ticket_type, start_ms, end_ms,
        multiIf(priority = 'urgent', 4, priority = 'high', 8, priority = 'normal', 24, 48) * 3600000
    FROM about
    ARRAY JOIN begun AS start_ms, solved AS end_ms
)
GROUP BY ALL
ORDER BY ALL
