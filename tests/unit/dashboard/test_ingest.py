"""`POST /events`: what is taken, what is said about the rest, and never a word too early."""

import asyncio
import gzip

import orjson

from schemas.customers import CustomerIds, Keys, is_pseudonym
from schemas.decode import decode
from schemas.events import Event
from streams.dashboard.config import DashboardConfig
from streams.dashboard.ingest import ERRORS_LISTED_MAX, check_body
from tests.unit.dashboard.fakes import PIPELINE_MS, FakePublisher, iso, running

JSON = {"Content-Type": "application/json"}
LINES = {"Content-Type": "application/x-ndjson"}


def event(number: int = 1, **changes: object) -> bytes:
    document = {
        "schema_version": 1,
        "source": "desk",
        "type": "created",
        "ticket_id": f"T{number}",
        "event_id": f"e{number}",
        "occurred_at": iso(PIPELINE_MS - 60_000),
        "data": {"status": "open"},
    }
    return orjson.dumps({**document, **changes})


async def test_one_event_is_on_the_broker_before_the_answer() -> None:
    publisher = FakePublisher()
    async with running(publisher=publisher) as page:
        publisher.gate.clear()
        asking = asyncio.create_task(
            page.client.post(page.url("/events"), data=event(), headers=JSON)
        )
        await asyncio.sleep(0.2)
        assert not asking.done()

        publisher.gate.set()
        answer = await asking
        assert answer.status == 202
        assert await answer.json() == {"accepted": 1, "rejected": 0, "errors": []}

    ((topic, key, value),) = publisher.published
    assert (topic, key) == ("tickets", b"default/desk/T1")
    taken = decode(value, key=key, received_ms=0)
    assert isinstance(taken, Event)
    assert taken.ingested_ms == PIPELINE_MS


async def test_lines_are_taken_one_by_one_and_mistakes_named() -> None:
    publisher = FakePublisher()
    call = orjson.dumps(
        {
            "schema_version": 1,
            "source": "acd",
            "type": "ended",
            "call_id": "C1",
            "event_id": "c1",
            "occurred_at": iso(PIPELINE_MS),
            "data": {},
        }
    )
    body = b"\r\n".join(
        [event(1), b"", b"{not json", event(2, occurred_at="2011-07-14T10:00:00"), call]
    )
    async with running(publisher=publisher) as page:
        answer = await page.client.post(page.url("/events"), data=body, headers=LINES)
        told = await answer.json()

    assert answer.status == 202
    assert (told["accepted"], told["rejected"]) == (2, 2)
    assert [(error["line"], error["reason"]) for error in told["errors"]] == [
        (3, "not_json"),
        (4, "naive_time"),
    ]
    assert all(error["detail"] and error["remedy"] for error in told["errors"])
    assert sorted(topic for topic, _, _ in publisher.published) == ["calls", "tickets"]


async def test_nothing_acceptable_is_422() -> None:
    publisher = FakePublisher()
    async with running(publisher=publisher) as page:
        for headers, body in ((JSON, b""), (JSON, b"[]"), (LINES, b"\n \n"), (LINES, b"x\ny")):
            answer = await page.client.post(page.url("/events"), data=body, headers=headers)
            told = await answer.json()
            assert answer.status == 422
            assert told["accepted"] == 0
            assert told["errors"]
    assert publisher.published == []


async def test_media_types() -> None:
    async with running(publisher=FakePublisher()) as page:
        for headers in (
            {"Content-Type": "text/plain"},
            {"Content-Type": "application/x-www-form-urlencoded"},
            {"Content-Type": "application/json; charset=gbk"},
            {**JSON, "Content-Encoding": "gzip"},
        ):
            body = gzip.compress(event()) if "Content-Encoding" in headers else event()
            answer = await page.client.post(page.url("/events"), data=body, headers=headers)
            assert answer.status == 415, headers
        answer = await page.client.post(
            page.url("/events"),
            data=event(),
            headers={"Content-Type": "application/json; charset=UTF-8"},
        )
        assert answer.status == 202


async def test_a_body_too_large_is_413_announced_or_not() -> None:
    publisher = FakePublisher()
    config = DashboardConfig(port=0, ingest_bytes_max=2_000)

    async def trickle() -> object:
        for number in range(100):
            yield event(number) + b"\n"

    async with running(config, publisher) as page:
        answer = await page.client.post(page.url("/events"), data=b" " * 2_001, headers=JSON)
        assert answer.status == 413
        answer = await page.client.post(page.url("/events"), data=trickle(), headers=LINES)
        assert answer.status == 413
    assert publisher.published == []


async def test_a_broker_that_does_not_acknowledge_is_503_and_nothing_is_claimed() -> None:
    publisher = FakePublisher()
    publisher.error = ConnectionError("no broker")
    async with running(publisher=publisher) as page:
        answer = await page.client.post(page.url("/events"), data=event(), headers=JSON)
        told = await answer.json()
        assert answer.status == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert "accepted" not in told

        publisher.error = None
        answer = await page.client.post(page.url("/events"), data=event(), headers=JSON)
        assert answer.status == 202


async def test_the_token_is_needed_for_every_event_and_a_cookie_is_not_enough() -> None:
    publisher = FakePublisher()
    async with running(DashboardConfig(port=0, token="s3cret-令牌"), publisher) as page:
        signed_in = await page.client.post(page.url("/session"), data={"token": "s3cret-令牌"})
        assert signed_in.status == 200
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic s3cret"}):
            answer = await page.client.post(
                page.url("/events"), data=event(), headers={**JSON, **headers}
            )
            assert answer.status == 401
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert publisher.published == []


async def test_the_right_token_opens() -> None:
    publisher = FakePublisher()
    async with running(DashboardConfig(port=0, token="s3cret"), publisher) as page:
        answer = await page.client.post(
            page.url("/events"), data=event(), headers={**JSON, "Authorization": "Bearer s3cret"}
        )
        assert answer.status == 202
    assert len(publisher.published) == 1


async def test_without_a_publisher_there_is_no_ingest() -> None:
    async with running() as page:
        answer = await page.client.post(page.url("/events"), data=event(), headers=JSON)
        assert answer.status == 404


def test_a_flood_of_mistakes_is_counted_in_full_and_listed_in_part() -> None:
    checked = check_body(b"x\n" * (ERRORS_LISTED_MAX + 5), "lines", "default", 0, CustomerIds())

    told = checked.report()
    assert told["rejected"] == ERRORS_LISTED_MAX + 5
    assert told["errors_left_out"] == 5


def test_the_tenant_of_events_that_name_none() -> None:
    checked = check_body(event(), "one", "acme", PIPELINE_MS, CustomerIds())

    assert [key for key, _ in checked.accepted["tickets"]] == [b"acme/desk/T1"]


async def test_customers_are_keyed_before_the_broker_sees_them() -> None:
    publisher = FakePublisher()
    config = DashboardConfig(port=0, customers=CustomerIds(keys=Keys(["0b" * 32, "a1" * 32])))
    async with running(config, publisher) as page:
        body = event(data={"customer_id": "Ms Smith"})
        answer = await page.client.post(page.url("/events"), data=body, headers=JSON)
        assert answer.status == 202
    published = {topic: value for topic, _key, value in publisher.published}
    value, alias = published["tickets"], published["outcomes-customer-aliases"]
    assert is_pseudonym(orjson.loads(value)["data"]["customer_id"])
    assert orjson.loads(alias)["customer_id"] == orjson.loads(value)["data"]["customer_id"]
    assert b"Smith" not in value + alias


async def test_a_customer_in_clear_is_refused_while_there_is_no_key() -> None:
    publisher = FakePublisher()
    async with running(publisher=publisher) as page:
        body = event(data={"customer_id": "Ms Smith"})
        answer = await page.client.post(page.url("/events"), data=body, headers=JSON)
        assert answer.status == 422
        (told,) = (await answer.json())["errors"]
        assert told["reason"] == "clear_customer_id"
        assert "CUSTOMER_KEYS" in told["remedy"]
    assert publisher.published == []
