-- First contacts: calls of a customer about an issue (the kind of call) that repeat no other; see
-- streams.core.statistics.first_contact. A repeat: opened in [closed, closed + window) of an earlier one.
SELECT
    tenant,
    source,
    call_type,
    queue,
    contact.1 AS event_time,
    multiIf(
        repeated, 'repeated',
        isNotNull(contact.3)
            AND toUnixTimestamp64Milli(assumeNotNull(contact.3)) + {window_ms:Int64} <= {now_ms:Int64},
        'resolved',
        'provisional'
    ) AS outcome
FROM
(
    SELECT
        tenant,
        source,
        call_type,
        arraySort(groupArray((event_time, call_id, ended_at, ifNull(queue, '')))) AS contacts,
        arrayMap(
            later -> arrayExists(
                earlier -> earlier.1 < later.1
                    AND isNotNull(earlier.3)
                    AND later.1 >= assumeNotNull(earlier.3)
                    AND toUnixTimestamp64Milli(later.1)
                        < toUnixTimestamp64Milli(assumeNotNull(earlier.3)) + {window_ms:Int64},
                contacts),
            contacts) AS repeats,
        arrayMap(
            earlier -> isNotNull(earlier.3) AND arrayExists(
                later -> earlier.1 < later.1
                    AND later.1 >= assumeNotNull(earlier.3)
                    AND toUnixTimestamp64Milli(later.1)
                        < toUnixTimestamp64Milli(assumeNotNull(earlier.3)) + {window_ms:Int64},
                contacts),
            contacts) AS repeated_by
    FROM
    (
        SELECT
            tenant, source, ifNull(call_type, '') AS call_type, customer_id, call_id, event_time,
            ended_at, queue
        FROM v_calls
        WHERE customer_id IS NOT NULL AND answered
    )
    GROUP BY tenant, source, call_type, customer_id
)
ARRAY JOIN contacts AS contact, repeats AS is_repeat, repeated_by AS repeated, arrayMap(c -> c.4, contacts) AS queue
WHERE NOT is_repeat
