SELECT
    toStartOfHour(window_start) AS hour, team,
    sum(agents_began) AS agents_began, sum(busy_sum_ms) AS busy_sum_ms, sum(idle_sum_ms) AS idle_sum_ms,
    sum(away_sum_ms) AS away_sum_ms
FROM v_shift_windows
GROUP BY ALL
HAVING agents_began + busy_sum_ms + idle_sum_ms + away_sum_ms > 0
ORDER BY ALL
