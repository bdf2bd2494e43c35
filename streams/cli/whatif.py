"""`ticketpulse whatif`: what another policy would have changed, as tables a manager understands."""

from collections import Counter
from contextlib import ExitStack
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.table import Table

from schemas.problems import Problem, ProblemsError
from streams.cli.errors import told_clearly
from streams.cli.progress import progress_bar
from streams.cli.zones import zone_option
from streams.importing.output import check_distinct, whole_file
from streams.policies import load_book
from streams.whatif import DAYS, HOURS, Change, Comparison, Side, compare

TEAMS_SHOWN_MAX = 15


class Language(StrEnum):
    """Of what is printed."""

    EN = "en"
    ZH_CN = "zh-CN"


_WORDS: dict[str, tuple[str, str]] = {
    "head": ("What the new policy would have changed", "新策略会带来的变化"),
    "events": ("events", "事件"),
    "tickets": ("tickets", "工单"),
    "clock": ("clock", "时钟"),
    "cycles": ("cycles", "周期"),
    "old breaches": ("breaches before", "原逾期"),
    "new breaches": ("after", "新逾期"),
    "added": ("added", "新增"),
    "removed": ("removed", "消除"),
    "compliance": ("compliance", "达标率"),
    "team": ("team at breach", "逾期时的班组"),
    "tier": ("tier", "客户等级"),
    "net": ("change", "净变化"),
    "hours": (
        "Breaches added minus removed, by hour of week ({zone})",
        "按星期与小时的净变化（{zone}）",
    ),
    "examples": ("Examples", "示例"),
    "ticket": ("ticket", "工单"),
    "hour": ("hour", "小时"),
    "breach": ("breach", "逾期时间"),
    "none": ("(none)", "（无）"),
    "nothing": ("No breach is added or removed.", "没有新增或消除的逾期。"),
    "rejected": ("lines left out", "跳过的行"),
    "others": ("others", "其他"),
}
_DAY_NAMES = {
    Language.EN: ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    Language.ZH_CN: ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("whatif")(whatif)


def whatif(
    events: Annotated[Path, typer.Argument(help="events as JSON lines (also .gz), in any order")],
    policy: Annotated[list[Path], typer.Option(help="the new policy; repeat for several versions")],
    against: Annotated[
        list[Path], typer.Option(help="the policy to compare with; repeat for several versions")
    ],
    json_file: Annotated[
        Path | None, typer.Option("--json", help="file for the whole result as JSON")
    ] = None,
    zone_name: Annotated[
        str, typer.Option("--zone", help="zone of the hours of the week, e.g. Asia/Shanghai")
    ] = "UTC",
    lang: Annotated[Language, typer.Option(help="language of the tables")] = Language.EN,
) -> None:
    """Replay a history under two policies: breaches added and removed, and where. Never pages."""
    with told_clearly(), ExitStack() as stack:
        old, new = load_book(against), load_book(policy)
        tz = zone_option(zone_name)
        check_distinct(events, json=json_file)
        names = (f"{events.name} 1/2", f"{events.name} 2/2")
        result = compare(
            events, old, new, tz, lambda run: stack.enter_context(progress_bar(names[run]))
        )
        if not result.events:
            hint = "make some with `ticketpulse import`"
            raise ProblemsError(Problem(str(events), "there are no events in it", hint))
        if json_file is not None:
            output = stack.enter_context(whole_file(json_file))
            output.write(
                orjson.dumps(document(result), option=orjson.OPT_UTC_Z | orjson.OPT_INDENT_2)
            )
    tell(result, lang, zone_name)


def document(result: Comparison) -> dict[str, object]:
    """The result as plain JSON."""
    clocks = sorted({*result.old, *result.new})
    changes: tuple[Change, Change] = ("added", "removed")
    return {
        "events": result.events,
        "tickets": result.tickets,
        "rejected": dict(result.rejected),
        "breaches": {change: result.total(change) for change in changes},
        "clocks": {
            clock: {
                "old": _side(result.old.get(clock)),
                "new": _side(result.new.get(clock)),
                **{change: result.by_clock[change][clock] for change in changes},
            }
            for clock in clocks
        },
        "teams": {change: dict(result.by_team[change]) for change in changes},
        "tiers": {change: dict(result.by_tier[change]) for change in changes},
        "hours_of_week": {
            change: [
                [result.by_hour[change][day, hour] for hour in range(HOURS)] for day in range(DAYS)
            ]
            for change in changes
        },
        "examples": [asdict(example) for example in result.examples],
    }


def _side(side: Side | None) -> dict[str, object] | None:
    return None if side is None else {**asdict(side), "compliance": side.compliance}


def tell(result: Comparison, lang: Language, zone_name: str) -> None:
    """Print the tables."""
    tables = _Tables(result, lang)
    console = Console()
    console.print(f"[bold]{tables.word('head')}[/bold]")
    counts = (
        f"{result.events:,} {tables.word('events')}, {result.tickets:,} {tables.word('tickets')}"
    )
    if result.rejected:
        reasons = ", ".join(f"{n:,} {reason}" for reason, n in result.rejected.most_common())
        counts += f"; {tables.word('rejected')}: {reasons}"
    console.print(counts)
    console.print(tables.clocks())
    if not (result.total("added") or result.total("removed")):
        console.print(tables.word("nothing"))
        return
    console.print(tables.ranking("team", result.by_team))
    if len({*result.by_tier["added"], *result.by_tier["removed"]} - {""}):
        console.print(tables.ranking("tier", result.by_tier))
    console.print(tables.word("hours").format(zone=zone_name))
    console.print(tables.hours())
    console.print(tables.examples())


class _Tables:
    def __init__(self, result: Comparison, lang: Language) -> None:
        self._result = result
        self._lang = lang

    def word(self, name: str) -> str:
        """In the language of the reader."""
        return _WORDS[name][self._lang is Language.ZH_CN]

    def clocks(self) -> Table:
        """Both sides of each clock."""
        result = self._result
        table = self._table("clock")
        for name in ("cycles", "old breaches", "new breaches", "added", "removed", "compliance"):
            table.add_column(self.word(name), justify="right")
        for clock in sorted({*result.old, *result.new}):
            old, new = result.old.get(clock, Side()), result.new.get(clock, Side())
            table.add_row(
                clock,
                f"{max(old.cycles, new.cycles):,}",
                f"{old.breached:,}",
                f"{new.breached:,}",
                f"+{result.by_clock['added'][clock]:,}",
                f"-{result.by_clock['removed'][clock]:,}",
                f"{_percent(old.compliance)} → {_percent(new.compliance)}",
            )
        return table

    def ranking(self, name: str, counts: dict[Change, Counter[str]]) -> Table:
        """Where most changes are; the rest in one row."""
        table = self._table(name)
        for column in ("added", "removed", "net"):
            table.add_column(self.word(column), justify="right")
        everything = counts["added"] + counts["removed"]
        ranked = [key for key, _ in everything.most_common()]
        for key in ranked[:TEAMS_SHOWN_MAX]:
            self._add(table, key or self.word("none"), counts["added"][key], counts["removed"][key])
        rest = ranked[TEAMS_SHOWN_MAX:]
        if rest:
            label = f"{len(rest)} {self.word('others')}"
            self._add(
                table,
                label,
                sum(counts["added"][key] for key in rest),
                sum(counts["removed"][key] for key in rest),
            )
        return table

    def hours(self) -> Table:
        """The week, one row per hour in which something changes: so it fits any screen."""
        by_hour = self._result.by_hour
        table = self._table("hour")
        for day_name in _DAY_NAMES[self._lang]:
            table.add_column(day_name, justify="right", min_width=5)
        for hour in sorted({hour for _day, hour in (*by_hour["added"], *by_hour["removed"])}):
            table.add_row(f"{hour:02}", *(self._hour(day, hour) for day in range(DAYS)))
        return table

    def _hour(self, day: int, hour: int) -> str:
        by_hour = self._result.by_hour
        net = by_hour["added"][day, hour] - by_hour["removed"][day, hour]
        if not net:
            return "·"
        return f"[red]{net:+,}[/red]" if net > 0 else f"[green]{net:+,}[/green]"

    def examples(self) -> Table:
        """Some of the cycles that change."""
        table = self._table("examples")
        for name in ("ticket", "clock", "breach", "team"):
            table.add_column(self.word(name))
        for example in self._result.examples:
            table.add_row(
                self.word(example.change),
                example.ticket_id,
                example.clock,
                "-" if example.breach_at is None else f"{example.breach_at:%Y-%m-%d %H:%M}Z",
                example.team or self.word("none"),
            )
        return table

    def _table(self, first: str) -> Table:
        table = Table(box=None, pad_edge=False)
        table.add_column(self.word(first))
        return table

    @staticmethod
    def _add(table: Table, label: str, added: int, removed: int) -> None:
        table.add_row(label, f"+{added:,}", f"-{removed:,}", f"{added - removed:+,}")


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"
