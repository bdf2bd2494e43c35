"""Whatever a policy file says, it is a policy or a list of mistakes: never anything else."""

import json

import yaml
from hypothesis import given, strategies as st

from schemas.problems import Problem, ProblemsError
from streams.policies import parse_policy
from tests.unit.policies.shop import SHOP

WORDS = sorted(set(yaml.safe_load(SHOP)) | set(SHOP.replace(":", " ").split()))
leaves = (
    st.none()
    | st.booleans()
    | st.integers(-1, 40)
    | st.floats(allow_nan=True, allow_infinity=True)
    | st.sampled_from([*WORDS, "", "created", "4h", "-1h", "09:00-17:00", "Europe/Berlin", "80%"])
)
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*WORDS, "by", "else", "working_days", "union"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


def places(data: object) -> list[tuple[str | int, ...]]:
    """Every path into the data."""
    found: list[tuple[str | int, ...]] = []
    items = (
        data.items()
        if isinstance(data, dict)
        else enumerate(data)
        if isinstance(data, list)
        else ()
    )
    for key, value in items:
        found.append((key,))
        found += [(key, *rest) for rest in places(value)]
    return found


PLACES = places(yaml.safe_load(SHOP))


def with_value(data: object, place: tuple[str | int, ...], value: object) -> None:
    for part in place[:-1]:
        data = data[part] if isinstance(data, dict | list) else {}  # type: ignore[index]
    if isinstance(data, dict | list) and place[-1] in (
        data if isinstance(data, dict) else range(len(data))
    ):
        data[place[-1]] = value  # type: ignore[index]  # the path was walked in the same data


@given(st.lists(st.tuples(st.sampled_from(PLACES), values), min_size=1, max_size=4))
def test_any_values_anywhere(changes: list[tuple[tuple[str | int, ...], object]]) -> None:
    data = yaml.safe_load(SHOP)
    for place, value in changes:
        try:
            with_value(data, place, value)
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change has taken the place away
    check(json.dumps(data, default=str))


@given(st.integers(0, len(SHOP)), st.integers(0, 12), st.text(max_size=4))
def test_any_slip_of_the_pen(at: int, gone: int, put: str) -> None:
    check(SHOP[:at] + put + SHOP[at + gone :])


def check(text: str) -> None:
    """A policy, or mistakes that all say where they stand."""
    for problem in problems_of(text):
        assert problem.where.startswith("p.yaml")
        assert problem.what


def problems_of(text: str) -> tuple[Problem, ...]:
    try:
        policy = parse_policy(text, "p.yaml")
    except ProblemsError as error:
        return error.problems
    assert policy.clocks
    return ()


def test_the_generators_start_from_a_good_policy() -> None:
    assert problems_of(SHOP) == ()
    assert problems_of(SHOP.replace("created", "x"))
