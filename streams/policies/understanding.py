"""Plain data → a policy file as it was meant: every mistake told at once, none hidden by another.

What is wrong is told, then mended (a misspelt key) or taken out, and the rest is looked at again. What is
then said of places from which something was taken is no mistake of the writer's, and not told.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from schemas import policy as language
from schemas.mapping import Mistake, Place
from schemas.policy import PolicyFile
from schemas.policy_mistakes import mistakes_of
from streams.core.business_time.zones import zone_names
from streams.importing.documents import (
    Document,
    mend_unknown_keys,
    mistake_of,
    own_errors,
    partition,
    place_of,
)

Further = Callable[[PolicyFile], list[Mistake]]
Steps = list[tuple[dict[str, object] | list[object], str | int]]
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
    "id": "unnamed",
    "start": "created",
    "working_days": 1,
    "by": "tier",
    "attribute": "tier",
    "from": "2000-01-01T00:00:00Z",
    "to": "2001-01-01T00:00:00Z",
}


def understood(
    document: Document, mistakes: list[Mistake], further: Further = lambda _file: []
) -> PolicyFile | None:
    """The file; None when `mistakes` got something. Changes the document's data.

    `further` finds mistakes that the language can't see, in the file as it was meant.
    """
    before = len(mistakes)
    mender = _Mender(document, mistakes)
    for _ in range(_ROUNDS_MAX):
        try:
            file = PolicyFile.model_validate(document.data)
        except ValidationError as error:
            if not mender.look_behind(own_errors(error)):
                return None
        else:
            mender.tell([*mistakes_of(file, zone_names()), *further(file)])
            break
    else:
        return None
    return file if len(mistakes) == before else None


class _Mender:
    """Tells errors and changes the data such that they are gone; knows where in the file all that is
    left stood."""

    def __init__(self, document: Document, mistakes: list[Mistake]) -> None:
        assert isinstance(document.data, dict), "checked before"
        self._document = document
        self._data: dict[str, object] = document.data
        self._mistakes = mistakes
        self._taken: list[Place] = []
        self._left: dict[Place, list[int]] = {}  # list → where in the file its items stood
        unread = [mistake.place for mistake in document.mistakes if self._is_empty(mistake.place)]
        self._take_out(unread)

    def look_behind(self, errors: list[ErrorDetails]) -> bool:
        """Tell the errors, mend misspelt keys, and take out what is wrong; False when none was new."""
        missing, others = partition(errors, lambda item: item["type"] == "missing")
        unknown, others = partition(others, lambda item: item["type"] == "extra_forbidden")
        mended = mend_unknown_keys(self._data, unknown, missing, keys_at)
        self._document.rename(
            {self._written(right): self._written(as_is) for right, as_is in mended.renamed.items()}
        )
        wrong = [*mended.still_missing, *others]
        told = [*mended.mistakes, *(mistake_of(item, keys_at) for item in wrong)]
        placed = [self._placed(mistake) for mistake in told]
        new = [mistake for mistake in placed if mistake not in self._mistakes]
        self._mistakes += new
        self._take_out([place_of(item) for item in wrong])
        return bool(new)

    def tell(self, found: list[Mistake]) -> None:
        """Of what is wrong in the mended file tell what is the writer's doing."""
        placed = [self._placed(mistake) for mistake in found]
        self._mistakes += [one for one in placed if not _follows(one, self._taken)]

    def _placed(self, mistake: Mistake) -> Mistake:
        return replace(mistake, place=self._written(mistake.place))

    def _written(self, place: Place) -> Place:
        """Where in the file that stands which stands at a place of the data now."""
        written: Place = ()
        for part in place:
            left = self._left.get(written)
            known = left is not None and isinstance(part, int) and part < len(left)
            written = (*written, left[part] if known else part)  # type: ignore[index]  # known: it is
        return written

    def _is_empty(self, place: Place) -> bool:
        owner, key = _steps(self._data, place)[-1]
        return (owner.get(str(key)) if isinstance(owner, dict) else owner[int(key)]) is None

    def _take_out(self, places: list[Place]) -> None:
        """Backwards, so that what is taken out of a list moves nothing that is still to be taken out."""
        for place in sorted(set(places), key=_order, reverse=True):
            written = self._written(place)
            # A stand-in that is wrong as well goes with all around it.
            again = written in self._taken
            self._taken.append(written)
            steps = _steps(self._data, place)
            while not self._takes(steps, again) and len(steps) > 1:
                steps.pop()

    def _takes(self, steps: Steps, again: bool) -> bool:
        """Take out or replace the last step; False when there is nothing of that name."""
        owner, key = steps[-1]
        if isinstance(owner, list):
            place = tuple(step for _, step in steps[:-1])
            left = self._left.setdefault(self._written(place), list(range(len(owner))))
            del owner[int(key)], left[int(key)]
        elif key in _STAND_INS and not again:
            owner[str(key)] = deepcopy(_STAND_INS[str(key)])
        elif key in owner:
            del owner[str(key)]
        else:
            return False
        return True


def _steps(data: dict[str, object], place: Place) -> Steps:
    """The way to a place, or as far as it exists: each container and what is named in it."""
    steps: Steps = []
    at: object = data
    for part in place:
        if isinstance(at, list) and isinstance(part, int) and part < len(at):
            steps.append((at, part))
            at = at[part]
        elif isinstance(at, dict) and (part != 0 or "0" in at):
            steps.append((at, str(part)))
            at = at.get(str(part))
        elif not isinstance(at, dict):
            break
        # Else one mapping stands for a list of it, and the index is no step.
    return steps


def _order(place: Place) -> list[tuple[bool, int, str]]:
    return [
        (isinstance(part, str), part if isinstance(part, int) else 0, str(part)) for part in place
    ]


def _follows(mistake: Mistake, taken: list[Place]) -> bool:
    """Whether it is only said because something was taken out."""
    place, what = mistake.place, mistake.what
    for gone in taken:
        if gone[: len(place)] == place or place[: len(gone)] == gone:
            return True
        if _changes_elsewhere(gone, place, what):
            return True
    return False


def _changes_elsewhere(gone: Place, place: Place, what: str) -> bool:
    """What was taken out makes something else look wrong."""
    if gone[0] in ("clocks", "calendars") and len(gone) <= 2:  # the whole of it
        return what.startswith(f"unknown {str(gone[0])[:-1]}")
    if gone[-1] == "kind":
        return place == (*gone[:-1], "team")
    if gone[0] == "rules" and what.startswith("unreachable"):
        return gone[2:3] == ("match",) or gone[-1] == "by"
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
