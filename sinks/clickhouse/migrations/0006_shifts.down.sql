DROP VIEW IF EXISTS v_shift_windows${on_cluster};
DROP VIEW IF EXISTS v_shifts${on_cluster};
DROP TABLE IF EXISTS shift_windows${on_cluster};
DROP TABLE IF EXISTS shifts${on_cluster};
