DROP VIEW IF EXISTS v_alert_actions${on_cluster};
DROP TABLE IF EXISTS alert_actions${on_cluster};
