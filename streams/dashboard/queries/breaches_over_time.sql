-- Chart: breaches per bucket of `bucket_ms`, by the instant of the breach; empty buckets are left out.
SELECT
    intDiv(toUnixTimestamp64Milli(assumeNotNull(breach_at)), {bucket_ms:Int64}) * {bucket_ms:Int64}
        AS bucket_start_ms,
    count() AS breaches
FROM v_ticket_clocks
WHERE breached AND state != 'void'
    AND breach_at >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
    AND ({tenant:String} = '' OR tenant = {tenant:String})
GROUP BY bucket_start_ms
ORDER BY bucket_start_ms
