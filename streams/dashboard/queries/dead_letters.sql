-- Headline: messages that could not be processed, by reason code, most frequent first.
SELECT reason, count() AS messages
FROM v_dead_letters
GROUP BY reason
ORDER BY messages DESC, reason
