"""`GET /api/explain/{tenant}/{source}/{id}`: why a ticket's clocks say what they say.

?form=json (default) or text; ?lang=en or zh-CN and ?zone= of what is told in words (else the calendar's); ?clock= only it

Answered from the live states of a compute role in this process; without one, the workers are asked that serve the
same under /explain on their health servers.
"""

from typing import cast

import orjson
from aiohttp import web

from schemas.problems import ProblemsError
from streams.core.business_time.zones import zone
from streams.dashboard.access import problem
from streams.dashboard.contract import Explainer
from streams.dashboard.workers import Workers, WorkersError
from streams.explaining import only_clock
from streams.explaining.rendering import Language, document_of, text_of

LANGUAGES = ("en", "zh-CN")
QUERY = ("form", "lang", "zone", "clock")


class ExplainEndpoint:
    """The handler. With neither an explainer nor workers to ask it says how to have one."""

    def __init__(self, workers: Workers | None = None) -> None:
        self.explainer: Explainer | None = None
        self._workers = workers

    def __bool__(self) -> bool:
        """Whether it can answer at all."""
        return self.explainer is not None or bool(self._workers)

    async def get(self, request: web.Request) -> web.Response:
        """See the module's text."""
        if self.explainer is not None:
            return self._answer(request, self.explainer)
        if self._workers:
            return await _forwarded(request, self._workers)
        detail = (
            "tickets are computed in another process: set TICKETPULSE_COMPUTE_URLS, or explain"
            " from a file of events"
        )
        return problem(501, "not_here", detail)

    @staticmethod
    def _answer(request: web.Request, explainer: Explainer) -> web.Response:
        form = request.query.get("form", "json")
        language = request.query.get("lang", "en")
        if form not in ("json", "text") or language not in LANGUAGES:
            detail = "form is json or text, lang is en or zh-CN"
            return problem(400, "bad_query", detail)
        try:
            name = request.query.get("zone")
            tz = None if name is None else zone(name)
        except ValueError as error:
            return problem(400, "bad_query", str(error))
        key = request.match_info
        found = explainer.explain(key["tenant"], key["source"], key["ticket_id"])
        if found is None:
            detail = "no such ticket is alive here: never seen, or its horizon has passed"
            return problem(404, "unknown_ticket", detail)
        if "clock" in request.query:
            try:
                found = only_clock(found, request.query["clock"])
            except ProblemsError as error:
                return problem(404, "unknown_clock", str(error))
        if form == "text":
            return web.Response(text=text_of(found, tz, cast("Language", language)))
        return web.Response(
            body=orjson.dumps(document_of(found, tz, cast("Language", language))),
            content_type="application/json",
            charset="utf-8",
        )


async def _forwarded(request: web.Request, workers: Workers) -> web.Response:
    key = request.match_info
    query = {name: request.query[name] for name in QUERY if name in request.query}
    try:
        path = f"/explain/{key['tenant']}/{key['source']}/{key['ticket_id']}"
        answer = await workers.get(path, query)
    except WorkersError as error:
        return problem(503, "workers_unavailable", str(error), **{"Retry-After": "5"})
    return web.Response(
        status=answer.status, body=answer.body, content_type=answer.content_type, charset="utf-8"
    )
