"""Exports of other systems → events, by declarative mapping files."""

from pathlib import Path

from schemas.customers import CustomerIds
from streams.importing.catalog import SAMPLES_DIR, load_mapping, mapping_names
from streams.importing.conversion import RejectedRow, Source, Tally, convert
from streams.importing.sorting import Message, TimeSorter

BOSTON_SAMPLE = SAMPLES_DIR / "boston311_sample.csv.gz"
# A Wednesday morning in Boston; a quarter of an hour a second. Promises are broken from the first second
# on, a day's hundred within the first minute, and the second that the pipeline needs is still short.
BOSTON_SAMPLE_START = "2011-08-31T12:00:00Z"
BOSTON_SAMPLE_SPEED = 900.0

__all__ = [
    "BOSTON_SAMPLE",
    "BOSTON_SAMPLE_SPEED",
    "BOSTON_SAMPLE_START",
    "Message",
    "RejectedRow",
    "Source",
    "Tally",
    "TimeSorter",
    "convert",
    "load_mapping",
    "mapping_names",
    "messages_of",
]


def messages_of(path: Path, mapping: str, tenant: str = "default") -> list[Message]:
    """Every message of a small file, in time order (`ingested_ms`, topic, key, value): for the demo.

    Rows that can't be taken are left out, and so is who the customers are.
    """
    source = Source(path, load_mapping(mapping), tenant, customers=CustomerIds("dropped"))
    with TimeSorter() as sorter:
        convert(source, sorter, lambda _row: None)
        return list(sorter)
