"""What holds for any bytes, of each kind that comes in from outside. A violation raises."""

from collections.abc import Callable

from schemas.customers import CustomerIds
from schemas.decode import check_line, decode, encode
from schemas.encode import key_of
from schemas.events import EntityKind, Event, Rejected
from schemas.policy_records import record_of
from schemas.problems import ProblemsError
from schemas.reasons import REASONS

RECEIVED_MS = 1_767_600_000_000
DETAIL_LENGTH_MAX = 2_000


def _decoded(kind: EntityKind) -> Callable[[bytes], None]:
    def check(data: bytes) -> None:
        found = decode(data, key=None, kind=kind, received_ms=RECEIVED_MS)
        if isinstance(found, Rejected):
            _check_rejected(found)
            return
        again = decode(
            encode(found), key=found.key.encode(), kind=kind, received_ms=RECEIVED_MS + 1
        )
        assert again == found, (found, again)

    return check


def _line(data: bytes) -> None:
    """One event at the HTTP edge: what is taken is taken by compute as well."""
    found = check_line(
        data, tenant_default="default", now_ms=RECEIVED_MS, customers=CustomerIds("clear")
    )
    if isinstance(found, Rejected):
        _check_rejected(found)
        return
    topic, key, value, _aliases = found
    event = decode(value, key=key, received_ms=RECEIVED_MS)
    assert isinstance(event, Event), (topic, event)
    assert key_of(event) == key


def _policy_record(data: bytes) -> None:
    """A record that can't be used is told; nothing else is raised."""
    try:
        record_of(data, "record")
    except ProblemsError:
        return


def _check_rejected(found: Rejected) -> None:
    assert found.reason in REASONS, found
    assert len(found.detail) <= DETAIL_LENGTH_MAX, len(found.detail)
    found.detail.encode()


TARGETS: tuple[Callable[[bytes], None], ...] = (
    _decoded("ticket"),
    _decoded("call"),
    _decoded("survey"),
    _line,
    _policy_record,
    _decoded("shift"),
)


def check(data: bytes) -> None:
    """The first byte chooses the target, the rest is what comes in."""
    if data:
        TARGETS[data[0] % len(TARGETS)](data[1:])
