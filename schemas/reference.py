"""The reference part of `schemas/README.md`: tables made from the contract itself."""

from collections.abc import Callable, Iterable, Sequence
from typing import cast

from schemas import wire
from schemas.decode import EVENT_BYTES_MAX
from schemas.documents import DEPTH_MAX, Document
from schemas.fields import FIELDS
from schemas.json_schema import event_schema
from schemas.outcomes import ROWS
from schemas.reasons import REASONS
from schemas.timestamps import YEAR_MAX, YEAR_MIN
from schemas.topics import DAY_MS, TOPICS, TopicSpec


def topics_table() -> str:
    """Every topic: what it carries, under which key, how long."""
    return _table(
        ("topic", "carries", "key", "value", "kept"),
        ((f"`{spec.name}`", spec.meaning, spec.key, spec.value, _kept(spec)) for spec in TOPICS),
    )


def envelope_table() -> str:
    """The fields of the envelope."""
    schema = event_schema("ticket")
    required = cast("list[str]", schema["required"])
    own = _all_ids(cast("dict[str, Document]", schema["properties"]))
    return _table(
        ("field", "form", "needed", "meaning"),
        (
            (f"`{name}`", _form(form), _needed(name, required), FIELDS[name])
            for name, form in own.items()
        ),
    )


def types_table() -> str:
    """Every event type with its fields; needed ones are bold."""
    return _table(
        ("event", "means", "`data`"),
        (
            (f"{kind} `{name}`", _one_line(model.__doc__), _fields(model))
            for kind, types in wire.TYPES.items()
            for name, (model, _inside) in types.items()
        ),
    )


def fields_table() -> str:
    """Every field of `data`, in the order of first use."""
    forms: dict[str, list[str]] = {}
    for kind in wire.TYPES:
        for schema in cast("dict[str, Document]", event_schema(kind)["$defs"]).values():
            for name, form in cast("dict[str, Document]", schema["properties"]).items():
                told = forms.setdefault(name, [])
                if _form(form) not in told:
                    told.append(_form(form))
    return _table(
        ("field", "form", "meaning"),
        ((f"`{name}`", " or ".join(told), FIELDS[name]) for name, told in forms.items()),
    )


def limits_table() -> str:
    """What is bounded, and by how much."""
    return _table(
        ("limit", "value"),
        (
            ("event", f"{EVENT_BYTES_MAX // 1024} KiB"),
            ("nesting", f"{DEPTH_MAX} levels"),
            ("text", f"{wire.TEXT_LENGTH_MAX} characters"),
            ("attribute", f"{wire.LONG_TEXT_LENGTH_MAX} characters"),
            ("`targets`, `attributes`", f"{wire.MAP_LENGTH_MAX} fields each"),
            ("score", f"{-wire.SCORE_MAX} to {wire.SCORE_MAX}"),
            ("instant", f"year {YEAR_MIN} to {YEAR_MAX}"),
        ),
    )


def metrics_table() -> str:
    """What surveys, audits and employee feedback measure, with scale and dimensions."""
    return _table(
        ("metric", "scale", "dimensions"),
        (
            (f"`{metric}`", f"{low:g} … {high:g}", _codes(wire.DIMENSIONS.get(metric, ())))
            for metric, (low, high) in wire.SCALES.items()
        ),
    )


def rows_table() -> str:
    """Every outcome row with its key."""
    return _table(
        ("table", "row"),
        ((f"`{table}`", _one_line(row.__doc__)) for table, row in ROWS.items()),
    )


def reasons_table() -> str:
    """Every reason code in both languages, with the way out."""
    return _table(
        ("code", "meaning", "含义", "what to do"),
        ((f"`{code}`", reason.en, reason.zh_cn, reason.remedy) for code, reason in REASONS.items()),
    )


SECTIONS: dict[str, Callable[[], str]] = {
    "topics": topics_table,
    "envelope": envelope_table,
    "types": types_table,
    "fields": fields_table,
    "limits": limits_table,
    "metrics": metrics_table,
    "rows": rows_table,
    "reasons": reasons_table,
}


def filled(text: str) -> str:
    """The README with the part between each pair of markers made anew."""
    for name, section in SECTIONS.items():
        begin, end = f"<!-- begin {name} -->\n", f"<!-- end {name} -->"
        assert begin in text, f"schemas/README.md has no section {name}"
        before, rest = text.split(begin, 1)
        assert end in rest, f"the section {name} of schemas/README.md has no end"
        after = rest.split(end, 1)[1]
        text = f"{before}{begin}\n{section()}\n\n{end}{after}"
    return text


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _kept(spec: TopicSpec) -> str:
    if spec.cleanup == "compact":
        return "newest per key"
    return "for ever" if spec.retention_ms < 0 else f"{spec.retention_ms // DAY_MS} days"


def _all_ids(properties: dict[str, Document]) -> dict[str, Document]:
    """Of the four ids, exactly one is given; all have the same form."""
    form = properties["ticket_id"]
    return {**properties, "call_id": form, "survey_id": form, "shift_id": form}


def _needed(name: str, required: Sequence[str]) -> str:
    if name in ("ticket_id", "call_id", "survey_id", "shift_id"):
        return "one of four"
    return "yes" if name in required else ""


def _fields(model: type[wire.Wire]) -> str:
    told = []
    for name, field in model.model_fields.items():
        code = f"**`{name}`**" if field.is_required() else f"`{name}`"
        default = None if field.is_required() else field.get_default()
        told.append(code if default in (None, {}) else f"{code} (default {_value(default)})")
    return ", ".join(told) or "–"


def _value(value: object) -> str:
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _codes(values: Iterable[object]) -> str:
    return ", ".join(f"`{value}`" for value in values) or "–"


def _one_line(doc: str | None) -> str:
    return " ".join((doc or "").split())


def _form(schema: Document) -> str:
    """What a field may hold, in words."""
    if "anyOf" in schema:
        schema = cast("list[Document]", schema["anyOf"])[0]
    if "enum" in schema:
        values = cast("list[str]", schema["enum"])
        return "event type" if "created" in values else f"one of {_codes(values)}"
    if "additionalProperties" in schema:
        inner = cast("Document", schema["additionalProperties"])
        return f"object of at most {schema['maxProperties']} fields, each {_form(inner)}"
    if schema.get("format") == "date-time":
        return "instant"
    if schema["type"] == "string":
        unlike = ", no `/`" if "/" in str(schema.get("pattern", "")) else ""
        return f"text, {schema.get('minLength', 0)} to {schema['maxLength']} characters{unlike}"
    if schema["type"] in ("integer", "number") and "minimum" in schema:
        return _range(schema)
    return "true or false" if schema["type"] == "boolean" else str(schema["type"])


def _range(schema: Document) -> str:
    low, high = schema["minimum"], schema["maximum"]
    kind = "integer" if schema["type"] == "integer" else "number"
    return f"{kind} {low:g}" if low == high else f"{kind} from {low} to {high}"
