"""The demo: everything in one process, on real input, on a clock of its own.

The tickets are real. The city publishes no calls, ratings and complaints, so those beside them are generated; their
source says so.
"""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from schemas.instants import from_ms, parse_rfc3339, to_ms
from streams.generating import Centre, Size, Told
from streams.importing import (
    BOSTON_SAMPLE,
    BOSTON_SAMPLE_SPEED,
    BOSTON_SAMPLE_START,
    Message,
    messages_of,
)
from streams.runtime.clock import VirtualClock
from streams.runtime.role import Role
from streams.shell.application import ROLES, Extras, Parts, Told as Ready, run_roles
from streams.shell.feeder import Feeder, Recorded
from streams.shell.settings import Settings

MAPPING = "boston311"
POLICY = (
    Path(__file__).parents[2] / "deploy/policies/boston311.yaml"
)  # from whichever folder it is run
TITLE = "ticketpulse · City of Boston, 2011"
ZONE = "America/New_York"
# Of a centre that never was: its calls, ratings and complaints; the requests are the city's own.
BESIDE = Size(days=10, calls=9_000, tickets=90)
COMPLAINTS = (("complaint", 1.0),)
# On a fast clock a second of ours is long: the page should show a breach soon after its instant.
BRISK = {"checkpoint_seconds": 0.5, "writer_flush_seconds": 0.25}


async def run_demo(settings: Settings, told: Ready, speed: float = BOSTON_SAMPLE_SPEED) -> None:
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
            recorded = _recorded(messages, _beside(start_ms))
            return [Feeder(recorded, parts.clock, parts.producer.publish)]

        extras = Extras(lambda: VirtualClock(start_ms, speed), feeder, TITLE, ZONE)
        await run_roles(settings, ROLES, told, extras)


def _recorded(messages: Sequence[Message], beside: Iterable[Told]) -> list[Recorded]:
    """By the instant at which each is to be told."""
    tickets = [
        Recorded(message.ingested_ms, message.topic, message.key, message.value)
        for message in messages
    ]
    others = [Recorded(one.at_ms, one.topic, one.key, one.value) for one in beside]
    return sorted([*tickets, *others], key=lambda one: one.instant_ms)


def _beside(start_ms: int) -> Iterator[Told]:
    """Of a centre that never was, from the midnight before yesterday on."""
    zone = ZoneInfo(ZONE)
    midnight = from_ms(start_ms).astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    began_ms = to_ms(midnight - timedelta(days=1))
    centre = Centre(311, began_ms, BESIDE, source="simulated", ticket_types=COMPLAINTS)
    for told in centre.days():
        yield from told
