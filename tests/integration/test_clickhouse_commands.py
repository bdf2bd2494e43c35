"""`ticketpulse migrate` and `query`, as a person calls them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.clickhouse, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
# The commands alone, whatever else the program has.
RUN = """
import typer
from streams.cli import database
app = typer.Typer(pretty_exceptions_enable=False)
database.register(app)
app()
"""


def run(data: Path, *arguments: str, answer: str = "", **environment: str) -> tuple[int, str]:
    """Exit code and everything printed."""
    result = subprocess.run(
        [sys.executable, "-c", RUN, *arguments],
        input=answer,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        cwd=ROOT,
        env=os.environ | {"TICKETPULSE_DATA_DIR": str(data)} | environment,
    )
    return result.returncode, result.stdout


TITLES = [
    "0001_outcomes",
    "0002_current_rows",
    "0003_customers_and_audit",
    "0004_measures",
    "0005_alert_actions",
    "0006_shifts",
]


def test_a_database_goes_up_and_down_by_hand(tmp_path: Path) -> None:
    code, text = run(tmp_path, "migrate", "status")
    assert (code, text.splitlines()) == (1, [f"pending {title}" for title in TITLES])

    code, text = run(tmp_path, "migrate", "plan")
    assert code == 0
    assert "CREATE TABLE IF NOT EXISTS ticket_clocks" in text

    code, text = run(tmp_path, "migrate", "up")
    assert (code, text.splitlines()) == (0, [f"applied {title}" for title in TITLES])

    code, text = run(tmp_path, "migrate", "up")
    assert (code, text) == (0, "the database is up to date\n")

    code, text = run(tmp_path, "query", "SELECT count() AS rows FROM v_tickets", "--format", "json")
    assert (code, text) == (0, '{"rows":0}\n')

    code, text = run(tmp_path, "migrate", "down", "--to", "0", answer="n\n")
    assert code == 1
    assert "would undo 0001_outcomes" in text
    assert run(tmp_path, "migrate", "status")[0] == 0

    code, text = run(tmp_path, "migrate", "down", "--to", "1", "--yes")
    newest_first = TITLES[:0:-1]
    undone = [f"{what} {title}" for what in ("would undo", "undone") for title in newest_first]
    assert (code, text.splitlines()) == (0, undone)
    assert run(tmp_path, "migrate", "status")[0] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("migrate", "up", "--to", "7"),
            "error: migrate: there is no migration 7 (one of 1, 2, 3, 4, 5, 6)\n",
        ),
        (("query", "SELECT * FROM nothing"), "error: ClickHouse: Unknown table expression"),
        (("query", "DROP DATABASE ticketpulse"), "Cannot execute query in readonly mode"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(
    tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    code, text = run(tmp_path, *arguments)

    assert code == 2
    assert message in text
    assert text.count("\n") == 1


def test_an_unreachable_server_is_one_line(tmp_path: Path) -> None:
    code, text = run(tmp_path, "migrate", "status", TICKETPULSE_CLICKHOUSE_URL="http://127.0.0.1:1")

    assert (code, text) == (
        2,
        "error: http://127.0.0.1:1: ClickHouse can't be reached: Connection refused"
        " (start the server, or correct TICKETPULSE_CLICKHOUSE_URL)\n",
    )
