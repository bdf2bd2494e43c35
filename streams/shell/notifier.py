"""The notifier: alert intents to receivers, each version at most once at a receiver that knows keys.

What is wanted of a key, and what each receiver has heard of it, lies on the compacted topic
`notifications`, in the partition that its intents come from. An intent is written there before its
offset is committed, and a delivery after it was acknowledged: a crash at any moment repeats a delivery,
under the same name, and forgets none. A receiver that is down holds up nobody but itself.
"""

import asyncio
import contextlib
import heapq
import itertools
import logging
import time
import zlib
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

import msgspec
import orjson
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from schemas.instants import parse_rfc3339
from schemas.notifications import Heard, Notice, Notification, Wanted
from schemas.problems import Problem, ProblemsError
from schemas.topics import OUTCOME_TOPIC_OF_TABLE
from sinks.receivers.contract import Receiver, ReceiverError
from sinks.retry import Backoff
from streams.core.alerting.escalation import NOWHERE, Standing, silenced_until
from streams.core.alerting.storm import Storms
from streams.core.notices import (
    FIRING_LEVELS,
    Decision,
    Unsaid,
    Wait,
    about_to_say,
    again,
    as_heard,
    decide,
    is_over,
    merged,
    told,
    unsaid,
)
from streams.policies.escalating import load_escalation
from streams.runtime.clock import Clock
from streams.runtime.portions import portions
from streams.runtime.producer import LoudProducer, PublishError
from streams.runtime.stopping import stop_consumer
from streams.shell.alert_actions import AlertActions
from streams.shell.kafka_security import security_of
from streams.shell.settings import Settings

log = logging.getLogger(__name__)

INTENTS = OUTCOME_TOPIC_OF_TABLE["alert_intents"]
NOTIFICATIONS = "notifications"
POLL_MS = 100
POLL_RECORDS_MAX = 2_000
TICK_SECONDS = 0.1
BACKOFF = Backoff(first_seconds=0.5, most_seconds=30.0)
REFUSED_SECONDS = (
    300.0  # until content that was refused is tried again: somebody may mend the receiver
)
JITTER_SHARE = 0.2
UNHEALTHY_AFTER_SECONDS = 30.0
HAND_OVER_SECONDS_MAX = 5.0
STOP_SECONDS_MAX = 10.0
RESTORE_SECONDS_MAX = 60.0

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Notice)


@dataclass(frozen=True, slots=True)
class NotifierCounters:
    """What it has done since it started, and where it stands."""

    delivered_total: dict[str, int]  # by receiver
    failures_total: dict[str, int]
    waiting: dict[str, int]  # keys of which a receiver has yet to hear something
    failing_seconds: dict[str, float]  # since a receiver takes nothing; 0 when it does
    keys: int


def notifier_role(
    settings: Settings, clock: Clock, producer: LoudProducer, receivers: Sequence[Receiver]
) -> "Notifier":
    """The role. `producer` must be started first and stays open; receivers are stopped with the role."""
    if not receivers:
        what = "the notifier has nobody to tell"
        hint = "set TICKETPULSE_ALERTMANAGER_URL or TICKETPULSE_WEBHOOK_URL"
        raise ProblemsError(Problem("receivers", what, hint))
    return Notifier(settings, clock, producer, receivers)


class NotifierError(Exception):
    """The notifier can't go on without saying things twice; start it again."""


class _Line:
    """What one receiver has yet to hear: keys that are ready, and keys that wait for an instant."""

    def __init__(self, receiver: Receiver, group_wait_ms: int, group_interval_ms: int) -> None:
        self.receiver = receiver
        self._group_ms = group_wait_ms, group_interval_ms if receiver.grouped else 0
        self._storms = Storms(*self._group_ms)
        self.wake = asyncio.Event()
        self.tasks: set[asyncio.Task[None]] = set()
        self.under_way: set[str] = set()
        self.delivered_total = self.failures_total = 0
        self.trouble: tuple[float, str] | None = None  # since when, what
        self._ready: deque[str] = deque()
        self._known: set[str] = set()  # ready, or to be tried again
        self._unwritten: set[str] = set()
        self.untried: dict[str, Notice] = {}  # marked, not yet tried: as they were before
        self._remembered: dict[str, tuple[Heard, Notice]] = {}  # such marks of the last assignment
        self._for_clock: list[tuple[int, str]] = []  # grace: pipeline's ms
        self._for_retry: list[tuple[float, str]] = []  # backoff: monotonic seconds
        self._failures: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._known) + len(self._unwritten) + len(self.under_way)

    def add(self, key: str) -> None:
        """There may be something to say about a key. One that waits to be tried again goes on waiting."""
        if key not in self._known and key not in self.under_way:
            self._known.add(key)
            self._ready.append(key)
            self.wake.set()

    def told_ms(self, one: Notification, now_ms: int) -> int:
        """When it may go: what a team hears of one kind within an interval, people read together."""
        group = one.team, one.status, one.level, one.step
        return self._storms.told_ms(one.key, group, now_ms)

    def nothing_to_say(self, key: str) -> None:
        """After all."""
        self._storms.done((key,))

    def wait_for_clock(self, key: str, until_ms: int) -> None:
        """Nothing before that instant."""
        heapq.heappush(self._for_clock, (until_ms, key))

    def wait_until_written(self, key: str) -> None:
        """Nothing is said that a crash could make forgotten."""
        self._unwritten.add(key)

    def written(self, keys: Iterable[str]) -> None:
        """These are on the topic now."""
        for key in self._unwritten.intersection(keys):
            self._unwritten.discard(key)
            self.add(key)

    def take(self, now_ms: int, count: int) -> list[str]:
        """Keys whose time has come, at most so many; they are the caller's now."""
        while self._for_clock and self._for_clock[0][0] <= now_ms:
            self.add(heapq.heappop(self._for_clock)[1])
        while self._for_retry and self._for_retry[0][0] <= time.monotonic():
            self._ready.append(heapq.heappop(self._for_retry)[1])
        taken = [self._ready.popleft() for _ in range(min(count, len(self._ready)))]
        self._known.difference_update(taken)
        return taken

    def succeeded(self, keys: Iterable[str]) -> None:
        """Delivered."""
        for key in keys:
            self.under_way.discard(key)
            self._failures.pop(key, None)
            self.delivered_total += 1
        self._storms.done(keys)
        self.trouble = None

    def failed(self, keys: Iterable[str], error: ReceiverError) -> None:
        """To be tried again, each key later and later."""
        self.failures_total += 1
        if self.trouble is None:
            log.warning("%s does not take notifications: %s", self.receiver.name, error)
        self.trouble = (time.monotonic() if self.trouble is None else self.trouble[0], str(error))
        for key in keys:
            self.under_way.discard(key)
            self._failures[key] += 1
            wait_seconds = max(BACKOFF.wait_seconds(self._failures[key]), error.wait_seconds)
            if error.refused:
                wait_seconds = REFUSED_SECONDS
            wait_seconds *= 1 + JITTER_SHARE * (zlib.crc32(key.encode()) % 1_000) / 1_000
            self._known.add(key)
            heapq.heappush(self._for_retry, (time.monotonic() + wait_seconds, key))

    def recall(self, notices: Mapping[str, Notice]) -> None:
        """What was read of the new assignment is known: see `forget`."""
        for key, (mark, before) in self._remembered.items():
            notice = notices.get(key)
            if notice is not None and notice.heard.get(self.receiver.name) == mark:
                self.untried[key] = before
        self._remembered.clear()

    def failing_seconds(self) -> float:
        """Since it takes nothing; 0 when it does."""
        return 0.0 if self.trouble is None else time.monotonic() - self.trouble[0]

    def forget(self, notices: Mapping[str, Notice]) -> None:
        """Another assignment begins. What was marked here and not tried is kept in mind: if nobody else has
        marked it when it comes back, nobody has tried it."""
        for key, before in self.untried.items():
            mark = notices[key].heard.get(self.receiver.name) if key in notices else None
            if mark is not None and mark.status == "maybe":
                self._remembered[key] = mark, before
        self._ready.clear()
        self._known.clear()
        self._unwritten.clear()
        self.untried.clear()
        self._for_clock.clear()
        self._for_retry.clear()
        self._failures.clear()
        self._storms = Storms(*self._group_ms)


@dataclass(slots=True)
class _Held:
    """Notices of the partitions that are ours, by key. Of those that are over, the version is enough."""

    notices: dict[str, Notice] = field(default_factory=dict)
    over: dict[str, int] = field(default_factory=dict)
    unwritten: dict[str, None] = field(default_factory=dict)  # in order


class Notifier:
    """See `notifier_role`. Several of one group share the partitions."""

    name = "notifier"

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        producer: LoudProducer,
        receivers: Sequence[Receiver],
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._producer = producer
        group_ms = (
            round(settings.group_wait_seconds * 1_000),
            round(settings.group_interval_seconds * 1_000),
        )
        self._lines = [_Line(receiver, *group_ms) for receiver in receivers]
        self._by = uuid4().hex[:12]  # this process, in marks
        self._names = frozenset(line.receiver.name for line in self._lines)
        self._escalation = (
            None if settings.escalation is None else load_escalation(settings.escalation)
        )
        self._fallback = settings.fallback_receiver
        self._fallback_ms = round(settings.fallback_after_seconds * 1_000)
        self._actions = AlertActions(settings, self._reconsider)
        self._page_age_ms_max = round(settings.page_age_seconds_max * 1_000)
        self._held = _Held()
        self._writing = asyncio.Lock()
        self._to_write = asyncio.Event()
        self._consumer: AIOKafkaConsumer | None = None
        self._reader: AIOKafkaConsumer | None = None
        self._assignment = 0  # what was begun under an older one counts no more
        self._ready = asyncio.Event()  # what is known of our keys has been read
        self._stopping = asyncio.Event()
        self._ended = asyncio.Event()
        self._ended.set()
        self._write_trouble: str | None = None
        self._broken: Exception | None = None

    # -- life ---------------------------------------------------------------------------------

    async def start(self) -> None:
        """Join the group; ProblemsError when the broker can't be reached."""
        settings = self._settings
        try:
            await self._actions.start()
            self._reader = await self._started(group=None)
            self._consumer = await self._started(group=f"{settings.group}-notifier")
        except (KafkaError, OSError) as error:
            await self._disconnect()
            what = f"Kafka can't be reached: {error}"
            hint = "start the broker, or correct TICKETPULSE_BROKER_URL"
            raise ProblemsError(Problem(settings.broker_url, what, hint)) from error
        self._consumer.subscribe(
            topics=[settings.topic_prefix + INTENTS], listener=_Rebalances(self)
        )

    async def run(self) -> None:
        """Take and deliver until `stop`; outlasts any outage of receivers and broker."""
        self._ended.clear()
        work = [
            asyncio.create_task(self._read()),
            asyncio.create_task(self._write_for_ever()),
            asyncio.create_task(self._actions.run()),
            *(asyncio.create_task(self._deliver_for_ever(line)) for line in self._lines),
            *(
                asyncio.create_task(self._remind(line, line.receiver.resend_seconds))
                for line in self._lines
                if line.receiver.resend_seconds is not None
            ),
        ]
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            done, _ = await asyncio.wait({*work, stopping}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()  # raises what broke it
        finally:
            for task in (*work, stopping):
                task.cancel()
            await asyncio.gather(*work, stopping, return_exceptions=True)
            await self._hand_over()
            self._ended.set()
        if self._broken is not None:
            message = "what was said before can't be read from the broker"
            raise NotifierError(message) from self._broken

    async def stop(self) -> None:
        """Finish deliveries that are under way, write down what was delivered, leave the group."""
        self._stopping.set()
        try:
            async with asyncio.timeout(STOP_SECONDS_MAX):
                await self._ended.wait()
        except TimeoutError:
            log.warning("the notifier did not end within %s s", STOP_SECONDS_MAX)
        await self._disconnect()
        for line in self._lines:
            await line.receiver.stop()

    def healthy(self) -> str | None:
        """None, or the receiver that has not taken anything for a while, or what Kafka says."""
        if self._write_trouble is not None:
            return self._write_trouble
        for line in self._lines:
            if line.trouble is None:
                continue
            _, what = line.trouble
            lasting_seconds = line.failing_seconds()
            if lasting_seconds > UNHEALTHY_AFTER_SECONDS:
                name, waiting = line.receiver.name, len(line)
                return (
                    f"{name} has taken nothing for {lasting_seconds:.0f} s, {waiting} wait: {what}"
                )
        return None

    def ready(self) -> str | None:
        """None once what was said before has been read."""
        return None if self._ready.is_set() else "waiting for partitions, and what is known of them"

    def counters(self) -> NotifierCounters:
        """A snapshot of the counters."""
        return NotifierCounters(
            delivered_total={line.receiver.name: line.delivered_total for line in self._lines},
            failures_total={line.receiver.name: line.failures_total for line in self._lines},
            waiting={line.receiver.name: len(line) for line in self._lines},
            failing_seconds={line.receiver.name: line.failing_seconds() for line in self._lines},
            keys=len(self._held.notices) + len(self._held.over),
        )

    async def _started(self, group: str | None) -> AIOKafkaConsumer:
        settings = self._settings
        session_ms = round(settings.session_timeout_seconds * 1_000)
        consumer = AIOKafkaConsumer(
            bootstrap_servers=settings.broker_url,
            **security_of(settings).options(),
            group_id=None if group is None else settings.topic_prefix + group,
            group_instance_id=None if group is None else settings.worker_id or None,
            client_id=f"{settings.group}-notifier",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=session_ms,
            heartbeat_interval_ms=session_ms // 5,
            fetch_max_wait_ms=POLL_MS,
        )
        try:
            await consumer.start()
        except BaseException:
            await consumer.stop()
            raise
        return consumer

    async def _disconnect(self) -> None:
        for consumer in (self._consumer, self._reader):
            if consumer is not None:
                await stop_consumer(consumer)
        self._consumer = self._reader = None
        await self._actions.stop()

    # -- intents ------------------------------------------------------------------------------

    async def _read(self) -> None:
        consumer = self._consumer
        assert consumer is not None, "start comes first"
        while True:
            found = await consumer.getmany(timeout_ms=POLL_MS, max_records=POLL_RECORDS_MAX)
            await self._ready.wait()
            assignment, ours = self._assignment, consumer.assignment()
            found = {where: records for where, records in found.items() if where in ours}
            if not found:
                await asyncio.sleep(0)
                continue
            news = {
                key
                for records in found.values()
                for record in records
                if (key := self._take(record)) is not None
            }
            for key in news:
                self._announce(key)
            await self._written()
            if assignment == self._assignment:
                await _commit(consumer, found)

    def _take(self, record: ConsumerRecord) -> str | None:
        """The key, if this is news of it."""
        key = (record.key or b"").decode()
        wanted = wanted_of(record.value)
        known = self._held.notices.get(key)
        version = self._held.over.get(key, -1) if known is None else known.wanted.version
        if version >= wanted.version:
            return None
        self._held.over.pop(key, None)
        self._keep(key, merged(known, Notice(wanted)))
        return key

    def _announce(self, key: str) -> None:
        """There may be something to say about a key. A page is marked as tried at once, so that it is
        written down together with what is wanted; an end only when its turn comes. Till its turn a mark
        is none: what the receiver has heard may be wanted again, and then nothing need be said. What a storm
        holds back is not marked either."""
        notice, now_ms = self._held.notices[key], self._clock.now_ms()
        for line in self._lines:
            untried = line.untried.pop(key, None)
            if untried is not None:
                notice = as_heard(notice, line.receiver.name, untried)
            decision = self._decide(key, notice, line)
            if not isinstance(decision, Notification) or decision.status != "firing":
                continue
            if line.told_ms(decision, now_ms) <= now_ms:
                notice = self._marked(line, notice, decision)
        self._keep(key, notice)
        for line in self._lines:
            line.add(key)

    def _marked(self, line: _Line, notice: Notice, decision: Notification) -> Notice:
        """The notice with the mark of a try; what it was before is kept until the try is made."""
        marked = about_to_say(notice, line.receiver.name, decision, self._by)
        if marked is not notice:
            line.untried.setdefault(decision.key, notice)
        return marked

    def _decide(self, key: str, notice: Notice, line: _Line) -> Decision:
        now_ms, name = self._clock.now_ms(), line.receiver.name
        if name == self._fallback and (held := self._held_back(notice, now_ms)) is not None:
            return held
        standing = NOWHERE
        if notice.wanted.open and notice.wanted.level in FIRING_LEVELS:
            standing = self._standing(key, notice.wanted, now_ms)
        return decide(key, notice, name, now_ms, self._page_age_ms_max, standing)

    def _standing(self, key: str, wanted: Wanted, now_ms: int) -> Standing:
        actions = self._actions.of(key)
        if self._escalation is not None:
            return self._escalation.standing(wanted, actions, now_ms)
        until_ms = silenced_until(actions, now_ms)
        return NOWHERE if until_ms is None else NOWHERE._replace(held_ms=until_ms)

    def _held_back(self, notice: Notice, now_ms: int) -> Decision:
        """The fallback hears what no other receiver has taken in time. None: it is its turn, or it has heard."""
        wanted = notice.wanted
        heard = notice.heard.get(self._fallback)
        firing = wanted.open and wanted.level in FIRING_LEVELS
        if not firing or (heard is not None and heard.status in ("firing", "maybe")):
            return None
        others = (one for name, one in notice.heard.items() if name != self._fallback)
        if any(one.status == "firing" and one.level == wanted.level for one in others):
            return None if heard is not None and heard.version >= wanted.version else Unsaid()
        turn_ms = wanted.recorded_ms + self._fallback_ms
        return Wait(turn_ms) if now_ms < turn_ms else None

    def _reconsider(self, key: str) -> None:
        """Somebody did something about an alert of ours, maybe."""
        if key in self._held.notices:
            for line in self._lines:
                line.add(key)

    def _keep(self, key: str, notice: Notice) -> None:
        self._held.notices[key] = notice
        self._held.unwritten[key] = None
        self._to_write.set()

    # -- durability ---------------------------------------------------------------------------

    async def _written(self) -> None:
        """Return when everything known by now is on the topic; repeats until the broker takes it."""
        failures = 0
        while self._held.unwritten:
            try:
                await self._write()
            except PublishError as error:
                failures += 1
                self._write_trouble = f"notifications can't be written down: {error}"
                await asyncio.sleep(BACKOFF.wait_seconds(failures))
                await self._producer.reconnect()
        self._write_trouble = None

    async def _write(self) -> None:
        async with self._writing:
            held = self._held
            writing = {key: held.notices[key] for key in held.unwritten}
            records = [(key.encode(), _encoder.encode(one)) for key, one in writing.items()]
            await self._producer.publish(NOTIFICATIONS, records)
            for key, notice in writing.items():
                if held.notices[key] is notice:
                    del held.unwritten[key]
            for line in self._lines:
                line.written(writing)
            self._shrink(writing)

    async def _write_for_ever(self) -> None:
        """What changes, at once; what changes meanwhile, together."""
        while True:
            await self._to_write.wait()
            self._to_write.clear()
            await self._written()

    def _shrink(self, keys: Iterable[str]) -> None:
        """Keep of what is over, and written down, no more than its version."""
        held = self._held
        for key in keys:
            notice = held.notices.get(key)
            if notice is not None and key not in held.unwritten and is_over(notice, self._names):
                held.over[key] = notice.wanted.version
                del held.notices[key]

    # -- delivery -----------------------------------------------------------------------------

    async def _deliver_for_ever(self, line: _Line) -> None:
        while True:
            line.wake.clear()
            room = line.receiver.at_once - len(line.tasks)
            while room > 0 and (batch := self._next(line)):
                task = asyncio.create_task(self._deliver(line, batch))
                line.tasks.add(task)
                task.add_done_callback(line.tasks.discard)
                room -= 1
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK_SECONDS):
                    await line.wake.wait()

    def _next(self, line: _Line) -> list[Notification]:
        """What to deliver next, as much as the receiver takes at once."""
        name, now_ms = line.receiver.name, self._clock.now_ms()
        batch: list[Notification] = []
        while len(batch) < line.receiver.batch_max and (keys := line.take(now_ms, 1)):
            (key,) = keys
            notice = self._held.notices.get(key)
            if notice is None:
                continue
            decision = self._decide(key, notice, line)
            if isinstance(decision, Notification):
                told_ms = line.told_ms(decision, now_ms)
                if told_ms > now_ms:
                    line.wait_for_clock(key, told_ms)
                    continue
                marked = self._marked(line, notice, decision)
                if marked is not notice:
                    self._keep(key, marked)
                if key in self._held.unwritten:
                    line.wait_until_written(key)
                else:
                    line.untried.pop(key, None)
                    line.under_way.add(key)
                    batch.append(decision)
                continue
            line.nothing_to_say(key)
            if isinstance(decision, Wait):
                line.wait_for_clock(key, decision.until_ms)
            elif isinstance(decision, Unsaid):
                self._keep(key, unsaid(notice, name))
        return batch

    async def _deliver(self, line: _Line, batch: Sequence[Notification]) -> None:
        assignment = self._assignment
        keys = [one.key for one in batch]
        try:
            await line.receiver.deliver(batch, self._wall_ms())
        except ReceiverError as error:
            line.failed(keys, error)
            return
        except Exception as error:  # a mistake of ours: these wait, others go on
            log.exception("%s: a delivery failed", line.receiver.name)
            line.failed(keys, ReceiverError(repr(error), refused=True))
            return
        finally:
            line.wake.set()
        line.succeeded(keys)
        if assignment != self._assignment:
            return
        for one in batch:
            notice = self._held.notices.get(one.key)
            if notice is None:
                continue
            line.untried.pop(one.key, None)  # marked meanwhile; what is heard now counts
            self._keep(one.key, told(notice, line.receiver.name, one))
            # Something newer may have come meanwhile, and the ladder may go on.
            line.add(one.key)
            for other in self._lines:
                if other.receiver.name == self._fallback:
                    other.add(one.key)

    async def _remind(self, line: _Line, every_seconds: float) -> None:
        """Say again what fires, to a receiver that forgets."""
        while True:
            await asyncio.sleep(every_seconds)
            name = line.receiver.name
            firing = [
                one
                for key, notice in self._held.notices.items()
                if key not in line.under_way and (one := again(key, notice, name)) is not None
            ]
            for some in portions(firing, line.receiver.batch_max):
                try:
                    await line.receiver.deliver(some, self._wall_ms())
                except ReceiverError as error:
                    log.warning("%s was not reminded: %s", name, error)
                    break

    @staticmethod
    def _wall_ms() -> int:
        return time.time_ns() // 1_000_000

    # -- rebalances ---------------------------------------------------------------------------

    async def revoked(self) -> None:
        """Partitions go: finish, write down, forget."""
        await self._hand_over()
        self._forget_all()

    async def assigned(self, partitions: Iterable[TopicPartition]) -> None:
        """Partitions come: what is known of their keys, before any intent is taken."""
        self._forget_all()
        topic = self._settings.topic_prefix + NOTIFICATIONS
        try:
            async with asyncio.timeout(RESTORE_SECONDS_MAX):
                for where in sorted(partitions, key=lambda one: one.partition):
                    await self._restored(TopicPartition(topic, where.partition))
        except TimeoutError as error:
            self._broken = error
            self._stopping.set()
            return
        for line in self._lines:
            line.recall(self._held.notices)
        self._shrink(list(self._held.notices))
        for key in self._held.notices:
            for line in self._lines:
                line.add(key)
        self._ready.set()

    async def _restored(self, where: TopicPartition) -> None:
        """Again and again while the broker is in trouble."""
        for failures in itertools.count(1):
            try:
                await self._restore(where)
            except (KafkaError, OSError) as error:
                log.warning("notifications can't be read, trying again: %r", error)
                await asyncio.sleep(BACKOFF.wait_seconds(failures))
            else:
                return

    async def _restore(self, where: TopicPartition) -> None:
        reader = self._reader
        assert reader is not None, "start comes first"
        reader.assign([where])
        end = (await reader.end_offsets([where]))[where]
        await reader.seek_to_beginning(where)
        last: dict[str, Notice] = {}
        while await reader.position(where) < end:
            found = await reader.getmany(where, timeout_ms=POLL_MS)
            for record in found.get(where, []):
                key, notice = record.key.decode(), _decoder.decode(record.value)
                last[key] = notice
                self._held.notices[key] = merged(self._held.notices.get(key), notice)
        for key, notice in last.items():
            if self._held.notices[key] != notice:
                self._held.unwritten[key] = None  # compaction would keep what counts less

    async def _hand_over(self) -> None:
        try:
            async with asyncio.timeout(HAND_OVER_SECONDS_MAX):
                under_way = [task for line in self._lines for task in line.tasks]
                await asyncio.gather(*under_way, return_exceptions=True)
                await self._written()
        except TimeoutError:
            log.warning("what was delivered last may be delivered again by the next owner")

    def _forget_all(self) -> None:
        self._ready.clear()
        self._assignment += 1
        for line in self._lines:
            line.forget(self._held.notices)
        self._held = _Held()


class _Rebalances(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is untyped
    def __init__(self, notifier: Notifier) -> None:
        self._notifier = notifier

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        if revoked:
            await self._notifier.revoked()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        await self._notifier.assigned(assigned)


async def _commit(
    consumer: AIOKafkaConsumer, found: dict[TopicPartition, Sequence[ConsumerRecord]]
) -> None:
    """A failure costs intents that are read again and change nothing."""
    ours = consumer.assignment()
    offsets = {where: records[-1].offset + 1 for where, records in found.items() if where in ours}
    try:
        await consumer.commit(offsets)
    except (KafkaError, IllegalStateError) as error:
        log.warning("offsets not committed, will be with the next intents: %r", error)


def wanted_of(value: bytes) -> Wanted:
    """What an alert intent row asks for."""
    row = orjson.loads(value)
    return Wanted(
        version=row["version"],
        level=row["level"],
        open=row["open"],
        ticket_id=row["ticket_id"],
        clock=row["clock"],
        cycle_id=row["cycle_id"],
        recorded_ms=parse_rfc3339(row["recorded_at"]),
        due_ms=_ms(row["due_at"]),
        breach_ms=_ms(row["breach_at"]),
        page_ms=_ms(row["page_at"]),
        team=row["team"],
        agent=row["agent"],
        tier=row["tier"],
        priority=row["priority"],
        policy_version=row["policy_version"],
        tenant=row["tenant"],
        source=row["source"],
    )


def _ms(text: str | None) -> int | None:
    return None if text is None else parse_rfc3339(text)
