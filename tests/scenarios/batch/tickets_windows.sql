SELECT
    toStartOfHour(window_start) AS hour, ticket_type, team, tier, channel,
    sum(created) AS created, sum(solved) AS solved, sum(closed) AS closed,
    sum(reopened_solved) AS reopened_solved, sum(lifetime_sum_ms) AS lifetime_sum_ms
FROM v_ticket_windows
GROUP BY ALL
HAVING created + solved + closed > 0
ORDER BY ALL
