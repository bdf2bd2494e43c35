"""Server-sent events: every change of the page's content, and a pulse in between."""

import contextlib

import orjson
from aiohttp import web

from streams.dashboard.access import problem
from streams.dashboard.feed import Frame, LiveFeed

RETRY_MS = 2_000
PULSE_SECONDS = 5.0
FIRST_FRAME_SECONDS_MAX = 2.0
STREAMS_MAX = 500


def live_document(feed: LiveFeed, frame: Frame) -> bytes:
    """`{clock, fresh, content}` as JSON."""
    pulse = orjson.dumps(feed.pulse())
    return pulse[:-1] + b',"content":' + frame.content_json + b"}"


class EventStream:
    """`GET /api/stream`.

    `event: hello` names the build of the page, so that one left open for months reloads itself when
    the server was upgraded. `event: live` carries the whole content with its id (a reader who reconnects with an id it already
    has gets only what is new); `event: pulse` carries clock and freshness every few seconds, and
    tells by its arrival that the connection lives.
    """

    def __init__(self, feed: LiveFeed, build: str) -> None:
        self._feed = feed
        self._build = build
        self._streams = 0

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Until the reader leaves or the role stops."""
        if self._streams >= STREAMS_MAX:
            return problem(503, "too_many_readers", "close other pages", **{"Retry-After": "30"})
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
        )
        await response.prepare(request)
        self._streams += 1
        try:
            with self._feed.listen(), contextlib.suppress(ConnectionError):
                await self._send(response, request.headers.get("Last-Event-ID", ""))
        finally:
            self._streams -= 1
        return response

    async def _send(self, response: web.StreamResponse, last_event_id: str) -> None:
        feed = self._feed
        # An idle feed's last frame is old; a moment's wait spares the reader a false "stale".
        frame = await feed.current(FIRST_FRAME_SECONDS_MAX)
        await response.write(_hello(self._build))
        seen_number = 0
        if frame is not None and frame.event_id == last_event_id:
            seen_number = frame.number
            await response.write(_pulse(feed))
        while not feed.closed:
            found = await feed.next_frame(seen_number, PULSE_SECONDS)
            if found is not None:
                seen_number = found.number
                await response.write(_live(feed, found))
            elif not feed.closed:
                await response.write(_pulse(feed))


def _hello(build: str) -> bytes:
    return f"retry: {RETRY_MS}\nevent: hello\ndata: ".encode() + orjson.dumps(build) + b"\n\n"


def _live(feed: LiveFeed, frame: Frame) -> bytes:
    head = f"id: {frame.event_id}\nevent: live\ndata: ".encode()
    return head + live_document(feed, frame) + b"\n\n"


def _pulse(feed: LiveFeed) -> bytes:
    return b"event: pulse\ndata: " + orjson.dumps(feed.pulse()) + b"\n\n"
