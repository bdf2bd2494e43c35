-- Menu and callbacks, which belong to the minute of their beginning.
SELECT
    toStartOfHour(began) AS hour, queue, call_type,
    sum(entered_one) AS entered, sum(menu_abandoned_one) AS menu_abandoned,
    sum(requested) AS callbacks_requested, sum(made) AS callbacks_made, sum(late) AS callbacks_late
FROM
(
    SELECT
        minIf(at, type = 'ivr_entered') AS began, '' AS queue,
        anyIf(JSONExtractString(data, 'call_type'), type = 'ivr_entered') AS call_type,
        1 AS entered_one,
        countIf(type = 'abandoned' AND JSONExtractString(data, 'where') = 'ivr') AS menu_abandoned_one,
        0 AS requested, 0 AS made, 0 AS late
    FROM raw WHERE call_id != '' AND survey_id = '' GROUP BY call_id

    UNION ALL

    SELECT
        minIf(at, type = 'callback_requested') AS began,
        anyIf(JSONExtractString(data, 'queue'), type = 'callback_requested') AS queue,
        anyIf(JSONExtractString(data, 'call_type'), type = 'ivr_entered') AS call_type,
        0, 0, 1,
        countIf(type = 'callback_made') AS made,
        if(made = 0, 1, maxIf(ms, type = 'callback_made') - maxIf(ms, type = 'callback_requested') > 14400000) AS late
    FROM raw WHERE call_id != '' AND survey_id = ''
    GROUP BY call_id
    HAVING countIf(type = 'callback_requested') > 0
)
GROUP BY ALL
ORDER BY ALL
