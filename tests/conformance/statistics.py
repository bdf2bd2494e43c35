"""The kinds about contacts and answers, through the core's public entrances."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from schemas.instants import parse_rfc3339, rfc3339
from streams.core.statistics.answers import Answer, csat_of
from streams.core.statistics.first_contact import Contact, first_contacts, resolution_percent
from streams.core.statistics.handling import HandlingSums
from streams.core.statistics.intervals import by_completion, by_overlap
from streams.core.statistics.periods import month_of
from streams.core.statistics.satisfaction import CsatSums, NpsSums
from streams.core.statistics.service_level import QueueSums, service_levels

Json = Mapping[str, Any]

PERCENT_TOLERANCE = 1e-4
SHARE_TOLERANCE = 1e-6


def service_level(given: Json) -> Json:
    counts = {
        name: value
        for name, value in given.items()
        if name not in ("threshold_seconds", "short_abandon_seconds")
    }
    sums = QueueSums(**counts)
    return {
        "levels": [
            {"variant": variant, "percent": percent}
            for variant, percent in service_levels(sums).items()
        ],
        "abandonment_percent": sums.abandonment_percent,
    }


def sums(given: Json) -> Json:
    total = sum((QueueSums(**shard) for shard in given["shards"]), QueueSums())
    return {
        "answered": total.answered,
        "wait_sum_ms": total.wait_sum_ms,
        "average_speed_of_answer_ms": total.average_speed_of_answer_ms,
    }


def handle_time(given: Json) -> Json:
    found = HandlingSums(
        given["handled"],
        *(given[f"{name}_seconds"] * 1_000 for name in ("talk", "hold", "after_call", "idle")),
    )
    return {
        "average_handle_ms": found.average_handle_ms,
        "occupancy_percent": found.occupancy_percent,
    }


def interval_attribution(given: Json) -> Json:
    started_ms, ended_ms = (parse_rfc3339(given[name]) for name in ("started_at", "ended_at"))
    interval_ms = given["interval_seconds"] * 1_000
    return {
        "by_completion": _stretches([by_completion(started_ms, ended_ms, interval_ms)]),
        "by_overlap": _stretches([*by_overlap(started_ms, ended_ms, interval_ms)]),
    }


def _stretches(found: Sequence[tuple[int, int]]) -> list[Json]:
    return [{"interval_start": rfc3339(start), "duration_ms": length} for start, length in found]


def first_contact_resolution(given: Json) -> Json:
    contacts = [
        Contact(
            one["contact_id"],
            one["customer_id"],
            one["issue"],
            parse_rfc3339(one["opened_at"]),
            None if one["closed_at"] is None else parse_rfc3339(one["closed_at"]),
        )
        for one in given["contacts"]
    ]
    as_of_ms = parse_rfc3339(given["as_of"])
    found = first_contacts(contacts, given["window_seconds"] * 1_000, as_of_ms)
    return {
        **{
            outcome: [one.contact.contact_id for one in found if one.outcome == outcome]
            for outcome in ("resolved", "repeated", "provisional")
        },
        "percent": resolution_percent(found),
        "final_at": [
            {
                "contact_id": one.contact.contact_id,
                "at": None if one.final_ms is None else rfc3339(one.final_ms),
            }
            for one in found
        ],
    }


def csat(given: Json) -> Json:
    samples = [CsatSums(**sample) for sample in given["samples"]]
    return {
        "results": [
            {
                "csat": one.csat,
                "wilson95": None if one.csat_wilson95 is None else list(one.csat_wilson95),
                "response_rate": one.response_rate,
            }
            for one in samples
        ]
    }


def nps(given: Json) -> Json:
    found = NpsSums(**given)
    return {
        "nps": found.nps,
        "wald95": None if found.wald95 is None else list(found.wald95),
        "adjusted_wald95": None if found.adjusted_wald95 is None else list(found.adjusted_wald95),
    }


def survey_dedup(given: Json) -> Json:
    answers = [
        Answer(
            one["event_id"],
            one["ticket_id"],
            one["question"],
            parse_rfc3339(one["occurred_at"]),
            one["score"],
        )
        for one in given["answers"]
    ]
    found = csat_of(answers, given["satisfied_min_score"])
    assert found == csat_of(answers[::-1], given["satisfied_min_score"]), (
        "the order of arrival matters"
    )
    return {
        "responses": found.responses,
        "satisfied": found.satisfied,
        "csat": found.csat,
        "mean_score": found.mean_score,
    }


def attribution_period(given: Json) -> Json:
    zone = ZoneInfo(given["report_zone"])
    return {
        f"by_{name}_month": month_of(parse_rfc3339(given[f"{name}_at"]), zone)
        for name in ("solved", "answered")
    }


# kind → what the core says, and how far numbers may be off
KINDS: Mapping[str, tuple[Callable[[Json], Json], float]] = {
    "service_level": (service_level, PERCENT_TOLERANCE),
    "sums": (sums, 0.0),
    "handle_time": (handle_time, PERCENT_TOLERANCE),
    "interval_attribution": (interval_attribution, 0.0),
    "first_contact_resolution": (first_contact_resolution, PERCENT_TOLERANCE),
    "csat": (csat, SHARE_TOLERANCE),
    "nps": (nps, PERCENT_TOLERANCE),
    "survey_dedup": (survey_dedup, SHARE_TOLERANCE),
    "attribution_period": (attribution_period, 0.0),
}


def differences(found: object, expected: object, tolerance: float, place: str = "") -> list[str]:
    """Where two JSON values differ; integers must be equal, other numbers within the tolerance."""
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        if set(found) != set(expected):
            return [f"{place}: fields {sorted(found)}, expected {sorted(expected)}"]
        return [
            text
            for name in expected
            for text in differences(found[name], expected[name], tolerance, f"{place}.{name}")
        ]
    if isinstance(expected, list) and isinstance(found, list) and len(found) == len(expected):
        return [
            text
            for at, pair in enumerate(zip(found, expected, strict=True))
            for text in differences(*pair, tolerance, f"{place}[{at}]")
        ]
    if isinstance(expected, float) and isinstance(found, int | float):
        same = abs(found - expected) <= tolerance
    else:
        same = type(found) is type(expected) and found == expected
    return [] if same else [f"{place.lstrip('.')}: {found!r}, expected {expected!r}"]
