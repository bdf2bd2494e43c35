"""ClickHouse as the rest of the program sees it; the only importer of clickhouse_connect and chDB.

Embedded, chDB runs inside this process and one process owns the data directory. With a URL it is an
ordinary server over HTTP. Everything else is the same.
"""

import importlib.util
import logging
import re
import threading
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from traceback import clear_frames
from types import TracebackType
from typing import ClassVar, Protocol, Self
from urllib.parse import urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, Error, ProgrammingError

from schemas.problems import Problem, ProblemsError
from sinks.clickhouse.error_codes import AUTHENTICATION_CODES, sink_error
from sinks.clickhouse.owner_lock import OwnerLock, owned_by_another
from sinks.contract import SinkRefused, SinkUnreachable

EMBEDDED = "embedded"
CONNECT_SECONDS_MAX = 5
ANSWER_SECONDS_MAX = 30
DEFAULT_PORTS = {"http": 8123, "https": 8443}

_INSERT_SETTINGS: dict[str, str | int] = {
    "date_time_input_format": "best_effort",  # RFC 3339 with Z
    "input_format_null_as_default": 0,  # a null where none belongs is refused, not made 1970
    "input_format_skip_unknown_fields": 1,  # a newer compute may say more than this database holds
    "async_insert": 0,  # acknowledged means stored
    "insert_deduplicate": 1,
    "optimize_on_insert": 0,  # merging is FINAL's job; saves a fifth of the insert
    "min_chunk_bytes_for_parallel_parsing": 1024 * 1024,  # so that usual batches use every core
}
# Every failure is raised to the caller, who says it once and in context.
logging.getLogger("clickhouse_connect").setLevel(logging.ERROR)

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")

Value = object
Parameters = Mapping[str, Value]


class ClickHouse:
    """One database. Safe to use from several threads: each gets a client of its own.

    Failures are SinkError: `SinkUnreachable`, `SinkBusy` (both worth a retry) or `SinkRefused`.
    """

    def __init__(self, source: "_Source", database: str) -> None:
        self._source = source
        self.database = database
        self._local = threading.local()
        self._clients: weakref.WeakSet[Client] = weakref.WeakSet()
        self._clients_lock = threading.Lock()
        self._closed = False

    @classmethod
    def connect(
        cls,
        url: str = EMBEDDED,
        *,
        user: str = "default",
        password: str = "",
        database: str = "ticketpulse",
        path: Path = Path("data"),
        ca_file: Path | None = None,
    ) -> Self:
        """Open the database, making it when it doesn't exist yet (its tables come by migration).

        `url` is `embedded` or http(s)://host[:port]; `path` is the data directory of the embedded
        one; `ca_file` names the authority to trust instead of the system's. ProblemsError says what the user can do when it can't be opened.
        """
        if not _IDENTIFIER.fullmatch(database):
            what = f"{database!r} is not a database name"
            hint = "letters, digits and _, e.g. TICKETPULSE_CLICKHOUSE_DATABASE=ticketpulse"
            raise ProblemsError(Problem("clickhouse_database", what, hint))
        source: _Source
        source = _Embedded(path) if url == EMBEDDED else _Server(url, user, password, ca_file)
        opened = cls(source, database)
        try:
            opened._ensure_database()
        except BaseException:
            opened.close()
            raise
        return opened

    @property
    def embedded(self) -> bool:
        """True when the database runs inside this process."""
        return isinstance(self._source, _Embedded)

    def query_rows(self, sql: str, params: Parameters | None = None) -> list[dict[str, Value]]:
        """Rows by column name; instants come as aware UTC datetimes.

        Parameters are bound by the server: `{name:Type}` in the SQL, never pasted text.
        """
        with _told():
            result = self._client().query(sql, parameters=dict(params) if params else None)
            return list(result.named_results())

    def query_read_only(self, sql: str, params: Parameters | None = None) -> list[dict[str, Value]]:
        """As `query_rows`, for SQL from outside: whatever would change something is refused."""
        with _told():
            # A client of its own: embedded, a read-only session can't be made writable again.
            client = self._source.new_client(self.database)
            try:
                result = client.query(
                    sql, parameters=dict(params) if params else None, settings={"readonly": 2}
                )
                return list(result.named_results())
            finally:
                client.close()

    def command(self, sql: str, params: Parameters | None = None) -> None:
        """Run a statement whose result nobody needs (DDL, SET, OPTIMIZE)."""
        with _told():
            self._client().command(sql, parameters=dict(params) if params else None)

    def insert_raw(self, table: str, body: bytes, token: str = "") -> None:
        """Insert JSON objects, one per line, unparsed. All of it is stored when this returns.

        The same `token` with the same content again is dropped by the table.
        """
        assert _IDENTIFIER.fullmatch(table), table
        settings = dict(_INSERT_SETTINGS)
        if token:
            settings["insert_deduplication_token"] = token
        with _told():
            self._client().raw_insert(
                table, insert_block=body, settings=settings, fmt="JSONEachRow"
            )

    def close(self) -> None:
        """Close every thread's client and give the data directory back. May be called twice."""
        if self._closed:
            return
        self._closed = True
        with self._clients_lock:
            for client in list(self._clients):
                client.close()
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _client(self) -> Client:
        client: Client | None = getattr(self._local, "client", None)
        if client is None:
            if self._closed:
                message = "the database has been closed"
                raise SinkUnreachable(message)
            client = self._source.new_client(self.database)
            self._local.client = client
            with self._clients_lock:
                self._clients.add(client)
        return client

    def _ensure_database(self) -> None:
        # Looks first: a reader may have no right to create databases.
        try:
            client = self._source.new_client(None)
            try:
                known = client.query(
                    "SELECT count() AS known FROM system.databases WHERE name = {name:String}",
                    parameters={"name": self.database},
                ).result_rows
                if known == [(0,)]:
                    client.command(f"CREATE DATABASE IF NOT EXISTS {self.database}")
            finally:
                client.close()
        except ClickHouseError as error:
            raise ProblemsError(self._source.explain(error)) from error


class _Source(Protocol):
    """Where clients come from."""

    def new_client(self, database: str | None) -> Client: ...

    def explain(self, error: ClickHouseError) -> Problem:
        """What the user can do when the first contact failed."""
        ...

    def close(self) -> None: ...


class _Server:
    """A ClickHouse server over HTTP."""

    def __init__(self, url: str, user: str, password: str, ca_file: Path | None = None) -> None:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise ProblemsError(_bad_url(url)) from error
        if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
            raise ProblemsError(_bad_url(url))
        self._url = f"{parts.scheme}://{parts.hostname}:{port or DEFAULT_PORTS[parts.scheme]}"
        self._scheme, self._host = parts.scheme, parts.hostname
        self._port = port or DEFAULT_PORTS[parts.scheme]
        self._proxy_path = parts.path.rstrip("/")
        self._user, self._password = user, password
        self._ca_file = ca_file
        if ca_file is None:
            return
        if parts.scheme != "https":
            what = f"{parts.scheme} uses no certificates"
            hint = "set TICKETPULSE_CLICKHOUSE_URL to https://host:8443"
            raise ProblemsError(Problem("clickhouse_ca_file", what, hint))
        if not ca_file.is_file():
            hint = "name a PEM file that this user can read"
            raise ProblemsError(Problem("clickhouse_ca_file", f"{ca_file} is no file", hint))

    def new_client(self, database: str | None) -> Client:
        return clickhouse_connect.get_client(
            interface=self._scheme,
            host=self._host,
            port=self._port,
            proxy_path=self._proxy_path,
            username=self._user,
            password=self._password,
            database=database,
            tz_mode="aware",
            connect_timeout=CONNECT_SECONDS_MAX,
            send_receive_timeout=ANSWER_SECONDS_MAX,
            autogenerate_session_id=False,  # else statements of one client exclude each other
            verify=True,
            ca_cert=None if self._ca_file is None else str(self._ca_file),
        )

    def explain(self, error: ClickHouseError) -> Problem:
        code = error.code if isinstance(error, Error) else None
        if code in AUTHENTICATION_CODES:
            what = f"user {self._user!r} is refused: wrong name or password"
            hint = "set TICKETPULSE_CLICKHOUSE_USER and TICKETPULSE_CLICKHOUSE_PASSWORD"
        elif code is not None:
            what, hint = _one_line(error), "grant the rights, or create the database beforehand"
        else:
            what = f"ClickHouse can't be reached: {_root_cause(error)}"
            hint = "start the server, or correct TICKETPULSE_CLICKHOUSE_URL"
        return Problem(self._url, what, hint)

    def close(self) -> None:
        """Nothing to give back."""


class _Embedded:
    """chDB in this process. Several `ClickHouse` objects of a process may share one directory."""

    _owners: ClassVar[dict[Path, "_Owner"]] = {}
    _owners_lock: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, path: Path) -> None:
        if importlib.util.find_spec("chdb") is None:
            what = "the embedded ClickHouse is not installed"
            hint = (
                "pip install 'ticketpulse[embedded]', or set TICKETPULSE_CLICKHOUSE_URL to a server"
            )
            raise ProblemsError(Problem("clickhouse_url", what, hint))
        self._path = path.resolve()
        self._closed = False
        with self._owners_lock:
            owner = self._owners.get(self._path)
            if owner is None:
                lock = OwnerLock(self._path)
                lock.take()
                owner = self._owners[self._path] = _Owner(lock)
            owner.users += 1

    def new_client(self, database: str | None) -> Client:
        # The engine gets a folder of its own: it minds strange files in its directory.
        return clickhouse_connect.get_client(
            interface="chdb",
            path=str(self._path / "clickhouse"),
            database=database,
            tz_mode="aware",
        )

    def explain(self, error: ClickHouseError) -> Problem:
        text = str(error)
        if "already initialized" in text:
            what = "this process already has another data directory open"
            return Problem(str(self._path), what, "one process serves one data directory")
        if "Unable to open" in text and "Code: 36" in text:
            return owned_by_another(self._path, "")  # by a process that does not know our lock
        what = f"the embedded ClickHouse can't open its files: {_one_line(error)}"
        return Problem(str(self._path), what, "choose another folder with TICKETPULSE_DATA_DIR")

    def close(self) -> None:
        with self._owners_lock:
            if self._closed:
                return
            self._closed = True
            owner = self._owners[self._path]
            owner.users -= 1
            if owner.users == 0:
                owner.lock.release()
                del self._owners[self._path]


@dataclass(slots=True)
class _Owner:
    lock: OwnerLock
    users: int = 0


def _bad_url(url: str) -> Problem:
    what = f"{url!r} is not the address of a ClickHouse server"
    return Problem("clickhouse_url", what, "write `embedded` or http(s)://host:port")


def _one_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0][:300]


def _root_cause(error: BaseException) -> str:
    """The operating system's word, when there is one: the driver wraps it three times."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    return _one_line(error)


@contextmanager
def _told() -> Iterator[None]:
    """Turn the driver's errors into ours."""
    try:
        yield
    except ProgrammingError as error:  # mostly found by the driver itself, before any server
        _let_go(error)
        if error.code is None:
            raise SinkRefused(_one_line(error)) from error
        raise sink_error(error.code, str(error)) from error
    except ClickHouseError as error:
        _let_go(error)
        code = error.code if isinstance(error, Error) else None
        text = _root_cause(error) if code is None else str(error)
        raise sink_error(code, text) from error
    except ValueError as error:  # a parameter that the driver can't render
        raise SinkRefused(str(error)) from error


def _let_go(error: BaseException | None) -> None:
    """Free what the frames of an error hold. Errors of the HTTP library are caught in cycles, so a body of
    megabytes would live on until a full garbage collection, one for each failed try of an outage."""
    while error is not None:
        clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__
