"""`ticketpulse deadletters`: see what could not be processed, and put it back."""

import asyncio
from base64 import b64encode

import orjson
import pytest
from aiokafka import AIOKafkaProducer
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from streams.cli.app import app
from streams.runtime.clock import ManualClock
from streams.runtime.producer import partition_of
from streams.shell.sealing import new_key
from streams.shell.settings import PREFIX, Settings
from tests.integration.computing import (
    acknowledged,
    current,
    new_settings,
    records_of,
    running_compute,
    until,
)
from tests.integration.test_compute import HOUR_MS, START_MS, created

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


async def say(settings: Settings, *arguments: str) -> Result:
    """The command, in a thread: it waits for the broker that this loop may be serving."""
    environment = {
        f"{PREFIX}{name.upper()}": str(getattr(settings, name))
        for name in ("broker_url", "topic_prefix", "partitions")
    }
    environment[f"{PREFIX}DEAD_LETTER_KEYS"] = settings.dead_letter_keys.get_secret_value()
    return await asyncio.to_thread(
        CliRunner().invoke, app, ["deadletters", *arguments], env=environment
    )


async def send_to(settings: Settings, partition: int, key: bytes, value: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=settings.broker_url)
    await producer.start()
    try:
        topic = settings.topic_prefix + "tickets"
        await producer.send_and_wait(topic, value, key, partition)
    finally:
        await producer.stop()


async def test_letters_are_listed_shown_and_put_back() -> None:
    settings = await new_settings()
    lost_key, lost = created("T1", START_MS, START_MS + HOUR_MS)
    elsewhere = (partition_of(lost_key, settings.partitions) + 1) % settings.partitions
    hostile = b"\x1b[31m{not json [red]"
    async with running_compute(settings, ManualClock(START_MS + 1)) as compute:
        await send_to(settings, elsewhere, lost_key, lost)
        await send_to(settings, 0, b"default/desk/T2", hostile)
        await until(lambda: acknowledged(compute) == 2)
        listed = await say(settings, "list")
        assert listed.exit_code == 0, listed.output
        assert "2 dead letters: 1 misrouted, 1 not_json" in listed.output

        only = await say(settings, "list", "--reason", "misrouted", "--json")
        row = orjson.loads(only.output)
        name = f"{row['topic']}/{row['partition']}/{row['offset']}"
        shown = await say(settings, "show", name)
        assert "murmur2" in shown.output
        assert lost.decode() in shown.output

        garbage = orjson.loads(
            (await say(settings, "list", "--reason", "not_json", "--json")).output
        )
        shown = await say(settings, "show", f"{garbage['topic']}/0/{garbage['offset']}")
        assert "\x1b" not in shown.output
        assert r"\x1b[31m{not json [red]" in shown.output

        rehearsed = await say(settings, "retry", "--reason", "misrouted", "--dry-run")
        assert "would put back 1, left 0" in rehearsed.output
        put = await say(settings, "retry", "--reason", "misrouted")
        assert put.output.strip() == "put back 1, left 0"
        await until(lambda: compute.state_of("default/desk/T1") is not None)
        await until(lambda: acknowledged(compute) == 3)

        again = await say(settings, "retry", name)
        assert again.output.splitlines()[-1] == "put back 0, left 1"
        left = await say(settings, "list")
        assert "1 dead letters: 1 not_json" in left.output
        everything = await say(settings, "list", "--retried")
        assert "1 not_json, 1 retried" in everything.output

        refused = await say(settings, "retry", "--all")
        assert refused.output.strip() == "put back 1, left 0"
        await until(lambda: acknowledged(compute) == 4)
        once_more = await say(settings, "list")
        assert "1 dead letters: 1 not_json" in once_more.output
    assert len(await current(settings, "tickets")) == 1


async def test_sealed_originals_are_opened_by_whoever_has_the_key() -> None:
    old, new = new_key(), new_key()
    settings = await new_settings(dead_letter_keys=old)
    secret = b'{"secret of a customer"'
    async with running_compute(settings, ManualClock(START_MS + 1)) as compute:
        await send_to(settings, 0, b"default/desk/T2", secret)
        await until(lambda: acknowledged(compute) == 1)
    ((_key, row),) = await records_of(settings, "dead_letters")
    assert row["original"].startswith("fernet:")
    assert row["original_bytes"] == len(secret)
    assert b64encode(secret).decode() not in orjson.dumps(row).decode()

    name = f"{row['topic']}/0/{row['offset']}"
    changed = settings.model_copy(update={"dead_letter_keys": SecretStr(f"{new}, {old}")})
    assert secret.decode() in (await say(changed, "show", name)).output
    without = settings.model_copy(update={"dead_letter_keys": SecretStr(new)})
    for arguments in (("show", name), ("retry", name)):
        told = await say(without, *arguments)
        assert "TICKETPULSE_DEAD_LETTER_KEYS" in told.stderr
        assert secret.decode() not in told.output
    wrong = settings.model_copy(update={"dead_letter_keys": SecretStr("no key")})
    told = await say(wrong, "show", name)
    assert (told.exit_code, "new-key" in told.stderr, "no key" in told.stderr) == (2, True, False)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["retry"], "nothing is selected"),
        (["list", "--reason", "bad luck"], "no reason 'bad luck'"),
        (["list", "--since", "yesterday"], "--since"),
        (["show", "tickets/0/7"], "there is no such dead letter"),
        (["retry", "tickets/0/7"], "there is no such dead letter"),
    ],
)
async def test_mistakes_are_told(arguments: list[str], said: str) -> None:
    settings = await new_settings()
    result = await say(settings, *arguments)
    assert result.exit_code == 2
    assert said in result.stderr


async def test_without_topics_it_says_what_to_do() -> None:
    settings = await new_settings()
    other = settings.model_copy(update={"topic_prefix": "nobody-made-these-"})
    assert "ticketpulse topics apply" in (await say(other, "list")).stderr
    embedded = settings.model_copy(update={"broker_url": "embedded"})
    assert "end with it" in (await say(embedded, "list")).stderr
