"""A report as data: sections of tables and charts, still without a language or a form."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from zoneinfo import ZoneInfo

from sinks.clickhouse.queries import read_query
from streams.core.measures import USUAL, CustomerMeasures
from streams.core.statistics.proportion import wilson95
from streams.measuring.asking import Measured, Period, Question, Reader, measure, share_of
from streams.measuring.catalogue import BY_ID, SOURCES, Unit
from streams.reporting.periods import Kind, Span, instants_of

PEOPLE_MAX = 50
ANY_NUMBER = 2**32 - 1
CellKind = Literal["text", "code", "word", "metric", "instant", Unit, "interval", "change"]
Value = str | int | float | tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Column:
    """`name` is a word of `texts`."""

    name: str
    kind: CellKind


@dataclass(frozen=True, slots=True)
class Change:
    """Against the period before, in the metric's unit; `good` None: neither way is."""

    by: float
    unit: Unit
    good: bool | None


@dataclass(frozen=True, slots=True)
class Cell:
    """A value and, where it differs from its column's, its kind."""

    value: Value | Change
    kind: CellKind | None = None


Row = tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars over time or by category: name of each series (a word) with a value per label; None: no data."""

    labels: tuple[str, ...]
    series: tuple[tuple[str, tuple[float | None, ...]], ...]
    label_kind: Literal["code", "instant"]


@dataclass(frozen=True, slots=True)
class Section:
    """`title` is a word. Rows may be none: then there is no data, which is not 0."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    chart: Chart | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be reported. `scope`: a dimension and its value; sections whose source lacks it are left out."""

    kind: Kind
    span: Span
    zone: ZoneInfo
    now_ms: int
    tenant: str = ""
    scope: tuple[str, str] | None = None
    customers: CustomerMeasures = USUAL.customers

    @property
    def team(self) -> str:
        return self.scope[1] if self.scope is not None and self.scope[0] == "team" else ""


@dataclass(slots=True)
class Report:
    """Everything that was found."""

    asked: Asked
    sections: list[Section] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """Whether nothing was counted anywhere."""
        return not any(section.rows for section in self.sections)


_NUMBERS = (
    Column("metric", "metric"),
    Column("value", "count"),
    Column("interval", "interval"),
    Column("sample", "count"),
    Column("before", "count"),
    Column("change", "change"),
)
_SERVICE = (
    "sla.compliance", "sla.met", "sla.breached", "sla.elapsed", "sla.elapsed_p90",
    "tickets.created", "tickets.solved", "tickets.closed", "tickets.time_to_solve",
    "tickets.time_to_solve_p90", "tickets.reopened_share", "tickets.resolution_rate",
    "tickets.complaint_rate",
)  # fmt: skip
_CALLS = (
    "calls.entered", "calls.menu_abandoned", "calls.queued", "calls.answered", "calls.abandoned",
    "calls.short_abandoned", "calls.abandonment", "calls.asa", "calls.wait_p90", "calls.aht",
    "calls.talk", "calls.hold", "calls.after_call", "calls.handle_p90", "calls.over_aim_share",
    "calls.over_limit_share", "calls.transfers_share", "calls.first_contact_resolution",
    "calls.repeat_share", "calls.callbacks_requested", "calls.callbacks_made",
    "calls.callbacks_late", "agents.signed_in", "agents.occupancy", "agents.away_share",
)  # fmt: skip
_LEVELS = tuple(name for name in BY_ID if name.startswith("sl."))
_SATISFACTION = (
    "csat", "csat.mean", "csat.given_met", "csat.given_breached", "nps", "ces.mean", "ces.top_box",
    "surveys.response_rate", "surveys.coverage", "audit.score", "employee.score",
)  # fmt: skip
_QUALITY = tuple(name for name in BY_ID if name.startswith(("servqual.", "reputation.")))
_CUSTOMERS = (
    "customers.follow_up_coverage", "customers.repeat_complaints", "customers.complaining",
)  # fmt: skip


def make_report(reader: Reader, asked: Asked) -> Report:
    """Ask everything once."""
    maker = Sections(reader, asked)
    if asked.kind == "complaints":
        return Report(asked, _there(maker.complaints()))
    every = (
        maker.service(), maker.calls(), maker.satisfaction(), maker.people(), maker.complaints(),
        maker.customers(), maker.quality(),
    )  # fmt: skip
    return Report(asked, _there(section for group in every for section in group))


def _there(sections: Iterable[Section | None]) -> list[Section]:
    return [section for section in sections if section is not None]


class Sections:
    """Makes the sections of one question; None: the scope leaves it out."""

    def __init__(self, reader: Reader, asked: Asked) -> None:
        self._reader = reader
        self._asked = asked

    def service(self) -> list[Section | None]:
        """Promises: the numbers, and who kept them."""
        return [
            self._numbers("service", _SERVICE, self._over_time("sla.met", "sla.breached", words=("met", "breached"))),
            self._by("service_by_team", "team", ("sla.compliance", "sla.met", "sla.breached")),
        ]  # fmt: skip

    def calls(self) -> list[Section | None]:
        """Calls: the numbers, the queues, the service level by every formula."""
        return [
            self._numbers("calls", _CALLS, self._over_time("calls.answered", "calls.abandoned", words=("answered", "abandoned"))),
            self._by("calls_by_queue", "queue", ("calls.queued", "calls.answered", "calls.abandonment", "calls.asa", "calls.aht", "sl.offered")),
            self._numbers("levels", _LEVELS),
        ]  # fmt: skip

    def satisfaction(self) -> list[Section | None]:
        """What customers answered."""
        return [
            self._numbers("satisfaction", _SATISFACTION, self._over_time("csat", words=("csat",))),
            self._by("satisfaction_by_team", "team", ("csat", "csat.mean", "nps")),
            self._numbers("quality", _QUALITY),
        ]

    def people(self) -> list[Section | None]:
        """Each agent."""
        return [self._people()]

    def complaints(self) -> list[Section | None]:
        """By cause, and by stage."""
        return [self._classes(), self._stages()]

    def customers(self) -> list[Section | None]:
        """Follow-up, repeat complaints, retention; the relationship classes."""
        return [self._customers(), self._relationships()]

    def quality(self) -> list[Section | None]:
        """What is odd about the data."""
        return [self._data_quality()]

    # -- numbers of the catalogue -------------------------------------------------------------

    def _numbers(
        self, title: str, metrics: Sequence[str], chart: Chart | None = None
    ) -> Section | None:
        """A line per metric: value, interval, sample, the period before, the change."""
        metrics = self._in_scope(metrics)
        if not metrics:
            return None
        now = {one.metric: one for one in self._measured(metrics, "all")}
        before = {one.metric: one for one in self._measured(metrics, "all", before=True)}
        rows = [
            _number_row(name, now.get(name), before.get(name))
            for name in metrics
            if _counted(now.get(name)) or _counted(before.get(name))
        ]
        return Section(title, _NUMBERS, tuple(rows), chart)

    def _by(self, title: str, dimension: str, metrics: Sequence[str]) -> Section | None:
        """A line per value of a dimension, a column per metric."""
        metrics = self._in_scope(metrics)
        if not metrics:
            return None
        found: dict[str, dict[str, Measured]] = {}
        for one in self._measured(metrics, "all", by=(dimension,)):
            found.setdefault(one.by[0], {})[one.metric] = one
        columns = (Column(dimension, "code"), *(Column(name, BY_ID[name].unit) for name in metrics))
        rows = [
            (Cell(value), *(Cell(_value(numbers.get(name))) for name in metrics))
            for value, numbers in sorted(found.items())
            if any(_counted(one) for one in numbers.values())
        ]
        return Section(title, columns, tuple(rows))

    def _over_time(self, *metrics: str, words: tuple[str, ...]) -> Chart | None:
        if len(self._in_scope(metrics)) != len(metrics):
            return None
        period: Period = "hour" if self._asked.span.hourly else "day"
        found = {(one.metric, one.period_ms): one.value for one in self._measured(metrics, period)}
        if not found:
            return None
        instants = instants_of(self._asked.span, self._asked.zone)
        series = tuple(
            (name, tuple(found.get((metric, instant_ms)) for instant_ms in instants))
            for metric, name in zip(metrics, words, strict=True)
        )
        return Chart(tuple(map(str, instants)), series, "instant")

    def _in_scope(self, metrics: Iterable[str]) -> tuple[str, ...]:
        scope = self._asked.scope
        return tuple(
            name
            for name in metrics
            if scope is None or scope[0] in SOURCES[BY_ID[name].source].dimensions
        )

    def _measured(
        self, metrics: Sequence[str], period: Period, by: tuple[str, ...] = (), before: bool = False
    ) -> list[Measured]:
        span, scope = self._asked.span, self._asked.scope
        question = Question(
            from_ms=span.before_ms if before else span.from_ms,
            to_ms=span.from_ms if before else span.to_ms,
            now_ms=self._asked.now_ms,
            tenant=self._asked.tenant,
            zone=self._asked.zone.key,
            period=period,
            by=by,
            only=None if scope is None else {scope[0]: [scope[1]]},
            customers=self._asked.customers,
        )
        return measure(self._reader, metrics, question)

    # -- queries of their own -----------------------------------------------------------------

    def _people(self) -> Section | None:
        if not self._team_or_whole:
            return None
        columns = (
            Column("agent", "text"), Column("team", "code"), Column("handled", "count"),
            Column("handle_ms", "ms"), Column("occupancy", "percent"), Column("solved", "count"), Column("breaches_held", "count"),
            Column("csat", "percent"), Column("interval", "interval"), Column("answers", "count"),
            Column("audit_score", "score"), Column("complaints_caused", "count"),
        )  # fmt: skip
        return Section("people", columns, self._rows("people", _person, rows_max=PEOPLE_MAX))

    def _classes(self) -> Section | None:
        if not self._team_or_whole:
            return None
        found = self._asked_rows("complaint_classes")
        total = sum(_whole(row["complaints"]) for row in found)
        columns = (
            Column("cause", "code"), Column("class", "code"), Column("count_complaints", "count"),
            Column("share", "percent"), Column("complaints_before", "count"),
            Column("change", "change"), Column("still_open", "count"), Column("serious", "count"),
            Column("median_solve_ms", "ms"), Column("actions", "text"),
        )  # fmt: skip
        rows = tuple(_class_row(row, total) for row in found)
        chart = None
        if len(rows) > 1:
            causes = tuple(str(row["cause"]) for row in found)
            counts = tuple(float(_whole(row["complaints"])) for row in found)
            before = tuple(float(_whole(row["complaints_before"])) for row in found)
            chart = Chart(causes, (("value", counts), ("before", before)), "code")
        return Section("classes", columns, rows, chart)

    def _stages(self) -> Section | None:
        if not self._team_or_whole:
            return None
        columns = (
            Column("in_stage", "code"),
            Column("count_complaints", "count"),
            Column("still_open", "count"),
            Column("oldest", "instant"),
        )
        names = ("in_stage", "complaints", "still_open", "oldest_ms")
        return Section("stages", columns, self._rows("complaint_stages", _plain(*names)))

    def _customers(self) -> Section | None:
        section = self._numbers("customers", _CUSTOMERS)
        if section is None or self._asked.scope is not None:
            return section
        span = self._asked.span
        question = Question(
            span.from_ms, span.to_ms, self._asked.now_ms, self._asked.tenant, self._asked.zone.key
        )
        hits, whole = share_of(self._reader, "retention", question, span.before_ms)
        kept = 100 * hits / whole if whole else None
        retention = (
            Cell("retention", "word"),
            Cell(kept, "percent"),
            Cell(_percents(wilson95(hits, whole))),
            Cell(whole),
            Cell(None),
            Cell(None),
        )
        return Section(section.title, section.columns, (*section.rows, retention))

    def _relationships(self) -> Section | None:
        if self._asked.scope is not None:
            return None
        columns = (
            Column("tier", "code"), Column("class", "code"), Column("count_customers", "count"),
            Column("contacts", "count"), Column("count_complaints", "count"),
            Column("complaint_rate", "percent"), Column("complained_again", "count"),
            Column("csat", "percent"), Column("contribution", "percent"),
            Column("silent_days", "score"),
        )  # fmt: skip
        names = (
            "tier", "class", "customers", "contacts", "complaints", "complaint_rate",
            "complained_again", "csat", "contribution", "silent_days",
        )  # fmt: skip
        rules = self._asked.customers
        complaints_max = rules.loyal_complaints_max
        rows = self._rows(
            "relationships",
            _plain(*names),
            lost_after_ms=rules.lost_after_ms,
            loyal_contacts=rules.loyal_contacts,
            contribution_attribute=rules.contribution_attribute,
            loyal_complaints_max=ANY_NUMBER if complaints_max is None else complaints_max,
        )
        return Section("relationships", columns, rows)

    def _data_quality(self) -> Section | None:
        if self._asked.scope is not None:
            return None
        columns = (
            Column("kind", "code"),
            Column("mark", "code"),
            Column("found", "count"),
            Column("latest", "instant"),
        )
        names = ("kind", "mark", "found", "latest_ms")
        return Section("data_quality", columns, self._rows("data_quality", _plain(*names)))

    @property
    def _team_or_whole(self) -> bool:
        return self._asked.scope is None or self._asked.scope[0] == "team"

    def _rows(
        self, query: str, made: Callable[[Mapping[str, object]], Row], **more: object
    ) -> tuple[Row, ...]:
        return tuple(map(made, self._asked_rows(query, **more)))

    def _asked_rows(self, query: str, **more: object) -> list[dict[str, object]]:
        span = self._asked.span
        return self._reader.query_rows(
            read_query("streams.measuring.queries", query),
            {
                "from_ms": span.from_ms,
                "to_ms": span.to_ms,
                "before_ms": span.before_ms,
                "now_ms": min(self._asked.now_ms, span.to_ms),
                "tenant": self._asked.tenant,
                "team": self._asked.team,
                **more,
            },
        )


def _counted(one: Measured | None) -> bool:
    return one is not None and one.sample > 0


def _value(one: Measured | None) -> float | None:
    return None if one is None else one.value


def _number_row(name: str, now: Measured | None, before: Measured | None) -> Row:
    definition = BY_ID[name]
    value, was = _value(now), _value(before)
    change = None
    if value is not None and was is not None:
        good = None
        if definition.higher_is != "neither" and value != was:
            good = (value > was) == (definition.higher_is == "better")
        change = Change(value - was, definition.unit, good)
    interval = None
    if now is not None and now.low is not None and now.high is not None:
        interval = now.low, now.high
    return (
        Cell(name),
        Cell(value, definition.unit),
        Cell(interval),
        Cell(0 if now is None else now.sample),
        Cell(was, definition.unit),
        Cell(change),
    )


def _person(row: Mapping[str, object]) -> Row:
    answers = _whole(row["answers"])
    satisfied = _whole(row["satisfied"])
    return (
        Cell(str(row["agent"])),
        Cell(str(row["team"])),
        Cell(_whole(row["handled"])),
        Cell(_cell(row["handle_ms"])),
        Cell(_cell(row["occupancy"])),
        Cell(_whole(row["solved"])),
        Cell(_whole(row["breaches_held"])),
        Cell(100 * satisfied / answers if answers else None),
        Cell(_percents(wilson95(satisfied, answers))),
        Cell(answers),
        Cell(_cell(row["audit_score"])),
        Cell(_whole(row["complaints_caused"])),
    )


def _class_row(row: Mapping[str, object], total: int) -> Row:
    complaints, before = _whole(row["complaints"]), _whole(row["complaints_before"])
    more = complaints - before
    return (
        Cell(str(row["cause"])),
        Cell(str(row["class"])),
        Cell(complaints),
        Cell(100 * complaints / total if total else None),
        Cell(before),
        Cell(Change(more, "count", more < 0 if more else None)),
        Cell(_whole(row["still_open"])),
        Cell(_whole(row["serious"])),
        Cell(_cell(row["median_solve_ms"])),
        Cell(str(row["actions"])),
    )


def _plain(*names: str) -> Callable[[Mapping[str, object]], Row]:
    def made(row: Mapping[str, object]) -> Row:
        return tuple(Cell(_cell(row[name])) for name in names)

    return made


def _percents(bounds: tuple[float, float] | None) -> tuple[float, float] | None:
    return None if bounds is None else (100 * bounds[0], 100 * bounds[1])


def _whole(value: object) -> int:
    return int(str(value))


def _cell(value: object) -> Value:
    return value if isinstance(value, str | int | float) else None
