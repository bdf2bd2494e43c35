"""Migrations on a real database: up is what the specs say, down leaves nothing."""

import pytest

from schemas.problems import ProblemsError
from sinks.clickhouse.client import ClickHouse
from sinks.clickhouse.ddl import DEDUPLICATION_BLOCKS, Dialect, statements_of
from sinks.clickhouse.migrate import (
    LEDGER,
    available,
    migrate_down,
    migrate_up,
    read_applied,
    status,
)
from sinks.clickhouse.tables import TABLES, TableSpec

pytestmark = pytest.mark.clickhouse


def table_names(database: ClickHouse) -> set[str]:
    rows = database.query_rows("SELECT name FROM system.tables WHERE database = currentDatabase()")
    return {str(row["name"]) for row in rows}


def columns(database: ClickHouse, table: str) -> list[tuple[object, object, object]]:
    rows = database.query_rows(
        "SELECT name, type, comment FROM system.columns"
        " WHERE database = currentDatabase() AND table = {table:String} ORDER BY position",
        {"table": table},
    )
    return [(row["name"], row["type"], row["comment"]) for row in rows]


@pytest.mark.parametrize("spec", TABLES, ids=lambda spec: spec.name)
def test_up_makes_what_the_spec_says(clickhouse: ClickHouse, spec: TableSpec) -> None:
    assert columns(clickhouse, spec.name) == [
        (column.name, column.type, column.comment) for column in spec.columns
    ]
    (table,) = clickhouse.query_rows(
        "SELECT engine_full, sorting_key, partition_key, comment FROM system.tables"
        " WHERE database = currentDatabase() AND name = {name:String}",
        {"name": spec.name},
    )
    engine = (
        "ReplacingMergeTree(version, removed)" if spec.removed else "ReplacingMergeTree(version)"
    )
    assert str(table["engine_full"]).startswith(f"{engine} ORDER BY")
    assert f"non_replicated_deduplication_window = {DEDUPLICATION_BLOCKS}" in str(
        table["engine_full"]
    )
    assert str(table["sorting_key"]).strip("()") == ", ".join(spec.key)
    assert table["partition_key"] == ""
    assert table["comment"] == spec.comment


@pytest.mark.parametrize("spec", TABLES, ids=lambda spec: spec.name)
def test_views_have_the_columns_of_their_tables(clickhouse: ClickHouse, spec: TableSpec) -> None:
    assert [(name, kind) for name, kind, _ in columns(clickhouse, spec.view)] == [
        (column.name, column.type) for column in spec.columns if column.name != spec.removed
    ]


def test_up_down_up(empty_clickhouse: ClickHouse) -> None:
    database = empty_clickhouse
    everything = {spec.name for spec in TABLES} | {spec.view for spec in TABLES} | {LEDGER}

    assert migrate_up(database) == list(available())
    assert table_names(database) == everything
    first = {name: columns(database, name) for name in everything}

    assert migrate_down(database, 0) == list(reversed(available()))
    assert table_names(database) == set()
    assert read_applied(database) == []

    migrate_up(database)
    assert {name: columns(database, name) for name in everything} == first


def test_each_step_can_be_undone_and_redone_alone(empty_clickhouse: ClickHouse) -> None:
    for migration in available():
        before = table_names(empty_clickhouse) - {LEDGER}
        assert migrate_up(empty_clickhouse, migration.number) == [migration]
        assert migrate_down(empty_clickhouse, migration.number - 1) == [migration]
        assert table_names(empty_clickhouse) - {LEDGER} == before
        migrate_up(empty_clickhouse, migration.number)


def test_up_twice_does_nothing_and_keeps_the_rows(clickhouse: ClickHouse) -> None:
    clickhouse.insert_raw("partition_progress", b'{"topic":"tickets","version":1}')

    assert migrate_up(clickhouse) == []
    assert len(clickhouse.query_rows("SELECT * FROM v_partition_progress")) == 1


def test_a_migration_cut_off_in_the_middle_is_repeated(empty_clickhouse: ClickHouse) -> None:
    migrate_up(empty_clickhouse)
    # As after a crash between the last statement and its record.
    empty_clickhouse.command(f"TRUNCATE TABLE {LEDGER}")

    assert migrate_up(empty_clickhouse) == list(available())
    assert status(empty_clickhouse).pending == ()


def test_a_changed_migration_is_refused(clickhouse: ClickHouse) -> None:
    clickhouse.command(
        f"INSERT INTO {LEDGER} SELECT number, name, 'other', applied, recorded_at, version + 100"
        f" FROM {LEDGER} FINAL WHERE number = 1"
    )

    for action in (migrate_up, status, lambda database: migrate_down(database, 0)):
        with pytest.raises(ProblemsError, match="was changed after it had been applied"):
            action(clickhouse)
    assert {spec.name for spec in TABLES} <= table_names(clickhouse)


def test_a_newer_database_is_refused(clickhouse: ClickHouse) -> None:
    clickhouse.command(
        f"INSERT INTO {LEDGER} SELECT 99, 'of_tomorrow', 'x', true, recorded_at, version + 100"
        f" FROM {LEDGER} FINAL WHERE number = 1"
    )

    with pytest.raises(ProblemsError, match="0099_of_tomorrow: the database is newer"):
        migrate_up(clickhouse)


def test_status_tells_applied_and_pending(empty_clickhouse: ClickHouse) -> None:
    assert status(empty_clickhouse).applied == ()
    migrate_up(empty_clickhouse, 1)

    found = status(empty_clickhouse)

    assert [item.title for item in found.applied] == ["0001_outcomes"]
    assert found.applied[0].at is not None
    assert found.pending == available()[1:]


def test_the_statements_for_a_cluster_are_understood(empty_clickhouse: ClickHouse) -> None:
    # Parsed, not run: replication needs a Keeper, which the embedded database does not have.
    for migration in available():
        for statement in statements_of(migration.up) + statements_of(migration.down):
            rendered = Dialect("main").render(statement)
            assert " ON CLUSTER `main`" in rendered
            assert empty_clickhouse.query_rows(f"EXPLAIN AST {rendered}")
