"""The kinds about pages and alerts, through the core's public entrances."""

from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from schemas.instants import parse_rfc3339, rfc3339
from streams.core.alerting.ladder import Cycle, Step, rungs
from streams.core.alerting.page_age import paging_of
from streams.core.alerting.quiet_hours import QuietHours
from streams.core.alerting.rate_alert import RateAlert, RateRule
from streams.core.alerting.storm import StormGroup
from streams.core.tickets.announce import intent_key
from streams.core.tickets.facts import Facts
from streams.core.tickets.state import TicketState
from tests.conformance.adapter import SOURCE, TENANT

Json = Mapping[str, Any]


def _ms(text: str | None) -> int | None:
    return None if text is None else parse_rfc3339(text)


def escalation_ladder(given: Json) -> Json:
    steps = [
        Step(
            one["on"],
            one["after_seconds"] * 1_000,
            one["to"],
            one["severity"],
            one["unless_acknowledged"],
        )
        for one in given["steps"]
    ]
    cycle = Cycle(
        parse_rfc3339(given["at_risk_at"]),
        parse_rfc3339(given["due_at"]),
        _ms(given["stopped_at"]),
        tuple(parse_rfc3339(text) for text in given["acknowledged_at"]),
    )
    found = rungs(steps, cycle, given["acknowledgement_timeout_seconds"] * 1_000)
    return {
        "pages": [
            {
                "at": rfc3339(rung.at_ms),
                "to": steps[rung.step].to,
                "severity": steps[rung.step].severity,
                "reason": rung.reason,
            }
            for rung in found
        ],
        "resolved_at": given["stopped_at"],
    }


def _minute(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def quiet_hours(given: Json) -> Json:
    hours = QuietHours(
        ZoneInfo(given["zone"]),
        _minute(given["from"]),
        _minute(given["to"]),
        frozenset(given["deferred_severities"]),
    )
    told: list[tuple[int, str, Json]] = []
    dropped: list[tuple[int, str]] = []
    for alert in given["alerts"]:
        at_ms, stopped_ms = parse_rfc3339(alert["at"]), _ms(alert["stopped_at"])
        told_ms = hours.told_ms(at_ms, alert["severity"])
        deferred = told_ms != at_ms
        if deferred and stopped_ms is not None and stopped_ms <= told_ms:
            dropped.append((told_ms, alert["alert_id"]))
            continue
        delivery = {
            "alert_id": alert["alert_id"],
            "at": rfc3339(told_ms),
            "severity": alert["severity"],
            "deferred": deferred,
        }
        told.append((told_ms, alert["alert_id"], delivery))
    return {
        "deliveries": [one for _, _, one in sorted(told, key=lambda item: item[:2])],
        "dropped": [alert_id for _, alert_id in sorted(dropped)],
    }


def storm_grouping(given: Json) -> Json:
    breaches = sorted(
        (
            parse_rfc3339(one["first_at"]) + number * one["every_ms"],
            [one[by] for by in given["group_by"]],
        )
        for one in given["breaches"]
        for number in range(one["count"])
    )
    groups: dict[tuple[str, ...], StormGroup] = {}
    told: list[tuple[int, list[str], int]] = []

    def pass_to(now_ms: float) -> None:
        for name, group in groups.items():
            while group.due_ms is not None and group.due_ms < now_ms:
                told.append((group.due_ms, list(name), group.notice()))

    for at_ms, group_name in breaches:
        pass_to(at_ms)
        name = tuple(group_name)
        if name not in groups:
            wait_ms = given["group_wait_seconds"] * 1_000
            groups[name] = StormGroup(wait_ms, given["group_interval_seconds"] * 1_000)
        groups[name].add(at_ms)
    pass_to(float("inf"))
    return {
        "notifications": [
            {"at": rfc3339(at_ms), "group": group, "count": count}
            for at_ms, group, count in sorted(told)
        ]
    }


def dedup_keys(given: Json) -> Json:
    """Tenant and source stand before the ticket's id; the vectors know neither."""
    ticket = TicketState(TENANT, SOURCE, given["ticket_id"], Facts(TENANT, SOURCE, 0))
    keys = dict.fromkeys(
        intent_key(ticket, given["clock"], one["cycle_id"]).replace(f"{TENANT}/{SOURCE}/", "", 1)
        for one in given["breaches"]
    )
    return {"keys": [*keys], "incidents": len(keys)}


def replay_paging(given: Json) -> Json:
    age_ms = parse_rfc3339(given["now"]) - parse_rfc3339(given["breach_at"])
    paging = paging_of(
        given["mode"], age_ms, given["max_page_age_seconds"] * 1_000, clock_open=given["clock_open"]
    )
    return {"recorded": True, "page": None if paging == "silent" else {"late": paging == "late"}}


def rate_alert(given: Json) -> Json:
    rule = RateRule(
        given["trigger"],
        given["target_percent"],
        given["clear_percent"],
        given["min_sample"],
        given["hold_seconds"] * 1_000,
    )
    alert = RateAlert(rule)
    first: dict[str, str] = {}
    for one in given["series"]:
        change = alert.take(parse_rfc3339(one["at"]), one["hits"], one["sample"])
        if change is not None:
            first.setdefault(change, one["at"])
    return {"fired_at": first.get("fired"), "cleared_at": first.get("cleared")}


KINDS: Mapping[str, Callable[[Json], Json]] = {
    "escalation_ladder": escalation_ladder,
    "quiet_hours": quiet_hours,
    "storm_grouping": storm_grouping,
    "dedup_keys": dedup_keys,
    "replay_paging": replay_paging,
    "rate_alert": rate_alert,
}
