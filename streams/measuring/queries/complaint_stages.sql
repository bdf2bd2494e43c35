-- Complaints that are not summarised yet, by the stage that they are in (投诉处理流程).
SELECT
    if(ifNull(stage, '') = '', 'received', assumeNotNull(stage)) AS in_stage,
    count() AS complaints,
    toInt64(countIf(open)) AS still_open,
    toUnixTimestamp64Milli(min(event_time)) AS oldest_ms
FROM v_tickets
WHERE ticket_type = 'complaint' AND ifNull(stage, '') != 'summarised'
    AND ({tenant:String} = '' OR tenant = {tenant:String})
    AND ({team:String} = '' OR team = {team:String})
GROUP BY in_stage
ORDER BY indexOf(['received', 'judged', 'investigated', 'proposed', 'approved', 'implemented', 'confirmed', 'followed_up'], in_stage), in_stage
