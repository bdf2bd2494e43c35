-- Every event of the generated files, as it stands in them.
CREATE VIEW raw AS
SELECT
    JSONExtractString(line, 'event_id') AS event_id,
    JSONExtractString(line, 'type') AS type,
    parseDateTime64BestEffort(JSONExtractString(line, 'occurred_at'), 3, 'UTC') AS at,
    toUnixTimestamp64Milli(at) AS ms,
    JSONExtractString(line, 'call_id') AS call_id,
    JSONExtractString(line, 'ticket_id') AS ticket_id,
    JSONExtractString(line, 'survey_id') AS survey_id,
    JSONExtractString(line, 'shift_id') AS shift_id,
    JSONExtractRaw(line, 'data') AS data
FROM file('FOLDER/*.jsonl', LineAsString, 'line String')
