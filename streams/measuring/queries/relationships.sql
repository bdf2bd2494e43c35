-- Customers by tier and relationship class (客户关系): lost when silent for too long, loyal when they come again and
-- are satisfied, satisfied when their last answer was, else ordinary.
SELECT
    tier,
    class,
    toInt64(count()) AS customers,
    toInt64(sum(their_contacts)) AS contacts,
    toInt64(sum(their_complaints)) AS complaints,
    toInt64(sum(their_complaints > 1)) AS complained_again,
    avg(their_silent_days) AS silent_days
FROM
(
    SELECT
        customer_id,
        max(their_tier) AS tier,
        sum(contact) AS their_contacts,
        sum(complaint) AS their_complaints,
        dateDiff('day', maxIf(at, contact > 0), fromUnixTimestamp64Milli({now_ms:Int64})) AS their_silent_days,
        argMaxIf(pleased, at, answered > 0) AS last_pleased,
        sum(answered) AS answers,
        multiIf(
            {now_ms:Int64} - toUnixTimestamp64Milli(maxIf(at, contact > 0)) > {lost_after_ms:Int64}, 'lost',
            answers > 0 AND last_pleased = 1 AND their_contacts >= {loyal_contacts:UInt32}
                AND their_complaints <= {loyal_complaints_max:UInt32}, 'loyal',
            answers > 0 AND last_pleased = 1, 'satisfied',
            'ordinary') AS class
    FROM
    (
        SELECT customer_id, ifNull(tier, '') AS their_tier, event_time AS at, 1 AS contact, ticket_type = 'complaint' AS complaint, 0 AS answered, 0 AS pleased, tenant FROM v_tickets
        UNION ALL
        SELECT customer_id, '', event_time, 1, 0, 0, 0, tenant FROM v_calls
        UNION ALL
        SELECT customer_id, '', event_time, 0, 0, 1, satisfied, tenant FROM v_survey_answers WHERE metric = 'csat' AND score IS NOT NULL
    )
    WHERE customer_id IS NOT NULL AND at < fromUnixTimestamp64Milli({now_ms:Int64})
        AND ({tenant:String} = '' OR tenant = {tenant:String})
    GROUP BY customer_id
    HAVING their_contacts > 0
)
GROUP BY tier, class
ORDER BY tier, indexOf(['loyal', 'satisfied', 'ordinary', 'lost'], class)
