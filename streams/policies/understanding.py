"""Plain data → a policy file as it was meant: every mistake told at once, none hidden by another.

What is wrong is told, then mended (a misspelt key) or taken out, and the rest is looked at again. What is
then said of places from which something was taken is no mistake of the writer's, and not told.
"""

from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from schemas import policy as language
from schemas.mapping import Mistake, Place
from schemas.policy import PolicyFile
from schemas.policy_mistakes import mistakes_of
from streams.core.business_time.zones import zone_names
from streams.importing.documents import Document, mend_unknown_keys, mistake_of, partition, place_of

_ROUNDS_MAX = 20
# What stands at a place, by the key before it, where that is no value.
_MODELS: dict[str, type[BaseModel]] = {
    "calendar_by": language.CalendarBy,
    "rules": language.Rule,
    "holidays": language.HolidaySource,
    "closures": language.Closure,
}
# Stands for what is missing or wrong and yet needed, so that the rest can be looked at.
_STAND_INS: dict[str, object] = {
    "policy": "unnamed",
    "effective_from": "2000-01-01T00:00:00Z",
    "calendar": "unknown",
    "clocks": {"unknown": {"start": "created", "stop": "closed"}},
    "start": "created",
    "working_days": 1,
    "by": "tier",
    "attribute": "tier",
    "from": "2000-01-01T00:00:00Z",
    "to": "2001-01-01T00:00:00Z",
}


def understood(document: Document, mistakes: list[Mistake]) -> PolicyFile | None:
    """The file; None when `mistakes` got something. Changes the document's data."""
    data = document.data
    taken: list[Place] = []
    before = len(mistakes)
    for _ in range(_ROUNDS_MAX):
        try:
            file = PolicyFile.model_validate(data)
        except ValidationError as error:
            _look_behind(document, error.errors(include_url=False), mistakes, taken)
        else:
            more = mistakes_of(file, zone_names())
            mistakes += [mistake for mistake in more if not _follows(mistake, taken)]
            break
    else:
        return None
    return file if len(mistakes) == before else None


def _look_behind(
    document: Document,
    errors: list[ErrorDetails],
    mistakes: list[Mistake],
    taken: list[Place],
) -> None:
    """Tell the errors, and change the data such that they are gone."""
    missing, others = partition(errors, lambda item: item["type"] == "missing")
    unknown, others = partition(others, lambda item: item["type"] == "extra_forbidden")
    data = document.data
    assert isinstance(data, dict), "checked before"
    mended = mend_unknown_keys(data, unknown, missing, keys_at)
    document.rename(mended.renamed)
    mistakes += mended.mistakes
    # Backwards, so that what is taken out of a list moves nothing that is still to be taken out.
    for item in sorted([*mended.still_missing, *others], key=_order, reverse=True):
        place = place_of(item)
        if place not in [mistake.place for mistake in document.mistakes]:
            mistakes.append(mistake_of(item, keys_at))
        taken.append(_take_out(data, place))


def _order(item: ErrorDetails) -> list[tuple[bool, int, str]]:
    return [
        (isinstance(part, str), part if isinstance(part, int) else 0, str(part))
        for part in place_of(item)
    ]


def _take_out(data: object, place: Place) -> Place:
    """Take out what stands at a place; returns the place from which something is gone."""
    *path, last = place
    owner, walked = data, 0
    for part in path:
        inner = _inside(owner, part)
        if inner is None:
            break
        owner, walked = inner, walked + 1
    if walked < len(path):
        last = place[walked]
    if isinstance(owner, list) and isinstance(last, int) and last < len(owner):
        del owner[last]
    elif isinstance(owner, dict):
        key = str(last) if str(last) in owner or last in _STAND_INS else None
        if key is None:
            owner.clear()
        elif key in _STAND_INS:
            owner[key] = _STAND_INS[key]
        else:
            del owner[key]
    return place


def _inside(owner: object, part: str | int) -> object:
    """One step into the data; where one value stands for a list of it, an index is no step."""
    if isinstance(owner, dict):
        return owner if part == 0 and "0" not in owner else _container(owner.get(str(part)))
    if isinstance(owner, list) and isinstance(part, int) and part < len(owner):
        return _container(owner[part])
    return None


def _container(value: object) -> object:
    return value if isinstance(value, dict | list) else None


def _follows(mistake: Mistake, taken: list[Place]) -> bool:
    """Whether it is only said because something was taken out."""
    place = mistake.place
    for gone in taken:
        if gone[: len(place)] == place or place[: len(gone)] == gone:
            return True
        whole = len(gone) <= 2 and gone[0] in ("clocks", "calendars")
        if whole and mistake.what.startswith(f"unknown {str(gone[0])[:-1]}"):
            return True
    return False


def keys_at(place: Place) -> list[str]:
    """The keys that are known at a place, as the file writes them."""
    names = [part for part in place if isinstance(part, str)]
    if not names:
        return _keys(PolicyFile)
    if len(names) == 2 and names[0] in ("calendars", "clocks"):
        return _keys(language.Calendar if names[0] == "calendars" else language.Clock)
    if len(names) >= 3 and names[:2] == ["rules", "targets"]:
        return _keys(language.ByDate)
    if names[-1] == "labels":
        return list(get_args(get_args(language.Labels)[0]))
    model = _MODELS.get(names[-1])
    return [] if model is None else _keys(model)


def _keys(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]
