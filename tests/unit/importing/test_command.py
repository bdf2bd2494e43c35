"""`ticketpulse import` as a person uses it: files, summary, messages."""

from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner, Result

from streams.cli.app import app
from tests.unit.importing.samples import SHOP, SHOP_HEADER, written

GOOD = "7,2026-01-19 09:00,,,,,,,2026-01-19 10:00"
BAD = "8,noon,,,,,,,"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "shop.yaml"
    path.write_text(SHOP)
    return path


def import_(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["import", *map(str, arguments)])


def test_events_and_rejected_rows_become_files_and_a_summary(tmp_path: Path, shop: Path) -> None:
    file = written(tmp_path / "shop.csv.gz", SHOP_HEADER, GOOD, BAD, gz=True)
    out = tmp_path / "events.jsonl"
    result = import_(file, "--mapping", shop, "--to", out)
    assert result.exit_code == 0, result.output
    events = [orjson.loads(line) for line in out.read_bytes().splitlines()]
    assert [event["type"] for event in events] == ["created", "closed"]
    rejected = out.with_suffix(".rejected.jsonl")
    (row,) = [orjson.loads(line) for line in rejected.read_bytes().splitlines()]
    assert (row["row"], row["original"]["opened"]) == (2, "noon")
    assert [reason["reason"] for reason in row["reasons"]] == ["bad_time"]
    lines = [" ".join(line.split()) for line in result.output.splitlines()]
    assert "rows 2 accepted 1, rejected 1" in lines
    assert f"events 2 of 1 tickets → {out}" in lines
    assert "1 created" in lines
    assert "1 bad_time: a time can't be read · 时间无法解析" in lines
    assert f"rejected rows → {rejected}" in lines
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "events.jsonl", "events.rejected.jsonl", "shop.csv.gz", "shop.yaml",
    ]  # fmt: skip


def test_an_import_without_rejections_takes_the_old_ones_away(tmp_path: Path, shop: Path) -> None:
    out = tmp_path / "events.jsonl"
    rejected = tmp_path / "r.jsonl"
    options = ("--mapping", shop, "--to", out, "--rejected", rejected)
    import_(written(tmp_path / "shop.csv", SHOP_HEADER, GOOD, BAD), *options)
    assert rejected.exists()
    import_(written(tmp_path / "shop.csv", SHOP_HEADER, GOOD), *options)
    assert not rejected.exists()


def test_a_file_of_nothing_but_rejections_fails_and_leaves_the_reasons(
    tmp_path: Path, shop: Path
) -> None:
    out = tmp_path / "events.jsonl"
    out.write_text("what was there\n")
    result = import_(
        written(tmp_path / "shop.csv", SHOP_HEADER, BAD), "--mapping", shop, "--to", out
    )
    assert result.exit_code == 2
    assert "every row was rejected: 1 bad_time (is this the right mapping?" in result.output
    assert out.read_text() == "what was there\n"
    assert (tmp_path / "events.rejected.jsonl").exists()


def test_a_failed_import_changes_nothing(tmp_path: Path, shop: Path) -> None:
    out = tmp_path / "events.jsonl"
    out.write_text("what was there\n")
    file = written(tmp_path / "shop.csv.gz", SHOP_HEADER, *[GOOD] * 5_000, gz=True)
    file.write_bytes(file.read_bytes()[:-20])
    result = import_(file, "--mapping", shop, "--to", out)
    assert result.exit_code == 2
    assert "the gzip file is cut off" in result.output
    assert out.read_text() == "what was there\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "events.jsonl", "shop.csv.gz", "shop.yaml",
    ]  # fmt: skip


def test_mistakes_of_a_mapping_come_all_at_once(tmp_path: Path, shop: Path) -> None:
    shop.write_text(SHOP.replace("zone:", "zon:").replace("type: closed", "type: closd"))
    file = written(tmp_path / "shop.csv", SHOP_HEADER, GOOD)
    result = import_(file, "--mapping", shop)
    assert result.exit_code == 2
    assert result.output.splitlines() == [
        f"error: {shop}:5: time.zon: unknown key 'zon' (did you mean 'zone'?)",
        f"error: {shop}:20: events.2.type: a ticket has no event 'closd' (did you mean 'closed'?)",
    ]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--mapping", "bostn311"), "unknown mapping 'bostn311' (did you mean 'boston311'?"),
        (("--mapping", "boston311"), "no column 'case_enquiry_id'"),
        (("--exported-at", "2019-07-01"), "--exported-at"),
        (("--to", "no/such/folder/e.jsonl"), "no folder no/such/folder"),
        (("--to", "."), "is a folder"),
        (("--to", "kafka", "--broker", "nowhere"), "'nowhere' is no address"),
    ],
)
def test_each_mistake_of_the_command_is_told(
    tmp_path: Path, shop: Path, options: tuple[str, ...], said: str
) -> None:
    file = written(tmp_path / "shop.csv", SHOP_HEADER, GOOD)
    given = ("--mapping", str(shop)) if "--mapping" not in options else ()
    target = ("--to", tmp_path / "e.jsonl") if "--to" not in options else ()
    result = import_(file, *given, *target, *options)
    assert result.exit_code == 2
    assert said in result.output
    assert not (tmp_path / "e.jsonl").exists()


def test_foreign_bytes_are_kept_readable(tmp_path: Path, shop: Path) -> None:
    file = written(tmp_path / "shop.csv", SHOP_HEADER, GOOD)
    file.write_bytes(file.read_bytes() + b"9,2026-01-19 09:00,,,\xff,,,,\n")
    out = tmp_path / "events.jsonl"
    assert import_(file, "--mapping", shop, "--to", out).exit_code == 0
    row = orjson.loads(out.with_suffix(".rejected.jsonl").read_bytes())
    assert row["original"]["shelf"] == "\\xff"


@pytest.mark.parametrize("option", ["--to", "--rejected"])
def test_the_source_itself_is_never_overwritten(tmp_path: Path, shop: Path, option: str) -> None:
    file = written(tmp_path / "shop.csv", SHOP_HEADER, GOOD)
    before = file.read_bytes()
    target = () if option == "--to" else ("--to", tmp_path / "e.jsonl")
    result = import_(file, "--mapping", shop, *target, option, file)
    assert result.exit_code == 2
    assert "is the file that is read" in result.output
    assert file.read_bytes() == before


def test_a_link_and_a_device_stay_what_they_are(tmp_path: Path, shop: Path) -> None:
    file = written(tmp_path / "shop.csv", SHOP_HEADER, GOOD)
    target, link = tmp_path / "target.jsonl", tmp_path / "link.jsonl"
    target.write_text("old\n")
    link.symlink_to(target)
    assert import_(file, "--mapping", shop, "--to", link, "--rejected", "/dev/null").exit_code == 0
    assert link.is_symlink()
    assert target.read_text().count("\n") == 2
    assert Path("/dev/null").is_char_device()
    nothing = import_(file, "--mapping", shop, "--to", "/dev/null", "--rejected", tmp_path / "r")
    assert nothing.exit_code == 0
    assert Path("/dev/null").is_char_device()
