-- Headline: tickets still to be worked on. An empty tenant means all of them.
SELECT count() AS open_tickets
FROM v_tickets
WHERE open AND ({tenant:String} = '' OR tenant = {tenant:String})
