"""Logs of calls and ratings: Asterisk's queue_log with calls mixed, both files of ratings."""

import csv
import gzip
import io
from collections import defaultdict
from pathlib import Path

import pytest

from schemas.customers import CustomerIds
from schemas.decode import decode
from schemas.events import Event, SurveyAnswered
from streams.core.calls.call import call_of
from streams.core.surveys.survey import survey_of
from streams.importing import Source, TimeSorter, convert, load_mapping

SURVEYS = Path(__file__).parents[4] / "shared/data/surveys"
# A call that waits 12 s, one that gives up after 40 s, one that is sent on and waits a second time.
QUEUE_LOG = """\
1767225600|NONE|NONE|NONE|QUEUESTART|
1767225600|a.1|sales|NONE|ENTERQUEUE||4930111
1767225605|b.2|sales|NONE|ENTERQUEUE||4930222
1767225608|a.1|sales|SIP/ann|RINGNOANSWER|5000
1767225612|a.1|sales|SIP/bob|CONNECT|12|a.9|3
1767225645|b.2|sales|NONE|ABANDON|1|1|40
1767225650|c.3|sales|NONE|ENTERQUEUE||4930333
1767225655|c.3|sales|SIP/ann|CONNECT|5|c.9|2
1767225700|c.3|sales|SIP/ann|BLINDTRANSFER|200|internal|5|45
1767225700|c.3|repairs|NONE|ENTERQUEUE||4930333
1767225706|c.3|repairs|SIP/eve|CONNECT|6|c.8|2
1767225712|a.1|sales|SIP/bob|COMPLETECALLER|12|100|1
1767225800|c.3|repairs|SIP/eve|COMPLETEAGENT|6|94|1
"""


def events_of(path: Path, mapping: str, clear: bool = True) -> dict[str, list[Event]]:
    found: dict[str, list[Event]] = defaultdict(list)
    with TimeSorter() as sorter:
        ids = CustomerIds("clear" if clear else "dropped")
        tally = convert(Source(path, load_mapping(mapping), customers=ids), sorter, lambda _: None)
        assert tally.rejected == 0
        for message in sorter:
            event = decode(message.value, key=message.key, received_ms=0)
            assert isinstance(event, Event)
            found[event.entity_id].append(event)
    return found


def test_a_queue_log_becomes_calls(tmp_path: Path) -> None:
    path = tmp_path / "queue_log"
    path.write_text(QUEUE_LOG, encoding="utf-8")
    calls = {
        name: call_of(events) for name, events in events_of(path, "asterisk_queue_log").items()
    }
    assert set(calls) == {"a.1", "b.2", "c.3"}
    assert [leg.wait_ms for leg in calls["a.1"].legs] == [12_000]
    assert calls["a.1"].legs[0].talk_ms == 100_000
    assert calls["a.1"].customer_id == "4930111"
    assert [leg.outcome for leg in calls["b.2"].legs] == ["abandoned"]
    assert calls["b.2"].legs[0].wait_ms == 40_000
    assert [(leg.queue, leg.wait_ms, leg.talk_ms) for leg in calls["c.3"].legs] == [
        ("sales", 5_000, 45_000),
        ("repairs", 6_000, 94_000),
    ]
    assert calls["c.3"].transfers == 1
    assert not any(call.oddities for call in calls.values())


def test_lines_of_a_log_have_ids_of_their_own_and_the_same_ones_twice(tmp_path: Path) -> None:
    path = tmp_path / "queue_log"
    path.write_text(QUEUE_LOG, encoding="utf-8")
    first, again = (events_of(path, "asterisk_queue_log") for _ in range(2))
    ids = [event.event_id for events in first.values() for event in events]
    assert len(set(ids)) == len(ids)
    assert ids == [event.event_id for events in again.values() for event in events]


@pytest.mark.skipif(not SURVEYS.exists(), reason="the real exports are not beside this checkout")
@pytest.mark.parametrize(
    ("mapping", "file", "column"),
    [
        ("rated_calls", "calls_with_ratings_simulated.csv.gz", "SatisfactionRating"),
        ("ecommerce_csat", "ecommerce_csat_35_rows.csv", "CSAT Score"),
    ],
)
def test_ratings_are_the_column(mapping: str, file: str, column: str) -> None:
    path = SURVEYS / file
    content = path.read_bytes()
    text = (gzip.decompress(content) if file.endswith(".gz") else content).decode()
    rows = csv.DictReader(io.StringIO(text, newline=""))
    wanted = [float(row[column]) for row in rows if row[column]]
    surveys = [survey_of(events) for events in events_of(path, mapping).values()]
    scores = [
        score for survey in surveys for one in survey.answers.values() if (score := one.score)
    ]
    assert sorted(scores) == sorted(wanted)
    assert all(survey.sent_ms is not None and survey.agent for survey in surveys)
    assert all(isinstance(said, SurveyAnswered) for one in surveys for said in one.said.values())
