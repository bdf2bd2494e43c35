"""Mappings by name (shipped with the package) or by path, checked whole."""

from pathlib import Path

from pydantic import BaseModel, ValidationError

from schemas import mapping as language
from schemas.mapping import Mapping, Mistake, Place, mistakes_of, suggestion
from schemas.problems import Problem, ProblemsError
from streams.importing.documents import mend_unknown_keys, mistake_of, parse_yaml, partition

MAPPINGS_DIR = Path(__file__).parent / "mappings"
SAMPLES_DIR = Path(__file__).parent / "samples"

# The model that stands at a place, by the last key of the path to it; elsewhere stand values.
_MODELS: dict[str, type[BaseModel]] = {
    "input": language.Input,
    "time": language.Times,
    "exported_at": language.Exported,
    "after": language.TimeSource,
    "history": language.History,
    "order_by": language.OrderBy,
    "events": language.EventRule,
    "when": language.Condition,
}


def _keys_at(place: Place) -> list[str]:
    """The keys that are known at a place."""
    names = [part for part in place if isinstance(part, str)]
    if not names:
        return list(Mapping.model_fields)
    # Within `after`, `time` is a value like any other.
    model = language.Value if names[-2:] == ["after", "time"] else _MODELS.get(names[-1])
    return list((model or language.Value).model_fields)


def mapping_names() -> list[str]:
    """The mappings that come with the package."""
    return sorted(path.stem for path in MAPPINGS_DIR.glob("*.yaml"))


def load_mapping(name_or_path: str) -> Mapping:
    """A mapping by its name, or by the path of a YAML file. ProblemsError names every mistake."""
    path = _path_of(name_or_path)
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ProblemsError(Problem(str(path), f"not UTF-8 at byte {error.start}")) from error
    except OSError as error:
        raise ProblemsError(Problem(str(path), error.strerror or str(error))) from error
    return parse_mapping(text, str(path))


def parse_mapping(text: str, file: str) -> Mapping:
    """A mapping from its text; `file` is only for messages."""
    document = parse_yaml(text, file)
    if not isinstance(document.data, dict):
        hint = "start with `mapping: NAME`"
        raise ProblemsError(Problem(f"{file}:1", "not a mapping file", hint))
    mistakes = list(document.mistakes)
    mapping = _validated(document.data, mistakes)
    if mapping is not None:
        mistakes += mistakes_of(mapping)
    if mistakes or mapping is None:
        mistakes.sort(key=lambda mistake: document.line_of(mistake.place))
        raise ProblemsError(*(document.problem(mistake) for mistake in mistakes))
    return mapping


def _validated(data: dict[str, object], mistakes: list[Mistake]) -> Mapping | None:
    """The model, if need be after its unknown keys were mended, so that they hide nothing else."""
    try:
        return Mapping.model_validate(data)
    except ValidationError as error:
        errors = error.errors(include_url=False)
    missing, others = partition(errors, lambda item: item["type"] == "missing")
    unknown, others = partition(others, lambda item: item["type"] == "extra_forbidden")
    mended = mend_unknown_keys(data, unknown, missing, _keys_at)
    mistakes += mended.mistakes
    mistakes += [mistake_of(item, _keys_at) for item in (*mended.still_missing, *others)]
    if others or mended.still_missing:
        return None
    return _validated(data, mistakes)


def _path_of(name_or_path: str) -> Path:
    known = mapping_names()
    if name_or_path in known:
        return MAPPINGS_DIR / f"{name_or_path}.yaml"
    path = Path(name_or_path)
    if path.suffix in (".yaml", ".yml") or path.is_file():
        return path
    hint = f"known: {', '.join(known)}; or the path of a .yaml file"
    close = suggestion(name_or_path, known)
    raise ProblemsError(
        Problem("--mapping", f"unknown mapping {name_or_path!r}", f"{close} {hint}".strip())
    )
