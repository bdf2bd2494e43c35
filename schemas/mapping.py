"""Mapping files: how rows of somebody's export become events. The declarative language, as models.

The file is checked whole by `mistakes_of`: what pydantic can't see (event types, fields, maps,
columns named nowhere) is told in the same breath. `streams.importing` reads and runs mappings.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Literal, Union, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from schemas import wire
from schemas.events import EntityKind

Place = tuple[str | int, ...]
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
TIME_WORDS = ("iso", "epoch_seconds", "epoch_ms")


@dataclass(frozen=True, slots=True)
class Mistake:
    """Something wrong in a mapping: the path of keys to it, what, and what would be right."""

    place: Place
    what: str
    hint: str = ""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str | int | float) else value


Texts = Annotated[tuple[str, ...], BeforeValidator(_as_list)]


class Value(_Model):
    """Where a field's value comes from. A plain string in the file is short for `column`.

    A blank result leaves the field out, and so do the texts listed in `blank`. `map` names one of the mapping's `maps` or holds one; a value
    that it doesn't know rejects the row, unless `otherwise` says what to take. For times: `formats`
    and `zone` override the mapping's; `next_day_if_before` adds a day when a time of day has passed
    midnight; `export` is the instant of the export itself.
    """

    column: str | None = None
    constant: str | None = None
    template: str | None = None
    export: Literal[True] | None = None
    blank: Texts = ()
    map: str | dict[str, str] | None = None
    otherwise: str | None = None
    formats: tuple[str, ...] | None = None
    zone: str | None = None
    next_day_if_before: "AnyValue | None" = None

    def columns(self) -> Iterator[str]:
        """Every column it reads."""
        if self.column is not None:
            yield self.column
        if self.template is not None:
            yield from PLACEHOLDER.findall(self.template)
        if self.next_day_if_before is not None:
            yield from self.next_day_if_before.columns()


def _long_form(value: object) -> object:
    return {"column": value} if isinstance(value, str | int | float) else value


AnyValue = Annotated[Value, BeforeValidator(_long_form)]


class Condition(_Model):
    """Holds for a row when every part given holds, of a column or of a template's text. `changed`, `became`, `was` and `row` look at the
    row before of the same id (they need `history`):

    `changed`: there is a row before and its value differs; `became`: the value is one of these, and
    the row before, if any, had none of them; `was`: the row before had one of these.
    """

    column: str | None = None
    template: str | None = None
    filled: bool | None = None
    equals: Texts | None = None
    differs: Texts | None = None
    changed: bool | None = None
    became: Texts | None = None
    was: Texts | None = None
    row: Literal["first", "later"] | None = None

    def columns(self) -> Iterator[str]:
        """Every column it reads."""
        if self.column is not None:
            yield self.column
        yield from PLACEHOLDER.findall(self.template or "")

    @property
    def looks_back(self) -> bool:
        return any(part is not None for part in (self.changed, self.became, self.was, self.row))


class Input(_Model):
    """The file. `.gz` is seen by itself. `header` names the columns of a file that has no header
    line; `blank` lists texts that mean "nothing" beside the empty one."""

    format: Literal["csv", "tsv", "jsonl"] = "csv"
    encoding: str = "utf-8"
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    header: tuple[str, ...] | None = None
    blank: tuple[str, ...] = ()
    ragged: bool = False


class Times(_Model):
    """How times are written. A time without an offset is local to `zone`: in a repeated hour its
    first occurrence; one in a gap becomes the transition (`gap: snap`) or rejects the row
    (`gap: reject`)."""

    zone: str
    formats: Texts = ("iso",)
    gap: Literal["snap", "reject"] = "snap"


class TimeSource(_Model):
    """A time of a row, taken when the conditions hold."""

    time: AnyValue
    when: tuple[Condition, ...] = ()


class Exported(_Model):
    """When the file was exported: one second after the newest of these times of the whole file,
    unless the command line knows better."""

    after: Annotated[tuple[TimeSource, ...], Field(min_length=1)]


class History(_Model):
    """The file has several rows per id, one beside the other. They are ordered by these columns or
    times (numbers as numbers), then by their place in the file."""

    order_by: tuple["OrderBy", ...] = ()


class OrderBy(_Model):
    column: str
    is_time: bool = False


class EventRule(_Model):
    """One event of a row, when all conditions hold. `known_at` is when the source knew of it (its
    `ingested_at`), else `at`. `name` tells rules of one type apart and becomes part of event ids."""

    type: str
    name: str | None = None
    when: tuple[Condition, ...] = ()
    at: AnyValue
    known_at: AnyValue | None = None
    data: dict[str, AnyValue] = {}
    targets: dict[str, AnyValue] = {}
    attributes: dict[str, AnyValue] = {}

    @property
    def title(self) -> str:
        return self.name or self.type

    def values(self) -> Iterator[tuple[Place, Value]]:
        """Every value with its place."""
        yield ("at",), self.at
        if self.known_at is not None:
            yield ("known_at",), self.known_at
        for part in ("data", "targets", "attributes"):
            for name, value in getattr(self, part).items():
                yield (part, name), value


class Mapping(_Model):
    """One mapping file. `line_id`: a template that tells apart the lines of one entity where several may make
    the same event, as in a log; it becomes part of the event's id. `other_rows`: what becomes of rows that make
    no event; in a log that tells of other things, too, they are skipped."""

    mapping: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
    labels: dict[Literal["en", "zh-CN"], str]
    source: Annotated[str, Field(pattern=r"^[^/\x00-\x1f]+$", max_length=wire.TEXT_LENGTH_MAX)]
    entity: EntityKind = "ticket"
    id: str
    line_id: str | None = None
    other_rows: Literal["reject", "skip"] = "reject"
    input: Input = Input()
    time: Times
    exported_at: Exported | None = None
    history: History | None = None
    maps: dict[str, dict[str, str]] = {}
    events: Annotated[tuple[EventRule, ...], Field(min_length=1)]

    def columns(self) -> frozenset[str]:
        """Every column it needs."""
        found = set(PLACEHOLDER.findall(self.id + (self.line_id or "")))
        if self.history is not None:
            found.update(order.column for order in self.history.order_by)
        sources = () if self.exported_at is None else self.exported_at.after
        conditions = [*(source.when for source in sources), *(rule.when for rule in self.events)]
        for parts in conditions:
            for part in parts:
                found.update(part.columns())
        for source in sources:
            found.update(source.time.columns())
        for rule in self.events:
            for _place, value in rule.values():
                found.update(value.columns())
        return frozenset(found)


FieldShape = Literal["text", "number", "boolean", "instant"]


@dataclass(frozen=True, slots=True)
class FieldRule:
    """What an event type allows in one field of its data."""

    shape: FieldShape
    required: bool
    allowed: tuple[str, ...] = ()


def fields_of(entity: EntityKind, type_: str) -> dict[str, FieldRule]:
    """The plain fields of an event type's data (not `targets` and `attributes`)."""
    model, _inside = wire.TYPES[entity][type_]
    hints = get_type_hints(model)
    return {
        name: _field_rule(hints[name], required=field.is_required())
        for name, field in model.model_fields.items()
        if name not in ("targets", "attributes")
    }


def _field_rule(hint: object, *, required: bool) -> FieldRule:
    if get_origin(hint) in (UnionType, Union):
        (hint,) = (part for part in get_args(hint) if part is not type(None))
    if get_origin(hint) is Literal:
        return FieldRule("text", required, get_args(hint))
    shapes: dict[object, FieldShape] = {bool: "boolean", float: "number", datetime: "instant"}
    return FieldRule(shapes.get(hint, "text"), required)


def suggestion(wrong: str, known: Iterator[str] | tuple[str, ...] | list[str]) -> str:
    """`did you mean 'x'?`, or nothing."""
    close = get_close_matches(wrong, list(known), n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else ""


def mistakes_of(mapping: Mapping) -> list[Mistake]:
    """Every mistake that the shape of the file alone doesn't show, in reading order."""
    found = [
        *_input_mistakes(mapping),
        *_template_mistakes(("id",), mapping.id),
        *_template_mistakes(("line_id",), mapping.line_id),
    ]
    if not PLACEHOLDER.search(mapping.id):
        found.append(
            Mistake(("id",), "every row would get the same id", 'e.g. id: "{case_number}"')
        )
    sources = () if mapping.exported_at is None else mapping.exported_at.after
    for index, source in enumerate(sources):
        place: Place = ("exported_at", "after", index)
        found += _time_mistakes(mapping, (*place, "time"), source.time)
        found += _condition_mistakes(mapping, place, source.when)
        if source.time.export:
            found.append(Mistake((*place, "time"), "the export's instant can't follow from itself"))
    titles: set[str] = set()
    for index, rule in enumerate(mapping.events):
        place = ("events", index)
        if rule.title in titles:
            what = f"a second event is called {rule.title!r}"
            found.append(Mistake(place, what, "give each its own `name`"))
        titles.add(rule.title)
        found += _event_mistakes(mapping, place, rule)
    return found


def _input_mistakes(mapping: Mapping) -> Iterator[Mistake]:
    try:
        codecs.lookup(mapping.input.encoding)
    except LookupError:
        what = f"unknown encoding {mapping.input.encoding!r}"
        yield Mistake(("input", "encoding"), what, "e.g. utf-8, gb18030, latin-1")
    yield from _zone_mistakes(("time", "zone"), mapping.time.zone)
    yield from _format_mistakes(("time", "formats"), mapping.time.formats)


def _zone_mistakes(place: Place, zone: str | None) -> Iterator[Mistake]:
    if zone is None:
        return
    try:
        ZoneInfo(zone)
    except (OSError, ValueError, KeyError):
        hint = suggestion(zone, sorted(available_timezones())) or "an IANA name, e.g. Asia/Shanghai"
        yield Mistake(place, f"unknown time zone {zone!r}", hint)


def _format_mistakes(place: Place, formats: tuple[str, ...] | None) -> Iterator[Mistake]:
    if formats is not None and not formats:
        yield Mistake(place, "no time format", f"one of {', '.join(TIME_WORDS)} or a pattern")
    sample = datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)
    for index, text in enumerate(formats or ()):
        if text in TIME_WORDS:
            continue
        try:
            well = "%" in text and datetime.strptime(sample.strftime(text), text)  # noqa: DTZ007  # only tried
        except (ValueError, re.error):
            well = False
        if not well:
            hint = suggestion(text, TIME_WORDS) or 'e.g. "%Y-%m-%d %H:%M:%S" or iso'
            yield Mistake((*place, index), f"{text!r} is no time format", hint)


def _template_mistakes(place: Place, template: str | None) -> Iterator[Mistake]:
    if template is None:
        return
    rest = PLACEHOLDER.sub("", template)
    if "{" in rest or "}" in rest or "" in PLACEHOLDER.findall(template):
        yield Mistake(place, f"{template!r} is no template", "write {column} for a column's value")


def _condition_mistakes(
    mapping: Mapping, place: Place, when: tuple[Condition, ...]
) -> Iterator[Mistake]:
    for index, part in enumerate(when):
        here = (*place, "when", index)
        tests = part.model_dump(exclude={"column", "template", "row"}, exclude_none=True)
        subjects = [name for name in (part.column, part.template) if name is not None]
        yield from _template_mistakes((*here, "template"), part.template)
        if len(subjects) > 1:
            yield Mistake(here, "column and template at once", "write two conditions")
        if not subjects and (tests or part.row is None):
            yield Mistake(here, "a condition needs a column", "e.g. {column: closed, filled: true}")
        if subjects and not tests:
            hint = "add filled, equals, differs, changed, became or was"
            yield Mistake(here, f"nothing is asked of {subjects[0]!r}", hint)
        if part.looks_back and mapping.history is None:
            hint = "add `history: {order_by: [...]}`"
            yield Mistake(here, "the row before is only known in a file with history", hint)


def _event_mistakes(mapping: Mapping, place: Place, rule: EventRule) -> Iterator[Mistake]:
    yield from _condition_mistakes(mapping, place, rule.when)
    yield from _time_mistakes(mapping, (*place, "at"), rule.at)
    if rule.known_at is not None:
        yield from _time_mistakes(mapping, (*place, "known_at"), rule.known_at)
    types = wire.TYPES[mapping.entity]
    if rule.type not in types:
        hint = suggestion(rule.type, list(types)) or f"one of {', '.join(types)}"
        what = f"a {mapping.entity} has no event {rule.type!r}"
        yield Mistake((*place, "type"), what, hint)
        return
    yield from _data_mistakes(mapping, place, rule)
    model, _inside = types[rule.type]
    if rule.targets and "targets" not in model.model_fields:
        yield Mistake((*place, "targets"), f"{rule.type} carries no targets", "created does")
    if rule.attributes and "attributes" not in model.model_fields:
        yield Mistake((*place, "attributes"), f"{rule.type} carries no attributes", "created does")
    for clock, value in rule.targets.items():
        yield from _time_mistakes(mapping, (*place, "targets", clock), value)
    for name, value in rule.attributes.items():
        yield from _text_mistakes(mapping, (*place, "attributes", name), value, ())


def _data_mistakes(mapping: Mapping, place: Place, rule: EventRule) -> Iterator[Mistake]:
    fields = fields_of(mapping.entity, rule.type)
    for name, value in rule.data.items():
        here = (*place, "data", name)
        if name not in fields:
            hint = suggestion(name, list(fields)) or f"one of {', '.join(fields) or 'none at all'}"
            yield Mistake(here, f"{rule.type} has no field {name!r}", hint)
        elif fields[name].shape == "instant":
            yield from _time_mistakes(mapping, here, value)
        else:
            yield from _text_mistakes(mapping, here, value, fields[name].allowed)
    for name, field in fields.items():
        if field.required and name not in rule.data:
            hint = f"one of {', '.join(field.allowed)}" if field.allowed else ""
            yield Mistake(place, f"{rule.type} needs data.{name}", hint)


def _origin_mistakes(mapping: Mapping, place: Place, value: Value) -> Iterator[Mistake]:
    given = [
        name
        for name in ("column", "constant", "template", "export")
        if getattr(value, name) is not None
    ]
    if len(given) != 1:
        what = f"{' and '.join(given)} at once" if given else "no origin of the value"
        yield Mistake(place, what, "exactly one of column, constant, template, export")
    if value.export and mapping.exported_at is None:
        hint = "add `exported_at: {after: [...]}`"
        yield Mistake(place, "nothing says when the file was exported", hint)
    yield from _template_mistakes((*place, "template"), value.template)


def _time_mistakes(mapping: Mapping, place: Place, value: Value) -> Iterator[Mistake]:
    yield from _origin_mistakes(mapping, place, value)
    yield from _zone_mistakes((*place, "zone"), value.zone)
    yield from _format_mistakes((*place, "formats"), value.formats)
    if value.map is not None or value.otherwise is not None:
        yield Mistake(place, "a time has no value map", "use `formats`")
    if value.next_day_if_before is not None:
        here = (*place, "next_day_if_before")
        yield from _time_mistakes(mapping, here, value.next_day_if_before)


def _text_mistakes(
    mapping: Mapping, place: Place, value: Value, allowed: tuple[str, ...]
) -> Iterator[Mistake]:
    yield from _origin_mistakes(mapping, place, value)
    if value.export or value.formats or value.zone or value.next_day_if_before:
        yield Mistake(place, "this field is not a time", "remove export, formats, zone")
    if isinstance(value.map, str) and value.map not in mapping.maps:
        hint = suggestion(value.map, list(mapping.maps)) or "declare it under `maps`"
        yield Mistake((*place, "map"), f"unknown value map {value.map!r}", hint)
        return
    if value.otherwise is not None and value.map is None:
        yield Mistake((*place, "otherwise"), "otherwise stands without a map")
    if allowed:
        for result in sorted(_results(mapping, value) - {*allowed, ""}):
            hint = suggestion(result, list(allowed)) or f"one of {', '.join(allowed)}"
            yield Mistake(place, f"{result!r} is not allowed here", hint)


def _results(mapping: Mapping, value: Value) -> set[str]:
    """The values that are known beforehand."""
    results = {text for text in (value.otherwise,) if text is not None}
    if isinstance(value.map, str):
        results.update(mapping.maps[value.map].values())
    elif value.map is not None:
        results.update(value.map.values())
    elif value.constant is not None:
        results.add(value.constant)
    return results


Value.model_rebuild()
History.model_rebuild()
