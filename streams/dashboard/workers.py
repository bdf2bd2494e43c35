"""Asking the workers that compute tickets elsewhere: each knows the tickets of its own partitions."""

import asyncio
import socket
from collections.abc import Sequence
from typing import NamedTuple

import aiohttp
from yarl import URL

SECONDS_MAX = 3.0
BYTES_MAX = 16 * 1024 * 1024


class Answer(NamedTuple):
    """Of a worker, as it gave it."""

    status: int
    body: bytes
    content_type: str


class WorkersError(Exception):
    """Nobody who answered knows, and not everybody answered."""


class Workers:
    """`urls`: of their health servers. A name may stand for several workers: each of its addresses is asked."""

    def __init__(self, urls: Sequence[str], token: str) -> None:
        self._urls = [URL(url) for url in urls]
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def __bool__(self) -> bool:
        return bool(self._urls)

    async def get(self, path: str, query: dict[str, str]) -> Answer:
        """The answer of whoever knows, else what all the others agree on. WorkersError when it may be with one
        that can't be reached."""
        timeout = aiohttp.ClientTimeout(total=SECONDS_MAX)
        async with aiohttp.ClientSession(timeout=timeout, headers=self._headers) as session:
            asked = [
                asyncio.create_task(_ask(session, url.with_path(path).with_query(query)))
                for url in await self._addresses()
            ]
            try:
                return await _first_that_knows(asked)
            finally:
                for task in asked:
                    task.cancel()
                await asyncio.gather(*asked, return_exceptions=True)

    async def _addresses(self) -> list[URL]:
        loop = asyncio.get_running_loop()
        found: dict[URL, None] = {}
        for url in self._urls:
            if url.scheme == "https":  # its certificate names it
                found[url] = None
                continue
            try:
                rows = await loop.getaddrinfo(url.host, url.port, type=socket.SOCK_STREAM)
            except OSError as error:
                message = f"{url.host} has no address: {error.strerror}"
                raise WorkersError(message) from error
            found |= dict.fromkeys(url.with_host(str(row[4][0])) for row in rows)
        return list(found)


async def _ask(session: aiohttp.ClientSession, url: URL) -> Answer:
    async with session.get(url, allow_redirects=False) as response:
        body = await response.content.read(BYTES_MAX)
        return Answer(response.status, body, response.content_type)


async def _first_that_knows(asked: Sequence["asyncio.Task[Answer]"]) -> Answer:
    last: Answer | None = None
    silent = 0
    for answering in asyncio.as_completed(asked):
        try:
            answer = await answering
        except (aiohttp.ClientError, OSError, TimeoutError):
            silent += 1
            continue
        if answer.status == 200:
            return answer
        if answer.status in (404, 400):
            last = answer
        else:
            silent += 1
    if silent or last is None:
        message = f"{silent} of {len(asked)} workers did not answer as they should"
        raise WorkersError(message)
    return last
