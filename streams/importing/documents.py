"""YAML with places: every key and item knows its line, so that a mistake can be shown where it is."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches

import yaml
from pydantic_core import ErrorDetails

from schemas.mapping import Mistake, Place, suggestion
from schemas.problems import Problem, ProblemsError

KeysAt = Callable[[Place], list[str]]  # the keys that are known at a place


@dataclass(slots=True)
class Document:
    """Plain data and the line of each path in it."""

    file: str
    data: object = None
    lines: dict[Place, int] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)

    def line_of(self, place: Place) -> int:
        """The line of the deepest part of the path that exists in the file."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def problem(self, mistake: Mistake) -> Problem:
        """The mistake with file and line."""
        path = ".".join(str(part) for part in mistake.place)
        what = f"{path}: {mistake.what}" if path else mistake.what
        return Problem(f"{self.file}:{self.line_of(mistake.place)}", what, mistake.hint)

    def problems(self, mistakes: Iterable[Mistake]) -> list[Problem]:
        """The mistakes with file and line, in the order of the file."""
        ordered = sorted(mistakes, key=lambda mistake: self.line_of(mistake.place))
        return [self.problem(mistake) for mistake in ordered]


def parse_yaml(text: str, file: str) -> Document:
    """Plain data with lines. Keys are always texts; a key given twice is a mistake.

    ProblemsError when the text is no YAML.
    """
    document = Document(file)
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        document.data = None if node is None else _plain(document, loader, node, ())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{file}:{mark.line + 1}" if mark is not None else file
        raise ProblemsError(Problem(where, f"not YAML: {error.problem or error}")) from error
    except yaml.YAMLError as error:
        raise ProblemsError(Problem(file, f"not YAML: {error}")) from error
    finally:
        loader.dispose()
    return document


def _plain(document: Document, loader: yaml.SafeLoader, node: yaml.Node, place: Place) -> object:
    document.lines.setdefault(place, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        loader.flatten_mapping(node)
        found: dict[str, object] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            here = (*place, key)
            if key in found:
                document.mistakes.append(Mistake(here, f"{key!r} is given twice"))
            document.lines[here] = key_node.start_mark.line + 1
            found[key] = _plain(document, loader, value_node, here)
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_plain(document, loader, item, (*place, at)) for at, item in enumerate(node.value)]
    return loader.construct_object(node, deep=True)


@dataclass(frozen=True, slots=True)
class Mended:
    """What came of mending: the mistakes told, and what is missing all the same."""

    mistakes: list[Mistake]
    still_missing: list[ErrorDetails]


def mend_unknown_keys(
    data: dict[str, object],
    unknown: list[ErrorDetails],
    missing: list[ErrorDetails],
    keys_at: KeysAt,
) -> Mended:
    """Take unknown keys out of `data`; one that looks like a missing one takes its place."""
    mistakes: list[Mistake] = []
    still_missing = list(missing)
    for error in unknown:
        *path, key = _place_of(error)
        owner = _inside(data, tuple(path))
        value = owner.pop(str(key))
        for other in still_missing:
            *other_path, wanted = _place_of(other)
            if other_path == path and get_close_matches(str(key), [str(wanted)]):
                owner[str(wanted)] = value
                still_missing.remove(other)
                hint = f"did you mean {wanted!r}?"
                mistakes.append(Mistake((*path, key), f"unknown key {key!r}", hint))
                break
        else:
            mistakes.append(mistake_of(error, keys_at))
    return Mended(mistakes, still_missing)


def _inside(data: object, path: Place) -> dict[str, object]:
    for part in path:
        assert isinstance(data, dict | list)
        data = data[part]  # type: ignore[index]  # pydantic walked the same path
    assert isinstance(data, dict)
    return data


def partition(
    items: list[ErrorDetails], wanted: Callable[[ErrorDetails], bool]
) -> tuple[list[ErrorDetails], list[ErrorDetails]]:
    """Those wanted, and the rest."""
    return [item for item in items if wanted(item)], [item for item in items if not wanted(item)]


def _place_of(error: ErrorDetails) -> Place:
    """The path of keys in the file; names of types in it are pydantic's own."""
    return tuple(part for part in error["loc"] if part not in ("str", "dict[str,str]"))


def mistake_of(error: ErrorDetails, keys_at: KeysAt) -> Mistake:
    """A pydantic error as a mistake; an unknown key gets the closest known one as a suggestion."""
    place = _place_of(error)
    kind = error["type"]
    if kind == "extra_forbidden":
        key = str(place[-1])
        return Mistake(place, f"unknown key {key!r}", suggestion(key, keys_at(place[:-1])))
    if kind == "missing":
        return Mistake(place[:-1], f"{place[-1]!r} is missing")
    if kind == "string_type" and isinstance(error["input"], bool):
        return Mistake(place, f"{error['input']} is read as yes/no", 'put it in quotes: "true"')
    message = error["msg"].removeprefix("Value error, ")
    return Mistake(place, message[:1].lower() + message[1:], f"got {error['input']!r:.60}")
