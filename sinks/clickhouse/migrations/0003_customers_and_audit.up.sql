CREATE TABLE IF NOT EXISTS customer_aliases${on_cluster}
(
    tenant LowCardinality(String) COMMENT 'tenant (租户)',
    alias String COMMENT 'pseudonym that an older key made',
    customer_id String COMMENT 'pseudonym that counts now (客户)',
    event_time DateTime64(3, 'UTC') COMMENT 'when the edge saw both',
    version UInt64 COMMENT 'the highest wins',
    CONSTRAINT alias_given CHECK notEmpty(alias)
)
ENGINE = ${replicated}ReplacingMergeTree(version)
ORDER BY (tenant, alias)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'pseudonyms of one customer by an old and a new key (客户别名)';

CREATE TABLE IF NOT EXISTS audit${on_cluster}
(
    audit_id String COMMENT 'id of the entry',
    event_time DateTime64(3, 'UTC') COMMENT 'when it was done',
    actor String COMMENT 'who did it',
    action LowCardinality(String) COMMENT 'what was done',
    subject String COMMENT 'what it was done to; of a customer only a hash',
    detail String COMMENT 'counts and reasons',
    version UInt64 COMMENT 'the highest wins',
    INDEX event_time_minmax event_time TYPE minmax,
    CONSTRAINT audit_id_given CHECK notEmpty(audit_id)
)
ENGINE = ${replicated}ReplacingMergeTree(version)
ORDER BY (audit_id)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'who did what that must be accounted for (审计)';

CREATE VIEW IF NOT EXISTS v_customer_aliases${on_cluster} AS
SELECT
    tenant,
    alias,
    customer_id,
    event_time,
    version
FROM customer_aliases FINAL
COMMENT 'current rows: pseudonyms of one customer by an old and a new key (客户别名)';

CREATE VIEW IF NOT EXISTS v_audit${on_cluster} AS
SELECT
    audit_id,
    event_time,
    actor,
    action,
    subject,
    detail,
    version
FROM audit FINAL
COMMENT 'current rows: who did what that must be accounted for (审计)';
