-- Waits and talks of calls straight from their events: each queueing with what came next, each answer with what
-- ended its talk.
CREATE VIEW legs AS
WITH steps AS
(
    SELECT
        call_id, type, ms, data,
        multiIf(type = 'transferred', 0, type = 'queued', 1, type = 'callback_requested', 2, type = 'answered', 3, type = 'abandoned', 4, 5) AS rank
    FROM raw
    WHERE call_id != '' AND survey_id = ''
        AND type IN ('queued', 'answered', 'abandoned', 'callback_requested', 'transferred', 'ended')
),
followed AS
(
    SELECT
        *,
        leadInFrame(type) OVER w AS next_type,
        leadInFrame(ms) OVER w AS next_ms,
        leadInFrame(data) OVER w AS next_data,
        lagInFrame(type) OVER w AS previous_type,
        lagInFrame(data) OVER w AS previous_data
    FROM steps
    WINDOW w AS (PARTITION BY call_id ORDER BY ms, rank ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
),
about AS
(
    SELECT
        call_id,
        anyIf(JSONExtractString(data, 'call_type'), type = 'ivr_entered') AS call_type,
        sumIf(ms, type = 'retrieved') - sumIf(ms, type = 'held') AS hold_ms,
        maxIf(ms, type = 'held') AS held_ms,
        maxIf(ms, type = 'after_call_ended') - maxIf(ms, type = 'ended') AS after_ms,
        countIf(type = 'after_call_ended') AS after_known,
        maxIf(ms, type = 'answered') AS last_answer_ms
    FROM raw
    WHERE call_id != '' AND survey_id = ''
    GROUP BY call_id
)
SELECT
    followed.call_id AS call_id,
    call_type,
    type AS step,
    if(type = 'queued', JSONExtractString(data, 'queue'), JSONExtractString(previous_data, 'queue')) AS queue,
    JSONExtractString(if(type = 'queued', next_data, data), 'team') AS team,
    next_type AS outcome,
    next_ms AS decided_ms,
    next_ms - ms AS lasted_ms,
    if(type = 'answered' AND held_ms >= ms AND held_ms < next_ms, hold_ms, 0) AS hold_ms,
    if(type = 'answered' AND ms = last_answer_ms AND after_known > 0, after_ms, 0) AS after_ms,
    multiIf(queue = 'vip', 10000, queue = 'complaints', 15000, queue = 'technical', 30000, 20000) AS within_ms
FROM followed
INNER JOIN about ON about.call_id = followed.call_id
WHERE type IN ('queued', 'answered')
