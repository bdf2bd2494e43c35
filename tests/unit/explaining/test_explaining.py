"""One ticket's story, explained: numbers by hand, words in both languages, from a file and live."""

from pathlib import Path
from typing import Any

import orjson
from typer.testing import CliRunner

from schemas.decode import decode
from schemas.events import Event
from schemas.instants import parse_rfc3339
from streams.cli.app import app
from streams.core.business_time.zones import zone
from streams.core.policy import PolicyBook
from streams.explaining import Explanation, explain
from streams.explaining.rendering import document_of, duration, text_of
from streams.policies import parse_policy
from tests.unit.dashboard.fakes import running
from tests.unit.replay.stories import event, line

# 19 January 2026 is a Monday.
POLICY = """\
policy: desk
effective_from: 2020-01-01T00:00:00Z
calendars:
  office: {zone: UTC, weekly: {mon: ["08:00-12:00", "13:00-17:00"]}, holidays: [2026-01-26]}
calendar: office
clocks:
  resolution:
    labels: {en: Resolution, zh-CN: 解决}
    start: created
    stop: solved
    pause_statuses: [pending]
    at_risk: ["50%"]
rules:
  - {id: all, targets: {resolution: 4h}}
"""
#  08:30 created by L1   10:00 pending   11:00 open, L2   12–13 lunch   15:30 due   16:00 solved
#  |------ 1:30 ---------|---------------|-- 1:00 --------|             |-- 3:00 --|
STORY = [
    event("A", "created", "08:30", data={"team": "L1", "agent": "ann"}),
    event("A", "status_changed", "10:00", data={"status": "pending"}),
    event("A", "status_changed", "11:00", data={"status": "open"}),
    event("A", "assigned", "11:00", data={"team": "L2", "agent": "bob"}, sequence=2),
    event("A", "solved", "16:00"),
]


def book() -> PolicyBook:
    return PolicyBook((parse_policy(POLICY, "policy"),))


def events() -> list[Event]:
    found = [decode(line(document), key=None, received_ms=0) for document in STORY]
    assert all(isinstance(item, Event) for item in found)
    return [item for item in found if isinstance(item, Event)]


def at(time: str) -> int:
    return parse_rfc3339(f"2026-01-19T{time}:00Z")


def explained() -> Explanation:
    return explain(events(), book(), at("18:00"))


def test_segments_follow_the_story() -> None:
    (clock,) = explained().clocks

    assert [
        (item.kind, item.from_ms, item.to_ms, item.because, item.team)
        for item in clock.segments
        if item.to_ms > item.from_ms
    ] == [
        ("running", at("08:30"), at("10:00"), None, "L1"),
        ("paused", at("10:00"), at("11:00"), "status:pending", "L1"),
        ("running", at("11:00"), at("12:00"), None, "L2"),
        ("closed", at("12:00"), at("13:00"), "outside_hours", "L2"),
        ("running", at("13:00"), at("16:00"), None, "L2"),
    ]
    assert clock.elapsed_ms == sum(item.used_ms for item in clock.segments) == 5.5 * 3_600_000


def test_the_due_instant_follows_and_the_breach_is_charged() -> None:
    found = explained()
    (clock,) = found.clocks

    assert (clock.due_ms, clock.breach_ms, clock.verdict) == (at("14:30"), at("14:30"), "breached")
    assert (clock.last_start_ms, clock.used_before_ms) == (at("11:00"), 1.5 * 3_600_000)
    assert (clock.breach_team, clock.largest_team, found.first_agent) == ("L2", "L2", "ann")
    assert {(item.agent, item.held_ms / 3_600_000) for item in clock.holders} == {
        ("ann", 1.5),
        ("bob", 4.0),
    }
    # half of four hours: 1:30 until ten, half an hour more after eleven
    assert [(item.level, item.at_ms) for item in clock.said] == [
        ("at_risk", at("11:30")),
        ("breach", at("14:30")),
        ("resolved", at("16:00")),
    ]


def test_late_truth_is_told() -> None:
    late = [*STORY[:-1], event("A", "solved", "14:00", known="17:00")]
    found = [decode(line(document), key=None, received_ms=0) for document in late]
    explanation = explain([item for item in found if isinstance(item, Event)], book(), at("18:00"))
    (clock,) = explanation.clocks

    assert clock.verdict == "met"
    assert [item.level for item in clock.said] == ["at_risk", "breach", "retracted"]


def test_what_comes_after_the_horizon_is_left_out_as_it_is_live() -> None:
    reopened = {**event("A", "reopened", "16:30"), "ingested_at": "2026-06-01T00:00:00Z"}
    late = [*STORY, reopened]
    found = [decode(line(document), key=None, received_ms=0) for document in late]
    explanation = explain(
        [item for item in found if isinstance(item, Event)],
        book(),
        parse_rfc3339("2026-06-02T00:00:00Z"),
    )

    assert (len(explanation.refused), explanation.status, explanation.events) == (1, "solved", 5)
    assert "Left out" in text_of(explanation, None, "en")


def test_the_text_in_both_languages() -> None:
    english = text_of(explained(), zone("UTC"), "en")
    assert "■ Resolution (resolution, cycle 1): BREACHED 2026-01-19 14:30:00 UTC" in english
    assert "01:30:00 were used by 2026-01-19 11:00:00 UTC; the 02:30:00 left of 04:00:00" in english
    assert "paused  status pending" in english
    assert "closed  outside working hours" in english
    assert "L2 / bob: 04:00:00 (100%)  ← held it at the breach" in english
    chinese = text_of(explained(), zone("Asia/Shanghai"), "zh-CN")
    assert "■ 解决 (resolution, 第 1 轮): 逾期 2026-01-19 22:30:00 CST" in chinese
    assert "首问责任人: ann" in chinese
    assert "非工作时间  非营业时段" in chinese


def test_times_stand_in_the_zone_of_the_calendar() -> None:
    policy = parse_policy(POLICY.replace("zone: UTC", "zone: Asia/Shanghai"), "policy")
    found = explain(events(), PolicyBook((policy,)), at("18:00"))

    assert found.zone == "Asia/Shanghai"
    assert "as of 2026-01-20 02:00:00 CST" in text_of(found, None, "en")


def test_durations_have_no_days() -> None:
    assert (duration(95_400_000), duration(-1_500)) == ("26:30:00", "-00:00:01.500")


def test_what_follows_from_what() -> None:
    first = explain(events()[:1], book(), at("09:00"))
    assert first.clocks[0].due_from == "target"
    assert "Counted from 2026-01-19 08:30:00 UTC, the target of 04:00:00 ends at" in text_of(
        first, None, "en"
    )
    held = explain(events()[:2], book(), at("10:30"))
    assert held.clocks[0].due_ms is None
    assert "used 01:30:00. Held at this moment" in text_of(held, None, "en")
    solved = event("A", "solved", "10:30")
    stopped = decode(line(solved), key=None, received_ms=0)
    assert isinstance(stopped, Event)
    (clock,) = explain([*events()[:2], stopped], book(), at("11:00")).clocks
    assert (clock.verdict, clock.last_start_ms, clock.due_ms) == ("met", at("10:30"), at("14:00"))
    solved = event("A", "solved", "08:30", sequence=2)
    at_once = decode(line(solved), key=None, received_ms=0)
    assert isinstance(at_once, Event)
    ended = explain([events()[0], at_once], book(), at("11:00"))
    assert ended.clocks[0].last_start_ms == at("08:30")
    assert "It ended at the instant at which it began" in text_of(ended, None, "en")
    data = {"targets": {"resolution": "2026-01-19T09:00:00Z"}}
    given = decode(line(event("A", "created", "08:30", data=data)), key=None, received_ms=0)
    assert isinstance(given, Event)
    by_source = explain([given], book(), at("08:45"))
    assert by_source.clocks[0].due_from == "source"
    assert "The source itself gives the due instant: 2026-01-19 09:00:00 UTC" in text_of(
        by_source, None, "en"
    )
    dated = POLICY.replace("resolution: 4h", "resolution: {working_days: 1, due: '12:00'}")
    by_rule = explain(
        events()[:1], PolicyBook((parse_policy(dated, "policy"),)), at("08:45")
    ).clocks[0]
    assert (by_rule.due_from, by_rule.last_start_ms) == ("rule", None)


def test_a_target_that_changed_after_the_breach() -> None:
    tiers = POLICY.replace(
        "{id: all,", "{id: gold, match: {tier: [gold]}, targets: {resolution: 8h}}\n  - {id: all,"
    )
    changed = event("A", "customer_changed", "15:00", data={"tier": "gold"})
    late = decode(line(changed), key=None, received_ms=0)
    assert isinstance(late, Event)
    found = explain(
        [*events()[:4], late], PolicyBook((parse_policy(tiers, "policy"),)), at("15:30")
    )

    (clock,) = found.clocks
    assert (clock.due_ms, clock.target_ms) == (at("14:30"), 8 * 3_600_000)
    assert "by the target that was in force when it passed" in text_of(found, None, "en")


README = Path(__file__).parents[3] / "streams" / "explaining" / "README.md"


def test_every_name_of_the_json_is_documented() -> None:
    document = document_of(explained())
    clock = document["clocks"][0]  # type: ignore[index]  # a list
    parts = (document, clock, clock["segments"][0], clock["holders"][0], clock["said"][0])
    documented = README.read_text()

    assert [name for part in parts for name in part if f"`{name}`" not in documented] == []


def as_json(document: dict[str, object]) -> Any:
    """Its one clock."""
    (clock,) = orjson.loads(orjson.dumps(document))["clocks"]
    return clock


def test_the_json_says_in_words_what_a_page_shows() -> None:
    english = as_json(document_of(explained()))
    assert (
        english["in_words"]
        == text_of(explained(), None, "en").split("■ ")[1].replace("\n  ", "\n").split("\n")[:3]
    )
    assert english["in_words"][0].startswith("Resolution (resolution, cycle 1): BREACHED")
    assert "end at 2026-01-19 14:30:00 UTC" in english["in_words"][2]
    chinese = as_json(document_of(explained(), zone("Asia/Shanghai"), "zh-CN"))
    assert "逾期" in chinese["in_words"][0]
    assert "2026-01-19 22:30:00 CST" in chinese["in_words"][2]
    said = {one["because"]: one["because_in_words"] for one in chinese["segments"]}
    assert said[None] is None
    assert said["outside_hours"] == "非营业时段"
    assert said["status:pending"] == "状态 pending"


def run(*arguments: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["explain", *map(str, arguments)])
    return done.exit_code, done.output


def test_the_command_explains_from_a_file(tmp_path: Path) -> None:
    path, policy = tmp_path / "events.jsonl", tmp_path / "policy.yaml"
    path.write_bytes(b"".join(map(line, STORY)) + line(event("B", "created", "08:00")))
    policy.write_text(POLICY)
    options = ("--events", path, "--policy", policy)

    code, said = run("A", *options)
    assert code == 0, said
    assert "BREACHED" in said
    with path.open("ab") as file:
        file.write(line(event("C", "created", "08:00")).replace(b'"C"', b'"\\u0043"'))
    assert run("C", *options)[0] == 0
    code, said = run("default/desk/A", *options, "--json", "--as-of", "2026-01-19T12:30:00Z")
    assert code == 0, said
    (clock,) = orjson.loads(said)["clocks"]
    assert (clock["state"], clock["due_at"]) == ("running", "2026-01-19T14:30:00Z")
    assert clock["segments"][0]["from"] == "2026-01-19T08:30:00Z"


def test_mistakes_of_the_command(tmp_path: Path) -> None:
    path, policy = tmp_path / "events.jsonl", tmp_path / "policy.yaml"
    path.write_bytes(b"".join(map(line, STORY)))
    policy.write_text(POLICY)
    options = ("--events", path, "--policy", policy)
    for arguments, told in (
        (("Z", *options), "no event of ticket 'Z'"),
        (("A", *options, "--clock", "reply"), "it has: resolution"),
        (("A", *options, "--zone", "Mars"), "Mars"),
        (("A", *options, "--as-of", "noon"), "--as-of"),
        (("A", *options, "--as-of", "2026-01-19T08:00:00Z"), "known at 2026-01-19T08:30:00Z"),
        (("A",), "nothing to explain from"),
        (("A", "--url", "http://127.0.0.1:1", *options), "explains its now"),
        (("A", "--url", "http://127.0.0.1:1"), "write tenant/source/ticket"),
        (("a/b/A", "--url", "http://127.0.0.1:1"), "can't be reached"),
    ):
        code, said = run(*arguments)
        assert (code, told in said) == (2, True), said


class Compute:
    """Knows one ticket."""

    def explain(self, tenant: str, source: str, ticket_id: str) -> Explanation | None:
        return explained() if (tenant, source, ticket_id) == ("default", "desk", "A") else None


async def test_a_running_system_explains_its_live_tickets() -> None:
    async with running() as site:
        async with site.client.get(site.url("/api/explain/default/desk/A")) as answer:
            assert answer.status == 501
            assert "another process" in (await answer.json())["detail"]
        site.role.explain_with(Compute())
        async with site.client.get(site.url("/api/explain/default/desk/A")) as answer:
            assert answer.status == 200
            (clock,) = (await answer.json())["clocks"]
            assert clock["verdict"] == "breached"
        async with site.client.get(
            site.url("/api/explain/default/desk/A?form=text&lang=zh-CN&zone=Asia/Shanghai")
        ) as answer:
            assert "逾期" in await answer.text()
        for path, status in (
            ("/api/explain/default/desk/B", 404),
            ("/api/explain/default/desk/A?clock=reply", 404),
            ("/api/explain/default/desk/A?clock=resolution", 200),
            ("/api/explain/default/desk/A?form=pdf", 400),
            ("/api/explain/default/desk/A?zone=Mars", 400),
        ):
            async with site.client.get(site.url(path)) as answer:
                assert answer.status == status
