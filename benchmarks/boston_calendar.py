"""How many of Boston's own promises our calendar gives: `python -m benchmarks.boston_calendar [FILE]`.

Every case with a promise (`target_dt`) is judged by `deploy/policies/boston311-calendar.yaml`, through
the mapping and the core; a computed due instant within 2 s of the city's counts as equal.
"""

import argparse
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from schemas.decode import decode
from schemas.events import Created, Event
from streams.core.policy import PolicyBook
from streams.core.tickets.evaluate import evaluate
from streams.core.tickets.plan import PlannedBook
from streams.importing import messages_of
from streams.policies import load_book

ROOT = Path(__file__).parents[1]
POLICY = ROOT / "deploy/policies/boston311-calendar.yaml"
WHOLE = ROOT.parent / "shared/data/boston311/2011-07_to_09.csv.gz"
CLOCK = "resolution_by_calendar"
TOLERANCE_MS = 2_000
DAY_MS = 86_400_000

# What the data's own description claims for a simpler rule: the least that we owe.
FLOORS = {
    "Request for Pothole Repair": 0.85,
    "Street Light Outages": 0.83,
    "Missed Trash/Recycling/Yard Waste/Bulk Item": 0.74,
}


class Shares:
    """Counts per kind of case."""

    def __init__(self) -> None:
        self.cases: Counter[str] = Counter()
        self.equal: Counter[str] = Counter()
        self.within_a_day: Counter[str] = Counter()

    def count(self, ticket_type: str, computed_ms: int, promised_ms: int) -> None:
        """One case."""
        off_ms = abs(computed_ms - promised_ms)
        self.cases[ticket_type] += 1
        self.equal[ticket_type] += off_ms <= TOLERANCE_MS
        self.within_a_day[ticket_type] += off_ms <= DAY_MS

    def share(self, ticket_type: str) -> float:
        """Of the cases of a kind, those whose promise we compute exactly."""
        cases = self.cases[ticket_type]
        return self.equal[ticket_type] / cases if cases else 0.0


def opened(path: Path) -> Iterable[Event]:
    """The opening of every case, as the mapping makes it."""
    for message in messages_of(path, "boston311"):
        event = decode(message.value, key=None, received_ms=0)
        if isinstance(event, Event) and event.type == "created":
            yield event


def shares_of(path: Path, book: PolicyBook) -> Shares:
    """Compare computed with promised instants, case by case."""
    planned = PlannedBook(book)
    shares = Shares()
    for event in opened(path):
        data = event.data
        assert isinstance(data, Created)
        promised_ms = data.targets.get("resolution")
        (cycle,) = evaluate([event], planned, event.ingested_ms).cycles
        if promised_ms is not None and cycle.due_ms is not None and data.ticket_type is not None:
            shares.count(data.ticket_type, cycle.due_ms, promised_ms)
    return shares


def table_of(shares: Shares) -> Table:
    """The kinds of which something is claimed first, then by number of cases."""
    table = Table("kind of case", box=None, pad_edge=False)
    for head in ("cases", "within 2 s", "at least", "within a day"):
        table.add_column(head, justify="right")
    ordered = [*FLOORS, *(kind for kind, _ in shares.cases.most_common() if kind not in FLOORS)]
    for kind in ordered:
        cases = shares.cases[kind]
        day = shares.within_a_day[kind] / cases if cases else 0.0
        floor = f"{FLOORS[kind]:.0%}" if kind in FLOORS else ""
        table.add_row(kind, f"{cases:,}", f"{shares.share(kind):.1%}", floor, f"{day:.1%}")
    cases = shares.cases.total()
    if cases:
        all_equal, all_day = shares.equal.total() / cases, shares.within_a_day.total() / cases
        table.add_row("all", f"{cases:,}", f"{all_equal:.1%}", "", f"{all_day:.1%}")
    return table


def main() -> int:
    """Print the shares; 1 when one is below its floor."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "file", nargs="?", type=Path, default=WHOLE, help="cases, as Boston exports"
    )
    shares = shares_of(parser.parse_args().file, load_book(POLICY))
    Console(width=110).print(table_of(shares))
    return int(any(shares.share(kind) < floor for kind, floor in FLOORS.items()))


if __name__ == "__main__":
    raise SystemExit(main())
