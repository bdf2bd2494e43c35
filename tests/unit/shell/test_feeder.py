"""The feeder sends each message when the clock reaches it, in order, once."""

from streams.runtime.clock import ManualClock
from streams.shell.feeder import SLICE_RECORDS_MAX, Feeder, Recorded


class Topics:
    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes]] = []

    async def publish(self, topic: str, records: list[tuple[bytes, bytes]]) -> None:
        self.sent += [(topic, value) for _key, value in records]


def recorded(*instants: int) -> list[Recorded]:
    return [Recorded(instant, "tickets", b"k", str(instant).encode()) for instant in instants]


async def test_the_past_goes_out_at_start_and_the_rest_when_due() -> None:
    clock, topics = ManualClock(10), Topics()
    feeder = Feeder(recorded(1, 10, 11, 30), clock, topics.publish)

    await feeder.start()
    at_start = [value for _topic, value in topics.sent]
    clock.move_to(11)
    await feeder._publish_due()

    assert at_start == [b"1", b"10"]
    assert [value for _topic, value in topics.sent] == [b"1", b"10", b"11"]
    assert not feeder.finished


async def test_a_long_past_goes_out_in_slices_without_loss() -> None:
    topics = Topics()
    messages = recorded(*range(2 * SLICE_RECORDS_MAX + 7))
    feeder = Feeder(messages, ManualClock(1_000_000), topics.publish)

    await feeder.start()

    assert [value for _topic, value in topics.sent] == [item.value for item in messages]
    assert feeder.finished


async def test_a_failed_publish_is_not_counted_as_sent() -> None:
    topics = Topics()
    feeder = Feeder(recorded(1, 2), ManualClock(5), topics.publish)

    async def broken(_topic: str, _records: list[tuple[bytes, bytes]]) -> None:
        raise ConnectionError("broker gone")

    feeder._publish = broken
    try:
        await feeder.start()
    except ConnectionError:
        feeder._publish = topics.publish
    await feeder.start()

    assert [value for _topic, value in topics.sent] == [b"1", b"2"]
