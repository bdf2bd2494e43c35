"""A mapping made ready for one file: values, times and conditions as plain functions of a row."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import orjson

from schemas.customers import REFUSED_IN_CLEAR, Alias, CustomerIds
from schemas.decode import decode, encode
from schemas.events import Event, Rejected
from schemas.instants import rfc3339
from schemas.mapping import (
    PLACEHOLDER,
    Condition,
    EventRule,
    FieldRule,
    Mapping,
    TimeSource,
    Value,
    fields_of,
    suggestion,
)
from schemas.wire import TOPIC_OF
from streams.importing.faults import Fault, RowFaultsError
from streams.importing.times import HALF_DAY_MS, next_day, time_parser


@dataclass(slots=True)
class RowView:
    """A row as the rules see it: its values, the row before of the same id, its place among them."""

    values: list[str]
    previous: list[str] | None = None
    position: int = 0
    export_ms: int | None = None


@dataclass(frozen=True, slots=True)
class MadeEvent:
    """An event that passed the contract, ready to be written or published."""

    event: Event
    topic: str
    key: bytes
    value: bytes
    aliases: tuple[Alias, ...] = ()


Text = Callable[[RowView], str]
Instant = Callable[[RowView], int | None]
Test = Callable[[RowView], bool]
Field = Callable[[RowView], object]
T = TypeVar("T")

_YES = frozenset({"true", "yes", "y", "1", "t"})
_NO = frozenset({"false", "no", "n", "0", "f"})


@dataclass(frozen=True, slots=True)
class _Rule:
    title: str
    type: str
    tests: tuple[Test, ...]
    at: Instant
    known_at: Instant | None
    data: tuple[tuple[str, Field], ...]
    targets: tuple[tuple[str, Instant], ...]
    attributes: tuple[tuple[str, Text], ...]


class CompiledMapping:
    """A mapping bound to the columns of a file. Not shared between threads."""

    def __init__(
        self,
        mapping: Mapping,
        columns: tuple[str, ...],
        tenant: str,
        customers: CustomerIds = REFUSED_IN_CLEAR,
    ) -> None:
        self.mapping = mapping
        self.customers = customers
        self.tenant = tenant
        self.columns = columns
        self.gaps = 0  # local times met that their zone skips
        self._at = {name: index for index, name in enumerate(columns)}
        self._id = self._template(mapping.id)
        self._line_id = None if mapping.line_id is None else self._template(mapping.line_id)
        self._rules = [self._rule(rule) for rule in mapping.events]
        exported = mapping.exported_at
        sources = () if exported is None else exported.after
        self._export_sources = [self._source(source) for source in sources]
        history = mapping.history
        orders = () if history is None else history.order_by
        self._orders = [
            self._instant(Value(column=order.column))
            if order.is_time
            else self._number(order.column)
            for order in orders
        ]

    def id_of(self, values: list[str]) -> str:
        """The entity's id as the source names it; empty when the row has none."""
        return self._id(RowView(values))

    def order_of(self, values: list[str]) -> tuple[float, ...]:
        """Where a row stands among those of its id."""
        view = RowView(values)
        return tuple(order(view) or 0 for order in self._orders)

    def newest_ms(self, values: list[str]) -> int | None:
        """The newest instant of a row that the export cannot precede; unreadable ones don't count."""
        view = RowView(values)
        newest: int | None = None
        for tests, instant in self._export_sources:
            try:
                found = instant(view) if all(test(view) for test in tests) else None
            except RowFaultsError:
                continue
            if found is not None and (newest is None or found > newest):
                newest = found
        return newest

    def events(self, view: RowView) -> list[MadeEvent]:
        """The events of a row, in the order of the mapping. RowFaultsError with all reasons: a row is
        taken whole or not at all."""
        entity_id = self._id(view)
        if not entity_id:
            raise RowFaultsError(Fault("missing_value", "the row has no id", self.mapping.id))
        made: list[MadeEvent] = []
        faults: list[Fault] = []
        for place, rule in enumerate(self._rules):
            try:
                if all(test(view) for test in rule.tests):
                    made.append(self._made(place, rule, entity_id, view))
            except RowFaultsError as error:
                faults += (fault for fault in error.faults if fault not in faults)
        if faults:
            raise RowFaultsError(*faults)
        return made

    def _made(self, place: int, rule: _Rule, entity_id: str, view: RowView) -> MadeEvent:
        faults: list[Fault] = []
        occurred_ms = _tried(rule.at, view, faults)
        if occurred_ms is None and not faults:
            faults.append(Fault("missing_value", f"{rule.title} has no time", f"{rule.title}.at"))
        known_ms = None if rule.known_at is None else _tried(rule.known_at, view, faults)
        data: dict[str, object] = {}
        for name, field in rule.data:
            value = _tried(field, view, faults)
            if value is not None and value != "":
                data[name] = value
        targets = {clock: _tried(instant, view, faults) for clock, instant in rule.targets}
        due = {clock: rfc3339(due_ms) for clock, due_ms in targets.items() if due_ms is not None}
        if due:
            data["targets"] = due
        texts = {name: _tried(text, view, faults) for name, text in rule.attributes}
        attributes = {name: text for name, text in texts.items() if text}
        if attributes:
            data["attributes"] = attributes
        if faults or occurred_ms is None:
            raise RowFaultsError(*faults)
        known_ms = occurred_ms if known_ms is None else known_ms
        line_id = "" if self._line_id is None else self._line_id(view)
        names = (f"{entity_id}:{rule.title}" + (f":{line_id}" if line_id else ""), entity_id)
        return self._checked(place, rule, names, (occurred_ms, known_ms, data, view.position))

    def _checked(
        self,
        place: int,
        rule: _Rule,
        names: tuple[str, str],
        content: tuple[int, int, dict[str, object], int],
    ) -> MadeEvent:
        """Through the same gate as every other event. `names`: of the event and of its entity."""
        (event_id, entity_id), (occurred_ms, known_ms, data, position) = names, content
        mapping = self.mapping
        document: dict[str, object] = {
            "schema_version": 1,
            "tenant": self.tenant,
            "source": mapping.source,
            "event_id": event_id,
            "type": rule.type,
            "occurred_at": rfc3339(occurred_ms),
            "ingested_at": rfc3339(known_ms),
            f"{mapping.entity}_id": entity_id,
            "sequence": position * len(self._rules) + place,
            "data": data,
        }
        if mapping.history is not None:
            document["event_id"] = f"{entity_id}:{rule.title}:{position}"
        event = decode(orjson.dumps(document), key=None, received_ms=known_ms, kind=mapping.entity)
        aliases: tuple[Alias, ...] = ()
        if not isinstance(event, Rejected):
            event, aliases = self.customers.at_edge(event)
        if isinstance(event, Rejected):
            where = f"{rule.title}.{event.where}" if event.where else rule.title
            raise RowFaultsError(Fault(event.reason, event.detail, where))
        return MadeEvent(event, TOPIC_OF[event.kind], event.key.encode(), encode(event), aliases)

    def _rule(self, rule: EventRule) -> _Rule:
        fields = fields_of(self.mapping.entity, rule.type)
        return _Rule(
            title=rule.title,
            type=rule.type,
            tests=tuple(self._test(part) for part in rule.when),
            at=self._instant(rule.at),
            known_at=None if rule.known_at is None else self._instant(rule.known_at),
            data=tuple(
                (name, self._field(fields[name], value)) for name, value in rule.data.items()
            ),
            targets=tuple((name, self._instant(value)) for name, value in rule.targets.items()),
            attributes=tuple((name, self._text(value)) for name, value in rule.attributes.items()),
        )

    def _source(self, source: TimeSource) -> tuple[tuple[Test, ...], Instant]:
        return tuple(self._test(part) for part in source.when), self._instant(source.time)

    def _field(self, rule: FieldRule, value: Value) -> Field:
        if rule.shape == "instant":
            instant = self._instant(value)

            def as_instant(view: RowView) -> object:
                found = instant(view)
                return None if found is None else rfc3339(found)

            return as_instant
        text = self._text(value)
        where = value.column or value.template or ""
        if rule.shape == "number":
            return lambda view: _number_of(text(view), where)
        if rule.shape == "boolean":
            return lambda view: _boolean_of(text(view), where)
        return text

    def _text(self, value: Value) -> Text:
        plain = self._plain(value)
        if value.map is None:
            return plain
        known = self.mapping.maps[value.map] if isinstance(value.map, str) else value.map
        otherwise = value.otherwise
        where = value.column or value.template or ""

        def mapped(view: RowView) -> str:
            text = plain(view)
            found = known.get(text)
            if found is not None:
                return found
            if text == "" or otherwise is not None:
                return otherwise or ""
            hint = suggestion(text, list(known)) or f"known: {', '.join(filter(None, known))}"
            raise RowFaultsError(Fault("unmapped_value", f"{text!r} ({hint})"[:300], where))

        return mapped

    def _plain(self, value: Value) -> Text:
        text = self._given(value)
        if not value.blank:
            return text
        blank = frozenset(value.blank)

        def unless_blank(view: RowView) -> str:
            found = text(view)
            return "" if found in blank else found

        return unless_blank

    def _given(self, value: Value) -> Text:
        if value.column is not None:
            return self._column(value.column)
        if value.template is not None:
            return self._template(value.template)
        constant = value.constant or ""
        return lambda _view: constant

    def _column(self, name: str) -> Text:
        at = self._at[name]
        return lambda view: view.values[at]

    def _template(self, template: str) -> Text:
        """Blank as soon as one of its columns is."""
        parts = PLACEHOLDER.split(template)  # texts and column names by turns
        texts = parts[0::2]
        places = [self._at[name] for name in parts[1::2]]
        if len(places) == 1 and texts == ["", ""]:
            (at,) = places
            return lambda view: view.values[at]

        def filled(view: RowView) -> str:
            values = [view.values[at] for at in places]
            if not all(values):
                return ""
            found = texts[0]
            for value, text in zip(values, texts[1:], strict=True):
                found += value + text
            return found

        return filled

    def _instant(self, value: Value) -> Instant:
        if value.export:
            return lambda view: view.export_ms
        times = self.mapping.time
        zone = value.zone or times.zone
        parse = time_parser(value.formats or times.formats, zone)
        text_of = self._plain(value)
        where = value.column or value.template or ""
        reject_gap = times.gap == "reject"
        before = value.next_day_if_before
        earliest = None if before is None else self._instant(before)

        def instant(view: RowView) -> int | None:
            text = text_of(view)
            if not text:
                return None
            try:
                parsed = parse(text)
            except ValueError as error:
                raise RowFaultsError(Fault("bad_time", str(error), where)) from None
            instant_ms = parsed.instant_ms
            if parsed.in_gap:
                self.gaps += 1
                if reject_gap:
                    detail = f"{text!r} does not exist in {zone}"
                    raise RowFaultsError(Fault("time_in_gap", detail, where))
            earliest_ms = None if earliest is None else earliest(view)
            if earliest_ms is not None and instant_ms < earliest_ms - HALF_DAY_MS:
                return next_day(parsed, zone)
            return instant_ms

        return instant

    def _number(self, column: str) -> Callable[[RowView], float | None]:
        text = self._column(column)
        return lambda view: _number_of(text(view), column)

    def _test(self, part: Condition) -> Test:
        tests = [] if part.row is None else [_row_test(first=part.row == "first")]
        if part.column is not None or part.template is not None:
            subject = self._plain(Value(column=part.column, template=part.template))
            tests += _value_tests(part, subject) + _looking_back(part, subject)
        if len(tests) == 1:
            return tests[0]
        return lambda view: all(test(view) for test in tests)


def _tried(function: Callable[[RowView], T], view: RowView, faults: list[Fault]) -> T | None:
    try:
        return function(view)
    except RowFaultsError as error:
        faults += error.faults
        return None


def _row_test(*, first: bool) -> Test:
    return lambda view: (view.previous is None) is first


def _value_tests(part: Condition, subject: Text) -> list[Test]:
    tests: list[Test] = []
    if part.filled is not None:
        filled = part.filled
        tests.append(lambda view: bool(subject(view)) is filled)
    if part.equals is not None:
        equals = frozenset(part.equals)
        tests.append(lambda view: subject(view) in equals)
    if part.differs is not None:
        differs = frozenset(part.differs)
        tests.append(lambda view: subject(view) not in differs)
    return tests


def _looking_back(part: Condition, subject: Text) -> list[Test]:
    def before(view: RowView) -> str | None:
        return None if view.previous is None else subject(RowView(view.previous))

    tests: list[Test] = []
    if part.changed is not None:
        changed = part.changed
        tests.append(
            lambda view: view.previous is not None and (before(view) != subject(view)) is changed
        )
    if part.became is not None:
        became = frozenset(part.became)
        tests.append(lambda view: subject(view) in became and before(view) not in became)
    if part.was is not None:
        was = frozenset(part.was)
        tests.append(lambda view: before(view) in was)
    return tests


def _number_of(text: str, where: str) -> float | None:
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        raise RowFaultsError(Fault("not_a_number", f"{text!r} is not a number", where)) from None


def _boolean_of(text: str, where: str) -> bool | None:
    lowered = text.lower()
    if lowered in _YES:
        return True
    if lowered in _NO:
        return False
    if not text:
        return None
    raise RowFaultsError(Fault("not_a_boolean", f"{text!r} is not yes or no", where))
