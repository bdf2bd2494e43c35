"""What to migrate, decided without a database."""

import pytest

from schemas.problems import ProblemsError
from sinks.clickhouse.migrate import Applied, Migration, available, plan_down, plan_up

ONE = Migration(1, "one", "create one", "drop one")
TWO = Migration(2, "two", "create two", "drop two")
THREE = Migration(3, "three", "create three", "drop three")
KNOWN = [ONE, TWO, THREE]


def applied(*migrations: Migration) -> list[Applied]:
    return [Applied(item.number, item.name, item.checksum) for item in migrations]


def test_a_new_database_gets_everything_in_order() -> None:
    assert plan_up([], KNOWN) == [ONE, TWO, THREE]


def test_only_what_is_missing_is_applied() -> None:
    assert plan_up(applied(ONE), KNOWN) == [TWO, THREE]
    assert plan_up(applied(ONE), KNOWN, target=2) == [TWO]
    assert plan_up(applied(ONE, TWO, THREE), KNOWN) == []


def test_down_undoes_the_newest_first() -> None:
    assert plan_down(applied(ONE, TWO, THREE), KNOWN, target=1) == [THREE, TWO]
    assert plan_down(applied(ONE, TWO), KNOWN, target=0) == [TWO, ONE]
    assert plan_down(applied(ONE), KNOWN, target=1) == []


@pytest.mark.parametrize(
    ("found", "what"),
    [
        pytest.param(
            [Applied(1, "one", "another checksum")],
            "0001_one: the migration was changed after it had been applied",
            id="changed",
        ),
        pytest.param(
            [*applied(ONE), Applied(2, "zwei", TWO.checksum)],
            "0002_zwei: the database has a migration that this program does not know",
            id="unknown",
        ),
        pytest.param(
            [*applied(ONE, TWO, THREE), Applied(4, "four", "x")],
            "0004_four: the database is newer than this program",
            id="newer",
        ),
        pytest.param(
            applied(ONE, THREE),
            "0002_two: is missing although a later migration is applied",
            id="left out",
        ),
    ],
)
def test_a_strange_database_is_refused(found: list[Applied], what: str) -> None:
    with pytest.raises(ProblemsError, match=what):
        plan_up(found, KNOWN)
    with pytest.raises(ProblemsError, match=what):
        plan_down(found, KNOWN, target=0)


def test_every_mistake_is_told_at_once() -> None:
    found = [Applied(1, "one", "changed"), Applied(9, "nine", "x")]

    with pytest.raises(ProblemsError) as caught:
        plan_up(found, KNOWN)

    assert [problem.where for problem in caught.value.problems] == [
        "0001_one",
        "0009_nine",
        "0002_two",
        "0003_three",
    ]


def test_a_target_must_exist() -> None:
    with pytest.raises(ProblemsError, match="there is no migration 7"):
        plan_up([], KNOWN, target=7)


def test_shipped_migrations_are_pairs_numbered_without_a_gap() -> None:
    known = available()

    assert [item.number for item in known] == list(range(1, len(known) + 1))
    assert all(item.up and item.down for item in known)
