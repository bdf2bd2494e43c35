"""Viewer, supervisor, admin: who may do what, by token, by cookie and by a proxy's word; actions on alerts."""

from typing import Any

import orjson
import pytest

from schemas.outcomes import AlertActionRow, AuditRow
from streams.dashboard.acting import ACTIONS_TOPIC, AUDIT_TOPIC
from streams.dashboard.config import DashboardConfig
from tests.unit.dashboard.fakes import PIPELINE_MS, FakePublisher, Running, running

KEY = "sla:default/desk/T1:resolution:T1-created"
TOKENS = DashboardConfig(
    port=0, token="a-token", supervisor_token="s-token", viewer_token="v-token"
)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def act(page: Running, headers: dict[str, str], **changes: object) -> tuple[int, Any]:
    body = {"key": KEY, "action": "acknowledge", "minutes": 30, "reason": "on it", **changes}
    answer = await page.client.post(page.url("/api/alerts/actions"), json=body, headers=headers)
    return answer.status, await answer.json()


async def test_each_role_may_do_what_the_one_before_may() -> None:
    publisher = FakePublisher()
    async with running(TOKENS, publisher) as page:
        for token, role, may_act in (
            ("v", "viewer", False),
            ("s", "supervisor", True),
            ("a", "admin", True),
        ):
            answer = await page.client.get(page.url("/api/me"), headers=bearer(f"{token}-token"))
            assert await answer.json() == {
                "actor": f"token:{role}",
                "role": role,
                "may_act": may_act,
                "explains": False,
            }
            status, _ = await act(page, bearer(f"{token}-token"))
            assert status == (202 if may_act else 403)
        status, said = await act(page, bearer("v-token"))
        assert (status, said["error"]) == (403, "forbidden")
        assert "supervisor" in said["detail"]
        for token, status in (("v", 403), ("s", 403)):
            answer = await page.client.post(
                page.url("/events"),
                data=b"{}",
                headers={"Content-Type": "application/json", **bearer(f"{token}-token")},
            )
            assert answer.status == status
        assert (await page.client.get(page.url("/api/live"), headers=bearer("wrong"))).status == 401


async def test_an_action_is_audited_first_and_names_who_did_it() -> None:
    publisher = FakePublisher()
    async with running(TOKENS, publisher) as page:
        status, said = await act(page, bearer("s-token"))
        assert status == 202
    (audit_topic, _, audit_value), (topic, key, value) = publisher.published
    assert (audit_topic, topic, key) == (AUDIT_TOPIC, ACTIONS_TOPIC, KEY.encode())
    action, audit = orjson.loads(value), orjson.loads(audit_value)
    assert set(action) == set(AlertActionRow.__annotations__)
    assert set(audit) == set(AuditRow.__annotations__)
    assert action["action_id"] == said["action_id"]
    assert (action["actor"], action["reason"]) == ("token:supervisor", "on it")
    assert (audit["action"], audit["subject"]) == ("acknowledge", KEY)
    # Half an hour by the pipeline's clock, which may be virtual.
    assert action["event_time"] == "2011-07-14T18:35:00Z"
    assert action["until_at"] == "2011-07-14T19:05:00Z"
    assert PIPELINE_MS == 1_310_668_500_000


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"key": "T1"}, "key"),
        ({"action": "delete"}, "action"),
        ({"minutes": 0}, "minutes"),
        ({"minutes": 100_000}, "minutes"),
        ({"action": "silence", "minutes": None}, "a silence ends some time"),
        ({"reason": "x" * 501}, "reason"),
        ({"who": "me"}, "who"),
    ],
)
async def test_what_can_not_be_is_told(changes: dict[str, object], said: str) -> None:
    publisher = FakePublisher()
    async with running(TOKENS, publisher) as page:
        status, answer = await act(page, bearer("s-token"), **changes)
    assert (status, answer["error"]) == (400, "bad_action")
    assert said in answer["detail"]
    assert publisher.published == []


async def test_nothing_is_said_to_be_done_that_the_broker_has_not_taken() -> None:
    publisher = FakePublisher()
    publisher.error = OSError("gone")
    async with running(TOKENS, publisher) as page:
        status, said = await act(page, bearer("s-token"))
    assert (status, said["error"]) == (503, "broker_unavailable")


async def test_a_browser_acts_with_its_cookie_only_from_its_own_page() -> None:
    publisher = FakePublisher()
    async with running(TOKENS, publisher) as page:
        signed_in = await page.client.post(page.url("/session"), data={"token": "s-token"})
        assert signed_in.status == 200
        own = page.url("/").rstrip("/")
        assert (await act(page, {"Origin": own}))[0] == 202
        assert (await act(page, {}))[0] == 401  # a form of another site sends no Origin we know
        assert (await act(page, {"Origin": "https://evil.example"}))[0] == 403
        answer = await page.client.post(
            page.url("/events"),
            data=b"{}",
            headers={"Content-Type": "application/json", "Origin": own},
        )
        assert answer.status == 401  # events need a token


@pytest.mark.parametrize(
    ("said", "role"),
    [("supervisor", "supervisor"), ("staff, viewer", "viewer"), ("admin;viewer", "admin"), ("", "viewer"), ("root", "viewer")],
)  # fmt: skip
async def test_a_proxy_names_the_role(said: str, role: str) -> None:
    config = DashboardConfig(
        port=0, trusted_proxies=("127.0.0.1",), proxy_role_header="X-Forwarded-Groups"
    )
    async with running(config) as page:
        headers = {"X-Forwarded-User": "lee", "X-Forwarded-Groups": said}
        answer = await page.client.get(page.url("/api/me"), headers=headers)
        told = await answer.json()
        assert (told["actor"], told["role"], told["may_act"]) == ("lee", role, role != "viewer")


async def test_without_a_role_header_everybody_whom_the_proxy_lets_in_may_act() -> None:
    async with running(DashboardConfig(port=0, trusted_proxies=("127.0.0.1",))) as page:
        answer = await page.client.get(page.url("/api/me"), headers={"X-Forwarded-User": "lee"})
        assert (await answer.json())["role"] == "admin"
        assert (await page.client.get(page.url("/api/me"))).status == 401


def test_two_roles_with_one_token_are_a_mistake() -> None:
    with pytest.raises(Exception, match="two roles have the same token"):
        DashboardConfig(token="same", viewer_token="same").check()
