"""Tests that policies carry: what they say when a story comes out otherwise, or is no story."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from streams.cli.app import app
from tests.unit.policies.shop import SHOP

STORY = """\
zone: Europe/Berlin
ticket: {tier: gold, priority: P1}
stories:
  - story: Answered in time, solved too late
    events:
      - {at: Mon 2026-03-02 09:00, type: created}
      - {at: Mon 2026-03-02 09:30, type: message, author: agent}
      - {at: Mon 2026-03-02 13:30, type: solved}
    ends:
      - {as_of: Mon 2026-03-02 12:00, reply: met, resolution: pending}
      - as_of: Mon 2026-03-02 14:00
        resolution: {verdict: breached, target: 4h, elapsed: 4h30m, breach_at: Mon 2026-03-02 13:00, rule: gold/P1}
    breaches: [Mon 2026-03-02 13:00 resolution]
    announced:
      - Mon 2026-03-02 13:00 breach resolution
      - Mon 2026-03-02 13:30 resolved resolution
"""


def checked(folder: Path, story: str = STORY, shop: str = SHOP) -> tuple[int, list[str]]:
    """Exit code and lines of `policy check` over a folder with one policy and its test."""
    (folder / "shop.yaml").write_text(shop)
    (folder / "shop.test.yaml").write_text(story)
    result = CliRunner().invoke(app, ["policy", "check", str(folder)])
    text = result.output.replace(f"{folder}/", "")
    return result.exit_code, text.splitlines()


def test_a_story_that_comes_out_as_expected(tmp_path: Path) -> None:
    code, lines = checked(tmp_path)
    assert code == 0
    assert lines[1:] == [
        "shop.test.yaml",
        "  ok   Answered in time, solved too late  (line 4)",
        "1 policy in order; stories: 1 passed, 0 failed",
    ]
    assert lines[0].startswith("shop.yaml  shop@")


DIFFERENCES = {
    "verdict": ("reply: met", "reply: breached", "as of Mon 2026-03-02 12:00: reply: verdict is met, expected breached"),
    "no cycle": ("reply: met", "reply: none", "as of Mon 2026-03-02 12:00: reply has 1 cycle (met), expected none"),
    "more cycles": ("reply: met", "reply: [met, met]", "as of Mon 2026-03-02 12:00: reply has 1 cycle (met), expected 2"),
    "elapsed": ("elapsed: 4h30m", "elapsed: 4h", "as of Mon 2026-03-02 14:00: resolution: elapsed is 4h30m, expected 4h"),
    "target": ("target: 4h", "target: null", "as of Mon 2026-03-02 14:00: resolution: target is 4h, expected none"),
    "instant": ("breach_at: Mon 2026-03-02 13:00", "breach_at: 2026-03-02 13:00:00.250", "as of Mon 2026-03-02 14:00: resolution: breach_at is Mon 2026-03-02 13:00, expected Mon 2026-03-02 13:00:00.250"),
    "rule": ("rule: gold/P1", "rule: others", "as of Mon 2026-03-02 14:00: resolution: rule is gold/P1, expected others"),
    "held": ("rule: gold/P1", "held: {desk: 1h}", "as of Mon 2026-03-02 14:00: resolution: held is nobody 4h30m, expected desk 1h"),
    "breach that did not happen": ("13:00 resolution]", "13:00 reply]", "breaches: - Mon 2026-03-02 13:00 reply (expected, did not happen)"),
    "breach not expected": ("[Mon 2026-03-02 13:00 resolution]", "[]", "breaches: + Mon 2026-03-02 13:00 resolution (happened, not expected)"),
    "another level": ("13:30 resolved", "13:30 retracted", "announced: - Mon 2026-03-02 13:30 retracted resolution (expected, did not happen)"),
}  # fmt: skip


@pytest.mark.parametrize("name", DIFFERENCES)
def test_what_differs_is_told_as_it_is_and_as_it_should_be(name: str, tmp_path: Path) -> None:
    old, new, said = DIFFERENCES[name]
    assert STORY.count(old) == 1
    code, lines = checked(tmp_path, STORY.replace(old, new))
    assert code == 1
    assert "  FAIL Answered in time, solved too late  (line 4)" in lines
    assert f"       {said}" in lines
    assert lines[-1].endswith("stories: 0 passed, 1 failed")


def test_announcements_in_another_order_differ(tmp_path: Path) -> None:
    *before, first, second = STORY.splitlines(keepends=True)
    code, lines = checked(tmp_path, "".join([*before, second, first]))
    assert code == 1
    assert any("announced: in another order" in line for line in lines)


MISTAKES = {
    "misspelt key": ("events:", "evnts:", "4: stories.0: 'events' is missing"),
    "unknown clock": ("reply: met", "replly: met", "10: stories.0.ends.0.replly: unknown clock 'replly' (did you mean 'reply'?)"),
    "unknown field": ("author: agent", "autor: agent", "7: stories.0.events.1.autor: message has no field 'autor' (did you mean 'author'?)"),
    "unknown field of all": ("tier: gold", "teir: gold", "2: ticket.teir: created has no field 'teir' (did you mean 'tier'?)"),
    "wrong weekday": ("at: Mon 2026-03-02 09:30", "at: Tue 2026-03-02 09:30", "7: stories.0.events.1.at: 2026-03-02 is a Mon, not a Tue"),
    "no time": ("at: Mon 2026-03-02 09:30", "at: noon", "7: stories.0.events.1.at: 'noon' is not a time such as 2026-03-02 09:00"),
    "unknown event": ("type: solved", "type: solvd", "8: stories.0.events.2: "),
    "unknown zone": ("Europe/Berlin", "Europe/Berln", "1: zone: unknown time zone 'Europe/Berln' (did you mean 'Europe/Berlin'?)"),
    "no line of a breach": ("13:00 resolution]", "13:00]", "13: stories.0.breaches.0: 'Mon 2026-03-02 13:00' is not TIME CLOCK"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_test_with_a_mistake_is_no_test(name: str, tmp_path: Path) -> None:
    old, new, said = MISTAKES[name]
    assert STORY.count(old) == 1
    code, lines = checked(tmp_path, STORY.replace(old, new))
    assert code == 2
    assert any(line.startswith(f"error: shop.test.yaml:{said}") for line in lines), lines


def test_a_policy_with_mistakes_is_told_once_and_its_stories_are_not(tmp_path: Path) -> None:
    code, lines = checked(tmp_path, shop=SHOP.replace("reply: 4h", "reply: 4x"))
    assert code == 2
    assert len([line for line in lines if line.startswith("error: ")]) == 1
    assert not any("Answered in time" in line for line in lines)


def test_a_policy_brings_its_test_along(tmp_path: Path) -> None:
    checked(tmp_path)
    result = CliRunner().invoke(app, ["policy", "check", str(tmp_path / "shop.yaml")])
    assert "1 passed" in result.output


def test_a_folder_without_policies_is_told(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["policy", "check", str(tmp_path)])
    assert result.exit_code == 2
    assert "there are no policies in it" in result.output


def test_versions_follow_each_other_in_a_story(tmp_path: Path) -> None:
    later = SHOP.replace("2026-01-01", "2026-03-02").replace("reply: 1h", "reply: 10m")
    (tmp_path / "later.yaml").write_text(later)
    story = """\
policy: [shop.yaml, later.yaml]
ticket: {tier: gold}
stories:
  - story: The version in force as of the event decides
    events: [{at: 2026-03-01 23:30, type: created}]
    ends: [{as_of: 2026-03-02 00:00, reply: {target: 1h}}]
  - story: From its beginning on the later one
    events: [{at: 2026-03-02 00:00, type: created}]
    ends: [{as_of: 2026-03-02 00:00, reply: {target: 10m}}]
"""
    code, lines = checked(tmp_path, story)
    assert code == 0, lines


def test_show_tells_the_version_the_promises_and_what_to_look_after(tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    path.write_text(SHOP)
    show = ["policy", "show", str(path), "--as-of", "2026-05-01T00:00:00Z"]
    result = CliRunner().invoke(app, show)
    assert result.exit_code == 0
    for line in (
        "in force   from 2026-01-01T00:00:00Z",
        "clock      reply  sla",
        "           stop     message(author=agent)",
        "           at risk  80%",
        "rule       gold/P1: tier=gold, priority=P1 → reply 1h, resolution 4h",
        "rule       others: everything → reply 4h, resolution by date",
        "warning: calendar office knows no holiday between 2026-05-01 and 2026-06-30; the last one it"
        " knows is 2026-12-25",
    ):
        assert line in result.output.splitlines(), line


def test_show_warns_once_of_working_days_that_are_not_decreed_yet(tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    china = SHOP.replace("[2026-12-25]", "[{country: CN, moved_workdays: true}]")
    path.write_text(china.replace("always: true", "union: [office]"))
    for as_of, warned in (("2026-06-01T00:00:00Z", 0), ("2026-11-25T00:00:00Z", 1)):
        result = CliRunner().invoke(app, ["policy", "show", str(path), "--as-of", as_of])
        assert result.output.count("once those of 2027 are decreed") == warned
