"""`POST /api/alerts/actions`: acknowledge, release, silence, unsilence.

    {"key": "sla:…", "action": "acknowledge", "minutes": 30, "reason": "on it"}

`minutes`: how long it holds; without it an acknowledgement holds as long as the policy says, and a silence needs
it. 202 only after the broker has acknowledged both the action and its entry in the audit.
"""

import secrets
from collections.abc import Callable
from typing import Annotated, Literal

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.instants import from_ms
from schemas.outcomes import AlertActionRow, AuditRow
from schemas.topics import OUTCOME_TOPIC_OF_TABLE
from streams.dashboard.access import IDENTITY, Identity, problem
from streams.dashboard.contract import Publisher

ACTIONS_TOPIC = OUTCOME_TOPIC_OF_TABLE["alert_actions"]
AUDIT_TOPIC = OUTCOME_TOPIC_OF_TABLE["audit"]
MINUTES_MAX = 7 * 24 * 60


class Asked(BaseModel):
    """What the browser sends."""

    model_config = ConfigDict(extra="forbid")

    key: Annotated[str, Field(pattern=r"^sla:.+:.+:.+$", max_length=2_000)]
    action: Literal["acknowledge", "release", "silence", "unsilence"]
    minutes: Annotated[int, Field(ge=1, le=MINUTES_MAX)] | None = None
    reason: Annotated[str, Field(max_length=500)] = ""


class Acting:
    """The handler. `now_ms`: the pipeline's now."""

    def __init__(self, publisher: Publisher | None, now_ms: Callable[[], int]) -> None:
        self._publisher = publisher
        self._now_ms = now_ms

    async def post(self, request: web.Request) -> web.Response:
        """See the module's text."""
        if self._publisher is None:
            return problem(501, "not_here", "this dashboard has no broker to write to")
        try:
            asked = Asked.model_validate_json(await request.read())
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "body"
            return problem(400, "bad_action", f"{where}: {first['msg']}")
        if asked.action == "silence" and asked.minutes is None:
            return problem(400, "bad_action", "minutes: a silence ends some time; say when")
        action, audit = rows_of(asked, request[IDENTITY], self._now_ms(), secrets.token_hex(6))
        try:
            # The audit first: an action that nobody can account for must not be.
            await self._publisher.publish(AUDIT_TOPIC, [_record(audit["audit_id"], audit)])
            await self._publisher.publish(ACTIONS_TOPIC, [_record(asked.key, action)])
        except Exception:
            return problem(503, "broker_unavailable", "not written down; send it again")
        return web.json_response({"action_id": action["action_id"]}, status=202)


def rows_of(
    asked: Asked, who: Identity, now_ms: int, unique: str
) -> tuple[AlertActionRow, AuditRow]:
    """What is written down."""
    until_ms = None if asked.minutes is None else now_ms + asked.minutes * 60_000
    action_id = f"{now_ms}-{unique}"
    action: AlertActionRow = {
        "key": asked.key,
        "action_id": action_id,
        "event_time": from_ms(now_ms),
        "action": asked.action,
        "until_at": None if until_ms is None else from_ms(until_ms),
        "actor": who.actor,
        "reason": asked.reason,
        "version": 1,
    }
    audit: AuditRow = {
        "audit_id": f"alert:{action_id}",
        "event_time": from_ms(now_ms),
        "actor": who.actor,
        "action": asked.action,
        "subject": asked.key,
        "detail": asked.reason if asked.minutes is None else f"{asked.minutes} min; {asked.reason}",
        "version": 1,
    }
    return action, audit


def _record(key: str, row: AlertActionRow | AuditRow) -> tuple[bytes, bytes]:
    return key.encode(), orjson.dumps(row, option=orjson.OPT_UTC_Z)
