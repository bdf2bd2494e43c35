SELECT
    toStartOfHour(window_start) AS hour, queue, call_type,
    sum(entered) AS entered, sum(menu_abandoned) AS menu_abandoned,
    sum(callbacks_requested) AS callbacks_requested, sum(callbacks_made) AS callbacks_made,
    sum(callbacks_late) AS callbacks_late
FROM v_call_windows
GROUP BY ALL
HAVING entered + callbacks_requested > 0
ORDER BY ALL
