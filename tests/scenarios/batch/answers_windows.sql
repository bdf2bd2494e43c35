SELECT
    toStartOfHour(window_start) AS hour, metric, channel, team,
    sum(sent) AS sent, sum(sent_answered) AS sent_answered, sum(responses) AS responses,
    sum(satisfied) AS satisfied, sum(promoters) AS promoters, sum(detractors) AS detractors,
    sum(top_box) AS top_box, sum(score_sum_thousandths) AS score_sum_thousandths
FROM v_survey_windows
GROUP BY ALL
HAVING sent + responses > 0
ORDER BY ALL
