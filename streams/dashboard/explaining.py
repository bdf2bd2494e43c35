"""`GET /api/explain/{tenant}/{source}/{id}`: why a ticket's clocks say what they say.

?form=json (default) or text; ?lang=en or zh-CN and ?zone= of the text (else the calendar's); ?clock= only it
"""

from typing import cast

import orjson
from aiohttp import web

from schemas.problems import ProblemsError
from streams.core.business_time.zones import zone
from streams.dashboard.access import problem
from streams.dashboard.contract import Explainer
from streams.explaining import only_clock
from streams.explaining.rendering import Language, document_of, text_of

LANGUAGES = ("en", "zh-CN")


class ExplainEndpoint:
    """The handler. Without an explainer it says where to ask instead."""

    def __init__(self) -> None:
        self.explainer: Explainer | None = None

    async def get(self, request: web.Request) -> web.Response:
        """See the module's text."""
        if self.explainer is None:
            detail = (
                "tickets are computed in another process; explain from a file of events instead"
            )
            return problem(501, "not_here", detail)
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
        found = self.explainer.explain(key["tenant"], key["source"], key["ticket_id"])
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
            body=orjson.dumps(document_of(found)), content_type="application/json", charset="utf-8"
        )
