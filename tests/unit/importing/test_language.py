"""Mapping files: every mistake at once, with its line and what would be right."""

from pathlib import Path

import pytest

from schemas.problems import ProblemsError
from streams.importing import load_mapping, mapping_names
from streams.importing.catalog import parse_mapping
from tests.unit.importing.samples import SHOP


def problems_of(text: str) -> list[str]:
    with pytest.raises(ProblemsError) as caught:
        parse_mapping(text, "m.yaml")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("name", mapping_names())
def test_the_shipped_mappings_are_right_and_labelled_in_both_languages(name: str) -> None:
    mapping = load_mapping(name)
    assert mapping.mapping == name
    assert set(mapping.labels) == {"en", "zh-CN"}


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ProblemsError) as caught:
        load_mapping("boston31")
    text = str(caught.value)
    assert "did you mean 'boston311'?" in text
    assert all(name in text for name in mapping_names())


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ProblemsError, match="No such file"):
        load_mapping(str(tmp_path / "mine.yaml"))


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ProblemsError, match="not UTF-8"):
        load_mapping(str(path))


def test_all_mistakes_of_meaning_at_once_in_the_order_of_the_lines() -> None:
    text = (
        SHOP.replace("Europe/Berlin", "Europe/Berln")
        .replace("a: agent}", "a: agnt}")
        .replace("type: closed", "type: closd")
        .replace("public: public", "pubic: public")
        .replace("map: who", "map: whom", 0)
        .replace("at: replied", "at: {column: replied, export: true}")
    )
    told = problems_of(text)
    assert told == [
        "m.yaml:5: time.zone: unknown time zone 'Europe/Berln' (did you mean 'Europe/Berlin'?)",
        "m.yaml:16: events.1.at: column and export at once "
        "(exactly one of column, constant, template, export)",
        "m.yaml:16: events.1.at: nothing says when the file was exported "
        "(add `exported_at: {after: [...]}`)",
        "m.yaml:18: events.1.data.author: 'agnt' is not allowed here (did you mean 'agent'?)",
        "m.yaml:19: events.1.data.pubic: message has no field 'pubic' (did you mean 'public'?)",
        "m.yaml:20: events.2.type: a ticket has no event 'closd' (did you mean 'closed'?)",
    ]


def test_all_mistakes_of_shape_at_once() -> None:
    text = (
        SHOP.replace("zone:", "zon:")
        .replace("source: shop", "source: a/b")
        .replace("labels: {en: Shop}", "labels: {en: Shop}\nlables: {}")
    )
    assert [line.split(" (")[0] for line in problems_of(text)] == [
        "m.yaml:3: lables: unknown key 'lables'",
        "m.yaml:4: source: string should match pattern '^[^/\\x00-\\x1f]+$'",
        "m.yaml:6: time.zon: unknown key 'zon'",
    ]


def test_a_misspelt_key_hides_no_other_mistake() -> None:
    text = SHOP.replace("zone: Europe/Berlin", "zon: Europe/Berln").replace(
        "at: closed", "at: closed\n    weather: fine"
    )
    assert problems_of(text) == [
        "m.yaml:5: time.zon: unknown key 'zon' (did you mean 'zone'?)",
        "m.yaml:5: time.zone: unknown time zone 'Europe/Berln' (did you mean 'Europe/Berlin'?)",
        "m.yaml:23: events.2.weather: unknown key 'weather'",
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('id: "{id}"', "id: fixed", "every row would get the same id"),
        ('id: "{id}"', 'id: "{id"', "is no template"),
        ('"%Y-%m-%d %H:%M"', "yesterday", "'yesterday' is no time format"),
        ('"%Y-%m-%d %H:%M"', "epoch_second", "did you mean 'epoch_seconds'?"),
        ("map: who", "map: whom", "unknown value map 'whom' (did you mean 'who'?)"),
        ("author: {column: by, map: who}\n      ", "", "message needs data.author"),
        ("{column: closed, filled: true}", "{column: closed}", "nothing is asked of 'closed'"),
        ("{column: closed, filled: true}", "{filled: true}", "a condition needs a column"),
        ("{column: closed, filled: true}", "{row: first}", "file with history"),
        ("type: closed", "type: message\n    data: {author: by}", "a second event is called"),
        ("targets: {resolution: due}", "targets: {resolution: {column: due, map: who}}", "no value map"),
        ("shelf: shelf", "shelf: {constant: x, column: y}", "column and constant at once"),
        ("shelf: shelf", "shelf: {otherwise: x, column: y}", "otherwise stands without a map"),
        ("shelf: shelf", "shelf: {column: y, zone: UTC}", "this field is not a time"),
        ("shelf: shelf", "shelf: {constant: true}", "put it in quotes"),
        ("labels: {en: Shop}", "labels: {en: Shop, fr: Boutique}", "labels.fr"),
        ("source: shop", "source: shop\nsource: shop", "'source' is given twice"),
        ("source: shop", "source: shop\ninput: {encoding: utf-9}", "unknown encoding 'utf-9'"),
        ("source: shop", "source: [", "not YAML"),
    ],
)  # fmt: skip
def test_each_mistake_is_named(old: str, new: str, said: str) -> None:
    assert old in SHOP
    assert any(said in line for line in problems_of(SHOP.replace(old, new)))


def test_targets_only_where_they_belong() -> None:
    told = problems_of(SHOP + "    targets: {resolution: due}\n    attributes: {shelf: shelf}\n")
    assert [line.split(": ", 2)[2] for line in told] == [
        "closed carries no targets (created does)",
        "closed carries no attributes (created does)",
    ]


@pytest.mark.parametrize("text", ["", "- a\n", "just words\n"])
def test_what_is_no_mapping_at_all(text: str) -> None:
    assert problems_of(text) == ["m.yaml:1: not a mapping file (start with `mapping: NAME`)"]
