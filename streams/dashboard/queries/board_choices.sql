-- What the board can be filtered by: teams, tiers and clocks of running promises.
SELECT
    arraySort(groupUniqArray(200)(ifNull(toString(team), ''))) AS teams,
    arraySort(groupUniqArray(50)(ifNull(toString(tier), ''))) AS tiers,
    arraySort(groupUniqArray(100)(toString(clock))) AS clocks
FROM v_ticket_clocks
WHERE state IN ('running', 'paused') AND ({tenant:String} = '' OR tenant = {tenant:String})
