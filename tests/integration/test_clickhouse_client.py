"""The ClickHouse client: what comes back, what fails and how it is told."""

import gc
import logging
import shutil
import ssl
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from schemas.problems import ProblemsError
from sinks.clickhouse import client as client_module
from sinks.clickhouse.client import ClickHouse
from sinks.clickhouse.sink import ClickHouseSink
from sinks.contract import Batch, SinkBusy, SinkError, SinkRefused, SinkUnreachable
from tests.clickhouse_facade import Facade, Fault
from tests.clickhouse_fixtures import engine_directory, engine_path, fresh_database_name
from tests.integration.real_kafka import Secured
from tests.outcome_rows import OPENED, as_json, ticket, ticket_clock

pytestmark = pytest.mark.clickhouse

OPEN_ELSEWHERE = """
import sys
from pathlib import Path
from sinks.clickhouse.client import ClickHouse
database = ClickHouse.connect(path=Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def facade() -> Iterator[Facade]:
    with Facade(engine_path(), user="writer", password="secret") as facade:
        yield facade


@pytest.fixture
def remote(facade: Facade, clickhouse: ClickHouse) -> Iterator[ClickHouse]:
    """The `clickhouse` database over HTTP."""
    with ClickHouse.connect(
        facade.url, user="writer", password="secret", database=clickhouse.database
    ) as database:
        yield database


def tickets(*numbers: int) -> Batch:
    rows = [as_json(ticket(number)) for number in numbers]
    return Batch("tickets", rows, token=f"test:{numbers}")


def stored(database: ClickHouse) -> int:
    """Physical rows, repeats included."""
    (row,) = database.query_rows("SELECT count() AS rows FROM tickets")
    assert isinstance(row["rows"], int)
    return row["rows"]


def test_parameters_are_bound_and_instants_are_aware(clickhouse: ClickHouse) -> None:
    instant = datetime(2026, 1, 19, 8, 0, 0, 123_000, tzinfo=UTC)

    (row,) = clickhouse.query_rows(
        "SELECT {text:String} AS text, {at:DateTime64(3, 'UTC')} AS at, {ids:Array(String)} AS ids",
        {"text": "it's; DROP", "at": instant, "ids": ["a'b", "c"]},
    )

    assert row == {"text": "it's; DROP", "at": instant, "ids": ["a'b", "c"]}


def test_a_reader_can_be_kept_from_writing(clickhouse: ClickHouse) -> None:
    with pytest.raises(SinkRefused, match="readonly"):
        clickhouse.query_read_only("INSERT INTO tickets (ticket_id) VALUES ('x')")

    assert clickhouse.query_read_only("SELECT 1 AS one") == [{"one": 1}]
    assert stored(clickhouse) == 0
    ClickHouseSink(clickhouse).write(tickets(1))  # others may still write


@pytest.mark.parametrize("sql", ["SELECT * FROM nothing", "SELEC 1", "SELECT nothing FROM tickets"])
def test_a_wrong_query_is_refused(clickhouse: ClickHouse, sql: str) -> None:
    with pytest.raises(SinkRefused) as caught:
        clickhouse.query_rows(sql)
    assert "\n" not in str(caught.value)


def test_a_filter_never_brings_back_what_late_truth_moved(clickhouse: ClickHouse) -> None:
    # Many granules, old and new rows in different parts: pruning by an instant must not hide the
    # newer row and so show the older one.
    clickhouse.command("SYSTEM STOP MERGES ticket_clocks")
    count, later = 20_000, OPENED + timedelta(days=60)
    sink = ClickHouseSink(clickhouse)
    for version, opened in ((1, OPENED), (2, later)):
        rows = [
            as_json(
                ticket_clock(
                    number,
                    version=version,
                    event_time=opened + timedelta(seconds=number),
                    breach_at=opened if version == 1 else None,
                )
            )
            for number in range(count)
            if version == 1 or number % 2
        ]
        sink.write(Batch("ticket_clocks", rows))

    (before,) = clickhouse.query_rows(
        "SELECT count() AS rows, max(version) AS version FROM v_ticket_clocks"
        " WHERE event_time < {at:DateTime64(3, 'UTC')}",
        {"at": OPENED + timedelta(days=30)},
    )
    (breached,) = clickhouse.query_rows(
        "SELECT count() AS rows FROM v_ticket_clocks WHERE breach_at = {at:DateTime64(3, 'UTC')}",
        {"at": OPENED},
    )
    assert before == {"rows": count // 2, "version": 1}
    assert breached == {"rows": count // 2}


def test_threads_read_while_another_writes(clickhouse: ClickHouse) -> None:
    sink = ClickHouseSink(clickhouse)

    def write(at: int) -> int:
        sink.write(tickets(*range(at * 100, at * 100 + 100)))
        return 0

    def read(_: int) -> int:
        return stored(clickhouse)

    with ThreadPoolExecutor(4) as pool:
        written = [pool.submit(write, at) for at in range(10)]
        seen = [pool.submit(read, at) for at in range(40)]
        counts = [task.result() for task in (*written, *seen)]

    assert stored(clickhouse) == 1_000
    assert all(count % 100 == 0 for count in counts)  # an insert is seen whole or not at all


def test_a_closed_database_says_so(clickhouse: ClickHouse) -> None:
    other = ClickHouse.connect(path=engine_directory(), database=clickhouse.database)
    other.close()
    other.close()

    with pytest.raises(SinkUnreachable, match="closed"):
        other.query_rows("SELECT 1")
    assert clickhouse.query_rows("SELECT 1 AS one") == [{"one": 1}]


def test_a_connection_lost_before_the_work_is_repaired(facade: Facade, remote: ClickHouse) -> None:
    facade.faults.append(Fault("drop_before"))

    ClickHouseSink(remote).write(tickets(1, 2))

    assert len(facade.inserts) == 2
    assert stored(remote) == 2


def test_an_answer_lost_after_the_work_stores_nothing_twice(
    facade: Facade, remote: ClickHouse
) -> None:
    facade.faults.append(Fault("drop_after"))

    ClickHouseSink(remote).write(tickets(1, 2))

    assert len(facade.inserts) == 2
    assert stored(remote) == 2  # the table knows the token


def test_a_repeated_batch_is_dropped_by_its_token(remote: ClickHouse) -> None:
    sink = ClickHouseSink(remote)
    for _ in range(3):
        sink.write(tickets(1, 2))

    assert stored(remote) == 2


def test_a_late_answer_is_an_outage_and_the_repeat_is_harmless(
    facade: Facade, clickhouse: ClickHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "ANSWER_SECONDS_MAX", 1)
    with ClickHouse.connect(
        facade.url, user="writer", password="secret", database=clickhouse.database
    ) as remote:
        sink = ClickHouseSink(remote)
        sink.write(tickets(7))
        facade.faults.append(Fault("delay", delay_seconds=1.5))
        with pytest.raises(SinkUnreachable):
            sink.write(tickets(1, 2))
        sink.write(tickets(1, 2))

        (row,) = remote.query_rows("SELECT count() AS rows FROM v_tickets")
        assert row["rows"] == 3


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault("status", status=503), SinkUnreachable),
        (Fault("status", status=502), SinkUnreachable),
        (Fault("error", code=252, text="Code: 252. DB::Exception: Too many parts"), SinkBusy),
        (Fault("error", code=241, text="Code: 241. DB::Exception: Memory limit"), SinkBusy),
        (Fault("error", code=497, text="Code: 497. DB::Exception: Not allowed"), SinkRefused),
    ],
    ids=["503", "502", "too many parts", "memory", "no right"],
)
def test_faults_of_a_server(
    facade: Facade, remote: ClickHouse, fault: Fault, kind: type[SinkError]
) -> None:
    sink = ClickHouseSink(remote)
    facade.faults.append(fault)
    with pytest.raises(SinkError) as caught:
        sink.write(tickets(1, 2))

    assert type(caught.value) is kind
    assert caught.value.retriable is (kind is not SinkRefused)
    sink.write(tickets(1, 2))
    assert stored(remote) == 2


def test_a_server_that_was_away_is_found_again(facade: Facade, remote: ClickHouse) -> None:
    sink = ClickHouseSink(remote)
    with facade.down(), pytest.raises(SinkUnreachable, match="refused"):
        sink.write(tickets(1))

    sink.write(tickets(1))
    assert stored(remote) == 1


def test_a_try_that_failed_keeps_nothing_of_its_body(facade: Facade, remote: ClickHouse) -> None:
    body_bytes = 4 * 1024 * 1024
    assert remote.query_rows("SELECT 1 AS one") == [{"one": 1}]
    logging.disable()  # pytest keeps records, and with them the errors that they tell of
    gc.disable()  # what an outage leaves until the next full collection is the point
    try:
        with facade.down():
            _fails_with(remote, body_bytes)
            tracemalloc.start()
            for _ in range(4):
                _fails_with(remote, body_bytes)
            held_bytes, _peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        gc.enable()
        logging.disable(logging.NOTSET)
    assert held_bytes < body_bytes // 4


def _fails_with(database: ClickHouse, body_bytes: int) -> None:
    try:  # pytest.raises would itself keep the frames
        database.insert_raw("tickets", b" " * body_bytes)
    except SinkUnreachable:
        return
    pytest.fail("the server answered")


def test_a_missing_database_is_made(facade: Facade, clickhouse: ClickHouse) -> None:
    name = f"{clickhouse.database}_made"
    with ClickHouse.connect(facade.url, user="writer", password="secret", database=name) as made:
        assert made.query_rows("SELECT currentDatabase() AS name") == [{"name": name}]
        assert not made.embedded
        made.command(f"DROP DATABASE {name}")


def problem_of(url: str = "embedded", **arguments: object) -> str:
    """The message of a connection that can't be made."""
    with pytest.raises(ProblemsError) as caught:
        ClickHouse.connect(url, **arguments)  # type: ignore[arg-type]  # each test gives its own
    assert len(caught.value.problems) == 1
    return str(caught.value)


def test_a_wrong_password_is_told(facade: Facade) -> None:
    message = problem_of(facade.url, user="writer", password="wrong")

    assert "user 'writer' is refused: wrong name or password" in message
    assert "TICKETPULSE_CLICKHOUSE_PASSWORD" in message


def test_an_unreachable_server_is_told(facade: Facade) -> None:
    with facade.down():
        message = problem_of(facade.url)

    assert message == (
        f"{facade.url}: ClickHouse can't be reached: Connection refused"
        " (start the server, or correct TICKETPULSE_CLICKHOUSE_URL)"
    )


@pytest.mark.parametrize("url", ["htp://x", "localhost:8123", "http://", "http://x:99999", ""])
def test_a_wrong_address_is_told(url: str) -> None:
    assert "is not the address of a ClickHouse server" in problem_of(url)


def test_a_wrong_database_name_is_told() -> None:
    assert "'a-b' is not a database name" in problem_of(database="a-b")


def test_a_file_is_no_data_directory(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("here")

    assert problem_of(path=file).startswith(f"{file}: can't be used as data directory: ")


def test_one_process_has_one_data_directory(clickhouse: ClickHouse, tmp_path: Path) -> None:
    assert clickhouse.embedded
    message = problem_of(path=tmp_path)

    assert "already has another data directory open" in message
    assert problem_of(path=tmp_path) == message  # the lock was given back


def test_a_directory_owned_by_another_process_is_told(clickhouse: ClickHouse) -> None:
    result = subprocess.run(
        [sys.executable, "-c", OPEN_ELSEWHERE, str(engine_directory())],
        input="",
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )

    assert result.returncode != 0
    assert "the data directory is in use by process " in result.stderr
    assert str(engine_directory()) in result.stderr
    assert "TICKETPULSE_DATA_DIR" in result.stderr


def test_the_message_names_the_owner_and_death_frees_the_directory(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", OPEN_ELSEWHERE, str(tmp_path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root
    ) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "open\n"
        assert f"in use by process {owner.pid} (" in problem_of(path=tmp_path)
        owner.kill()

    again = subprocess.run(command, input="", capture_output=True, text=True, check=False, cwd=root)
    assert again.stdout == "open\n"


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[tuple[Facade, Path]]:
    """The server over TLS, and the authority of its certificate."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make certificates with")
    certificates = Secured(tmp_path)
    certificates.make()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "broker.pem", tmp_path / "broker.key")
    with Facade(engine_path(), user="writer", password="secret", tls=context) as facade:
        yield facade, certificates.ca_file


def test_a_server_over_tls_is_verified(secured: tuple[Facade, Path], tmp_path: Path) -> None:
    facade, authority = secured
    name = fresh_database_name()
    with ClickHouse.connect(
        facade.url, user="writer", password="secret", database=name, ca_file=authority
    ) as database:
        assert database.query_rows("SELECT 1 AS one") == [{"one": 1}]
        database.command(f"DROP DATABASE {name} SYNC")
    assert "certificate verify failed" in problem_of(facade.url, user="writer", password="secret")
    missing = problem_of(facade.url, ca_file=tmp_path / "nothing.pem")
    assert "clickhouse_ca_file" in missing
    assert "https" in problem_of("http://127.0.0.1:1", ca_file=authority)
