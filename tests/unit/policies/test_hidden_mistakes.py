"""No mistake hides another, none is told twice, and lines stay right once something was taken out."""

from pathlib import Path

import pytest

from schemas.problems import ProblemsError
from streams.policies import parse_policy
from tests.unit.policies.shop import SHOP


def problems_of(text: str, beside: Path | None = None) -> list[str]:
    """Each problem without the name of the file: `LINE: place: what (hint)`."""
    read = None if beside is None else lambda name: (beside / name).read_bytes()
    with pytest.raises(ProblemsError) as caught:
        parse_policy(text, "p.yaml", read)
    return [str(problem).removeprefix("p.yaml:") for problem in caught.value.problems]


def changed(*changes: tuple[str, str]) -> str:
    text = SHOP
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def test_holidays_are_looked_up_beside_other_mistakes(tmp_path: Path) -> None:
    text = changed(
        ("[2026-12-25]", "[{country: XX}, {ical: none.ics}]"), ("policy: shop", "polcy: shop")
    )
    assert problems_of(text, tmp_path) == [
        "1: polcy: unknown key 'polcy' (did you mean 'policy'?)",
        "7: calendars.office.holidays.0: no holidays are known for country 'XX'; "
        "write an ISO 3166 code such as DE",
        "7: calendars.office.holidays.1: none.ics: No such file or directory",
    ]


def test_an_item_taken_out_moves_no_line() -> None:
    text = changed(
        ("rules:\n", "rules:\n  - 5\n  - 6\n"),
        ("match: {tier: gold}", "match: {teir: gold}"),
        ("reply: 4h", "replly: 4h"),
    )
    assert problems_of(text) == [
        "20: rules.0: input should be a mapping (`key: value`) (got 5)",
        "21: rules.1: input should be a mapping (`key: value`) (got 6)",
        "23: rules.2.match.teir: unknown attribute 'teir' (did you mean 'tier'?)",
        "26: rules.3.targets.replly: unknown clock 'replly' (did you mean 'reply'?)",
    ]


def test_a_rule_without_an_id_is_looked_at_all_the_same() -> None:
    text = changed(("- id: gold\n    match", "- match"), ("resolution: {by", "resolutoin: {by"))
    assert problems_of(text) == [
        "20: rules.0: 'id' is missing",
        "21: rules.0.targets.resolutoin: unknown clock 'resolutoin' (did you mean 'resolution'?)",
    ]


def test_an_event_without_a_type_is_said_once() -> None:
    text = changed(("stop: {type: message, author: agent}", "stop: {author: agent}"))
    assert problems_of(text) == ["13: clocks.reply.stop: 'type' is missing"]


def test_a_day_that_does_not_exist_is_all_that_is_said_of_it() -> None:
    text = changed(("[2026-12-25]", "[{date: 2026-02-30, name: Feast}]"))
    assert problems_of(text) == [
        "7: calendars.office.holidays.0.date: '2026-02-30': day is out of range for month"
    ]


def test_a_calendar_without_a_form_is_said_once() -> None:
    text = changed(("    zone: Europe/Berlin\n", ""))
    (told,) = problems_of(text)
    assert told.startswith("4: calendars.office: a calendar has exactly one of")


def test_a_wrong_kind_says_nothing_of_the_team() -> None:
    text = changed(("at_risk: 80%", "kind: olla\n    team: network"))
    assert problems_of(text) == [
        "14: clocks.reply.kind: input should be 'sla', 'ola' or 'uc' (did you mean 'ola'?)"
    ]


def test_a_condition_taken_out_makes_no_rule_unreachable() -> None:
    text = changed(("match: {tier: gold}", "match: {tier: yes}"))
    assert problems_of(text) == [
        '21: rules.0.match.tier.0: True is read as yes/no (put it in quotes: "true")'
    ]


def test_several_mistakes_of_one_list_in_its_order() -> None:
    text = changed(("at_risk: 80%", "at_risk: [180%, 50%, -1h, soon]"))
    assert [told.partition(": ")[2].partition(":")[0] for told in problems_of(text)] == [
        "clocks.reply.at_risk.0",
        "clocks.reply.at_risk.2",
        "clocks.reply.at_risk.3",
    ]


def test_a_table_that_forgets_its_attribute_is_no_promise_by_date() -> None:
    text = changed(("{by: priority, P1: 4h, else: 8h}", "{P1: 4h, else: 8h}"))
    assert problems_of(text) == ["22: rules.0.targets.resolution: 'by' is missing"]


def test_else_misspelt_is_no_value() -> None:
    text = changed(("P1: 4h, else: 8h", "P1: 4h, esle: 8h"))
    assert problems_of(text) == [
        "22: rules.0.targets.resolution.esle: 'esle' looks like `else` "
        "(write `else`; if it is a value, give an `else` beside it)"
    ]
    parse_policy(changed(("P1: 4h, else: 8h", "esle: 4h, else: 8h")), "p.yaml")


def test_a_weekday_misspelt_gets_a_suggestion() -> None:
    (told,) = problems_of(changed(("tue:", "tues:")))
    assert told.endswith("(did you mean 'tue'?)")


def test_a_date_is_no_instant_and_told_as_it_is_written() -> None:
    assert problems_of(changed(("2026-01-01T00:00:00Z", "2026-01-01"))) == [
        "2: effective_from: 2026-01-01 is not an instant with its offset "
        "such as 2026-01-01T00:00:00+08:00"
    ]


def test_a_character_that_yaml_forbids_is_told_with_its_line() -> None:
    assert problems_of(changed(("id: gold", "id: go\x07ld"))) == [
        "20: not YAML: the character U+0007 is not allowed"
    ]


@pytest.mark.parametrize("name", ["str", "0", "~table", "[key]", "dict[str,str]"])
def test_names_that_look_like_places_of_our_own_break_nothing(name: str) -> None:
    text = changed(
        ("  resolution:\n    start: created", f'  "{name}":\n    start: created\n    strt: solved')
    )
    assert any(
        "strt" in told or "does not" in told or "match" in told for told in problems_of(text)
    )


def test_one_file_never_leaves_a_mark_on_the_next() -> None:
    broken = changed(("clocks:\n", "cloks:\n"), ("rules:\n", "clocks: 5\nrules:\n"))
    assert problems_of(broken) == problems_of(broken)
    assert parse_policy(SHOP, "p.yaml").id == "shop"
