"""From settings to `KafkaSecurity`; every mistake at once."""

import ssl
from collections.abc import Iterator

from schemas.problems import Problem, ProblemsError
from streams.runtime.security import KafkaSecurity
from streams.shell.settings import Settings


def security_of(settings: Settings) -> KafkaSecurity:
    """ProblemsError names settings that are missing, unused or unreadable; never a secret."""
    security = KafkaSecurity(
        settings.kafka_security,
        settings.kafka_sasl_mechanism,
        settings.kafka_user,
        settings.kafka_password.get_secret_value(),
        settings.kafka_ca_file,
        settings.kafka_cert_file,
        settings.kafka_key_file,
    )
    problems = [*_of_the_user(security), *_of_the_files(security)]
    if not problems:
        try:
            _ = security.context
        except (OSError, ssl.SSLError) as error:
            hint = "PEM files: an authority, a certificate and its key"
            problems.append(Problem("kafka_ca_file, _cert_file, _key_file", str(error), hint))
    if problems:
        raise ProblemsError(*problems)
    return security


def _of_the_user(security: KafkaSecurity) -> Iterator[Problem]:
    if security.with_user:
        hint = "set it, or TICKETPULSE_KAFKA_SECURITY without sasl"
        for name, value in (("kafka_user", security.user), ("kafka_password", security.password)):
            if not value:
                yield Problem(name, f"{security.protocol} needs it", hint)
    elif security.user or security.password:
        what = f"a user is named, but {security.protocol} sends none"
        yield Problem("kafka_user", what, "set TICKETPULSE_KAFKA_SECURITY to sasl_ssl")


def _of_the_files(security: KafkaSecurity) -> Iterator[Problem]:
    named = {
        "kafka_ca_file": security.ca_file,
        "kafka_cert_file": security.cert_file,
        "kafka_key_file": security.key_file,
    }
    for name, path in named.items():
        if path is None:
            continue
        if not security.with_tls:
            hint = "set TICKETPULSE_KAFKA_SECURITY to ssl or sasl_ssl"
            yield Problem(name, f"{security.protocol} uses no certificates", hint)
        elif not path.is_file():
            yield Problem(name, f"{path} is no file", "name a PEM file that this user can read")
    if (security.cert_file is None) != (security.key_file is None):
        what = "a certificate and its key come together"
        yield Problem("kafka_cert_file", what, "set kafka_cert_file and kafka_key_file, or neither")
