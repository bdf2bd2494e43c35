"""Story files read and checked whole: each story as events for the core and what is expected of it."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from schemas import wire
from schemas.decode import decode
from schemas.events import Event, Rejected
from schemas.instants import from_ms, parse_rfc3339, rfc3339, to_ms
from schemas.mapping import Mistake, Place, suggestion
from schemas.policy_stories import End, ExpectedCycle, Level, Story, StoryEvent, StoryFile
from schemas.problems import Problem, ProblemsError
from streams.core.business_time.zones import zone, zone_names
from streams.core.policy import PolicyBook
from streams.importing.documents import Document, mistake_of, own_errors, parse_yaml
from streams.policies.loading import load_book, read_policy_text

SUFFIX = ".test.yaml"
TICKET_ID = "T-1"
_TIMED = ("due_at", "at_risk_at", "breach_at", "stopped_at")
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_LEVELS = get_args(Level)
_YEARS = (1970, 2200)  # as the contract of events has it
_WITH_WEEKDAY = re.compile(r"^([A-Z][a-z]{2}) (.*)$")


@dataclass(frozen=True, slots=True)
class ReadEnd:
    """What is expected as of an instant; instants among it in milliseconds."""

    as_of_ms: int
    clocks: dict[str, tuple[dict[str, object], ...]]


@dataclass(frozen=True, slots=True)
class ReadStory:
    """A story ready to be told to the core."""

    name: str
    line: int
    events: tuple[Event, ...]
    ends: tuple[ReadEnd, ...]
    breaches: tuple[str, ...] | None
    announced: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Stories:
    """A test file: the policies it is about, and its stories."""

    path: Path
    book: PolicyBook
    zone: ZoneInfo
    stories: tuple[ReadStory, ...]


def load_stories(path: Path) -> Stories:
    """A test file with its policies; ProblemsError names every mistake of the test file with its line,
    or else those of the policies."""
    document = parse_yaml(read_policy_text(path), str(path))
    file = _validated(document)
    reader = _Reader(document, file)
    names = file.policy or (path.name.removesuffix(SUFFIX) + ".yaml",)
    book = load_book([path.parent / name for name in names])
    stories = tuple(reader.stories(book))
    if reader.mistakes:
        raise ProblemsError(*document.problems(reader.mistakes))
    return Stories(path, book, reader.zone, stories)


def _validated(document: Document) -> StoryFile:
    if not isinstance(document.data, dict):
        what, hint = "not a test of a policy", "start with `stories:`"
        raise ProblemsError(Problem(f"{document.file}:1", what, hint))
    mistakes = list(document.mistakes)
    file: StoryFile | None = None
    try:
        file = StoryFile.model_validate(document.data)
    except ValidationError as error:
        mistakes += [mistake_of(item, _keys_at) for item in own_errors(error)]
    if mistakes or file is None:
        raise ProblemsError(*document.problems(mistakes))
    return file


def _keys_at(place: Place) -> list[str]:
    if not place:
        return list(StoryFile.model_fields)
    if len(place) == 2:
        return list(Story.model_fields)
    return list(ExpectedCycle.model_fields)


def shown(instant_ms: int, tz: ZoneInfo) -> str:
    """An instant as story files write it: `Mon 2026-03-02 09:00`."""
    local = from_ms(instant_ms).astimezone(tz)
    text = f"{_WEEKDAYS[local.weekday()]} {local:%Y-%m-%d %H:%M}"
    if local.microsecond:
        return f"{text}:{local:%S}.{local.microsecond // 1000:03}"
    return f"{text}:{local:%S}" if local.second else text


class _Reader:
    """Reads on after a mistake, to find the others."""

    def __init__(self, document: Document, file: StoryFile) -> None:
        self.mistakes: list[Mistake] = []
        self.zone = ZoneInfo("UTC")
        self._document = document
        self._file = file
        if file.zone in zone_names():
            self.zone = zone(file.zone)
        else:
            hint = suggestion(file.zone, zone_names()) or "an IANA name, e.g. Asia/Shanghai"
            self.mistakes.append(Mistake(("zone",), f"unknown time zone {file.zone!r}", hint))

    def stories(self, book: PolicyBook) -> Iterator[ReadStory]:
        """Every story; `mistakes` are known once all were read."""
        self._check_fields("created", self._file.ticket, ("ticket",))
        clocks = sorted({clock.id for policy in book.policies for clock in policy.clocks})
        for index, story in enumerate(self._file.stories):
            place: Place = ("stories", index)
            yield ReadStory(
                story.story,
                self._document.line_of(place),
                tuple(self._events(story, place)),
                tuple(self._ends(story, place, clocks)),
                self._lines(story.breaches, (*place, "breaches"), 1, clocks),
                self._lines(story.announced, (*place, "announced"), 2, clocks),
            )

    def _events(self, story: Story, place: Place) -> Iterator[Event]:
        for index, told in enumerate(story.events):
            here = (*place, "events", index)
            self._check_fields(told.type, told.data(), here)
            event = decode(self._wire(told, index, here), key=None, received_ms=0)
            if isinstance(event, Rejected):
                told_where = not event.where or event.detail.startswith(f"{event.where}:")
                where = "" if told_where else f"{event.where}: "
                self.mistakes.append(Mistake(here, f"{where}{event.detail}", event.reason))
            else:
                yield event

    def _check_fields(self, type_: str, data: Iterable[str], place: Place) -> None:
        """The contract ignores fields that it doesn't know; in a test they are slips."""
        if type_ not in wire.TYPES["ticket"]:
            return  # the contract itself says so
        known = list(wire.TYPES["ticket"][type_][0].model_fields)
        for name in data:
            if name not in known:
                hint = suggestion(name, known) or f"its fields: {', '.join(known) or 'none'}"
                what = f"{type_} has no field {name!r}"
                self.mistakes.append(Mistake((*place, name), what, hint))

    def _wire(self, told: StoryEvent, index: int, place: Place) -> bytes:
        """As the pipeline would get it, so that a story can't do what an event can't."""
        data = told.data()
        if told.type == "created":
            data = {**self._file.ticket, **data}
        targets = data.get("targets")
        if isinstance(targets, dict):
            data["targets"] = {
                clock: self._rfc3339(time, (*place, "targets", clock))
                for clock, time in targets.items()
            }
        if "started_at" in data:
            data["started_at"] = self._rfc3339(data["started_at"], (*place, "started_at"))
        at = self._rfc3339(told.at, (*place, "at"))
        known = at if told.known is None else self._rfc3339(told.known, (*place, "known"))
        document = {
            "schema_version": 1,
            "source": self._file.source,
            "event_id": told.id or f"e{index + 1}",
            "sequence": told.sequence,
            "type": told.type,
            "occurred_at": at,
            "ingested_at": known,
            "ticket_id": TICKET_ID,
            "data": data,
        }
        return json.dumps(document).encode()

    def _ends(self, story: Story, place: Place, clocks: list[str]) -> Iterator[ReadEnd]:
        for index, end in enumerate(story.ends):
            here = (*place, "ends", index)
            self._check_clocks(end, here, clocks)
            yield ReadEnd(
                self._instant(end.as_of, (*here, "as_of")),
                {
                    clock: tuple(self._expected(cycle, (*here, clock)) for cycle in cycles)
                    for clock, cycles in end.clocks().items()
                },
            )

    def _check_clocks(self, end: End, place: Place, clocks: list[str]) -> None:
        for clock in end.clocks():
            if clock not in clocks:
                hint = suggestion(clock, clocks) or f"clocks: {', '.join(clocks)}"
                self.mistakes.append(Mistake((*place, clock), f"unknown clock {clock!r}", hint))

    def _expected(self, cycle: ExpectedCycle, place: Place) -> dict[str, object]:
        told: dict[str, object] = {name: getattr(cycle, name) for name in cycle.model_fields_set}
        for name in _TIMED:
            if told.get(name) is not None:
                told[name] = self._instant(str(told[name]), (*place, name))
        return told

    def _lines(
        self, lines: tuple[str, ...] | None, place: Place, words: int, clocks: list[str]
    ) -> tuple[str, ...] | None:
        """Times made uniform, so that lines can be compared as texts."""
        if lines is None:
            return None
        found = []
        for index, line in enumerate(lines):
            time, *rest = line.rsplit(maxsplit=words) or [""]
            here = (*place, index)
            if len(rest) != words or rest[-1] not in clocks:
                form = "TIME CLOCK" if words == 1 else "TIME LEVEL CLOCK"
                hint = f"write {form}; clocks: {', '.join(clocks)}"
                self.mistakes.append(Mistake(here, f"{line!r} is not {form}", hint))
            elif words == 2 and rest[0] not in _LEVELS:
                hint = suggestion(rest[0], _LEVELS) or f"one of {', '.join(_LEVELS)}"
                self.mistakes.append(Mistake(here, f"nobody announces {rest[0]!r}", hint))
            else:
                instant_ms = self._instant(time, here)
                found.append(" ".join([shown(instant_ms, self.zone), *rest]))
        return tuple(found)

    def _rfc3339(self, time: object, place: Place) -> str:
        text = time.isoformat(sep=" ") if isinstance(time, datetime) else str(time)
        return rfc3339(self._instant(text, place))

    def _instant(self, text: str, place: Place) -> int:
        try:
            return _instant_of(text, self.zone)
        except ValueError as error:
            self.mistakes.append(Mistake(place, str(error)))
            return 0


def _instant_of(text: str, tz: ZoneInfo) -> int:
    """Milliseconds of a local time or an instant; ValueError with what is wrong."""
    weekday, bare = None, text
    found = _WITH_WEEKDAY.match(text)
    if found is not None:
        weekday, bare = found.groups()
    try:
        moment = datetime.fromisoformat(bare)
    except ValueError as error:
        message = f"{text!r} is not a time such as 2026-03-02 09:00"
        raise ValueError(message) from error
    if weekday is not None and _WEEKDAYS[moment.weekday()] != weekday:
        message = f"{moment:%Y-%m-%d} is a {_WEEKDAYS[moment.weekday()]}, not a {weekday}"
        raise ValueError(message)
    if moment.tzinfo is not None:
        return parse_rfc3339(bare)
    if not _YEARS[0] <= moment.year <= _YEARS[1]:
        message = f"{text!r} does not lie in the years {_YEARS[0]} to {_YEARS[1]}"
        raise ValueError(message)
    return to_ms(moment.replace(tzinfo=tz).astimezone(UTC))
