"""Metrics are declared once, and only what is declared is served."""

import re

import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as openmetrics_families,
)
from prometheus_client.parser import text_string_to_metric_families

from streams.shell.metrics import METRICS
from streams.shell.telemetry import Sample, Telemetry, telemetry_of
from streams.shell.watchdog import Heartbeat

LAG = "ticketpulse_partition_lag_events"


def test_names_follow_the_habits_of_prometheus() -> None:
    names = [metric.name for metric in METRICS]

    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"(ticketpulse|process)_[a-z_]+", name) for name in names)
    for metric in METRICS:
        assert metric.name.endswith("_total") == (metric.kind == "counter"), metric.name
        if metric.unit in {"seconds", "bytes"}:
            assert metric.unit in metric.name, f"{metric.name} doesn't name its unit"
        assert metric.help
        assert "|" not in metric.help


def test_samples_come_out_with_their_labels() -> None:
    telemetry = Telemetry([lambda: [Sample(LAG, 7, ("tickets", "3"))], list])

    body, content_type = telemetry.exposition("")

    assert content_type.startswith("text/plain")
    found = {f.name: f for f in text_string_to_metric_families(body.decode())}
    (sample,) = found[LAG].samples
    assert (sample.labels, sample.value) == ({"topic": "tickets", "partition": "3"}, 7)
    assert found["process_resident_memory_bytes"].samples[0].value > 1_000_000


def test_openmetrics_is_served_to_who_asks_for_it() -> None:
    telemetry = telemetry_of([], Heartbeat([], 0.0))

    body, content_type = telemetry.exposition("application/openmetrics-text; version=1.0.0")

    assert content_type.startswith("application/openmetrics-text")
    families = openmetrics_families(body.decode())  # type: ignore[no-untyped-call]
    assert {family.name for family in families} >= {
        "ticketpulse_build_info",
        "ticketpulse_loop_blocked_seconds",
    }


@pytest.mark.parametrize(
    "wrong", [Sample("ticketpulse_unheard_of", 1), Sample(LAG, 1), Sample(LAG, 1, ("a", "b", "c"))]
)
def test_what_is_not_declared_breaks_the_scrape(wrong: Sample) -> None:
    with pytest.raises((KeyError, AssertionError)):
        Telemetry([lambda: [wrong]]).exposition("")
