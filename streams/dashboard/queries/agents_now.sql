-- Wall: agents who are signed in now, and of them those who are free. Who forgot to sign out is not there.
SELECT
    toInt64(count()) AS there,
    toInt64(countIf(state = 'available')) AS free
FROM v_shifts
WHERE state IS NOT NULL AND NOT has(flags, 'never_ended')
    AND ({tenant:String} = '' OR tenant = {tenant:String})
