"""Policy files: every mistake at once, with its line and what would be right."""

import re
from pathlib import Path

import pytest

from schemas.problems import ProblemsError
from streams.policies import load_book, load_policy, parse_policy
from tests.unit.policies.shop import SHOP


def problems_of(text: str, beside: Path | None = None) -> list[str]:
    """Each problem without the name of the file: `LINE: place: what (hint)`."""
    read = None if beside is None else lambda name: (beside / name).read_bytes()
    with pytest.raises(ProblemsError) as caught:
        parse_policy(text, "p.yaml", read)
    return [str(problem).removeprefix("p.yaml:") for problem in caught.value.problems]


def changed(old: str, new: str, text: str = SHOP) -> str:
    assert text.count(old) >= 1, old
    return text.replace(old, new, 1)


def test_the_file_that_the_mistakes_are_made_in_has_none() -> None:
    assert parse_policy(SHOP, "p.yaml").id == "shop"


def test_all_mistakes_of_all_kinds_at_once_in_the_order_of_the_lines() -> None:
    text = changed("zone: Europe/Berlin", "zone: Europe/Berln")
    text = changed('mon: ["09:00-17:00"]', 'mon: ["09:00-17:00", "16:00-18:00"]', text)
    text = changed("at_risk: 80%", "at_rsk: 80%", text)
    text = changed("    stop: [solved, closed]\n", "", text)
    text = changed("reply: 1h", "reply: -1h", text)
    text = changed("  - id: others", "  - id: vip\n    match: {tier: gold}\n  - id: others", text)
    assert problems_of(text) == [
        "5: calendars.office.zone: unknown time zone 'Europe/Berln' (did you mean 'Europe/Berlin'?)",
        "6: calendars.office.weekly.mon.1: this interval overlaps with the one before "
        "(merge the two; an interval into the next day counts there too)",
        "14: clocks.reply.at_rsk: unknown key 'at_rsk' (did you mean 'at_risk'?)",
        "15: clocks.resolution.stop: nothing can stop this clock: every ticket would breach it "
        "(e.g. stop: [solved, closed])",
        "21: rules.0.targets.reply: a duration can't be negative: write e.g. 30m, 4h, 1h30m, 3d (got '-1h')",
        "22: rules.1: unreachable: rule 'gold' above matches everything that this one does "
        "(put the narrower rule first)",
    ]


# Each: what is written instead of what, and all that is said of it.
MISTAKES = {
    "unknown clock": (
        "reply: 4h",
        "replly: 4h",
        "24: rules.1.targets.replly: unknown clock 'replly' (did you mean 'reply'?)",
    ),
    "unknown calendar": (
        "calendar: office",
        "calendar: ofice",
        "9: calendar: unknown calendar 'ofice' (did you mean 'office'?)",
    ),
    "unknown status": (
        "pending",
        "pendng",
        "18: clocks.resolution.pause_statuses: unknown status 'pendng' (did you mean 'pending'?)",
    ),
    "unknown event": (
        "[solved, closed]",
        "[solved, closd]",
        "17: clocks.resolution.stop.1: a ticket has no event 'closd' (did you mean 'closed'?)",
    ),
    "unknown field": (
        "author: agent",
        "autor: agent",
        "13: clocks.reply.stop.autor: message has no field 'autor' (did you mean 'author'?)",
    ),
    "unknown value": (
        "author: agent",
        "author: agnt",
        "13: clocks.reply.stop.author: 'agnt' is not allowed here (did you mean 'agent'?)",
    ),
    "not true or false": (
        "author: agent",
        "public: maybe",
        "13: clocks.reply.stop.public: 'maybe' is not true or false",
    ),
    "field that is no text": (
        "author: agent",
        "author: 3",
        '13: clocks.reply.stop.author: 3 is not a text (put it in quotes: "3")',
    ),
    "value that is a mapping": (
        "author: agent",
        "author: [{a: b}]",
        "13: clocks.reply.stop.author: {'a': 'b'} is not a text (put it in quotes: \"{'a': 'b'}\")",
    ),
    "unknown attribute": (
        "match: {tier: gold}",
        "match: {teir: gold}",
        "21: rules.0.match.teir: unknown attribute 'teir' (did you mean 'tier'?)",
    ),
    "attribute not declared": (
        "match: {tier: gold}",
        "match: {severity: high}",
        "21: rules.0.match.severity: unknown attribute 'severity' (declare it: `attributes: [severity]`)",
    ),
    "bad duration": (
        "reply: 4h",
        "reply: 4x",
        "24: rules.1.targets.reply: '4x' is no duration: write e.g. 30m, 4h, 1h30m, 3d",
    ),
    "duration without unit": (
        "reply: 4h",
        "reply: 4",
        "24: rules.1.targets.reply: '4' is no duration: write e.g. 30m, 4h, 1h30m, 3d",
    ),
    "target of nothing": (
        "reply: 4h",
        "reply: 0m",
        "24: rules.1.targets.reply: a target of nothing can't be met (leave the clock out for no target)",
    ),
    "negative working days": (
        "working_days: 2",
        "working_days: -2",
        "24: rules.1.targets.resolution.working_days: input should be greater than or equal to 0 (got -2)",
    ),
    "misspelt key of a promise": (
        "cut_off",
        "cutoff",
        "24: rules.1.targets.resolution.cutoff: unknown key 'cutoff' (did you mean 'cut_off'?)",
    ),
    "no time of day": (
        "cut_off: 17:00",
        "cut_off: 25:00",
        "24: rules.1.targets.resolution.cut_off: '25:00' is not a time of day such as 09:30 (24:00 ends a day)",
    ),
    "next_start without cut_off": (
        "cut_off: 17:00",
        "next_start: 08:30",
        "24: rules.1.targets.resolution.next_start: there is no cut-off (add `cut_off`)",
    ),
    "dates without a zone": (
        "working_days: 2",
        "calendar: always, working_days: 2",
        "24: rules.1.targets.resolution: calendar 'always' has no dates of its own to count (add `calendar`: one with a `zone`)",
    ),
    "table by what nobody knows": (
        "by: priority",
        "by: priorty",
        "22: rules.0.targets.resolution.by: unknown attribute 'priorty' (did you mean 'priority'?)",
    ),
    "table of one value the rule never sees": (
        "by: priority, P1",
        "by: tier, silver",
        "22: rules.0.targets.resolution.silver: unreachable: the rule matches tier gold only",
    ),
    "bad target in a table": (
        "P1: 4h",
        "P1: 4",
        "22: rules.0.targets.resolution.P1: '4' is no duration: write e.g. 30m, 4h, 1h30m, 3d",
    ),
    "second rule of a name": (
        "id: others",
        "id: gold",
        "23: rules.1.id: a second rule is called 'gold'",
    ),
    "duplicate key": (
        "calendar: office\n",
        "calendar: office\npolicy: other\n",
        "10: policy: 'policy' is given twice (the second stands in line 10)",
    ),
    "never open": (
        '{mon: ["09:00-17:00"], tue: ["09:00-17:00"]}',
        "{mon: []}",
        '6: calendars.office.weekly: this calendar is never open (give weekly hours, e.g. mon: ["09:00-17:00"])',
    ),
    "no interval": (
        "09:00-17:00",
        "9-17",
        '6: calendars.office.weekly.mon.0: \'9-17\' is no interval: write e.g. "09:00-17:30", or "22:00-06:00" into the next day',
    ),
    "hours beside always": (
        "always: true",
        "always: true, holidays: [2026-12-25]",
        "8: calendars.always.holidays: means nothing beside `always` (give it to a calendar with a `zone`)",
    ),
    "two forms of calendar": (
        "always: true",
        "always: true, zone: UTC",
        "8: calendars.always: a calendar has exactly one of `always: true`, `union: [...]`, `zone: ...`",
    ),
    "union of a stranger": (
        "always: true",
        "union: [ofice]",
        "8: calendars.always.union.0: unknown calendar 'ofice' (did you mean 'office'?)",
    ),
    "no such day": (
        "2026-12-25",
        "2026-12-32",
        "7: calendars.office.holidays.0: '2026-12-32': day is out of range for month",
    ),
    "unknown country": (
        "[2026-12-25]",
        "[{country: XX}]",
        "7: calendars.office.holidays.0: no holidays are known for country 'XX'; write an ISO 3166 code such as DE",
    ),
    "unknown subdivision": (
        "[2026-12-25]",
        "[{country: DE, subdivision: XX}]",
        r"7: calendars.office.holidays.0: no holidays are known for subdivision 'XX' of DE; known are .*",
    ),
    "moved days elsewhere": (
        "[2026-12-25]",
        "[{country: DE, moved_workdays: true}]",
        "7: calendars.office.holidays.0.moved_workdays: moved working days are known for CN only (list others under the calendar's moved_workdays)",
    ),
    "holiday of nothing": (
        "[2026-12-25]",
        "[{name: Feast}]",
        "7: calendars.office.holidays.0: give exactly one of date, country, ical",
    ),
    "iCal file missing": (
        "[2026-12-25]",
        "[{ical: none.ics}]",
        "7: calendars.office.holidays.0: none.ics: No such file or directory",
    ),
    "closure backwards": (
        "    holidays:",
        "    closures: [{from: 2026-01-02T00:00:00Z, to: 2026-01-01T00:00:00Z}]\n    holidays:",
        "7: calendars.office.closures.0: it ends before it begins",
    ),
    "instant without zone": (
        "2026-01-01T00:00:00Z",
        "2026-01-01T00:00:00",
        "2: effective_from: 2026-01-01 00:00:00 is not an instant with its offset such as 2026-01-01T00:00:00+08:00",
    ),
    "start missing": (
        "    start: created\n    stop: {",
        "    stop: {",
        "11: clocks.reply: 'start' is missing",
    ),
    "pause without resume": (
        "at_risk: 80%",
        "pause: cancelled",
        "14: clocks.reply.pause: pauses without end: nothing resumes this clock (add `resume`)",
    ),
    "OLA of nobody": (
        "at_risk: 80%",
        "kind: ola",
        "14: clocks.reply.kind: an OLA is one team's (add `team`)",
    ),
    "SLA of a team": (
        "at_risk: 80%",
        "team: network",
        "14: clocks.reply.team: an SLA runs whoever holds the ticket (write `kind: ola`, or `kind: uc` for a supplier)",
    ),
    "always held": (
        "pause_statuses: pending",
        "pause_statuses: [new, open, pending, on_hold, solved, closed]",
        "18: clocks.resolution.pause_statuses: every status holds it: it would never run",
    ),
    "mark beyond the budget": (
        "80%",
        "180%",
        "14: clocks.reply.at_risk: '180%' is not above 0% and at most 100%",
    ),
    "unknown mode": (
        "at_risk: 80%",
        "on_reopen: restart",
        "14: clocks.reply.on_reopen: input should be 'resume', 'reset' or 'count_closed' (did you mean 'reset'?)",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_said_once_with_its_line(name: str, tmp_path: Path) -> None:
    old, new, said = MISTAKES[name]
    (told,) = problems_of(changed(old, new), tmp_path)
    assert told == said or re.fullmatch(said, told), told


def test_a_misspelt_key_hides_no_mistake_behind_it() -> None:
    text = changed("    stop: [solved, closed]", "    stopp: [solved, closd]")
    assert problems_of(text) == [
        "17: clocks.resolution.stopp: unknown key 'stopp' (did you mean 'stop'?)",
        "17: clocks.resolution.stop.1: a ticket has no event 'closd' (did you mean 'closed'?)",
    ]


@pytest.mark.parametrize("key", ["policy", "effective_from", "calendar", "clocks"])
def test_what_is_missing_is_said_and_nothing_that_only_follows_from_it(key: str) -> None:
    lines = SHOP.splitlines(keepends=True)
    start = next(at for at, line in enumerate(lines) if line.startswith(f"{key}:"))
    end = next(at for at in range(start + 1, len(lines)) if not lines[at].startswith(" "))
    assert problems_of("".join(lines[:start] + lines[end:])) == [f"1: {key!r} is missing"]


def test_weeks_overlap_around_their_end_too() -> None:
    text = changed('tue: ["09:00-17:00"]', 'sun: ["22:00-10:00"]')
    (told,) = problems_of(text)
    assert (
        told
        == "6: calendars.office.weekly.sun.0: this interval overlaps with the first one of the week"
    )


def test_a_table_with_too_many_cases_is_refused() -> None:
    many = ", ".join(f"v{n}: {n + 1}h" for n in range(40))
    tables = f"{{by: channel, {many}, else: {{by: priority, {many}}}}}"
    (told,) = problems_of(changed("{by: priority, P1: 4h, else: 8h}", tables))
    assert told == (
        "22: rules.0.targets: its tables distinguish more than 1,000 cases (split the rule by `match`)"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("policy: [", "1: not YAML: .*"),
        ("- a\n- b\n", r"1: not a policy file \(start with `policy: NAME`\)"),
        ("", r"1: not a policy file \(start with `policy: NAME`\)"),
        (
            "policy: !!python/object:os.system x\n",
            "1: not YAML: could not determine a constructor .*",
        ),
        ("a: &a [*a]\n", ".*too large or too deep.*"),
        ("[" * 5_000, " nested too deeply|.*too large or too deep.*"),
    ],
)
def test_what_is_no_policy_file_is_told(text: str, said: str) -> None:
    (told,) = problems_of(text)
    assert re.fullmatch(said, told), told


def test_aliases_that_multiply_are_refused() -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n"
        for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    (told,) = problems_of(bomb)
    assert "too large or too deep, once its aliases are written out" in told


def test_a_merged_key_may_be_replaced() -> None:
    merged = changed(
        "targets: {reply: 4h, resolution: {working_days: 2, cut_off: 17:00}}",
        "targets: {<<: &usual {reply: 2h, resolution: 9h}, reply: 4h}",
    )
    (rule,) = [rule for rule in parse_policy(merged, "p.yaml").rules if rule.id == "others"]
    assert rule.targets == {"reply": 4 * 3_600_000, "resolution": 9 * 3_600_000}


def test_files_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    with pytest.raises(ProblemsError, match="No such file"):
        load_policy(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"policy: caf\xe9")
    with pytest.raises(ProblemsError, match="not UTF-8 at byte 11"):
        load_policy(tmp_path / "latin.yaml")
    (tmp_path / "huge.yaml").write_text("# " + "x" * 1_100_000)
    with pytest.raises(ProblemsError, match="larger than 1 MiB"):
        load_policy(tmp_path / "huge.yaml")


def test_a_book_tells_the_mistakes_of_all_its_files(tmp_path: Path) -> None:
    for name, old, new in (("a", "reply: 4h", "reply: 4x"), ("b", "Berlin", "Berln")):
        (tmp_path / f"{name}.yaml").write_text(changed(old, new))
    with pytest.raises(ProblemsError) as caught:
        load_book([tmp_path / "a.yaml", tmp_path / "b.yaml"])
    assert [problem.where.rpartition("/")[2] for problem in caught.value.problems] == [
        "a.yaml:24",
        "b.yaml:5",
    ]


def test_versions_of_a_book_begin_one_after_the_other(tmp_path: Path) -> None:
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    old.write_text(SHOP)
    new.write_text(changed("reply: 4h", "reply: 2h"))
    with pytest.raises(ProblemsError, match="in force from the same instant as"):
        load_book([old, new])
    new.write_text(changed("2026-01-01", "2026-02-01"))
    assert len(load_book([new, old]).policies) == 2
