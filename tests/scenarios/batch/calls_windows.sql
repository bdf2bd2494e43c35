SELECT
    toStartOfHour(window_start) AS hour, queue, team, call_type,
    sum(queued) AS queued, sum(answered) AS answered, sum(answered_within) AS answered_within,
    sum(abandoned) AS abandoned, sum(abandoned_within) AS abandoned_within,
    sum(short_abandoned) AS short_abandoned, sum(callbacks_within) AS callbacks_within,
    sum(wait_sum_ms) AS wait_sum_ms, sum(handled) AS handled, sum(talk_sum_ms) AS talk_sum_ms,
    sum(hold_sum_ms) AS hold_sum_ms, sum(after_call_sum_ms) AS after_call_sum_ms,
    sum(over_aim) AS over_aim, sum(over_limit) AS over_limit, sum(transfers) AS transfers
FROM v_call_windows
GROUP BY ALL
HAVING queued + handled > 0
ORDER BY ALL
