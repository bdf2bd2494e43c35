"""How Kafka is spoken to: in the clear, over TLS, with a user. One value for every client of a process."""

import ssl
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from faust import SASLCredentials, SSLCredentials
from faust.types.auth import CredentialsT

Protocol = Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"]
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]


@dataclass(frozen=True)
class KafkaSecurity:
    """`user` and `password` count with SASL, the files with TLS: the authority that is trusted instead of
    the system's, and a certificate of our own. The password is in no repr."""

    protocol: Protocol = "plaintext"
    mechanism: Mechanism = "SCRAM-SHA-512"
    user: str = ""
    password: str = field(default="", repr=False)
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None

    @property
    def with_tls(self) -> bool:
        return self.protocol in ("ssl", "sasl_ssl")

    @property
    def with_user(self) -> bool:
        return self.protocol in ("sasl_plaintext", "sasl_ssl")

    @cached_property
    def context(self) -> ssl.SSLContext | None:
        """Verifies certificate and name of the broker. OSError or SSLError when a file is none."""
        if not self.with_tls:
            return None
        context = ssl.create_default_context(cafile=self.ca_file)
        if self.cert_file is not None:
            context.load_cert_chain(self.cert_file, self.key_file)
        return context

    def options(self) -> dict[str, Any]:
        """For aiokafka and kafka-python, which name them alike."""
        if self.protocol == "plaintext":
            return {}
        found: dict[str, Any] = {"security_protocol": self.protocol.upper()}
        if self.with_tls:
            found["ssl_context"] = self.context
        if self.with_user:
            found |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.user,
                "sasl_plain_password": self.password,
            }
        return found

    def faust_credentials(self) -> CredentialsT | None:
        """For Faust."""
        if self.with_user:
            return SASLCredentials(
                mechanism=self.mechanism,
                username=self.user,
                password=self.password,
                ssl_context=self.context,
            )
        return SSLCredentials(self.context) if self.with_tls else None


PLAINTEXT = KafkaSecurity()
