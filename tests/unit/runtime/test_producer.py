"""Partitions as Kafka's own clients choose them, and how records are cut into batches."""

import pytest
from aiokafka.partitioner import murmur2 as aiokafka_murmur2
from hypothesis import given, strategies as st
from kafka.partitioner import murmur2 as other_murmur2

from streams.runtime.murmur2 import murmur2
from streams.runtime.producer import (
    BATCH_BYTES_MAX,
    LoudProducer,
    PublishError,
    _parts,
    partition_of,
)


# From the tests of Kafka's Java client (UtilsTest.testMurmur2).
@pytest.mark.parametrize(
    ("key", "hashed"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_a_key_goes_where_javas_client_puts_it(key: bytes, hashed: int) -> None:
    for partitions in (1, 4, 7, 1_000):
        assert partition_of(key, partitions) == (hashed & 0x7FFFFFFF) % partitions


@given(st.binary(max_size=300), st.integers(1, 500))
def test_independent_clients_agree(key: bytes, partitions: int) -> None:
    assert murmur2(key) == aiokafka_murmur2(key) & 0xFFFFFFFF
    assert partition_of(key, partitions) == (other_murmur2(key) & 0x7FFFFFFF) % partitions


@given(
    st.lists(st.integers(0, BATCH_BYTES_MAX), max_size=12).map(
        lambda sizes: [(b"%d" % at, bytes(size)) for at, size in enumerate(sizes)]
    )
)
def test_parts_keep_everything_in_order_and_none_is_too_large(
    records: list[tuple[bytes, bytes | None]],
) -> None:
    parts = list(_parts(records))

    assert [record for part in parts for record in part] == records
    for part in parts:
        assert len(part) == 1 or sum(len(value or b"") for _, value in part) <= BATCH_BYTES_MAX


async def test_without_a_connection_nothing_pretends_to_be_published() -> None:
    producer = LoudProducer("127.0.0.1:1", client_id="test")

    with pytest.raises(PublishError, match="not connected"):
        await producer.publish("tickets", [(b"key", b"value")])
