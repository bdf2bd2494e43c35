"""Table specs against the row contracts, and the DDL that follows from them."""

from datetime import datetime
from types import NoneType
from typing import Literal, get_args, get_origin, get_type_hints

import pytest

from schemas import outcomes
from schemas.problems import ProblemsError
from schemas.topics import OUTCOME_TOPIC_OF_TABLE
from sinks.clickhouse.ddl import Dialect, create_table, create_view, statements_of
from sinks.clickhouse.migrate import available
from sinks.clickhouse.tables import BY_NAME, TABLES, TableSpec

ROW_OF_TABLE = {
    "ticket_clocks": outcomes.TicketClockRow,
    "tickets": outcomes.TicketRow,
    "alert_intents": outcomes.AlertIntentRow,
    "dead_letters": outcomes.DeadLetterRow,
    "partition_progress": outcomes.PartitionProgressRow,
    "customer_aliases": outcomes.CustomerAliasRow,
    "audit": outcomes.AuditRow,
    "calls": outcomes.CallRow,
    "call_legs": outcomes.CallLegRow,
    "surveys": outcomes.SurveyRow,
    "survey_answers": outcomes.SurveyAnswerRow,
    "shifts": outcomes.ShiftRow,
    "call_windows": outcomes.CallWindowRow,
    "survey_windows": outcomes.SurveyWindowRow,
    "shift_windows": outcomes.ShiftWindowRow,
    "clock_windows": outcomes.ClockWindowRow,
    "ticket_windows": outcomes.TicketWindowRow,
    "complaint_numbers": outcomes.ComplaintNumberRow,
    "alert_actions": outcomes.AlertActionRow,
}
each_table = pytest.mark.parametrize("spec", TABLES, ids=lambda spec: spec.name)


def clickhouse_types(annotation: object) -> set[str]:
    """The ClickHouse types that may hold a Python type."""
    options = get_args(annotation)
    if NoneType in options:
        (inner,) = (option for option in options if option is not NoneType)
        return {
            f"LowCardinality(Nullable({name[15:-1]}))"
            if name.startswith("LowCardinality(")
            else f"Nullable({name})"
            for name in clickhouse_types(inner)
        }
    if get_origin(annotation) is Literal:
        return {"LowCardinality(String)"}
    return {
        str: {"String", "LowCardinality(String)"},
        int: {"UInt32", "UInt64", "Int64"},
        bool: {"Bool"},
        float: {"Float64"},
        datetime: {"DateTime64(3, 'UTC')"},
        list[str]: {"Array(LowCardinality(String))"},
        dict[str, str]: {"Map(LowCardinality(String), String)"},
        dict[str, int]: {"Map(Int16, UInt32)"},
    }[annotation]  # type: ignore[index]  # types are the keys


def test_every_outcome_topic_has_its_table() -> None:
    assert set(BY_NAME) == set(OUTCOME_TOPIC_OF_TABLE) == set(ROW_OF_TABLE)


@each_table
def test_columns_are_the_fields_of_the_row(spec: TableSpec) -> None:
    fields = get_type_hints(ROW_OF_TABLE[spec.name])

    assert [column.name for column in spec.columns] == list(fields)
    for column in spec.columns:
        assert column.type in clickhouse_types(fields[column.name]), column.name


@each_table
def test_the_key_never_changes_with_what_is_learnt_later(spec: TableSpec) -> None:
    # Instants move by late truth; a moved key would be a second row for ever.
    for name in spec.key:
        stable = {"String", "LowCardinality(String)", "UInt32", "UInt64"}
        assert spec.column(name).type in stable or name == "window_start"
        assert name != "version"
    assert "PARTITION BY" not in create_table(spec)
    assert "TTL" not in create_table(spec)


@each_table
def test_everything_has_a_comment(spec: TableSpec) -> None:
    assert spec.comment
    assert [column.name for column in spec.columns if not column.comment] == []


@each_table
def test_views_read_current_rows_of_every_column(spec: TableSpec) -> None:
    view = create_view(spec)

    assert f"FROM {spec.name} FINAL" in view
    shown = [column.name for column in spec.columns if column.name != spec.removed]
    assert all(f"    {name}" in view for name in shown)
    assert ("WHERE NOT removed" in view) == bool(spec.removed)


def test_migrations_say_what_the_specs_say() -> None:
    written = [statement for one in available() for statement in statements_of(one.up)]
    wanted = [
        sql for make in (create_table, create_view) for spec in TABLES for sql in [make(spec)]
    ]

    assert sorted(written) == sorted(sql for text in wanted for sql in statements_of(text))


def test_every_statement_may_run_twice() -> None:
    for migration in available():
        for statement in statements_of(migration.up):
            assert statement.startswith(("CREATE TABLE IF NOT EXISTS", "CREATE VIEW IF NOT EXISTS"))
        for statement in statements_of(migration.down):
            assert statement.startswith(("DROP TABLE IF EXISTS", "DROP VIEW IF EXISTS"))


def test_one_source_serves_a_server_and_a_cluster() -> None:
    sql = create_table(BY_NAME["tickets"])

    alone = Dialect().render(sql)
    assert "CREATE TABLE IF NOT EXISTS tickets\n" in alone
    assert "ENGINE = ReplacingMergeTree(version)" in alone

    replicated = Dialect("main").render(sql)
    assert "CREATE TABLE IF NOT EXISTS tickets ON CLUSTER `main`\n" in replicated
    assert "ENGINE = ReplicatedReplacingMergeTree(version)" in replicated

    with pytest.raises(ProblemsError, match="is not a cluster name"):
        Dialect("a`b")


def test_statements_end_at_a_semicolon_that_ends_a_line() -> None:
    script = "-- a remark;\nCREATE a COMMENT 'x; y';\n\nCREATE b\n(c);\n"

    assert statements_of(script) == ["CREATE a COMMENT 'x; y'", "CREATE b\n(c)"]
