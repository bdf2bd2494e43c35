-- The last answer to each question of each questionnaire, as corrected; and the questionnaires themselves.
WITH corrected AS
(
    SELECT JSONExtractString(data, 'corrects') AS answer_id, argMax(JSONExtractInt(data, 'score'), ms) AS score
    FROM raw WHERE type = 'corrected' AND survey_id != '' GROUP BY answer_id
),
answers AS
(
    SELECT
        survey_id,
        JSONExtractString(data, 'metric') AS metric,
        at,
        JSONExtractString(data, 'team') AS team,
        if(corrected.answer_id = '', JSONExtractInt(data, 'score'), corrected.score) AS score
    FROM raw LEFT JOIN corrected ON raw.event_id = corrected.answer_id
    WHERE type = 'answered' AND survey_id != ''
    ORDER BY raw.ms DESC, event_id DESC
    LIMIT 1 BY survey_id, metric
),
sendings AS
(
    SELECT
        survey_id, minIf(at, type = 'sent') AS sent_at,
        anyIf(JSONExtractString(data, 'channel'), type = 'sent') AS channel,
        anyIf(JSONExtractString(data, 'team'), type = 'sent') AS team,
        countIf(type = 'answered') > 0 AS was_answered
    FROM raw WHERE survey_id != '' GROUP BY survey_id
)
SELECT
    toStartOfHour(moment) AS hour, metric, channel, team,
    sum(sent) AS sent, sum(sent_answered) AS sent_answered, sum(response) AS responses,
    sum(satisfied) AS satisfied, sum(promoter) AS promoters, sum(detractor) AS detractors,
    sum(top) AS top_box, sum(points) AS score_sum_thousandths
FROM
(
    SELECT
        at AS moment, metric, channel, answers.team AS team, 0 AS sent, 0 AS sent_answered, 1 AS response,
        metric = 'csat' AND score >= 4 AS satisfied, metric = 'nps' AND score >= 9 AS promoter,
        metric = 'nps' AND score <= 6 AS detractor, metric = 'ces' AND score >= 6 AS top, 1000 * score AS points
    FROM answers INNER JOIN sendings USING (survey_id)

    UNION ALL

    SELECT sent_at, '', channel, team, 1, was_answered, 0, 0, 0, 0, 0, 0 FROM sendings
)
GROUP BY ALL
ORDER BY ALL
