"""Rows of living tickets once more, from the changelog: for a database that has lost some.

No claim and no worker is needed. Rows are made of the states as of a partition's last checkpoint and carry
that checkpoint's number, so whatever a worker says later replaces them, and what they repeat is the
same. Pages are not said again, and forgotten tickets have no state to make rows of.
"""

from collections.abc import Iterator
from typing import NamedTuple

from streams.core.effects import Stamp
from streams.core.tickets import snapshot
from streams.core.tickets.logic import TicketLogic
from streams.policies import load_book
from streams.runtime import changelog
from streams.runtime.changelog import Message, Restored
from streams.runtime.partition import row_message
from streams.runtime.producer import LoudProducer
from streams.shell.policy_feed import read_policies
from streams.shell.settings import Settings
from streams.shell.state_reader import ChangelogReader
from streams.shell.tool_producer import tool_producer

PUBLISH_AT_ONCE = 2_000


class Reemitted(NamedTuple):
    """What was said again of a partition."""

    partition: int
    tickets: int
    rows: int
    version: int | None  # None: nothing has been said yet


async def reemit(settings: Settings, only: int | None, now_ms: int) -> list[Reemitted]:
    """Of every partition, or of one. ProblemsError when something can't be read."""
    shelf = await read_policies(settings, load_book(settings.policy))
    logic = TicketLogic(shelf.book())
    told: list[Reemitted] = []
    async with (
        tool_producer(settings, "ticketpulse-reemit") as producer,
        ChangelogReader(settings) as reader,
    ):
        for number in range(reader.partitions) if only is None else (only,):
            found = await reader.restored(number)
            told.append(await _say_again(producer, logic, number, found, now_ms))
    return told


async def _say_again(
    producer: LoudProducer, logic: TicketLogic, partition: int, found: Restored, now_ms: int
) -> Reemitted:
    if found.marker is None:
        return Reemitted(partition, 0, 0, None)
    stamp = Stamp(partition, found.marker.number, now_ms)
    waiting: list[Message] = []
    rows = 0
    for message in _messages(logic, found, stamp):
        waiting.append(message)
        rows += 1
        if len(waiting) >= PUBLISH_AT_ONCE:
            await producer.publish_messages(waiting)
            waiting = []
    await producer.publish_messages(waiting)
    return Reemitted(partition, len(found.states), rows, found.marker.number)


def _messages(logic: TicketLogic, found: Restored, stamp: Stamp) -> Iterator[Message]:
    for key, value in found.states.items():
        version, data = changelog.split_state(value)
        state = snapshot.load(data, version)
        entity = changelog.entity_of(key).encode()
        for row in logic.rows(None, state, (), stamp):
            yield row_message(entity, row)
