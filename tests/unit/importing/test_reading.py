"""Files as they come: packed or not, odd headers, foreign bytes, damage."""

import gzip
from pathlib import Path

import pytest

from schemas.mapping import Input
from schemas.problems import ProblemsError
from streams.importing.reading import Row, open_table

A_B = frozenset({"a", "b"})


def rows_of(path: Path, input_: Input | None = None, needed: frozenset[str] = A_B) -> list[Row]:
    with open_table(path, input_ or Input(), needed) as table:
        return list(table.rows)


def values_of(path: Path, input_: Input | None = None) -> list[list[str]]:
    rows = rows_of(path, input_)
    assert [row.fault for row in rows] == [None] * len(rows)
    return [row.values for row in rows]


@pytest.mark.parametrize("name", ["x.csv", "x.csv.gz"])
def test_gzip_is_seen_by_content(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(b"a,b\n1, 2 \n\n3,4\n"))
    assert values_of(path) == [["1", "2"], ["3", "4"]]


def test_a_byte_order_mark_is_no_part_of_the_header(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"\xef\xbb\xbfa,b\r\n1,2\r\n")
    assert values_of(path) == [["1", "2"]]


def test_tabs_delimiters_and_encodings(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_bytes("a\tb\n工单\t2\n".encode("gb18030"))
    assert values_of(path, Input(format="tsv", encoding="gb18030")) == [["工单", "2"]]
    path.write_text("a;b\n1;2\n")
    assert values_of(path, Input(delimiter=";")) == [["1", "2"]]


def test_a_file_without_a_header_line(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("1,2\n")
    assert values_of(path, Input(header=("a", "b"))) == [["1", "2"]]


def test_a_repeated_column_name_gets_a_number(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("a,b,a\n1,2,3\n")
    with open_table(path, Input(), A_B) as table:
        assert table.columns == ("a", "b", "a #2")


def test_texts_that_mean_nothing_become_empty(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("a,b\n?,NULL\n? ,x\n")
    assert values_of(path, Input(blank=("?", "NULL"))) == [["", ""], ["", "x"]]


def test_json_lines_with_paths_and_other_types(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"a":{"b":1,"c":true},"d":null,"e.f":"dot","g":[1]}\n\n{}\n')
    names = frozenset({"a.b", "a.c", "d", "e.f", "g", "a.b.x"})
    rows = rows_of(path, Input(format="jsonl"), names)
    assert dict(zip(sorted(names), rows[0].values, strict=True)) == {
        "a.b": "1", "a.b.x": "", "a.c": "true", "d": "", "e.f": "dot", "g": "[1]",
    }  # fmt: skip
    assert rows[1].values == [""] * 6


def test_bad_rows_are_told_apart_and_the_rest_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b'a,b\n1\n1,2,3\n\xff,2\n"' + b"y" * 1_100_000 + b'",2\n8,9\n')
    rows = rows_of(path)
    assert [row.fault.reason if row.fault else None for row in rows[:3]] == [
        "wrong_column_count", "wrong_column_count", "invalid_encoding",
    ]  # fmt: skip
    assert rows[3].fault is not None
    assert rows[3].fault.reason == "unreadable_row"
    assert rows[-1].values == ["8", "9"]


def test_bad_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"a":1\n[1]\n{"a":1,"b":2}\n')
    rows = rows_of(path, Input(format="jsonl"))
    assert [row.fault.reason if row.fault else None for row in rows] == [
        "unreadable_row", "not_an_object", None,
    ]  # fmt: skip


def test_missing_columns_are_told_at_once_with_suggestions(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("aa,bbb,ccc\n1,2,3\n")
    with pytest.raises(ProblemsError) as caught:
        rows_of(path, needed=frozenset({"bb", "dd", "ccc"}))
    assert [problem.what for problem in caught.value.problems] == [
        "no column 'bb'",
        "no column 'dd'",
        "the file has: aa, bbb, ccc",
    ]
    assert caught.value.problems[0].hint == "did you mean 'bbb'?"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("x.csv.gz", b"a,b\n1,2\n", "named .gz but not gzip"),
        ("x.csv.gz", gzip.compress(b"a,b\n" + bytes(range(256)) * 999, mtime=0)[:-300], "cut off"),
        ("x.csv.gz", gzip.compress(b"a,b\n1,2\n", mtime=0)[:-8] + b"\0" * 8, "damaged gzip"),
        ("x.csv", b"", "the file is empty"),
    ],
    ids=["no gzip", "cut off", "damaged", "empty"],  # the same in every process of the run
)
def test_what_cannot_be_read_is_one_clear_message(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ProblemsError, match=said) as caught:
        rows_of(path)
    assert len(caught.value.problems) == 1


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ProblemsError, match=r"nothing\.csv: No such file or directory"):
        rows_of(tmp_path / "nothing.csv")
    with pytest.raises(ProblemsError, match="Is a directory"):
        rows_of(tmp_path)
