DROP VIEW IF EXISTS v_partition_progress${on_cluster};
DROP VIEW IF EXISTS v_dead_letters${on_cluster};
DROP VIEW IF EXISTS v_alert_intents${on_cluster};
DROP VIEW IF EXISTS v_tickets${on_cluster};
DROP VIEW IF EXISTS v_ticket_clocks${on_cluster};
