"""One POST, and what its answer means: shared by every receiver that speaks HTTP."""

from collections.abc import Mapping

import aiohttp

from sinks.receivers.contract import ReceiverError

_SHOWN_BYTES = 300
_ANSWER_BYTES_MAX = 64 * 1024
# What they say is about this content. Everything else (wrong address, wrong secret, overload) can be put
# right while the notification waits.
_REFUSED = frozenset((400, 406, 410, 413, 415, 422))
WAIT_SECONDS_MAX = 300.0


class Poster:
    """A session with a time-out; connects when it is first used."""

    def __init__(self, seconds_max: float) -> None:
        self._timeout = aiohttp.ClientTimeout(total=seconds_max)
        self._session: aiohttp.ClientSession | None = None

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        """The beginning of the answer on 2xx; ReceiverError otherwise, with what was answered."""
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout)
        try:
            async with self._session.post(
                url,
                data=body,
                headers={"Content-Type": "application/json", **headers},
                allow_redirects=False,  # a signed body goes where it was meant to go
            ) as answer:
                if 200 <= answer.status < 300:
                    return await answer.content.read(_ANSWER_BYTES_MAX)
                shown = (await answer.content.read(_SHOWN_BYTES)).decode(errors="replace")
                message = f"HTTP {answer.status}: {shown}"
                wait_seconds = _asked_to_wait(answer.headers.get("Retry-After"))
                raise ReceiverError(
                    message, refused=answer.status in _REFUSED, wait_seconds=wait_seconds
                )
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            message = f"no answer: {error!r}"
            raise ReceiverError(message) from error

    async def stop(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()


def _asked_to_wait(header: str | None) -> float:
    """Of `Retry-After`, the seconds; a date is not worth a parser here, the backoff does."""
    if header is None or not header.strip().isdecimal():
        return 0.0
    return min(float(header), WAIT_SECONDS_MAX)
