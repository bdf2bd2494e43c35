-- Customers by tier and relationship class (客户关系): lost when silent for too long, loyal when they come again and
-- are satisfied, satisfied when their last answer was, else ordinary. Contribution (贡献度): share of the sum of the
-- attribute that the policy names, over all customers.
SELECT
    tier,
    class,
    toInt64(count()) AS customers,
    toInt64(sum(their_contacts)) AS contacts,
    toInt64(sum(their_complaints)) AS complaints,
    100 * sum(their_complaints) / sum(their_contacts) AS complaint_rate,
    toInt64(sum(their_complaints > 1)) AS complained_again,
    if(sum(answers) = 0, NULL, 100 * sum(pleased_answers) / sum(answers)) AS csat,
    if(sum(sum(their_worth)) OVER () = 0, NULL, 100 * sum(their_worth) / sum(sum(their_worth)) OVER ()) AS contribution,
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
        sum(pleased) AS pleased_answers,
        sum(worth) AS their_worth,
        multiIf(
            {now_ms:Int64} - toUnixTimestamp64Milli(maxIf(at, contact > 0)) > {lost_after_ms:Int64}, 'lost',
            answers > 0 AND last_pleased = 1 AND their_contacts >= {loyal_contacts:UInt32}
                AND their_complaints <= {loyal_complaints_max:UInt32}, 'loyal',
            answers > 0 AND last_pleased = 1, 'satisfied',
            'ordinary') AS class
    FROM
    (
        SELECT customer_id, ifNull(tier, '') AS their_tier, event_time AS at, 1 AS contact, ticket_type = 'complaint' AS complaint, 0 AS answered, 0 AS pleased,
            toFloat64OrZero(attributes[{contribution_attribute:String}]) AS worth, tenant
        FROM v_tickets
        UNION ALL
        SELECT customer_id, '', event_time, 1, 0, 0, 0, 0., tenant FROM v_calls
        UNION ALL
        -- an answer that names no customer is of whoever the ticket or call was about
        SELECT coalesce(a.customer_id, t.customer_id, c.customer_id), '', a.event_time, 0, 0, 1, a.satisfied, 0., a.tenant
        FROM (SELECT * FROM v_survey_answers WHERE metric = 'csat' AND score IS NOT NULL) AS a
        LEFT JOIN (SELECT tenant, ticket_id, max(customer_id) AS customer_id FROM v_tickets GROUP BY ALL) AS t
            ON a.tenant = t.tenant AND a.ticket_id = t.ticket_id
        LEFT JOIN (SELECT tenant, call_id, max(customer_id) AS customer_id FROM v_calls GROUP BY ALL) AS c
            ON a.tenant = c.tenant AND a.call_id = c.call_id
    )
    WHERE customer_id IS NOT NULL AND at < fromUnixTimestamp64Milli({now_ms:Int64})
        AND ({tenant:String} = '' OR tenant = {tenant:String})
    GROUP BY customer_id
    HAVING their_contacts > 0
)
GROUP BY tier, class
ORDER BY tier, indexOf(['loyal', 'satisfied', 'ordinary', 'lost'], class)
