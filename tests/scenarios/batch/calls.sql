SELECT
    toStartOfHour(fromUnixTimestamp64Milli(decided_ms, 'UTC')) AS hour,
    queue,
    if(step = 'queued' AND outcome != 'answered', '', team) AS team,
    call_type,
    countIf(step = 'queued') AS queued,
    countIf(step = 'queued' AND outcome = 'answered') AS answered,
    countIf(step = 'queued' AND outcome = 'answered' AND lasted_ms <= within_ms) AS answered_within,
    countIf(step = 'queued' AND outcome = 'abandoned') AS abandoned,
    countIf(step = 'queued' AND outcome = 'abandoned' AND lasted_ms <= within_ms) AS abandoned_within,
    countIf(step = 'queued' AND outcome = 'abandoned' AND lasted_ms <= 5000) AS short_abandoned,
    countIf(step = 'queued' AND outcome = 'callback_requested' AND lasted_ms <= within_ms) AS callbacks_within,
    sumIf(lasted_ms, step = 'queued' AND outcome = 'answered') AS wait_sum_ms,
    countIf(step = 'answered') AS handled,
    sumIf(lasted_ms - hold_ms, step = 'answered') AS talk_sum_ms,
    sumIf(hold_ms, step = 'answered') AS hold_sum_ms,
    sumIf(after_ms, step = 'answered') AS after_call_sum_ms,
    countIf(step = 'answered' AND lasted_ms > 180000) AS over_aim,
    countIf(step = 'answered' AND lasted_ms > 300000) AS over_limit,
    countIf(step = 'answered' AND outcome = 'transferred') AS transfers
FROM legs
GROUP BY ALL
ORDER BY ALL
