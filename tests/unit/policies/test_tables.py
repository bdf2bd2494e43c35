"""Targets by attribute written out as rules: the first row that fits says what the tables say."""

from collections.abc import Mapping

from hypothesis import given, strategies as st

from schemas.policy import Rule, Table, Target
from schemas.policy_tables import Promise, row_count, rows_of
from streams.policies import parse_policy
from tests.unit.policies.shop import SHOP

VALUES = {"tier": ("gold", "silver", "none"), "priority": ("P1", "P2", "P3"), "channel": ("a", "b")}


def tables(depth: int = 3) -> st.SearchStrategy[object]:
    """A duration, or a table of tables, as a file has it."""
    plain = st.integers(1, 9).map(lambda hours: f"{hours}h")
    if depth == 0:
        return plain
    inner = tables(depth - 1)
    by = st.sampled_from(sorted(VALUES)).flatmap(
        lambda name: st.builds(
            lambda choices, other: {"by": name, **choices, **other},
            st.dictionaries(st.sampled_from(VALUES[name]), inner, min_size=1),
            st.just({}) | inner.map(lambda target: {"else": target}),
        )
    )
    return plain | by


def read(target: Target | None, ticket: Mapping[str, str]) -> Promise | None:
    """What a person finds who follows the tables with a finger."""
    while isinstance(target, Table):
        target = target.choices().get(ticket[target.by], target.otherwise)
    return target


@given(
    st.fixed_dictionaries({"reply": tables(), "resolution": tables()}),
    st.fixed_dictionaries(
        {},
        optional={
            name: st.sets(st.sampled_from(values), min_size=1).map(sorted)
            for name, values in VALUES.items()
        },
    ),
    st.fixed_dictionaries({name: st.sampled_from(values) for name, values in VALUES.items()}),
)
def test_the_first_row_that_fits_says_what_the_tables_say(
    targets: dict[str, object], match: dict[str, list[str]], ticket: dict[str, str]
) -> None:
    rule = Rule.model_validate({"id": "r", "match": match, "targets": targets})
    rows = list(rows_of(rule))
    assert 1 <= len(rows) <= row_count(rule)
    if any(ticket[name] not in values for name, values in match.items()):
        return
    fits = next(
        row for row in rows if all(value in (None, ticket[name]) for name, value in row.values)
    )
    expected = {clock: read(target, ticket) for clock, target in rule.targets.items()}
    assert fits.targets == {clock: found for clock, found in expected.items() if found is not None}


def test_a_rule_without_tables_is_one_row() -> None:
    (row,) = rows_of(Rule.model_validate({"id": "r", "targets": {"reply": "1h"}}))
    assert row.values == ()
    assert row.targets == {"reply": "1h"}


def test_rows_are_named_by_what_they_are_for() -> None:
    policy = parse_policy(SHOP, "p.yaml")
    assert [rule.id for rule in policy.rules] == ["gold/P1", "gold", "others"]
