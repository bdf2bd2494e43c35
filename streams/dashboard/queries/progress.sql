-- How far every source partition is: the pipeline's clock, and how old what the page shows is.
SELECT
    topic,
    partition,
    toUnixTimestamp64Milli(clock_now) AS clock_ms,
    toUnixTimestamp64Milli(recorded_at) AS recorded_ms,
    events_total,
    rejected_total
FROM v_partition_progress
ORDER BY topic, partition
