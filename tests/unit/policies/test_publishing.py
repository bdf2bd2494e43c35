"""Published versions: nothing broken gets out, nothing that gets out is lost, history is left alone."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
import yaml
from jsonschema import Draft202012Validator

from schemas.instants import parse_rfc3339, rfc3339, to_ms
from schemas.json_schema import policy_records_schema
from schemas.policy_records import OrderedRejudgement, PublishedPolicy, record_bytes, record_of
from schemas.problems import ProblemsError
from streams.core.policy import PolicyBook
from streams.policies import load_policy, parse_policy
from streams.policies.publishing import (
    LEAD_MS,
    PolicyShelf,
    PublishRequest,
    RejudgeRequest,
    ordered,
    policy_of,
    prepared,
)

SHIPPED = sorted(
    path
    for path in (Path(__file__).parents[3] / "deploy/policies").glob("*.yaml")
    if not path.name.endswith(".test.yaml")
)
NOW_MS = parse_rfc3339("2026-01-05T08:00:00Z")
HOUR_MS = 3_600_000
FILE = "desk.yaml"
POLICY = """\
# the promise of the desk
policy: desk
labels: {en: Desk, zh-CN: 服务台 😀}
effective_from: 2020-01-01T00:00:00Z
calendars:
  office:
    zone: Asia/Shanghai
    weekly: {mon: ["09:00-12:00", "13:00-18:00"], tue: ["09:00-18:00"]}
    holidays: [{date: 2026-01-06, name: stocktaking}]
    overrides: {2026-01-13: ["10:00-12:00"]}
    closures: [{from: 2026-01-20T00:00:00Z, to: 2026-01-20T04:00:00Z, reason: storm}]
calendar: office
clocks:
  resolution:
    start: created
    stop: [solved, closed]
  first_reply:
    start: created
    stop: {type: message, author: agent, public: true}
    at_risk: 80%
rules:
  - id: vip
    match: {tier: [gold, 1]}
    targets: {resolution: 1h}
  - id: all
    targets: {resolution: 4h}
"""
ICAL = b"""BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//desk//EN
BEGIN:VEVENT
UID:1
DTSTART;VALUE=DATE:20260107
DTEND;VALUE=DATE:20260108
SUMMARY:Founders' day
END:VEVENT
END:VCALENDAR
"""


def no_file(name: str) -> bytes:
    raise FileNotFoundError(name)


def text(hours: int = 4, **changes: str) -> str:
    """The policy, with another target for all."""
    found = POLICY.replace("{resolution: 4h}", f"{{resolution: {hours}h}}")
    for name, value in changes.items():
        found = re.sub(rf"^{name}: .*$", f"{name}: {value}", found, flags=re.MULTILINE)
    return found


def request(
    content: str,
    effective_from_ms: int | None = None,
    *,
    retroactive: bool = False,
    beside: Callable[[str], bytes] = no_file,
) -> PublishRequest:
    return PublishRequest(
        content, FILE, beside, "ada", "new hours", effective_from_ms, retroactive=retroactive
    )


def base() -> PolicyBook:
    return PolicyBook((parse_policy(POLICY, FILE, no_file),))


def shelf_of(*records: PublishedPolicy | OrderedRejudgement) -> PolicyShelf:
    """The base, and what was published."""
    shelf = PolicyShelf(base())
    for at, record in enumerate(records):
        assert shelf.take(record_bytes(record), f"policies:{at}")
    assert shelf.problems == []
    return shelf


def published(hours: int, effective_from_ms: int, now_ms: int = NOW_MS) -> PublishedPolicy:
    return prepared(request(text(hours), effective_from_ms), PolicyShelf(base()), now_ms)


def told(raised: pytest.ExceptionInfo[ProblemsError]) -> list[str]:
    return [str(problem) for problem in raised.value.problems]


def test_what_is_published_is_judged_by_as_the_file_is() -> None:
    record = prepared(request(POLICY), PolicyShelf(base()), NOW_MS)
    from_file = parse_policy(POLICY, FILE, no_file)
    read = record_of(record_bytes(record), "policies:0")
    assert isinstance(read, PublishedPolicy)
    assert read == record
    from_topic = policy_of(read, "policies:0")
    assert record.version == from_topic.version == from_file.version
    assert (from_topic.rules, from_topic.clocks) == (from_file.rules, from_file.clocks)
    assert from_topic.calendar.version == from_file.calendar.version
    assert from_topic.labels == {"en": "Desk", "zh-CN": "服务台 😀"}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_policy_survives_publishing(path: Path) -> None:
    from_file = load_policy(path)
    ask = PublishRequest(
        path.read_text(), str(path), lambda name: (path.parent / name).read_bytes(), "ada"
    )
    record = record_of(
        record_bytes(prepared(replace(ask, retroactive=True), PolicyShelf(None), NOW_MS)),
        "policies:0",
    )
    assert isinstance(record, PublishedPolicy)
    from_topic = policy_of(record, "policies:0")
    assert record.version == from_topic.version == from_file.version
    assert from_topic.clocks == from_file.clocks
    assert [rule.id for rule in from_topic.rules] == [rule.id for rule in from_file.rules]


def test_the_audit_says_who_when_and_what() -> None:
    record = prepared(request(text(8), NOW_MS + HOUR_MS), PolicyShelf(base()), NOW_MS)
    assert (record.published_by, record.note, record.retroactive) == ("ada", "new hours", False)
    assert to_ms(record.published_at) == NOW_MS
    assert to_ms(record.effective_from) == NOW_MS + HOUR_MS
    assert record.key == record.version


def test_another_instant_is_another_version() -> None:
    versions = {published(8, NOW_MS + hours * HOUR_MS).version for hours in (1, 2)}
    assert len(versions | {base().policies[0].version}) == 3


def test_every_mistake_is_named_with_its_line_and_nothing_comes_out() -> None:
    broken = text().replace("zone: Asia/Shanghai", "zone: Asia/Shanghia")
    broken = broken.replace("{resolution: 1h}", "{resolution: 0h}")
    with pytest.raises(ProblemsError) as raised:
        prepared(request(broken, NOW_MS + HOUR_MS), PolicyShelf(base()), NOW_MS)
    zone, target = told(raised)
    assert zone.startswith("desk.yaml:7: ")
    assert "Asia/Shanghai" in zone
    assert target.startswith("desk.yaml:24: ")


@pytest.mark.parametrize("ahead_ms", [-HOUR_MS, 0, LEAD_MS - 1])
def test_a_version_in_force_in_the_past_is_not_replaced_unless_somebody_insists(
    ahead_ms: int,
) -> None:
    shelf = PolicyShelf(base())
    with pytest.raises(ProblemsError) as raised:
        prepared(request(text(8), NOW_MS + ahead_ms), shelf, NOW_MS)
    (what,) = told(raised)
    assert shelf.listed()[0].policy.version in what
    assert rfc3339(NOW_MS + ahead_ms) in what
    assert "--retroactive" in what
    insisted = request(text(8), NOW_MS + ahead_ms, retroactive=True)
    assert prepared(insisted, shelf, NOW_MS).retroactive


def test_with_its_lead_a_version_is_taken() -> None:
    assert not published(8, NOW_MS + LEAD_MS).retroactive


def test_publishing_twice_is_publishing_once() -> None:
    first = published(8, NOW_MS + HOUR_MS)
    shelf = shelf_of(first)
    later = prepared(request(text(8), NOW_MS + HOUR_MS), shelf, NOW_MS + 5 * HOUR_MS)
    assert later is shelf.get(first.version).record  # type: ignore[union-attr]  # it is there
    assert not shelf.take(record_bytes(first), "policies:1")
    assert shelf.problems == []


def test_the_base_may_be_published_so_that_it_stays_known_when_the_file_is_gone() -> None:
    record = prepared(request(POLICY), PolicyShelf(base()), NOW_MS)
    assert not record.retroactive
    without_file = PolicyShelf(None)
    assert without_file.take(record_bytes(record), "policies:0")
    assert without_file.book().policies[0].version == base().policies[0].version
    with_file = PolicyShelf(base())
    assert not with_file.take(record_bytes(record), "policies:0")
    assert [one.record for one in with_file.listed()] == [record]


def test_versions_stand_in_one_line_whatever_the_order_of_publishing() -> None:
    late, early = published(8, NOW_MS + 2 * HOUR_MS), published(1, NOW_MS + HOUR_MS)
    book = shelf_of(late, early).book()
    times = (NOW_MS, NOW_MS + HOUR_MS - 1, NOW_MS + HOUR_MS, NOW_MS + 2 * HOUR_MS)
    wanted = [base().policies[0].version] * 2 + [early.version, late.version]
    assert [book.as_of(instant_ms).version for instant_ms in times] == wanted


def test_of_two_that_begin_together_the_one_published_last_counts() -> None:
    first, second = published(8, NOW_MS + HOUR_MS), published(1, NOW_MS + HOUR_MS)
    assert shelf_of(first, second).book().as_of(NOW_MS + HOUR_MS).version == second.version
    assert shelf_of(second, first).book().as_of(NOW_MS + HOUR_MS).version == first.version


def test_a_base_that_the_topic_overrules_from_its_first_instant_is_told() -> None:
    insisted = request(text(8), base().policies[0].effective_from_ms, retroactive=True)
    record = prepared(insisted, PolicyShelf(base()), NOW_MS)
    assert shelf_of(record).shadowed() == [(base().policies[0].version, record.version)]
    assert shelf_of(published(8, NOW_MS + HOUR_MS)).shadowed() == []


def test_calendar_files_travel_with_the_version() -> None:
    content = POLICY.replace("[{date: 2026-01-06, name: stocktaking}]", "[{ical: days.ics}]")
    asked: list[str] = []

    def beside(name: str) -> bytes:
        asked.append(name)
        return ICAL

    record = prepared(
        request(content, NOW_MS + HOUR_MS, beside=beside), PolicyShelf(base()), NOW_MS
    )
    assert set(asked) == {"days.ics"}
    read = record_of(record_bytes(record), "policies:0")
    assert isinstance(read, PublishedPolicy)
    calendar = policy_of(read, "policies:0").calendar
    noon, hours = parse_rfc3339("2026-01-07T00:00:00+08:00"), 24 * HOUR_MS
    assert calendar.measure(noon, noon + hours) == 0
    with pytest.raises(ProblemsError, match=r"days\.ics"):
        policy_of(read.model_copy(update={"files": {}}), "policies:0")


def _renamed(record: PublishedPolicy) -> bytes:
    return record_bytes(record.model_copy(update={"version": "other@0123456789ab"}))


def _moved(record: PublishedPolicy) -> bytes:
    return record_bytes(record.model_copy(update={"effective_from": record.published_at}))


def _misspelt(record: PublishedPolicy) -> bytes:
    document = {**record.document, "claendar": "office"}
    return record_bytes(record.model_copy(update={"document": document, "version": "desk@0"}))


def _cut(record: PublishedPolicy) -> bytes:
    return record_bytes(record)[:-5]


def _withdrawn(record: PublishedPolicy) -> None:
    return None


@pytest.mark.parametrize("spoil", [_renamed, _moved, _misspelt, _cut, _withdrawn])
def test_a_record_that_cannot_be_used_changes_nothing_and_says_so(
    spoil: Callable[[PublishedPolicy], bytes | None],
) -> None:
    shelf = PolicyShelf(base())
    assert not shelf.take(spoil(published(8, NOW_MS + HOUR_MS)), "policies:7")
    assert [policy.version for policy in shelf.book().policies] == [base().policies[0].version]
    assert shelf.problems
    assert all(problem.where.startswith("policies:7") for problem in shelf.problems)


def test_what_was_published_is_never_replaced() -> None:
    record = published(8, NOW_MS + HOUR_MS)
    shelf = shelf_of(record)
    other = record.model_copy(update={"document": {**record.document, "horizon": "1d"}})
    assert not shelf.take(record_bytes(other), "policies:1")
    (_, listed) = shelf.listed()
    assert listed.record == record
    assert [problem.where for problem in shelf.problems] == ["policies:1"]


def test_the_document_is_a_policy_file() -> None:
    """So that what is in force can be taken off the topic, changed and published anew."""
    record = published(8, NOW_MS + HOUR_MS)
    written = yaml.safe_dump(record.document, allow_unicode=True)
    assert parse_policy(written, FILE, no_file).version == record.version


def test_records_are_what_their_schema_says() -> None:
    schema = policy_records_schema()
    Draft202012Validator.check_schema(schema)
    version = published(8, NOW_MS + HOUR_MS)
    order = ordered(asked(version.version), shelf_of(version), NOW_MS)
    for record in (version, order):
        document = orjson.loads(record_bytes(record))
        Draft202012Validator(schema).validate(document)
        assert not Draft202012Validator(schema).is_valid({**document, "unknown": 1})


# -- rejudging --------------------------------------------------------------------------------------


def asked(version: str, since_ms: int = NOW_MS - HOUR_MS, reason: str = "court") -> RejudgeRequest:
    return RejudgeRequest(version, since_ms, reason, "ada")


def test_an_order_is_kept_with_its_reason_and_reaches_the_book() -> None:
    record = published(8, NOW_MS + HOUR_MS)
    shelf = shelf_of(record)
    order = ordered(asked(record.version, reason=" court "), shelf, NOW_MS)
    assert (order.reason, order.ordered_by, order.version) == ("court", "ada", record.version)
    book = shelf_of(record, order).book()
    assert book.as_of(NOW_MS - HOUR_MS).version == record.version
    assert book.as_of(NOW_MS - HOUR_MS - 1).version == base().policies[0].version
    assert [one.at_ms for one in book.rejudgements] == [NOW_MS]


def test_orders_stand_in_one_line_however_clocks_differ() -> None:
    record = published(8, NOW_MS + HOUR_MS)
    first = ordered(asked(record.version), shelf_of(record), NOW_MS)
    second = ordered(asked(record.version), shelf_of(record, first), NOW_MS - 60_000)
    assert second.ordered_at > first.ordered_at
    assert first.key != second.key
    shelf = shelf_of(record, first, second)
    assert not shelf.take(record_bytes(first), "policies:3")
    assert [one.ordered_at for one in shelf.rejudgements] == [first.ordered_at, second.ordered_at]


def test_every_mistake_of_an_order_is_named() -> None:
    record = published(8, NOW_MS + HOUR_MS)
    near = record.version[:-1] + "-"
    with pytest.raises(ProblemsError) as raised:
        ordered(asked(near, NOW_MS + 1, " "), shelf_of(record), NOW_MS)
    version, since, reason = told(raised)
    assert "--version" in version
    assert record.version in version
    assert "--since" in since
    assert "--reason" in reason


def test_a_version_of_a_file_must_be_published_before_history_is_judged_by_it() -> None:
    with pytest.raises(ProblemsError, match="publish it first"):
        ordered(asked(base().policies[0].version), PolicyShelf(base()), NOW_MS)


def test_an_order_by_a_version_that_nobody_knows_changes_nothing() -> None:
    record = published(8, NOW_MS + HOUR_MS)
    order = ordered(asked(record.version), shelf_of(record), NOW_MS)
    shelf = PolicyShelf(base())
    assert not shelf.take(record_bytes(order), "policies:0")
    assert shelf.book().rejudgements == ()
    assert len(shelf.problems) == 1
