"""A ClickHouse server for tests: the HTTP protocol, answered by chDB, with faults on demand.

    with Facade(engine_path) as facade:
        facade.faults.append(Fault("drop_after"))       # the next insert is stored, its answer lost
        database = ClickHouse.connect(facade.url, ...)

Good for what a client meets on the wire (drops, time-outs, 503, wrong passwords, several clients). Not
a conformance test of ClickHouse: answers are buffered, bodies come uncompressed, there are no
sessions and one user. It runs in a thread with an event loop of its own, so that blocking clients
and async tests can use it.
"""

import asyncio
import json
import re
import ssl
import tempfile
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

import chdb
from aiohttp import BasicAuth, hdrs, web

T = TypeVar("T")

# URL parameters that belong to the transport; every other one is a setting or a query parameter.
TRANSPORT = frozenset(
    [
        "query",
        "database",
        "default_format",
        "session_id",
        "session_timeout",
        "session_check",
        "query_id",
        "quota_key",
        "compress",
        "decompress",
        "wait_end_of_query",
        "client_protocol_version",
        "role",
        "user",
        "password",
        "buffer_size",
        "enable_http_compression",
        "send_progress_in_http_headers",
        "http_headers_progress_interval_ms",
        "cancel_http_readonly_queries_on_client_close",
    ]
)
STATUS_OF_CODE = {
    6: 400,
    27: 400,
    36: 400,
    47: 400,
    60: 404,
    62: 400,
    81: 404,
    115: 400,
    159: 408,
    497: 403,
    516: 403,
}
WRONG_PASSWORD = "Code: 516. DB::Exception: Authentication failed. (AUTHENTICATION_FAILED)"

_TRAILING_FORMAT = re.compile(rb"\bFORMAT\s+(\w+)\s*;?\s*$", re.IGNORECASE)
_IS_INSERT = re.compile(rb"\s*INSERT\s", re.IGNORECASE)
_INLINE_INSERT = re.compile(
    rb"\s*(INSERT\s+INTO\s+(?:(?!\bSELECT\b|\bVALUES\b).)*?)\s+FORMAT\s+(\w+)[ \t]*(?:\r?\n|(?=[{\[]))",
    re.IGNORECASE | re.DOTALL,
)
_CODE = re.compile(r"Code: (\d+)")


@dataclass
class Fault:
    """What happens, once, to the first request whose SQL matches.

    drop_before: the connection dies before anything is done; drop_after: after the work, without an
    answer; delay: the work begins late; delay_after: it is done, but the answer comes late; status: a
    proxy's answer; error: ClickHouse's own.
    """

    kind: Literal["drop_before", "drop_after", "delay", "delay_after", "status", "error"]
    match: bytes = rb"(?i)\s*INSERT\s+INTO"
    status: int = 503
    code: int = 252
    text: str = "no server is available"
    delay_seconds: float = 0.0


@dataclass
class _Request:
    sql: bytes
    database: str | None
    settings: dict[str, str]
    params: dict[str, str]
    default_format: str

    @property
    def is_insert(self) -> bool:
        return _IS_INSERT.match(self.sql) is not None

    @property
    def format(self) -> str | None:
        """The format that the SQL itself names."""
        found = None if self.is_insert else _TRAILING_FORMAT.search(self.sql)
        return found.group(1).decode() if found else None


@dataclass
class Facade:
    """See the module. `faults` are consumed in order; `inserts` lists the inserts that arrived."""

    path: Path
    user: str = "default"
    password: str = ""
    faults: list[Fault] = field(default_factory=list)
    inserts: list[bytes] = field(default_factory=list)
    url: str = ""
    tls: ssl.SSLContext | None = None

    def __enter__(self) -> Self:
        self._pool = ThreadPoolExecutor(4)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._listen(0)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._call(self._runner.cleanup())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._pool.shutdown()

    @contextmanager
    def down(self) -> Iterator[None]:
        """Nobody listens at the address meanwhile."""
        self._call(self._runner.cleanup())
        try:
            yield
        finally:
            self._listen(int(self.url.rsplit(":", 1)[1]))

    def _listen(self, port: int) -> None:
        async def start() -> tuple[web.AppRunner, int]:
            app = web.Application(client_max_size=1 << 30)
            app.router.add_route("*", "/{tail:.*}", self._handle)
            runner = web.AppRunner(app)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", port, reuse_address=True, ssl_context=self.tls)
            await site.start()
            return runner, int(runner.addresses[0][1])

        self._runner, bound = self._call(start())
        self.url = f"{'http' if self.tls is None else 'https'}://127.0.0.1:{bound}"

    def _call(self, work: Coroutine[object, object, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if not self._allowed(request):
            return _error(516, WRONG_PASSWORD)
        asked = await _read(request)
        if asked.is_insert:
            self.inserts.append(asked.sql)
        fault = self._next_fault(asked.sql)
        if fault is not None and fault.kind not in ("drop_after", "delay_after"):
            answer = await _suffer(fault, request)
            if answer is not None:
                return answer
        try:
            answer = await self._loop.run_in_executor(self._pool, self._execute, asked)
        except RuntimeError as error:
            return _error_of(str(error))
        if fault is not None and fault.kind == "drop_after":
            _drop(request)
        if fault is not None and fault.kind == "delay_after":
            await asyncio.sleep(fault.delay_seconds)
        return answer

    def _allowed(self, request: web.Request) -> bool:
        header = request.headers.get(hdrs.AUTHORIZATION)
        given = BasicAuth.decode(header) if header else BasicAuth("default", "")
        return (given.login, given.password) == (self.user, self.password)

    def _next_fault(self, sql: bytes) -> Fault | None:
        for fault in self.faults:
            if re.match(fault.match, sql[:2000]):
                self.faults.remove(fault)
                return fault
        return None

    def _execute(self, asked: _Request) -> web.Response:
        connection = chdb.connect(str(self.path))  # USE and SET stay private to the handle
        try:
            if asked.database:
                connection.query(f"USE `{asked.database}`")
            for name, value in asked.settings.items():
                connection.query(f"SET {name} = {_quoted(value)}")
            inline = _INLINE_INSERT.match(asked.sql)
            if inline is not None:
                return _insert(connection, inline, asked.sql[inline.end() :])
            return _select(connection, asked)
        finally:
            connection.close()


async def _read(request: web.Request) -> _Request:
    url = dict(request.query)
    sql = url.get("query", "").encode(errors="surrogateescape")
    body = await request.read()
    return _Request(
        sql + (b"\n" if sql and body else b"") + body,
        url.get("database"),
        {k: v for k, v in url.items() if k not in TRANSPORT and not k.startswith("param_")},
        {k.removeprefix("param_"): v for k, v in url.items() if k.startswith("param_")},
        url.get("default_format", "TabSeparated"),
    )


async def _suffer(fault: Fault, request: web.Request) -> web.Response | None:
    match fault.kind:
        case "drop_before":
            _drop(request)
            return web.Response()
        case "status":
            return web.Response(status=fault.status, text=fault.text)
        case "error":
            return _error(fault.code, fault.text)
        case _:
            await asyncio.sleep(fault.delay_seconds)
            return None


def _drop(request: web.Request) -> None:
    assert request.transport is not None
    request.transport.abort()


def _insert(connection: Any, inline: re.Match[bytes], data: bytes) -> web.Response:
    # From a file: chDB ends inline data at a blank line, and its streamed insert swallows a violated
    # constraint together with the rows.
    statement, form = inline.group(1).decode(), inline.group(2).decode()
    with tempfile.NamedTemporaryFile(suffix=".raw") as file:
        file.write(data)
        file.flush()
        result = connection.query(f"{statement} FROM INFILE '{file.name}' FORMAT {form}")
    return web.Response(headers=_headers("written", result.rows_read()))


def _select(connection: Any, asked: _Request) -> web.Response:
    # With names, a result without rows still has a line, and a statement without a result has none.
    probing = asked.format is None and not asked.is_insert
    wanted = "TabSeparatedWithNames" if probing else asked.format or asked.default_format
    result = connection.query(asked.sql.decode(), wanted, params=asked.params)
    body: bytes = result.bytes() or b""
    headers = _headers("read", result.rows_read())
    if probing and body:
        body = body[body.find(b"\n") + 1 :]
        headers["X-ClickHouse-Format"] = asked.default_format
    elif asked.format is not None:
        headers["X-ClickHouse-Format"] = asked.format
    return web.Response(body=body, headers=headers, content_type="application/octet-stream")


def _headers(verb: str, rows: int) -> dict[str, str]:
    summary = {f"{verb}_rows": str(rows), f"{verb}_bytes": "0", "elapsed_ns": "0"}
    return {"X-ClickHouse-Summary": json.dumps(summary), "X-ClickHouse-Timezone": "UTC"}


def _error_of(text: str) -> web.Response:
    code = _CODE.search(text)
    return _error(int(code.group(1)) if code else 1002, text[text.find("Code:") :])


def _error(code: int, text: str) -> web.Response:
    headers = {"X-ClickHouse-Exception-Code": str(code)}
    return web.Response(status=STATUS_OF_CODE.get(code, 500), text=text, headers=headers)


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
