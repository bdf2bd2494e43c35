-- The number of one complaint.
SELECT complaint_number
FROM v_complaint_numbers
WHERE tenant = {tenant:String} AND source = {source:String} AND ticket_id = {ticket_id:String}
LIMIT 1
