"""A small policy and short ways to write events, for the tests of replay."""

from pathlib import Path

import orjson

from schemas.outcomes import TicketClockRow
from streams.core.business_time import ALWAYS
from streams.core.effects import OutcomeRow
from streams.core.policy import ClockSpec, Matcher, Policy, PolicyBook, Rule
from streams.replay import DeadLetter, ReplaySinks, ReplaySummary, replay_file

HOUR_MS = 3_600_000
DAY = "2026-01-19"

CLOCKS = (
    ClockSpec("reply", (Matcher("created"),), (Matcher("message"),)),
    ClockSpec("resolution", (Matcher("created"),), (Matcher("solved"), Matcher("closed"))),
)
BOOK = PolicyBook(
    (
        Policy(
            id="desk",
            version="desk@1",
            effective_from_ms=0,
            calendar=ALWAYS,
            clocks=CLOCKS,
            rules=(Rule("all", (), {"reply": HOUR_MS}),),
            horizon_ms=24 * HOUR_MS,
        ),
    )
)


def event(ticket: str, type_: str, at: str, **more: object) -> dict[str, object]:
    """An event on 19 January 2026 at `HH:MM`, known at once unless `known` says otherwise."""
    known = more.pop("known", at)
    data = more.pop("data", {})
    return {
        "schema_version": 1,
        "source": "desk",
        "event_id": f"{ticket}-{type_}-{at}",
        "type": type_,
        "occurred_at": f"{DAY}T{at}:00Z",
        "ingested_at": f"{DAY}T{known}:00Z",
        "ticket_id": ticket,
        "data": data,
        **more,
    }


def line(document: dict[str, object]) -> bytes:
    return orjson.dumps(document) + b"\n"


class Replayed:
    """What a replay of some lines gave."""

    def __init__(
        self, path: Path, lines: list[bytes], until_ms: int | None = None, *, history: bool = False
    ) -> None:
        self.rows: list[OutcomeRow] = []
        self.letters: list[DeadLetter] = []
        path.write_bytes(b"".join(lines))
        sinks = ReplaySinks(self.rows.append, self.letters.append, history=history)
        self.summary: ReplaySummary = replay_file(path, BOOK, sinks, until_ms)

    @property
    def clock_rows(self) -> list[TicketClockRow]:
        return [row for name, row in self.rows if name == "ticket_clocks"]  # type: ignore[misc]  # the name tells the row

    def clocks(self) -> dict[tuple[str, str], TicketClockRow]:
        """The last row per ticket and clock (one cycle each in these stories)."""
        return {(row["ticket_id"], row["clock"]): row for row in self.clock_rows}
