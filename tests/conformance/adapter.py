"""Translates vectors into the core's own terms and its answers back; decides nothing."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from schemas.events import (
    Absorbed,
    Assigned,
    Cancelled,
    Closed,
    Created,
    CustomerChanged,
    Data,
    Event,
    Excluded,
    Merged,
    Message,
    PriorityChanged,
    Reopened,
    Solved,
    StatusChanged,
)
from schemas.instants import parse_rfc3339, rfc3339
from streams.core.business_time import ALWAYS, CalendarSpec, compile_calendar, spec_from_mapping
from streams.core.policy import Calendar, CalendarChoice, ClockSpec, Matcher, Policy, Rule
from streams.core.tickets.log import Flag
from streams.core.tickets.paging import Emission
from streams.core.tickets.view import CycleView

Json = Mapping[str, Any]

TENANT, SOURCE = "default", "vectors"
ANY = "*"
FOREVER_MS = 10**15  # the conventions know no horizon

_DATA: dict[str, type[Data]] = {
    "created": Created,
    "status_changed": StatusChanged,
    "priority_changed": PriorityChanged,
    "customer_changed": CustomerChanged,
    "assigned": Assigned,
    "message": Message,
    "solved": Solved,
    "reopened": Reopened,
    "closed": Closed,
    "cancelled": Cancelled,
    "merged": Merged,
    "absorbed": Absorbed,
    "excluded": Excluded,
}


def calendar_of(name: str, calendars: Json) -> Calendar:
    """A calendar of the file, compiled."""
    rules = calendars[name]
    return ALWAYS if rules.get("always") else compile_calendar(_spec(name, rules))


def _spec(name: str, rules: Json) -> CalendarSpec:
    """The members of a union stand in it, unnamed: they are called by their place."""
    if "union" not in rules:
        return spec_from_mapping(rules, name, _no_such_calendar)
    members = (_spec(f"{name}/{at}", member) for at, member in enumerate(rules["union"]))
    return CalendarSpec(name, union=tuple(members))


def _no_such_calendar(name: str) -> CalendarSpec:
    raise AssertionError(name)


def policy_of(given: Json, calendars: Json) -> Policy:
    """The vector's policy with its one clock."""
    policy, clock = given["policy"], given["clock"]
    by_tier = policy.get("calendar_by_tier", {})
    choices = {tier: calendar_of(name, calendars) for tier, name in by_tier.items() if tier != ANY}
    return Policy(
        id="vector",
        version="vector@1",
        effective_from_ms=0,
        calendar=calendar_of(by_tier.get(ANY, policy["calendar"]), calendars),
        clocks=(_clock_of(clock, policy),),
        rules=tuple(_rules_of(policy["targets"])),
        calendar_choices=(CalendarChoice("tier", choices),) if choices else (),
        merge_start=policy["merge_start"],
        future_skew_ms_max=policy["max_future_skew_seconds"] * 1000,
        horizon_ms=FOREVER_MS,
    )


def _clock_of(clock: Json, policy: Json) -> ClockSpec:
    return ClockSpec(
        id=clock["name"],
        kind=clock["kind"],
        team=clock.get("team"),
        start=tuple(_matcher_of(matcher) for matcher in clock["start"]),
        stop=tuple(_matcher_of(matcher) for matcher in clock["stop"]),
        pause_statuses=frozenset(clock["pause_statuses"]),
        on_reopen=clock["on_reopen"],
        on_target_change=clock["on_target_change"],
        on_tier_change=policy["tier_change"],
        grace_ms=policy["grace_seconds"] * 1000,
    )


def _matcher_of(matcher: Json) -> Matcher:
    fields = ((name, frozenset((value,))) for name, value in matcher.items() if name != "type")
    return Matcher(matcher["type"], tuple(fields))


def _rules_of(targets: Json) -> Iterable[Rule]:
    """Tier, then priority, each falling back to `*`; a clock missing there has no target."""
    for tier in (*(tier for tier in targets if tier != ANY), ANY):
        by_priority = targets.get(tier, {})
        for priority in (*(name for name in by_priority if name != ANY), ANY):
            wanted = [
                (attribute, frozenset((value,)))
                for attribute, value in (("tier", tier), ("priority", priority))
                if value != ANY
            ]
            seconds = by_priority.get(priority, {})
            yield Rule(
                f"{tier}/{priority}",
                tuple(wanted),
                {clock: target * 1000 for clock, target in seconds.items()},
            )


def event_of(event: Json, ticket_id: str) -> Event:
    """One event of the ticket."""
    content = {name: value for name, value in event.items() if name != "ingested_at"}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return Event(
        tenant=TENANT,
        source=SOURCE,
        kind="ticket",
        entity_id=ticket_id,
        event_id=event["event_id"],
        type=event["type"],
        occurred_ms=parse_rfc3339(event["occurred_at"]),
        ingested_ms=parse_rfc3339(event["ingested_at"]),
        data=_data_of(event["type"], event["data"]),
        sequence=event.get("sequence"),
        digest=hashlib.sha256(canonical.encode()).hexdigest(),
    )


def _data_of(type_: str, data: Json) -> Data:
    fields = dict(data)
    if "targets" in fields:
        fields["targets"] = {
            clock: parse_rfc3339(due_at) for clock, due_at in fields["targets"].items()
        }
    if "started_at" in fields:
        fields["started_ms"] = parse_rfc3339(fields.pop("started_at"))
    return _DATA[type_](**fields)


def cycle_json(cycle: CycleView) -> Json:
    """As `expect.cycles`."""
    return {
        "cycle_id": cycle.cycle_id,
        "state": cycle.state,
        "target_seconds": None if cycle.target_ms is None else cycle.target_ms // 1000,
        "elapsed_ms": cycle.elapsed_ms,
        "due_at": _instant(cycle.due_ms),
        "breached": cycle.breached,
        "breach_at": _instant(cycle.breach_ms),
        "breach_reason": cycle.breach_reason,
        "stopped_at": _instant(cycle.stopped_ms),
        "withdrawn_at": _instant(cycle.withdrawn_ms),
    }


def holders_json(cycles: Iterable[CycleView]) -> list[Json]:
    """As `expect.holders`."""
    return [
        {
            "cycle_id": cycle.cycle_id,
            "team": holder.team,
            "held_ms": holder.held_ms,
            "share_of_target": holder.share_of_target,
            "held_at_breach": holder.held_at_breach,
        }
        for cycle in cycles
        for holder in cycle.holders
        if holder.team is not None
    ]


def flag_json(flag: Flag) -> Json:
    """As `expect.flags`."""
    return {"flag": flag.flag, "event_id": flag.event_id, "skew_ms": flag.skew_ms}


def emission_json(emission: Emission) -> Json:
    """As `expect.emissions`: the vectors' keys name the ticket only."""
    return {
        "at": rfc3339(emission.at_ms),
        "type": emission.type,
        "key": emission.key.replace(f"{TENANT}/{SOURCE}/", "", 1),
        "breach_at": rfc3339(emission.breach_ms),
    }


def _instant(instant_ms: int | None) -> str | None:
    return None if instant_ms is None else rfc3339(instant_ms)
