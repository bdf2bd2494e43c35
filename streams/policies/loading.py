"""Reads policy files, checks them whole, and compiles them."""

from collections.abc import Iterable, Sequence
from copy import deepcopy
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from schemas import policy as language
from schemas.mapping import Mistake, Place
from schemas.policy import PolicyFile, mistakes_of
from schemas.problems import Problem, ProblemsError
from streams.core.business_time.zones import zone_names
from streams.core.policy import Policy, PolicyBook
from streams.importing.documents import (
    Document,
    mend_unknown_keys,
    mistake_of,
    parse_yaml,
    partition,
)
from streams.policies.compiling import Beside, compile_policy

FILE_BYTES_MAX = 1024 * 1024

_MODELS: dict[str, type[language._Model]] = {  # the language's own base
    "calendar_by": language.CalendarBy,
    "rules": language.Rule,
    "holidays": language.HolidaySource,
    "closures": language.Closure,
}


def load_book(paths: Path | Sequence[Path]) -> PolicyBook:
    """Every version that the files hold; ProblemsError names every mistake of every file."""
    given = [paths] if isinstance(paths, Path) else list(paths)
    problems: list[Problem] = []
    policies: list[Policy] = []
    for path in given:
        try:
            policies.append(load_policy(path))
        except ProblemsError as error:
            problems += error.problems
    starts: dict[int, Policy] = {}
    for policy, path in zip(policies, given, strict=False):
        other = starts.setdefault(policy.effective_from_ms, policy)
        if other is not policy:
            what = f"in force from the same instant as {other.id}"
            problems.append(Problem(str(path), what, "give each version its own effective_from"))
    if problems:
        raise ProblemsError(*problems)
    return PolicyBook(tuple(policies))


def load_policy(path: Path) -> Policy:
    """One policy; ProblemsError names every mistake with its line."""
    text = read_policy_text(path)
    return parse_policy(text, str(path), beside=lambda name: (path.parent / name).read_bytes())


def read_policy_text(path: Path) -> str:
    """What the file says, unchecked; ProblemsError when it can't be read."""
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise ProblemsError(Problem(str(path), "larger than 1 MiB: is it a policy file?"))
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ProblemsError(Problem(str(path), f"not UTF-8 at byte {error.start}")) from error
    except OSError as error:
        hint = "name one with --policy, or TICKETPULSE_POLICY"
        raise ProblemsError(Problem(str(path), error.strerror or str(error), hint)) from error


def parse_policy(text: str, file: str, beside: Beside | None = None) -> Policy:
    """A policy from its text; `file` is only for messages, `beside` reads files it names."""
    document = parse_yaml(text, file)
    if not isinstance(document.data, dict):
        raise ProblemsError(Problem(f"{file}:1", "not a policy file", "start with `policy: NAME`"))
    mistakes = list(document.mistakes)
    parsed = _validated(document.data, mistakes)
    if parsed is not None:
        mistakes += mistakes_of(parsed, zone_names())
    _tell(document, mistakes)
    assert parsed is not None, "without mistakes there is a policy"
    compiled = compile_policy(parsed, beside, mistakes)
    _tell(document, mistakes)
    assert compiled is not None, "without mistakes there is a policy"
    return compiled


def _tell(document: Document, mistakes: Iterable[Mistake]) -> None:
    ordered = sorted(mistakes, key=lambda mistake: document.line_of(mistake.place))
    if ordered:
        raise ProblemsError(*(document.problem(mistake) for mistake in ordered))


def _validated(data: dict[str, object], mistakes: list[Mistake]) -> PolicyFile | None:
    """The model, if need be after its unknown keys were mended, so that they hide nothing else."""
    try:
        return PolicyFile.model_validate(data)
    except ValidationError as error:
        errors = error.errors(include_url=False)
    missing, others = partition(errors, lambda item: item["type"] == "missing")
    unknown, others = partition(others, lambda item: item["type"] == "extra_forbidden")
    mended = mend_unknown_keys(data, unknown, missing, _keys_at)
    mistakes += mended.mistakes
    mistakes += [mistake_of(item, _keys_at) for item in (*mended.still_missing, *others)]
    if others or mended.still_missing:
        _tell_more(data, [*others, *mended.still_missing], mistakes)
        return None
    return _validated(data, mistakes)


def _tell_more(
    data: dict[str, object], errors: Sequence[ErrorDetails], mistakes: list[Mistake]
) -> None:
    """Wrong values hide what lies behind them: take them out and look at the rest."""
    rest = deepcopy(data)
    for error in errors:
        _take_out(rest, error["loc"])
    try:
        parsed = PolicyFile.model_validate(rest)
    except ValidationError:
        return
    mistakes += mistakes_of(parsed, zone_names())


def _take_out(data: object, place: Place) -> None:
    """Remove what stands at a place, as far as it is a key of a mapping."""
    for part in place[:-1]:
        if isinstance(data, dict):
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int):
            data = dict(enumerate(data)).get(part)
    if isinstance(data, dict):
        data.pop(place[-1], None)


def _keys_at(place: Place) -> list[str]:
    """The keys that are known at a place."""
    names = [part for part in place if isinstance(part, str)]
    if not names:
        return list(PolicyFile.model_fields)
    if len(names) == 2 and names[0] == "calendars":
        return list(language.Calendar.model_fields)
    if len(names) == 2 and names[0] == "clocks":
        return list(language.Clock.model_fields)
    model = _MODELS.get(names[-1])
    return [] if model is None else list(model.model_fields)
