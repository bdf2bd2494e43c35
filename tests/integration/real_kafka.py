"""A real Apache Kafka for tests: one broker in KRaft mode, that can be killed and comes back.

Its jars are found in `TICKETPULSE_KAFKA_JARS`, else in `.kafka/lib` of the checkout (`make kafka-jars`).
Without them or Java its tests are skipped and say why; with TICKETPULSE_REQUIRE_KAFKA=1 they fail.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from streams.runtime.security import KafkaSecurity

ROOT = Path(__file__).parents[2]
START_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 20.0
_CLUSTER_ID = "AAAAAAAAAAAAAAAAAAAAAQ"
_QUICK_START = ("-Xmx768m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")

# The second half makes happen within a test what takes its time in production: a dead member or
# broker is noticed, a topic compacted.
_PROPERTIES = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{broker}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
message.max.bytes=33554432
replica.fetch.max.bytes=33554432
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1

offsets.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=2000
log.cleaner.backoff.ms=200
log.segment.delete.delay.ms=100
"""


class RealKafka:
    """One broker. Its address and data stay the same over stops, kills and starts."""

    def __init__(self, jars: Path, folder: Path, secured: "Secured | None" = None) -> None:
        port, controller = _free_ports()
        self._secured = secured
        self.address = f"127.0.0.1:{port}"
        self._classes = f"{jars}/*"
        self._folder = folder
        self._config = folder / "server.properties"
        self._process: subprocess.Popen[bytes] | None = None
        properties = _PROPERTIES.format(broker=port, controller=controller, data=folder / "data")
        users: list[str] = []
        if secured is not None:
            properties = secured.properties(properties)
            users = [
                option
                for name in (secured.user, *secured.others)
                for option in (
                    "--add-scram",
                    f"SCRAM-SHA-512=[name={name},password={secured.password}]",
                )
            ]
        self._config.write_text(properties)
        formatted = subprocess.run(
            self._java("kafka.tools.StorageTool", "format", *users, "-t", _CLUSTER_ID, "-c"),
            capture_output=True,
            text=True,
            check=False,
        )
        assert formatted.returncode == 0, formatted.stdout + formatted.stderr

    def start(self) -> None:
        """Return once it answers."""
        assert not self.running, "it runs"
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._java("kafka.Kafka"), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        end = time.monotonic() + START_SECONDS_MAX
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > end:
                self.kill()
                pytest.fail(f"Kafka does not start: {(self._folder / 'log').read_text()[-2_000:]}")
            time.sleep(0.1)

    def stop(self) -> None:
        """In good order; by force when that takes too long."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def kill(self) -> None:
        """Kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _java(self, main: str, *arguments: str) -> list[str]:
        return ["java", *_QUICK_START, "-cp", self._classes, main, *arguments, str(self._config)]

    def _answers(self) -> bool:
        host, port = self.address.split(":")
        try:
            with socket.create_connection((host, int(port)), 1):
                pass  # the client below would try for long
            options = {} if self._secured is None else self._secured.security().options()
            admin = KafkaAdminClient(
                bootstrap_servers=[self.address], bootstrap_timeout_ms=2_000, **options
            )
        except (KafkaError, OSError, ValueError):
            return False
        try:
            admin.list_topics()
        except (KafkaError, OSError):
            return False
        finally:
            admin.close()
        return True


@dataclass(frozen=True, slots=True)
class Secured:
    """TLS with a certificate of its own authority, made by `openssl` in a folder; a user who may do
    everything, and others who may do what they were granted."""

    folder: Path
    user: str = "ticketpulse"
    password: str = "a-password-for-tests"
    others: tuple[str, ...] = ()

    @property
    def ca_file(self) -> Path:
        return self.folder / "ca.pem"

    def security(self, password: str | None = None) -> KafkaSecurity:
        """What a client needs."""
        given = self.password if password is None else password
        return KafkaSecurity("sasl_ssl", "SCRAM-SHA-512", self.user, given, self.ca_file)

    def properties(self, plain: str) -> str:
        """The broker's, from those of one that is spoken to in the clear."""
        self.make()
        keystore = self.folder / "broker-store.pem"
        keystore.write_text(
            (self.folder / "broker.key").read_text() + (self.folder / "broker.pem").read_text()
        )
        secured = plain.replace("PLAINTEXT://", "SASL_SSL://").replace(
            "PLAINTEXT:PLAINTEXT", "SASL_SSL:SASL_SSL"
        )
        return secured + "\n".join(
            (
                "",
                "inter.broker.listener.name=SASL_SSL",
                "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                f"super.users=User:{self.user};User:ANONYMOUS",  # the controller's own listener
                "sasl.enabled.mechanisms=SCRAM-SHA-512",
                "sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512",
                "ssl.keystore.type=PEM",
                f"ssl.keystore.location={keystore}",
                "ssl.truststore.type=PEM",
                f"ssl.truststore.location={self.ca_file}",
                "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config="
                "org.apache.kafka.common.security.scram.ScramLoginModule required"
                f' username="{self.user}" password="{self.password}";',
                "",
            )
        )

    def make(self) -> None:
        """The files."""
        names = self.folder / "names"
        names.write_text("subjectAltName=IP:127.0.0.1\n")
        for command in (
            "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test-authority -keyout ca.key -out ca.pem",
            "req -newkey rsa:2048 -nodes -subj /CN=broker -keyout broker.key -out broker.csr",
            "x509 -req -in broker.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out broker.pem"
            " -extfile names",
        ):
            subprocess.run(
                ["openssl", *command.split()], cwd=self.folder, check=True, capture_output=True
            )


def _free_ports() -> tuple[int, int]:
    with socket.socket() as first, socket.socket() as second:
        first.bind(("127.0.0.1", 0))
        second.bind(("127.0.0.1", 0))
        return int(first.getsockname()[1]), int(second.getsockname()[1])


def find_jars() -> Path:
    """Where they are; skips or fails when the broker can't be run."""
    jars = Path(os.environ.get("TICKETPULSE_KAFKA_JARS") or ROOT / ".kafka/lib")
    missing = None
    if shutil.which("java") is None:
        missing = "no Java to run Apache Kafka with"
    elif not any(jars.glob("kafka_*.jar")):
        missing = "no jars of Apache Kafka: `make kafka-jars` fetches them"
    if missing is None:
        return jars
    if os.environ.get("TICKETPULSE_REQUIRE_KAFKA") == "1":
        pytest.fail(f"{missing}, and TICKETPULSE_REQUIRE_KAFKA=1")
    pytest.skip(missing)


@pytest.fixture(scope="session")
def _started_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealKafka]:
    kafka = RealKafka(find_jars(), tmp_path_factory.mktemp("kafka"))
    try:
        kafka.start()
        yield kafka
    finally:
        kafka.stop()


@pytest.fixture
def real_kafka(_started_kafka: RealKafka) -> RealKafka:
    """The broker of the session, running whatever a test before did to it. Use topics of your own."""
    if not _started_kafka.running:
        _started_kafka.start()
    return _started_kafka
