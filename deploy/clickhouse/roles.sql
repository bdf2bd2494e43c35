-- What each part of ticketpulse needs in ClickHouse, and nothing else. Run it once as an administrator,
-- after `ticketpulse migrate up` (as a user of the role ticketpulse_migrate or as the administrator):
--
--     clickhouse-client --multiquery < roles.sql
--     CREATE USER writer IDENTIFIED WITH sha256_password BY '…' DEFAULT ROLE ticketpulse_writer;
--
-- The database is called ticketpulse here; change the name where TICKETPULSE_CLICKHOUSE_DATABASE says so.
-- Views read with the rights of who asks, so a reader needs the tables as well. After an upgrade that
-- brings new tables run it again: every statement may be repeated. The embedded engine has no users; there
-- these statements are parsed by the tests, and run nowhere.

-- `ticketpulse migrate up|down`
CREATE ROLE IF NOT EXISTS ticketpulse_migrate;
GRANT CREATE DATABASE, CREATE TABLE, CREATE VIEW, DROP TABLE, DROP VIEW, ALTER, SELECT, INSERT ON ticketpulse.* TO ticketpulse_migrate;

-- `ticketpulse writer`: adds rows, and looks whether the schema is its own
CREATE ROLE IF NOT EXISTS ticketpulse_writer;
GRANT SELECT ON ticketpulse.schema_migrations TO ticketpulse_writer;
GRANT INSERT ON ticketpulse.ticket_clocks TO ticketpulse_writer;
GRANT INSERT ON ticketpulse.tickets TO ticketpulse_writer;
GRANT INSERT ON ticketpulse.alert_intents TO ticketpulse_writer;
GRANT INSERT ON ticketpulse.dead_letters TO ticketpulse_writer;
GRANT INSERT ON ticketpulse.partition_progress TO ticketpulse_writer;
GRANT INSERT ON ticketpulse.customer_aliases TO ticketpulse_writer;
GRANT INSERT ON ticketpulse.audit TO ticketpulse_writer;
GRANT INSERT ON ticketpulse.calls TO ticketpulse_writer;
GRANT INSERT ON ticketpulse.call_legs TO ticketpulse_writer;
GRANT INSERT ON ticketpulse.surveys TO ticketpulse_writer;
GRANT INSERT ON ticketpulse.survey_answers TO ticketpulse_writer;
GRANT INSERT ON ticketpulse.shifts TO ticketpulse_writer;
GRANT INSERT ON ticketpulse.call_windows TO ticketpulse_writer;
GRANT INSERT ON ticketpulse.survey_windows TO ticketpulse_writer;
GRANT INSERT ON ticketpulse.shift_windows TO ticketpulse_writer;
GRANT INSERT ON ticketpulse.clock_windows TO ticketpulse_writer;
GRANT INSERT ON ticketpulse.ticket_windows TO ticketpulse_writer;
GRANT INSERT ON ticketpulse.complaint_numbers TO ticketpulse_writer;
GRANT INSERT ON ticketpulse.alert_actions TO ticketpulse_writer;

-- `ticketpulse dashboard` and `ticketpulse query`: read; who customers are (aliases) stays closed
CREATE ROLE IF NOT EXISTS ticketpulse_dashboard SETTINGS readonly = 2;
GRANT SELECT ON ticketpulse.schema_migrations TO ticketpulse_dashboard;
GRANT SELECT ON ticketpulse.ticket_clocks TO ticketpulse_dashboard;
GRANT SELECT ON ticketpulse.v_ticket_clocks TO ticketpulse_dashboard;
GRANT SELECT ON ticketpulse.tickets TO ticketpulse_dashboard;
GRANT SELECT ON ticketpulse.v_tickets TO ticketpulse_dashboard;
GRANT SELECT ON ticketpulse.alert_intents TO ticketpulse_dashboard;
GRANT SELECT ON ticketpulse.v_alert_intents TO ticketpulse_dashboard;
GRANT SELECT ON ticketpulse.dead_letters TO ticketpulse_dashboard;
GRANT SELECT ON ticketpulse.v_dead_letters TO ticketpulse_dashboard;
GRANT SELECT ON ticketpulse.partition_progress TO ticketpulse_dashboard;
GRANT SELECT ON ticketpulse.v_partition_progress TO ticketpulse_dashboard;
GRANT SELECT ON ticketpulse.audit TO ticketpulse_dashboard;
GRANT SELECT ON ticketpulse.v_audit TO ticketpulse_dashboard;
GRANT SELECT ON ticketpulse.calls TO ticketpulse_dashboard;
GRANT SELECT ON ticketpulse.v_calls TO ticketpulse_dashboard;
GRANT SELECT ON ticketpulse.call_legs TO ticketpulse_dashboard;
GRANT SELECT ON ticketpulse.v_call_legs TO ticketpulse_dashboard;
GRANT SELECT ON ticketpulse.surveys TO ticketpulse_dashboard;
GRANT SELECT ON ticketpulse.v_surveys TO ticketpulse_dashboard;
GRANT SELECT ON ticketpulse.survey_answers TO ticketpulse_dashboard;
GRANT SELECT ON ticketpulse.v_survey_answers TO ticketpulse_dashboard;
GRANT SELECT ON ticketpulse.shifts TO ticketpulse_dashboard;
GRANT SELECT ON ticketpulse.v_shifts TO ticketpulse_dashboard;
GRANT SELECT ON ticketpulse.call_windows TO ticketpulse_dashboard;
GRANT SELECT ON ticketpulse.v_call_windows TO ticketpulse_dashboard;
GRANT SELECT ON ticketpulse.survey_windows TO ticketpulse_dashboard;
GRANT SELECT ON ticketpulse.v_survey_windows TO ticketpulse_dashboard;
GRANT SELECT ON ticketpulse.shift_windows TO ticketpulse_dashboard;
GRANT SELECT ON ticketpulse.v_shift_windows TO ticketpulse_dashboard;
GRANT SELECT ON ticketpulse.clock_windows TO ticketpulse_dashboard;
GRANT SELECT ON ticketpulse.v_clock_windows TO ticketpulse_dashboard;
GRANT SELECT ON ticketpulse.ticket_windows TO ticketpulse_dashboard;
GRANT SELECT ON ticketpulse.v_ticket_windows TO ticketpulse_dashboard;
GRANT SELECT ON ticketpulse.complaint_numbers TO ticketpulse_dashboard;
GRANT SELECT ON ticketpulse.v_complaint_numbers TO ticketpulse_dashboard;
GRANT SELECT ON ticketpulse.alert_actions TO ticketpulse_dashboard;
GRANT SELECT ON ticketpulse.v_alert_actions TO ticketpulse_dashboard;

-- `ticketpulse erase`: finds a customer, scrubs and deletes
CREATE ROLE IF NOT EXISTS ticketpulse_erase;
GRANT SELECT, ALTER UPDATE ON ticketpulse.tickets TO ticketpulse_erase;
GRANT SELECT ON ticketpulse.v_tickets TO ticketpulse_erase;
GRANT SELECT, ALTER UPDATE ON ticketpulse.calls TO ticketpulse_erase;
GRANT SELECT ON ticketpulse.v_calls TO ticketpulse_erase;
GRANT SELECT, ALTER UPDATE ON ticketpulse.call_legs TO ticketpulse_erase;
GRANT SELECT ON ticketpulse.v_call_legs TO ticketpulse_erase;
GRANT SELECT, ALTER UPDATE ON ticketpulse.surveys TO ticketpulse_erase;
GRANT SELECT ON ticketpulse.v_surveys TO ticketpulse_erase;
GRANT SELECT, ALTER UPDATE ON ticketpulse.survey_answers TO ticketpulse_erase;
GRANT SELECT ON ticketpulse.v_survey_answers TO ticketpulse_erase;
GRANT SELECT, ALTER DELETE ON ticketpulse.dead_letters TO ticketpulse_erase;
GRANT SELECT, ALTER DELETE ON ticketpulse.customer_aliases TO ticketpulse_erase;
GRANT SELECT ON ticketpulse.v_customer_aliases TO ticketpulse_erase;
