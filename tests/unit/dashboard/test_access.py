"""Who may come in, and what the browser is told."""

import socket
from collections.abc import Iterator

import pytest
from yarl import URL

from schemas.problems import ProblemsError
from streams.dashboard.access import COOKIE, Access
from streams.dashboard.config import DashboardConfig
from streams.dashboard.server import dashboard_role
from streams.runtime.clock import ManualClock
from tests.unit.dashboard.fakes import PIPELINE_MS, FakeReader, running

CLOCK = ManualClock(PIPELINE_MS)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.0.2.7", "dashboard.example"])
def test_off_loopback_a_token_is_needed(host: str) -> None:
    with pytest.raises(ProblemsError, match="no token") as caught:
        dashboard_role(DashboardConfig(host=host), FakeReader(), CLOCK, None)
    assert "TICKETPULSE_HTTP_TOKEN" in str(caught.value)

    dashboard_role(DashboardConfig(host=host, token="t"), FakeReader(), CLOCK, None)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_on_loopback_none_is_needed(host: str) -> None:
    dashboard_role(DashboardConfig(host=host), FakeReader(), CLOCK, None)


def test_every_mistake_of_the_configuration_at_once() -> None:
    config = DashboardConfig(host="0.0.0.0", zone="Mars/Olympus")
    with pytest.raises(ProblemsError) as caught:
        dashboard_role(config, FakeReader(), CLOCK, None)
    assert len(caught.value.problems) == 2


def test_the_token_is_never_shown() -> None:
    assert "geheim" not in repr(DashboardConfig(token="geheim"))


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


async def test_a_port_in_use_is_one_clear_message(taken_port: int) -> None:
    role = dashboard_role(DashboardConfig(port=taken_port), FakeReader(), CLOCK, None)
    with pytest.raises(ProblemsError) as caught:
        await role.start()
    (problem,) = caught.value.problems
    assert str(taken_port) in str(problem)
    assert "in use" in str(problem)
    assert "TICKETPULSE_HTTP_PORT" in str(problem)
    await role.stop()


async def test_an_address_of_another_machine_is_one_clear_message() -> None:
    role = dashboard_role(DashboardConfig(host="192.0.2.7", token="t"), FakeReader(), CLOCK, None)
    with pytest.raises(ProblemsError, match="TICKETPULSE_HTTP_HOST"):
        await role.start()
    await role.stop()


@pytest.mark.parametrize(
    ("host_header", "allowed"),
    [
        ("127.0.0.1:8311", True),
        ("localhost", True),
        ("LOCALHOST:9", True),
        ("[::1]:8311", True),
        ("board.example:80", True),
        ("evil.example", False),
        ("evil.example:8311", False),
        ("127.0.0.1.evil.example", False),
        ("localhost.evil.example", False),
        ("10.0.0.8", False),
        ("", False),
        ("[", False),
    ],
)
def test_names_of_the_page_on_loopback(host_header: str, allowed: bool) -> None:
    access = Access(DashboardConfig(allowed_hosts=("Board.example",)))

    assert access.host_allowed(host_header) is allowed


def test_off_loopback_listed_names_and_addresses() -> None:
    listed = Access(DashboardConfig(host="0.0.0.0", token="t", allowed_hosts=("board.example",)))
    assert listed.host_allowed("board.example")
    assert listed.host_allowed("10.0.0.8:8311")
    assert not listed.host_allowed("evil.example")

    assert Access(DashboardConfig(host="0.0.0.0", token="t")).host_allowed("any.example")


async def test_a_foreign_name_or_site_is_turned_away() -> None:
    async with running() as page:
        rebound = await page.client.get(page.url("/api/live"), headers={"Host": "evil.example"})
        assert rebound.status == 421
        foreign = await page.client.get(
            page.url("/api/live"), headers={"Origin": "https://evil.example"}
        )
        assert foreign.status == 403
        own = await page.client.get(
            page.url("/api/live"), headers={"Origin": page.role.url.rstrip("/")}
        )
        assert own.status == 200


async def test_every_answer_carries_the_headers() -> None:
    async with running() as page:
        for path, status in (
            ("/", 200),
            ("/static/app.js", 200),
            ("/static/nothing", 404),
            ("/api/live", 200),
            ("/nowhere", 404),
        ):
            answer = await page.client.get(page.url(path))
            assert answer.status == status, path
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "aiohttp" not in answer.headers["Server"]


async def test_no_path_leads_out_of_the_static_files() -> None:
    async with running() as page:
        for path in (
            "static/../server.py",
            "static/%2e%2e/server.py",
            "static/..%2fserver.py",
            "static//etc/passwd",
            "static/index.html",
        ):
            url = URL(page.role.url + path, encoded=True)
            answer = await page.client.get(url)
            assert answer.status == 404, path


async def test_unchanged_files_are_not_sent_again() -> None:
    async with running() as page:
        first = await page.client.get(page.url("/static/style.css"))
        again = await page.client.get(
            page.url("/static/style.css"), headers={"If-None-Match": first.headers["ETag"]}
        )
        assert again.status == 304


async def test_a_browser_signs_in_with_the_token() -> None:
    async with running(DashboardConfig(port=0, token="s3cret")) as page:
        asked = await page.client.get(page.url("/"))
        assert asked.url.path == "/session"
        assert (await page.client.get(page.url("/api/live"))).status == 401

        wrong = await page.client.post(page.url("/session"), data={"token": "guess"})
        assert wrong.status == 401
        assert 'data-refused="true"' in await wrong.text()

        right = await page.client.post(page.url("/session"), data={"token": "s3cret"})
        assert right.url.path == "/"
        (cookie,) = [item for item in page.client.cookie_jar if item.key == COOKIE]
        assert cookie["httponly"]
        assert cookie["samesite"] == "Strict"
        assert "s3cret" not in cookie.value
        assert (await page.client.get(page.url("/api/live"))).status == 200

        page.client.cookie_jar.clear()
        forged = await page.client.get(page.url("/api/live"), headers={"Cookie": f"{COOKIE}=x"})
        assert forged.status == 401


async def test_probes_need_no_token() -> None:
    async with running(DashboardConfig(port=0, token="s3cret")) as page:
        assert (await page.client.get(page.url("/healthz"))).status == 200
        assert (await page.client.get(page.url("/readyz"))).status == 200


async def test_the_title_is_text() -> None:
    title = '<script>alert(1)</script>"&'
    async with running(DashboardConfig(port=0, title=title)) as page:
        text = await (await page.client.get(page.url("/"))).text()
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text


PROXY = "127.0.0.1"  # where the tests' requests come from


@pytest.mark.parametrize(
    ("proxies", "headers", "status"),
    [
        ((PROXY,), {"X-Forwarded-User": "ann"}, 200),
        (("10.0.0.0/8", "127.0.0.0/8"), {"X-Forwarded-User": "ann"}, 200),
        ((PROXY,), {}, 401),
        ((PROXY,), {"X-Forwarded-User": "  "}, 401),
        ((PROXY,), {"X-Other-User": "ann"}, 401),
        (("10.0.0.7",), {"X-Forwarded-User": "ann"}, 401),
        (("10.0.0.7",), {"X-Forwarded-User": "ann", "X-Forwarded-For": "10.0.0.7"}, 401),
    ],
)
@pytest.mark.parametrize("token", ["", "t"])
async def test_a_trusted_proxy_vouches_for_its_users(
    proxies: tuple[str, ...], headers: dict[str, str], status: int, token: str
) -> None:
    config = DashboardConfig(port=0, token=token, trusted_proxies=proxies)
    async with running(config) as page:
        answer = await page.client.get(page.url("/api/live"), headers=headers)
        assert answer.status == status


async def test_behind_a_proxy_the_token_opens_as_before() -> None:
    config = DashboardConfig(port=0, token="t", trusted_proxies=("10.0.0.7",))
    async with running(config) as page:
        answer = await page.client.get(page.url("/api/live"), headers={"Authorization": "Bearer t"})
        assert answer.status == 200


async def test_another_site_can_not_use_the_proxy_s_user() -> None:
    config = DashboardConfig(port=0, trusted_proxies=(PROXY,))
    async with running(config) as page:
        headers = {"X-Forwarded-User": "ann", "Origin": "https://evil.example"}
        answer = await page.client.get(page.url("/api/live"), headers=headers)
        assert answer.status == 403


def test_off_loopback_a_proxy_will_do_and_its_mistakes_are_told() -> None:
    config = DashboardConfig(host="0.0.0.0", trusted_proxies=("10.0.0.7",))
    dashboard_role(config, FakeReader(), CLOCK, None)

    wrong = DashboardConfig(trusted_proxies=("10.0.0.300", "proxy"), proxy_user_header="X User")
    with pytest.raises(ProblemsError) as caught:
        dashboard_role(wrong, FakeReader(), CLOCK, None)
    assert len(caught.value.problems) == 3
