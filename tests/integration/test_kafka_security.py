"""A Kafka that wants TLS and a user: everything works with them, and nothing without."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from schemas.problems import ProblemsError
from sinks.memory import MemorySink
from sinks.receivers.webhook import Webhook
from streams.cli.app import app
from streams.policies import load_book
from streams.runtime.clock import ManualClock
from streams.runtime.producer import LoudProducer, PublishError
from streams.shell.compute import compute_role
from streams.shell.kafka_security import security_of
from streams.shell.notifier import notifier_role
from streams.shell.settings import PREFIX, Settings, load_settings
from streams.shell.writer import writer_role
from tests.integration.computing import BOSTON_POLICY, ROOT, acknowledged, until
from tests.integration.real_kafka import RealKafka, Secured, find_jars
from tests.integration.test_compute import HOUR_MS, START_MS, created
from tests.receiver import PagingReceiver

ROLES = ("compute", "writer", "notifier", "dashboard")
pytestmark = [pytest.mark.kafka, pytest.mark.slow]


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RealKafka, Secured]]:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make certificates with")
    with_tls = Secured(tmp_path_factory.mktemp("certificates"), others=ROLES)
    kafka = RealKafka(find_jars(), tmp_path_factory.mktemp("secured-kafka"), with_tls)
    try:
        kafka.start()
        yield kafka, with_tls
    finally:
        kafka.stop()


def settings_for(secured: tuple[RealKafka, Secured], **overrides: object) -> Settings:
    kafka, with_tls = secured
    given: dict[str, object] = {
        "broker_url": kafka.address,
        "kafka_security": "sasl_ssl",
        "kafka_user": with_tls.user,
        "kafka_password": with_tls.password,
        "kafka_ca_file": with_tls.ca_file,
        "partitions": 2,
        "session_timeout_seconds": 6.0,
        "checkpoint_seconds": 0.2,
        "writer_flush_seconds": 0.2,
        "policy": BOSTON_POLICY,
    }
    return load_settings(**(given | overrides))


def environment_of(settings: Settings) -> dict[str, str]:
    names = ("broker_url", "kafka_security", "kafka_user", "partitions", "topic_prefix")
    environment = {PREFIX + name.upper(): str(getattr(settings, name)) for name in names}
    environment[PREFIX + "KAFKA_PASSWORD"] = settings.kafka_password.get_secret_value()
    if settings.kafka_ca_file is not None:
        environment[PREFIX + "KAFKA_CA_FILE"] = str(settings.kafka_ca_file)
    return environment


def command(settings: Settings, *arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env=environment_of(settings))


async def test_events_flow_and_commands_work_with_tls_and_a_user(
    secured: tuple[RealKafka, Secured],
) -> None:
    settings = settings_for(secured)
    security = security_of(settings)
    assert (await asyncio.to_thread(command, settings, "topics", "apply")).exit_code == 0
    producer = LoudProducer(settings.broker_url, client_id="t", security=security)
    await producer.start()
    sink = MemorySink()
    compute = compute_role(
        settings, load_book(settings.policy), ManualClock(START_MS + 1), producer
    )
    writer = writer_role(settings, sink)
    await compute.start()
    await writer.start()
    running = [asyncio.ensure_future(compute.run()), asyncio.ensure_future(writer.run())]
    try:
        crowd = [created(f"T{n}", START_MS, START_MS + HOUR_MS) for n in range(50)]
        await producer.publish("tickets", [*crowd, (b"k", b"not json")])
        await until(lambda: acknowledged(compute) == 51)
        await until(lambda: writer.counters().rows_total["tickets"] == 50)
    finally:
        await compute.stop()
        await writer.stop()
        await asyncio.gather(*running)
        await producer.stop()
    for arguments, said in (
        (("state", "summary"), "50 entities"),
        (("deadletters", "list"), "1 not_json"),
        (("topics", "plan"), ""),
        (("policy", "list"), ""),
    ):
        result = await asyncio.to_thread(command, settings, *arguments)
        assert result.exit_code == 0, result.output
        assert said in result.output


async def test_each_role_works_with_what_it_was_granted_and_can_do_no_more(
    secured: tuple[RealKafka, Secured],
) -> None:
    given = {"topic_prefix": "granted-"}
    everything = settings_for(secured, **given)
    assert (await asyncio.to_thread(command, everything, "topics", "apply")).exit_code == 0
    for role in ROLES:
        granted = await asyncio.to_thread(command, everything, "topics", "grant", role, role)
        assert granted.exit_code == 0, granted.output
    of = {role: settings_for(secured, kafka_user=role, **given) for role in ROLES}

    def producer_of(role: str) -> LoudProducer:
        settings = of[role]
        return LoudProducer(
            settings.broker_url,
            client_id=role,
            topic_prefix=settings.topic_prefix,
            security=security_of(settings),
        )

    edge, worker, pager = producer_of("dashboard"), producer_of("compute"), producer_of("notifier")
    async with PagingReceiver() as receiver, AsyncExitStack() as stack:
        for one in (edge, worker, pager):
            await one.start()
            stack.push_async_callback(one.stop)
        clock = ManualClock(START_MS + 2 * HOUR_MS)
        compute = compute_role(of["compute"], load_book(everything.policy), clock, worker)
        writer = writer_role(of["writer"], MemorySink())
        webhook = Webhook(receiver.url, "")
        notifier = notifier_role(of["notifier"], clock, pager, [webhook])
        running = []
        for started in (writer, notifier, compute):
            await started.start()
            running.append(asyncio.ensure_future(started.run()))
        try:
            crowd = [created(f"T{n}", START_MS, START_MS + HOUR_MS) for n in range(20)]
            await edge.publish("tickets", crowd)
            await until(lambda: writer.counters().rows_total["tickets"] == 20)
            await until(lambda: len(receiver.firing()) == 20)
            for one, topic in ((edge, "policies"), (pager, "tickets"), (worker, "tickets")):
                with pytest.raises(PublishError, match="TopicAuthorizationFailed"):
                    await one.publish(topic, [(b"k", b"v")])
        finally:
            for started in (compute, notifier, writer):
                await started.stop()
            await asyncio.gather(*running)


def refused(settings: Settings) -> str:
    """What a command says that can't get in; in a process of its own, as kafka-python leaves sockets open
    when it is turned away."""
    ended = subprocess.run(
        [sys.executable, "-m", "streams", "topics", "plan"],
        env=os.environ | environment_of(settings),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 2, ended.stderr
    assert "Kafka can't be reached" in ended.stderr
    return ended.stdout + ended.stderr


def test_a_wrong_password_is_told_without_the_secret(secured: tuple[RealKafka, Secured]) -> None:
    said = refused(settings_for(secured, kafka_password="not-the-password"))
    assert "not-the-password" not in said


def test_without_tls_or_with_another_authority_nothing_is_said(
    secured: tuple[RealKafka, Secured], tmp_path: Path
) -> None:
    other = Secured(tmp_path)
    other.make()
    refused(settings_for(secured, kafka_ca_file=other.ca_file))
    kafka, _ = secured
    refused(load_settings(broker_url=kafka.address))


def test_mistakes_are_told_all_at_once(tmp_path: Path) -> None:
    settings = load_settings(
        broker_url="k:9092",
        kafka_security="sasl_ssl",
        kafka_ca_file=tmp_path / "nothing.pem",
        kafka_cert_file=tmp_path / "also-nothing.pem",
    )
    with pytest.raises(ProblemsError) as caught:
        security_of(settings)
    told = [problem.where for problem in caught.value.problems]
    assert told == [
        "kafka_user",
        "kafka_password",
        "kafka_ca_file",
        "kafka_cert_file",
        "kafka_cert_file",
    ]


def test_what_would_be_ignored_is_told(tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_text("no certificate")
    settings = load_settings(kafka_user="u", kafka_ca_file=authority)
    with pytest.raises(ProblemsError) as caught:
        security_of(settings)
    assert [one.where for one in caught.value.problems] == ["kafka_user", "kafka_ca_file"]
    unreadable = load_settings(kafka_security="ssl", kafka_ca_file=authority)
    with pytest.raises(ProblemsError, match="PEM"):
        security_of(unreadable)


def test_the_password_is_in_no_text() -> None:
    settings = load_settings(
        kafka_security="sasl_plaintext", kafka_user="u", kafka_password="hush-hush"
    )
    security = security_of(settings)
    assert "hush-hush" not in f"{security} {security!r} {settings!r}"
    assert security.options()["sasl_plain_password"] == "hush-hush"
