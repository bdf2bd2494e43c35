-- Customers heard of in the period before, and how many of them came back in this one (保留度).
SELECT
    countIf(was AND is) AS hits,
    countIf(was) AS whole
FROM
(
    SELECT
        customer_id,
        max(event_time >= fromUnixTimestamp64Milli({from_ms:Int64})
            AND event_time < fromUnixTimestamp64Milli({to_ms:Int64})) AS is,
        max(event_time >= fromUnixTimestamp64Milli({before_ms:Int64})
            AND event_time < fromUnixTimestamp64Milli({from_ms:Int64})) AS was
    FROM
    (
        SELECT tenant, customer_id, event_time FROM v_tickets
        UNION ALL
        SELECT tenant, customer_id, event_time FROM v_calls
    )
    WHERE customer_id IS NOT NULL AND ({tenant:String} = '' OR tenant = {tenant:String})
    GROUP BY customer_id
)
