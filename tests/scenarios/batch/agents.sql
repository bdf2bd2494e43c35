-- What agents did, by the hours in which the time passed: each event until the next of its shift, cut at the minutes.
WITH
    spells AS
    (
        SELECT
            team, at, until,
            multiIf(state IN ('on_contact', 'after_contact'), 'busy', state = 'available', 'idle', 'away') AS doing
        FROM
        (
            SELECT
                first_value(JSONExtractString(data, 'team')) OVER shift AS team,
                if(type = 'began', 'available', JSONExtractString(data, 'state')) AS state,
                ms AS at,
                leadInFrame(ms) OVER shift AS until,
                type
            FROM raw
            WHERE shift_id != ''
            WINDOW shift AS (
                PARTITION BY shift_id ORDER BY ms, transform(type, ['began', 'ended'], [0, 2], 1), event_id
                ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
        )
        WHERE type != 'ended'
    )
SELECT
    hour, team, sum(began) AS agents_began, sum(busy) AS busy_sum_ms, sum(idle) AS idle_sum_ms, sum(away) AS away_sum_ms
FROM
(
    SELECT
        toStartOfHour(fromUnixTimestamp64Milli(minute * 60000, 'UTC')) AS hour, team, 0 AS began,
        if(doing = 'busy', part, 0) AS busy, if(doing = 'idle', part, 0) AS idle, if(doing = 'away', part, 0) AS away
    FROM
    (
        SELECT
            team, doing, arrayJoin(range(toUInt64(intDiv(at, 60000)), toUInt64(intDiv(until - 1, 60000)) + 1)) AS minute,
            least(until, toInt64(minute + 1) * 60000) - greatest(at, toInt64(minute) * 60000) AS part
        FROM spells WHERE until > at
    )

    UNION ALL

    SELECT toStartOfHour(at), JSONExtractString(data, 'team'), 1, 0, 0, 0 FROM raw WHERE shift_id != '' AND type = 'began'
)
GROUP BY ALL
ORDER BY ALL
