"""The demo: everything in one process, on real input, on a clock of its own."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from schemas.instants import parse_rfc3339
from streams.importing import (
    BOSTON_SAMPLE,
    BOSTON_SAMPLE_SPEED,
    BOSTON_SAMPLE_START,
    Message,
    messages_of,
)
from streams.runtime.clock import VirtualClock
from streams.runtime.role import Role
from streams.shell.application import ROLES, Extras, Parts, Told, run_roles
from streams.shell.feeder import Feeder, Recorded
from streams.shell.settings import Settings

MAPPING = "boston311"
POLICY = (
    Path(__file__).parents[2] / "deploy/policies/boston311.yaml"
)  # from whichever folder it is run
TITLE = "ticketpulse · City of Boston, 2011"
ZONE = "America/New_York"
# On a fast clock a second of ours is long: the page should show a breach soon after its instant.
BRISK = {"checkpoint_seconds": 0.5, "writer_flush_seconds": 0.25}


async def run_demo(settings: Settings, told: Told, speed: float = BOSTON_SAMPLE_SPEED) -> None:
    """Feed the shipped sample as its virtual clock reaches it, until stopped.

    What is stored is thrown away at the end: each demo begins anew.
    """
    messages = messages_of(BOSTON_SAMPLE, MAPPING, settings.tenant)
    with tempfile.TemporaryDirectory(prefix="ticketpulse-demo-") as folder:
        settings = settings.model_copy(
            update={
                "broker_url": "embedded",
                "clickhouse_url": "embedded",
                "data_dir": Path(folder),
                **BRISK,
                **({} if "policy" in settings.model_fields_set else {"policy": POLICY}),
            }
        )
        start_ms = parse_rfc3339(BOSTON_SAMPLE_START)

        def feeder(parts: Parts) -> Sequence[Role]:
            return [Feeder(_recorded(messages), parts.clock, parts.producer.publish)]

        extras = Extras(lambda: VirtualClock(start_ms, speed), feeder, TITLE, ZONE)
        await run_roles(settings, ROLES, told, extras)


def _recorded(messages: Sequence[Message]) -> list[Recorded]:
    return [
        Recorded(message.ingested_ms, message.topic, message.key, message.value)
        for message in messages
    ]
