-- Wall: calls that wait for an answer now, by queue, and since when the longest has.
SELECT
    ifNull(toString(queue), '') AS queue_name,
    count() AS waiting,
    toUnixTimestamp64Milli(min(queued_at)) AS longest_since_ms
FROM v_call_legs
WHERE outcome = 'open' AND queued_at IS NOT NULL AND NOT odd
    AND toUnixTimestamp64Milli(queued_at) > {since_ms:Int64}
    AND ({tenant:String} = '' OR tenant = {tenant:String})
GROUP BY queue_name
ORDER BY longest_since_ms, queue_name
LIMIT {rows_max:UInt32}
