SELECT
    toStartOfHour(window_start) AS hour, clock, team, tier, priority, ticket_type,
    sum(met) AS met, sum(breached) AS breached, sum(elapsed_sum_ms) AS elapsed_sum_ms
FROM v_clock_windows
GROUP BY ALL
HAVING met + breached > 0
ORDER BY ALL
