"""Targets by attribute written out: a rule with tables stands for as many rules as they distinguish."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from schemas.policy import ByDate, Rule, Table

ROWS_MAX = 1_000  # of one rule

Promise = str | ByDate  # a duration, or a promise by date


@dataclass(frozen=True, slots=True)
class Row:
    """What a rule promises tickets whose attributes have these values; None stands for every other."""

    values: tuple[tuple[str, str | None], ...]
    targets: dict[str, Promise]


def asked_of(rule: Rule) -> dict[str, list[str]]:
    """Attribute → the values that the rule's tables distinguish, in order of appearance."""
    found: dict[str, list[str]] = {}
    for target in rule.targets.values():
        _ask(target, found)
    return found


def _ask(target: Promise | Table | None, found: dict[str, list[str]]) -> None:
    if not isinstance(target, Table):
        return
    values = found.setdefault(target.by, [])
    for value, inner in target.choices().items():
        if value not in values:
            values.append(value)
        _ask(inner, found)
    _ask(target.otherwise, found)


def row_count(rule: Rule) -> int:
    """How many rows there are, without writing them out."""
    count = 1
    for values in asked_of(rule).values():
        count *= len(values) + 1
    return count


def rows_of(rule: Rule) -> Iterator[Row]:
    """The rows, such that the first one that fits a ticket is the right one."""
    asked = asked_of(rule)
    allowed = {name: rule.match.get(name) for name in asked}
    options = [
        [value for value in [*values, None] if _possible(value, values, allowed[name])]
        for name, values in asked.items()
    ]
    for chosen in product(*options):
        values = dict(zip(asked, chosen, strict=True))
        targets = {clock: _resolved(target, values) for clock, target in rule.targets.items()}
        yield Row(
            tuple(values.items()),
            {clock: promise for clock, promise in targets.items() if promise is not None},
        )


def _possible(value: str | None, listed: list[str], allowed: tuple[str, ...] | None) -> bool:
    """Whether a ticket that the rule matches can have it."""
    if allowed is None:
        return True
    return bool(set(allowed) - set(listed)) if value is None else value in allowed


def _resolved(target: Promise | Table | None, values: dict[str, str | None]) -> Promise | None:
    while isinstance(target, Table):
        value = values[target.by]
        choices = target.choices()
        target = choices[value] if value is not None and value in choices else target.otherwise
    return target
