-- Complaints of a period by cause (投诉分类统计表): how many, against the period before, how they stand, how long a
-- solution takes, and the corrective actions recorded (改善对策).
SELECT
    cause,
    class,
    toInt64(sum(now_one)) AS complaints,
    toInt64(sum(before_one)) AS complaints_before,
    toInt64(sum(now_one AND is_open)) AS still_open,
    toInt64(sum(now_one AND is_serious)) AS serious,
    if(countIf(now_one AND isNotNull(solve_ms)) = 0, NULL,
       toInt64(quantileExactLowIf(0.5)(assumeNotNull(solve_ms), now_one AND isNotNull(solve_ms)))) AS median_solve_ms,
    arrayStringConcat(arraySort(groupUniqArrayIf(8)(action, now_one AND action != '')), '; ') AS actions
FROM
(
    SELECT
        if(attributes['cause'] = '', 'not_recorded', attributes['cause']) AS cause,
        if(attributes['class'] = '', '', attributes['class']) AS class,
        attributes['corrective_action'] AS action,
        attributes['severity'] = 'serious' AS is_serious,
        open AS is_open,
        event_time >= fromUnixTimestamp64Milli({from_ms:Int64}) AS now_one,
        NOT now_one AS before_one,
        dateDiff('millisecond', event_time, solved_at) AS solve_ms
    FROM v_tickets
    WHERE ticket_type = 'complaint'
        AND event_time >= fromUnixTimestamp64Milli({before_ms:Int64})
        AND event_time < fromUnixTimestamp64Milli({to_ms:Int64})
        AND ({tenant:String} = '' OR tenant = {tenant:String})
        AND ({team:String} = '' OR team = {team:String})
)
GROUP BY cause, class
ORDER BY complaints DESC, cause, class
