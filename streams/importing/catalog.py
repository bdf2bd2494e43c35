"""Mappings by name (shipped with the package) or by path, checked whole."""

from pathlib import Path

from pydantic import ValidationError

from schemas import mapping as language
from schemas.mapping import Mapping, mistakes_of, suggestion
from schemas.problems import Problem, ProblemsError
from streams.importing.documents import mistake_of, parse_yaml

MAPPINGS_DIR = Path(__file__).parent / "mappings"
SAMPLES_DIR = Path(__file__).parent / "samples"

_MODELS = (
    language.Mapping,
    language.Input,
    language.Times,
    language.Exported,
    language.TimeSource,
    language.History,
    language.OrderBy,
    language.EventRule,
    language.Condition,
    language.Value,
)
_KEYS = {model.__name__: list(model.model_fields) for model in _MODELS}


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
    try:
        mapping = Mapping.model_validate(document.data)
        mistakes += mistakes_of(mapping)
    except ValidationError as error:
        mapping = None
        mistakes += [mistake_of(item, _KEYS) for item in error.errors(include_url=False)]
    if mistakes or mapping is None:
        mistakes.sort(key=lambda mistake: document.line_of(mistake.place))
        raise ProblemsError(*(document.problem(mistake) for mistake in mistakes))
    return mapping


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
