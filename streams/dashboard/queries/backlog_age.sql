-- Rule on the backlog: how old open tickets are; 90 % are younger. Nothing open: null.
SELECT if(count() = 0, NULL, quantileExactLow(0.9)({now_ms:Int64} - toUnixTimestamp64Milli(event_time))) AS age_ms
FROM v_tickets
WHERE open AND ({tenant:String} = '' OR tenant = {tenant:String})
