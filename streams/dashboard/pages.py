"""The page's files, from memory: no path of a request ever reaches the file system."""

import hashlib
import html
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

import orjson
from aiohttp import web

from streams.dashboard.access import Access
from streams.dashboard.config import DashboardConfig

CONTENT_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
}


@dataclass(frozen=True, slots=True)
class StaticFile:
    body: bytes
    content_type: str
    etag: str


class Pages:
    """The page, the sign-in form and the static files."""

    def __init__(self, config: DashboardConfig, access: Access) -> None:
        self._access = access
        self._files = _read_all(files("streams.dashboard") / "static", "")
        page = self._files.pop("index.html").body.decode()
        view = self._files.pop("view.html").body.decode()
        sign_in = self._files.pop("session.html").body.decode()
        # Of everything a reader gets, the settings inside the page included.
        page_unnamed = _filled(page, config, "")
        parts = [page_unnamed, view, *(file.etag for _, file in sorted(self._files.items()))]
        self.build = hashlib.sha256("".join(parts).encode()).hexdigest()[:16]
        self._page = _filled(page, config, self.build)
        self._view = _filled(view, config, self.build)
        self._sign_in = _filled(sign_in, config, self.build)

    async def page(self, _request: web.Request) -> web.Response:
        """The live page."""
        return _html(self._page)

    async def view(self, _request: web.Request) -> web.Response:
        """Every other page: one frame, filled by its script."""
        return _html(self._view)

    async def sign_in(self, _request: web.Request) -> web.Response:
        """The form that asks for the token."""
        return _html(self._sign_in)

    async def let_in(self, request: web.Request) -> web.Response:
        """Check the form's token; a wrong one shows the form again."""
        form = await request.post()
        token = str(form.get("token", ""))
        if self._access.role_of_token(token) is None:
            refused = self._sign_in.replace('data-refused="false"', 'data-refused="true"')
            return _html(refused, status=401)
        response = web.Response(status=303, headers={"Location": "/"})
        self._access.let_in(response, token, secure=request.secure)
        return response

    async def static(self, request: web.Request) -> web.Response:
        """A file by its exact name."""
        found = self._files.get(request.match_info["path"])
        if found is None:
            raise web.HTTPNotFound
        headers = {"ETag": found.etag, "Cache-Control": "no-cache"}
        if request.headers.get("If-None-Match") == found.etag:
            return web.Response(status=304, headers=headers)
        return web.Response(
            body=found.body, content_type=found.content_type, charset="utf-8", headers=headers
        )


def _html(text: str, status: int = 200) -> web.Response:
    return web.Response(text=text, status=status, content_type="text/html", charset="utf-8")


def _filled(template: str, config: DashboardConfig, build: str) -> str:
    """The page with its settings: as text and as one attribute, both escaped."""
    settings = {
        "build": build,
        "zone": config.zone,
        "clockLabels": {name: dict(labels) for name, labels in config.clock_labels.items()},
    }
    attribute = html.escape(orjson.dumps(settings).decode(), quote=True)
    return template.replace("$title", html.escape(config.title)).replace("$settings", attribute)


def _read_all(folder: Traversable, prefix: str) -> dict[str, StaticFile]:
    found: dict[str, StaticFile] = {}
    for entry in folder.iterdir():
        if entry.is_dir():
            found |= _read_all(entry, f"{prefix}{entry.name}/")
            continue
        suffix = entry.name[entry.name.rfind(".") :]
        if suffix in CONTENT_TYPES:
            body = entry.read_bytes()
            etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
            found[prefix + entry.name] = StaticFile(body, CONTENT_TYPES[suffix], etag)
    return found
