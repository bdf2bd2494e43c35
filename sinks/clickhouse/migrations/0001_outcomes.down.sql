DROP TABLE IF EXISTS partition_progress${on_cluster};
DROP TABLE IF EXISTS dead_letters${on_cluster};
DROP TABLE IF EXISTS alert_intents${on_cluster};
DROP TABLE IF EXISTS tickets${on_cluster};
DROP TABLE IF EXISTS ticket_clocks${on_cluster};
