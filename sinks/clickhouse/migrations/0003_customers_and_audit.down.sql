DROP VIEW IF EXISTS v_audit${on_cluster};
DROP VIEW IF EXISTS v_customer_aliases${on_cluster};
DROP TABLE IF EXISTS audit${on_cluster};
DROP TABLE IF EXISTS customer_aliases${on_cluster};
