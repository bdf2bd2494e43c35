"""`deploy/clickhouse/roles.sql`: every table has its grants, and every statement is ClickHouse's language.

The embedded engine has no access control, so nothing here proves that a server grants or refuses.
"""

import re
from pathlib import Path

from sinks.clickhouse.client import ClickHouse
from sinks.clickhouse.ddl import statements_of
from sinks.clickhouse.migrate import LEDGER
from sinks.clickhouse.tables import TABLES
from streams.shell.erasing import TABLES as TABLES_OF_CUSTOMERS

STATEMENTS = statements_of(
    (Path(__file__).parents[2] / "deploy/clickhouse/roles.sql").read_text(encoding="utf-8")
)
QUERIES = Path(__file__).parents[2] / "streams/dashboard/queries"
_GRANT = re.compile(r"GRANT (?P<rights>.+) ON ticketpulse\.(?P<table>\S+) TO (?P<role>\w+)")


def granted(role: str, right: str) -> set[str]:
    found = [grant for text in STATEMENTS if (grant := _GRANT.fullmatch(text))]
    return {
        grant["table"]
        for grant in found
        if grant["role"] == f"ticketpulse_{role}" and right in grant["rights"].split(", ")
    }


def test_every_statement_is_understood(empty_clickhouse: ClickHouse) -> None:
    assert len(STATEMENTS) > 20
    for text in STATEMENTS:
        assert text.startswith(("CREATE ROLE IF NOT EXISTS", "GRANT ")), text
        empty_clickhouse.query_rows("SELECT formatQuery({sql:String})", {"sql": text})


def test_the_writer_may_add_to_every_table_and_change_none() -> None:
    assert granted("writer", "INSERT") == {spec.name for spec in TABLES}
    assert granted("writer", "SELECT") == {LEDGER}
    assert not [text for text in STATEMENTS if "writer" in text and "ALTER" in text]


def test_the_dashboard_may_read_what_its_queries_ask_for() -> None:
    asked = {
        name
        for path in QUERIES.glob("*.sql")
        for name in re.findall(r"\bFROM (v_\w+)", path.read_text(encoding="utf-8"))
    }
    assert asked
    readable = granted("dashboard", "SELECT")
    assert asked <= readable
    assert {name.removeprefix("v_") for name in asked} <= readable
    assert not readable & {"customer_aliases", "v_customer_aliases"}
    assert not granted("dashboard", "INSERT")


def test_erasing_may_scrub_and_delete_where_it_must() -> None:
    tables = {table for tables in TABLES_OF_CUSTOMERS.values() for table in tables}
    assert granted("erase", "ALTER UPDATE") == tables
    named = {spec.name for spec in TABLES if "customer_id" in {one.name for one in spec.columns}}
    assert named - {"customer_aliases"} == tables, "every table that names a customer"
    assert granted("erase", "ALTER DELETE") == {"dead_letters", "customer_aliases"}
