-- Panel: open tickets by the team that holds them; overdue wins over at risk. No team: empty text.
SELECT
    team_name,
    sum(open_part) AS open_tickets,
    sum(at_risk_part) AS at_risk_tickets,
    sum(overdue_part) AS overdue_tickets
FROM
(
    SELECT
        ifNull(toString(team), '') AS team_name,
        count() AS open_part,
        toUInt64(0) AS at_risk_part,
        toUInt64(0) AS overdue_part
    FROM v_tickets
    WHERE open AND ({tenant:String} = '' OR tenant = {tenant:String})
    GROUP BY team_name

    UNION ALL

    SELECT
        team_name,
        toUInt64(0) AS open_part,
        countIf(is_at_risk AND NOT is_overdue) AS at_risk_part,
        countIf(is_overdue) AS overdue_part
    FROM
    (
        SELECT
            ifNull(toString(anyLast(team)), '') AS team_name,
            max(breached) AS is_overdue,
            max(NOT breached
                AND ifNull(toUnixTimestamp64Milli(at_risk_at) <= {now_ms:Int64}, false))
                AS is_at_risk
        FROM v_ticket_clocks
        WHERE state IN ('running', 'paused')
            AND ({tenant:String} = '' OR tenant = {tenant:String})
        GROUP BY tenant, source, ticket_id
    )
    GROUP BY team_name
)
GROUP BY team_name
ORDER BY open_tickets DESC, team_name
LIMIT {rows_max:UInt32}
