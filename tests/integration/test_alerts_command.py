"""`ticketpulse alerts test`: a page and its end at every receiver."""

import asyncio

import orjson
from aiohttp import web
from typer.testing import CliRunner, Result

from streams.cli.app import app
from tests.receiver import PagingReceiver
from tests.serving import serving


async def run(*arguments: str, **settings: str) -> Result:
    environment = {f"TICKETPULSE_{name.upper()}": value for name, value in settings.items()}

    def invoke() -> Result:
        return CliRunner().invoke(app, ["alerts", "test", *arguments], env=environment)

    return await asyncio.to_thread(invoke)


async def test_each_receiver_gets_a_page_and_its_end() -> None:
    async with PagingReceiver("s") as pager, serving() as chat:
        result = await run(webhook_url=pager.url, webhook_secret="s", slack_url=chat.url)
        assert result.exit_code == 0, result.output
        assert result.output.splitlines() == ["webhook: taken", "slack: taken"]
        assert [page["status"] for page in pager.taken] == ["firing", "resolved"]
        assert {page["ticket_id"] for page in pager.taken} == {"TEST"}
        assert pager.firing() == set(), "nobody goes on being paged"
        begun, over = (orjson.loads(body)["text"] for _, _, body in chat.requests)
        assert begun.startswith("BREACHED: test of ticket TEST")
        assert over.startswith("Over")


async def test_who_did_not_take_it_is_told() -> None:
    async with serving() as chat:
        chat.answer = lambda: web.Response(status=404, text="no_service")
        result = await run(slack_url=chat.url, webhook_url="http://127.0.0.1:1/pages")
    assert result.exit_code == 1
    assert "slack: FAILED: HTTP 404: no_service" in result.output
    assert "webhook: FAILED: no answer" in result.output


async def test_without_a_receiver_or_with_an_unknown_one() -> None:
    nobody = await run()
    assert (nobody.exit_code, "no receiver is set" in nobody.stderr) == (2, True)
    unknown = await run("--receiver", "pagerduty", slack_url="http://127.0.0.1:1")
    assert (unknown.exit_code, "set are: slack" in unknown.stderr) == (2, True)
