"""Ticket stories as timelines: events at times, what the pipeline says when, how the clocks end.

Each `*.yaml` here is one story of one day and is found by itself. Times are `HH:MM[:SS[.mmm]]`;
`known` is when the source told us (else at once).
"""

from pathlib import Path
from typing import Literal

import orjson
import pytest
import yaml
from pydantic import BaseModel, ConfigDict

from schemas.decode import decode
from schemas.events import Event
from schemas.instants import parse_rfc3339, rfc3339
from schemas.outcomes import AlertIntentRow, TicketClockRow
from streams.core.business_time import ALWAYS
from streams.core.effects import OutcomeRow
from streams.core.policy import ClockSpec, Matcher, Policy, PolicyBook, Rule
from streams.replay import Replayer

STORIES = sorted(Path(__file__).parent.glob("*.yaml"))
DAY = "2026-01-19"
MINUTE_MS = 60_000


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class StoryClock(_Strict):
    start: list[str | dict[str, str]]
    stop: list[str | dict[str, str]]
    pause_statuses: list[str] = []
    target_minutes: int | None = None
    on_reopen: Literal["resume", "reset", "count_closed"] = "resume"


class StoryEvent(_Strict):
    at: str
    type: str
    known: str | None = None
    data: dict[str, object] = {}


class Story(_Strict):
    story: str
    clocks: dict[str, StoryClock]
    events: list[StoryEvent]
    announced: list[str]
    ends: list[dict[str, str]]


def instant(time: str) -> int:
    return parse_rfc3339(f"{DAY}T{time}Z")


def matcher(given: str | dict[str, str]) -> Matcher:
    if isinstance(given, str):
        return Matcher(given)
    fields = {name: value for name, value in given.items() if name != "type"}
    return Matcher(given["type"], tuple((name, frozenset({fields[name]})) for name in fields))


def book_of(story: Story) -> PolicyBook:
    clocks = tuple(
        ClockSpec(
            name,
            tuple(map(matcher, clock.start)),
            tuple(map(matcher, clock.stop)),
            pause_statuses=frozenset(clock.pause_statuses),
            on_reopen=clock.on_reopen,
        )
        for name, clock in story.clocks.items()
    )
    targets = {
        name: clock.target_minutes * MINUTE_MS
        for name, clock in story.clocks.items()
        if clock.target_minutes is not None
    }
    rules = (Rule("all", (), targets),)
    return PolicyBook((Policy("story", "story@1", 0, ALWAYS, clocks, rules),))


def event_of(told: StoryEvent) -> Event:
    """Through the contract, as any other event; due instants are written as times of the day."""
    data = dict(told.data)
    targets = data.get("targets")
    if isinstance(targets, dict):
        data["targets"] = {clock: rfc3339(instant(time)) for clock, time in targets.items()}
    event = decode(
        json_of(
            {
                "schema_version": 1,
                "source": "desk",
                "event_id": f"{told.type} {told.at}",
                "type": told.type,
                "occurred_at": rfc3339(instant(told.at)),
                "ingested_at": rfc3339(instant(told.known or told.at)),
                "ticket_id": "T-1",
                "data": data,
            }
        ),
        key=None,
        received_ms=0,
    )
    assert isinstance(event, Event), event
    return event


def json_of(document: dict[str, object]) -> bytes:
    return orjson.dumps(document)


class Told:
    """What a replay says of a story up to an instant."""

    def __init__(self, story: Story, until_ms: int) -> None:
        self.announced: list[str] = []
        self.verdicts: dict[str, str] = {}
        replayer = Replayer(book_of(story), self._final, self._change)
        events = sorted(map(event_of, story.events), key=lambda event: event.ingested_ms)
        for event in events:
            if event.ingested_ms <= until_ms:
                assert replayer.feed(event) is None
        replayer.finish(until_ms)

    def _change(self, row: OutcomeRow) -> None:
        if row[0] == "alert_intents":
            intent: AlertIntentRow = row[1]  # type: ignore[assignment]  # the name tells the row
            time = rfc3339(round(intent["recorded_at"].timestamp() * 1000))[11:16]
            self.announced.append(f"{time} {intent['level']} {intent['clock']}")

    def _final(self, rows: tuple[OutcomeRow, ...]) -> None:
        for name, found in rows:
            if name == "ticket_clocks":
                row: TicketClockRow = found  # type: ignore[assignment]  # the name tells the row
                said = self.verdicts.get(row["clock"])
                verdict = row["verdict"]
                self.verdicts[row["clock"]] = verdict if said is None else f"{said} {verdict}"


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_story(path: Path) -> None:
    story = Story.model_validate(yaml.safe_load(path.read_text()))
    assert story.ends, "a story has an end"
    for end in story.ends:
        expected = {clock: verdict for clock, verdict in end.items() if clock != "as_of"}
        assert Told(story, instant(end["as_of"])).verdicts == expected, end["as_of"]
    assert Told(story, instant("23:59")).announced == story.announced


def test_there_are_stories() -> None:
    assert STORIES
