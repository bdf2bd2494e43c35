"""YAML with places: every key and item knows its line, so that a mistake can be shown where it is."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from schemas.mapping import Mistake, Place, suggestion
from schemas.problems import Problem, ProblemsError

TAGS = ("~duration", "~by_date", "~table")  # of forms that a value may have
NODES_MAX = 100_000
DEPTH_MAX = 40
_INT, _FLOAT = "tag:yaml.org,2002:int", "tag:yaml.org,2002:float"

# Messages of pydantic in the words of YAML.
_PYTHON_WORDS = re.compile(r"valid (tuple|list|dictionary)( or instance of \w+)?")
_WORDS = {"tuple": "list", "list": "list", "dictionary": "mapping (`key: value`)"}

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
        place = self.as_written(place)
        while place and place not in self.lines:
            place = self.as_written(place[:-1])
        return self.lines.get(place, 1)

    def as_written(self, place: Place) -> Place:
        """Where one value stands for a list of it, its index is no part of the path."""
        if place not in self.lines:
            short = tuple(part for part in place if part != 0)
            return short if short in self.lines else place
        return place

    def rename(self, renamed: dict[Place, Place]) -> None:
        """Find keys that were mended where they are written."""
        for right, written in renamed.items():
            self.lines[right] = self.line_of(written)

    def problem(self, mistake: Mistake) -> Problem:
        """The mistake with file and line."""
        path = ".".join(str(part) for part in self.as_written(mistake.place))
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
    try:
        _read_into(document, text)
    except RecursionError as error:
        raise ProblemsError(Problem(file, "nested too deeply")) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{file}:{mark.line + 1}" if mark is not None else file
        raise ProblemsError(Problem(where, f"not YAML: {error.problem or error}")) from error
    except yaml.reader.ReaderError as error:
        where = f"{file}:{text.count(chr(10), 0, error.position) + 1}"
        what = f"not YAML: the character U+{ord(text[error.position]):04X} is not allowed"
        raise ProblemsError(Problem(where, what)) from error
    except yaml.YAMLError as error:
        raise ProblemsError(Problem(file, f"not YAML: {error}")) from error
    return document


def _read_into(document: Document, text: str) -> None:
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        document.data = None if node is None else _Builder(document, loader).plain(node, ())
    finally:
        loader.dispose()


class _Loader(yaml.SafeLoader):
    """`17:00` is a text: YAML 1.1 would read it as a number to the base of sixty."""


_Loader.yaml_implicit_resolvers = {
    first: [pair for pair in pairs if pair[0] not in (_INT, _FLOAT)]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(_INT, re.compile(r"^[-+]?\d+$"), list("-+0123456789"))
_Loader.add_implicit_resolver(
    _FLOAT, re.compile(r"^[-+]?(\d+\.\d*|\.\d+)([eE][-+]?\d+)?$"), list("-+.0123456789")
)


class _Builder:
    """Nodes → plain data, with the line of every key and item."""

    def __init__(self, document: Document, loader: yaml.SafeLoader) -> None:
        self._document = document
        self._loader = loader
        self._nodes = 0
        self._seen: set[int] = set()  # nodes whose own keys were looked at; aliases come again

    def plain(self, node: yaml.Node, place: Place) -> object:
        """The data of a node. Aliases are written out, up to a limit."""
        document = self._document
        self._nodes += 1
        if self._nodes > NODES_MAX or len(place) > DEPTH_MAX:
            what = "too large or too deep, once its aliases are written out"
            raise ProblemsError(Problem(f"{document.file}:{node.start_mark.line + 1}", what))
        document.lines.setdefault(place, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, place)
        if isinstance(node, yaml.SequenceNode):
            return [self.plain(item, (*place, at)) for at, item in enumerate(node.value)]
        try:
            return self._loader.construct_object(node, deep=True)
        except ValueError as error:  # e.g. a date that does not exist
            document.mistakes.append(Mistake(place, f"{node.value!r}: {error}"))
            return None

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, object]:
        if id(node) not in self._seen:
            self._seen.add(id(node))
            self._tell_doubled(node, place)
            self._loader.flatten_mapping(node)
        found: dict[str, object] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            here = (*place, key)
            self._document.lines[here] = key_node.start_mark.line + 1
            found[key] = self.plain(value_node, here)
        return found

    def _tell_doubled(self, node: yaml.MappingNode, place: Place) -> None:
        """Only keys that stand here themselves: they may well replace merged ones."""
        own: set[str] = set()
        for key_node, _value_node in node.value:
            key = str(key_node.value)
            if key in own:
                here = (*place, key)
                line = key_node.start_mark.line + 1
                self._document.lines[here] = line
                self._document.mistakes.append(
                    Mistake(here, f"{key!r} is given twice", f"the second stands in line {line}")
                )
            own.add(key)


@dataclass(frozen=True, slots=True)
class Mended:
    """What came of mending: the mistakes told, what is missing all the same, what was renamed."""

    mistakes: list[Mistake]
    still_missing: list[ErrorDetails]
    renamed: dict[Place, Place]  # as it should be called → as it is written


def mend_unknown_keys(
    data: dict[str, object],
    unknown: list[ErrorDetails],
    missing: list[ErrorDetails],
    keys_at: KeysAt,
) -> Mended:
    """Take unknown keys out of `data`; one that looks like a missing one takes its place."""
    mistakes: list[Mistake] = []
    renamed: dict[Place, Place] = {}
    still_missing = list(missing)
    for error in unknown:
        *path, key = place_of(error)
        owner = _inside(data, tuple(path))
        if owner is None or str(key) not in owner:  # a name that looks like pydantic's own
            mistakes.append(mistake_of(error, keys_at))
            continue
        value = owner.pop(str(key))
        for other in still_missing:
            *other_path, wanted = place_of(other)
            if other_path == path and get_close_matches(str(key), [str(wanted)]):
                owner[str(wanted)] = value
                renamed[*path, wanted] = (*path, key)
                still_missing.remove(other)
                hint = f"did you mean {wanted!r}?"
                mistakes.append(Mistake((*path, key), f"unknown key {key!r}", hint))
                break
        else:
            mistakes.append(mistake_of(error, keys_at))
            close = get_close_matches(str(key), keys_at(tuple(path)), n=1, cutoff=0.6)
            if close and close[0] not in owner:
                owner[close[0]] = value
                renamed[*path, close[0]] = (*path, key)
    return Mended(mistakes, still_missing, renamed)


def _inside(data: object, path: Place) -> dict[str, object] | None:
    for part in path:
        known = (
            data if isinstance(data, dict) else range(len(data) if isinstance(data, list) else 0)
        )
        if part not in known:
            return None
        data = data[part]  # type: ignore[index]  # it is in it
    return data if isinstance(data, dict) else None


def partition(
    items: list[ErrorDetails], wanted: Callable[[ErrorDetails], bool]
) -> tuple[list[ErrorDetails], list[ErrorDetails]]:
    """Those wanted, and the rest."""
    return [item for item in items if wanted(item)], [item for item in items if not wanted(item)]


def own_errors(error: ValidationError) -> list[ErrorDetails]:
    """Its errors, without "too short" of what is only so because its items are wrong."""
    return [
        item
        for item in error.errors(include_url=False)
        if item["type"] != "too_short" or not item["input"]
    ]


def place_of(error: ErrorDetails) -> Place:
    """The path of keys in the file, without pydantic's names of types and our tags (`~…`) in it."""
    *path, last = error["loc"]
    return tuple(
        part
        for part in (*path, *(() if last in ("str", "[key]") else (last,)))
        if part not in ("dict[str,str]", *TAGS)
    )


def mistake_of(error: ErrorDetails, keys_at: KeysAt) -> Mistake:
    """A pydantic error as a mistake; an unknown key gets the closest known one as a suggestion."""
    place = place_of(error)
    kind = error["type"]
    if kind == "extra_forbidden":
        key = str(place[-1])
        return Mistake(place, f"unknown key {key!r}", suggestion(key, keys_at(place[:-1])))
    if kind == "missing":
        return Mistake(place[:-1], f"{place[-1]!r} is missing")
    if kind == "string_type" and isinstance(error["input"], bool):
        return Mistake(place, f"{error['input']} is read as yes/no", 'put it in quotes: "true"')
    if kind == "too_short":
        return Mistake(place, f"at least {error['ctx']['min_length']} is needed")
    given = error["input"]
    if kind == "literal_error":
        expected = error["ctx"]["expected"]
        hint = suggestion(str(given), re.findall(r"'([^']*)'", expected)) or f"got {given!r:.60}"
        return Mistake(place, f"input should be {expected}", hint)
    message = error["msg"].removeprefix("Value error, ")
    message = _PYTHON_WORDS.sub(lambda found: _WORDS[found[1]], message)
    told = repr(given) in message or (not isinstance(given, int | float) and str(given) in message)
    got = "" if told else f"got {given!r:.60}"
    return Mistake(place, message[:1].lower() + message[1:], got)
