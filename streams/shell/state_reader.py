"""States as they stand in the changelog: read beside the workers, without a claim. Changes nothing."""

import asyncio
from dataclasses import dataclass

import msgspec

from schemas.problems import Problem, ProblemsError
from schemas.topics import changelog_of
from streams.policies import load_book
from streams.runtime import changelog
from streams.runtime.changelog import ChangelogError, Marker, Restoration, Restored
from streams.runtime.kafka_log import KafkaLog
from streams.runtime.producer import PublishError, partition_of
from streams.shell.kafka_security import security_of
from streams.shell.settings import Settings
from streams.shell.sources import SOURCES, TICKETS, Source
from streams.shell.tool_producer import tool_producer
from streams.shell.topics_admin import plan_topics

_FAR = 2**62
_FOR_EVER_MS = 2**62  # nothing is judged to be lost: we only look


@dataclass(frozen=True, slots=True)
class PartitionSummary:
    """What a partition's changelog holds. `marker` None: no checkpoint has been made yet."""

    topic: str  # source topic, without prefix
    partition: int
    records: int
    claims: int
    epoch: int  # of the newest claim; -1: never claimed
    marker: Marker | None
    entities: int
    windows: int
    state_bytes: int
    unconfirmed_outboxes: int
    unrepaired: int  # keys that a fenced owner has written last


async def summaries(settings: Settings) -> list[PartitionSummary]:
    """Of every partition, by topic and number. ProblemsError when they can't be read."""
    found = []
    for source in SOURCES:
        async with ChangelogReader(settings, source) as reader:
            found += [await reader.summary(number) for number in range(reader.partitions)]
    return found


async def inspected(settings: Settings, source: Source, entity: str) -> dict[str, object]:
    """The state of one entity (`tenant/source/id`) and where it stands, as plain data."""
    logic = source.logic(load_book(settings.policy))
    async with ChangelogReader(settings, source) as reader:
        number = partition_of(entity.encode(), reader.partitions)
        found = await reader.restored(number)
        value = found.states.get(changelog.state_key(entity))
        if value is None:
            what = f"partition {number} holds no state of it"
            hint = "tenant/source/id as in the record's key; it is forgotten after its horizon"
            raise ProblemsError(Problem(entity, what, hint))
        version, data = changelog.split_state(value)
        try:
            state = logic.load(data, version)
        except ValueError as error:
            raise ProblemsError(Problem(entity, str(error), "read it with that version")) from error
        return {
            "entity": entity,
            "partition": number,
            "snapshot_version": version,
            "state_bytes": len(value),
            "checkpoint": None if found.marker is None else _plain(found.marker),
            "state": _plain(state),
        }


def _plain(value: object) -> object:
    """Fields by name: positional forms are for machines."""
    if isinstance(value, msgspec.Struct):
        return {name: _plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, (tuple, list, frozenset)):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    return value.hex() if isinstance(value, bytes) else value


class ChangelogReader:
    """Restores partitions beside their owners; use as an async context."""

    def __init__(self, settings: Settings, source: Source = TICKETS) -> None:
        if settings.broker_url == "embedded":
            what = "the embedded broker's states end with it"
            hint = "name a Kafka: TICKETPULSE_BROKER_URL=host:port"
            raise ProblemsError(Problem("broker_url", what, hint))
        self._settings = settings
        self._source = source
        self._topic = changelog_of(source.topic)
        self._log = KafkaLog(
            settings.broker_url,
            client_id="ticketpulse-state",
            topic_prefix=settings.topic_prefix,
            security=security_of(settings),
        )
        self.partitions = 0

    async def __aenter__(self) -> "ChangelogReader":
        await self._log.start()
        try:
            self.partitions = await self._count()
        except BaseException:
            await self._log.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._log.stop()

    async def restoration(self, partition: int) -> Restoration:
        """Everything up to the end as of now."""
        restoration = Restoration()
        # Looked at closely: the embedded broker names ends that are too short.
        range_ = await self._log.source_range(self._topic, partition, self.partitions, _FAR)
        async for chunk in self._log.read(self._topic, partition, range_.begin, range_.end):
            for record in chunk:
                restoration.add(record)
        return restoration

    async def restored(self, partition: int) -> Restored:
        """What counts of a partition, as of now. ProblemsError when there is no such partition."""
        if not 0 <= partition < self.partitions:
            hint = f"there are {self.partitions}: 0 to {self.partitions - 1}"
            raise ProblemsError(Problem(f"partition {partition}", "there is none", hint))
        return (await self.restoration(partition)).finish(0, _FOR_EVER_MS)

    async def summary(self, partition: int) -> PartitionSummary:
        """See `PartitionSummary`."""
        restoration = await self.restoration(partition)
        try:
            found = restoration.finish(0, _FOR_EVER_MS)
        except ChangelogError as error:
            raise ProblemsError(Problem(self._topic, str(error))) from error
        return PartitionSummary(
            topic=self._source.topic,
            partition=partition,
            records=restoration.records,
            claims=restoration.claims,
            epoch=restoration.epoch,
            marker=found.marker,
            entities=len(found.states),
            windows=len(found.windows),
            state_bytes=sum(map(len, found.states.values())),
            unconfirmed_outboxes=len(found.outbox),
            unrepaired=len(found.reput),
        )

    async def _count(self) -> int:
        settings, security = self._settings, security_of(self._settings)
        # Asked for by a client, a topic that is not there may be made on the spot.
        plan = await asyncio.to_thread(
            plan_topics, settings.broker_url, settings.partitions, settings.topic_prefix, security
        )
        name = settings.topic_prefix + self._topic
        if name in plan.missing:
            hint = "run `ticketpulse topics apply`, or check TICKETPULSE_TOPIC_PREFIX"
            raise ProblemsError(Problem(name, "there is no such topic", hint))
        async with tool_producer(settings, "ticketpulse-state") as producer:
            try:
                return await producer.partitions(self._topic)
            except PublishError as error:
                raise ProblemsError(Problem(name, str(error), "try again")) from error
