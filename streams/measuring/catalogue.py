"""The catalogue of metrics, as data.

`value` is SQL over the rows of one period; null means that nothing was counted, which is not 0. `hits` and
`whole` give a share, so that its Wilson interval needs no second formula. What a row means stands in the
comments of its table's columns.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from schemas.wire import DIMENSIONS
from streams.core.statistics.proportion import Z95
from streams.core.windows.sketch import GAMMA

Unit = Literal["count", "percent", "ms", "score", "points"]
SourceName = Literal[
    "call_windows",
    "survey_windows",
    "clock_windows",
    "ticket_windows",
    "shift_windows",
    "first_contacts",
    "answered_tickets",
    "followed_tickets",
    "complaints",
    "tickets",
]


@dataclass(frozen=True, slots=True)
class Source:
    """What a metric is computed over. `table`: a view, or a query of `streams.measuring.sources`."""

    name: SourceName
    is_view: bool
    at: str  # the column that says to which period a row belongs
    dimensions: tuple[str, ...]


SOURCES: Mapping[str, Source] = {
    source.name: source
    for source in (
        Source("call_windows", True, "window_start", ("queue", "team", "call_type")),
        Source("survey_windows", True, "window_start", ("channel", "team")),
        Source(
            "clock_windows",
            True,
            "window_start",
            ("clock", "team", "tier", "priority", "ticket_type"),
        ),
        Source("ticket_windows", True, "window_start", ("ticket_type", "team", "tier", "channel")),
        Source("shift_windows", True, "window_start", ("team",)),
        Source("tickets", True, "event_time", ("ticket_type", "team", "tier", "channel")),
        Source("first_contacts", False, "event_time", ("call_type", "queue")),
        Source("answered_tickets", False, "event_time", ("team",)),
        Source("followed_tickets", False, "event_time", ("team", "tier", "ticket_type")),
        Source("complaints", False, "event_time", ("team", "tier")),
    )
}


@dataclass(frozen=True, slots=True)
class Definition:
    """One metric. `formula` is for people; `reference` names where it comes from; `higher_is` which way is
    good; `low` and `high` bound its 95 % interval and `sample` counts what it rests on."""

    id: str
    label: str
    label_zh: str
    unit: Unit
    source: SourceName
    formula: str
    attribution: str
    value: str
    sample: str
    low: str = ""
    high: str = ""
    interval: str = ""
    reference: str = ""
    higher_is: Literal["better", "worse", "neither"] = "neither"


def _wilson(hits: str, whole: str, sign: str) -> str:
    z, n = repr(Z95), f"({whole})"
    p = f"({hits}) / {n}"
    middle = f"{p} + {z} * {z} / (2 * {n})"
    spread = f"{z} * sqrt(({p}) * (1 - ({p})) / {n} + {z} * {z} / (4 * {n} * {n}))"
    bound = f"100 * ({middle} {sign} {spread}) / (1 + {z} * {z} / {n})"
    clipped = f"greatest(0., {bound})" if sign == "-" else f"least(100., {bound})"
    return f"if({n} = 0, NULL, {clipped})"


def _share(
    id_: str, names: tuple[str, str], source: SourceName, hits: str, whole: str, **more: str
) -> Definition:
    """A share in percent, with its Wilson interval."""
    return _definition(
        id_,
        names,
        "percent",
        source,
        value=f"if(({whole}) = 0, NULL, 100 * ({hits}) / ({whole}))",
        sample=whole,
        low=_wilson(hits, whole, "-"),
        high=_wilson(hits, whole, "+"),
        interval="Wilson 95 %",
        **more,
    )


def _count(
    id_: str, names: tuple[str, str], source: SourceName, value: str, **more: str
) -> Definition:
    return _definition(id_, names, "count", source, value=value, sample=value, **more)


def _mean(
    id_: str, names: tuple[str, str], source: SourceName, total: str, count: str, **more: str
) -> Definition:
    """An average duration in whole ms, floored."""
    value = f"if(({count}) = 0, NULL, intDiv({total}, {count}))"
    return _definition(id_, names, "ms", source, value=value, sample=count, **more)


def _quantile(
    id_: str,
    names: tuple[str, str],
    source: SourceName,
    sketch: str,
    share: float,
    **more: str,
) -> Definition:
    """A quantile out of merged sketches, within 1 %."""
    merged = f"sumMap({sketch})"
    total = f"arraySum(mapValues({merged}))"
    # The first bucket at which more than rank values lie below or in it; see streams.core.windows.sketch.
    bucket = (
        f"mapKeys({merged})[arrayFirstIndex(n -> n > {share!r} * ({total} - 1),"
        f" arrayCumSum(mapValues({merged})))]"
    )
    value = f"if({total} = 0, NULL, 2 * pow({GAMMA!r}, {bucket}) / {GAMMA + 1!r})"
    return _definition(
        id_,
        names,
        "ms",
        source,
        value=value,
        sample=total,
        interval="within 1 %",
        reference="Masson, Rim, Lee (2019), DDSketch, VLDB 12",
        **more,
    )


def _definition(
    id_: str, names: tuple[str, str], unit: Unit, source: SourceName, **more: str
) -> Definition:
    return Definition(id=id_, label=names[0], label_zh=names[1], unit=unit, source=source, **more)  # type: ignore[arg-type]  # the literals among the texts


_DECIDED = "by the minute in which a wait was decided"
_TALK_END = "by the minute in which a talk ended"
_BY_ANSWER = "by the minute of the answer"
_BY_SENDING = "by the minute in which the questionnaire was sent"
_BY_END = "by the minute in which the cycle ended"
_COPC = "Cleveland, Call Center Management on Fast Forward; vendors' manuals"

# Variant → hits and whole, as `streams.core.statistics.service_level.VARIANTS` has them in Python; a test
# holds the two together.
_LEVELS: Mapping[str, tuple[str, str, str]] = {
    "sl.answered_or_abandoned_within": (
        "sum(answered_within) + sum(abandoned_within)",
        "sum(answered) + sum(abandoned)",
        "(answered + abandoned within the threshold) ÷ (answered + abandoned)",
    ),
    "sl.answered_only": (
        "sum(answered_within)",
        "sum(answered)",
        "answered within the threshold ÷ answered",
    ),
    "sl.offered": (
        "sum(answered_within)",
        "sum(answered) + sum(abandoned)",
        "answered within the threshold ÷ (answered + abandoned)",
    ),
    "sl.excluding_abandoned_within": (
        "sum(answered_within)",
        "sum(answered) + sum(abandoned) - sum(abandoned_within)",
        "answered within the threshold ÷ (answered + abandoned after the threshold)",
    ),
    "sl.short_abandon_credit": (
        "sum(answered_within) + sum(short_abandoned)",
        "sum(answered) + sum(abandoned)",
        "(answered within the threshold + short abandons) ÷ (answered + abandoned)",
    ),
    "sl.genesys_default": (
        "sum(answered_within)",
        "sum(answered) + sum(abandoned)",
        "answered within the threshold ÷ (answered + abandoned, short ones too); flow-outs out",
    ),
    "sl.genesys_excluding_short_abandoned": (
        "sum(answered_within)",
        "sum(answered) + sum(abandoned) - sum(short_abandoned)",
        "answered within the threshold ÷ (answered + abandoned but for short ones)",
    ),
    "sl.connect": (
        "sum(answered_within) + sum(abandoned_within) + sum(callbacks_within)",
        "sum(queued)",
        "(answered + abandoned + moved to a callback within the threshold) ÷ queued",
    ),
}


def _service_levels() -> Iterator[Definition]:
    for variant, (hits, whole, formula) in _LEVELS.items():
        name = variant.removeprefix("sl.").replace("_", " ")
        yield _share(
            variant,
            (f"Service level ({name})", f"服务水平（{name}）"),
            "call_windows",
            hits,
            whole,
            formula=formula,
            attribution=_DECIDED,
            reference=_COPC,
            higher_is="better",
        )


def _calls() -> Iterator[Definition]:
    for name, label, zh, formula, attribution in (
        ("entered", "Calls", "呼入量", "calls that reached the voice menu", "by entry"),
        ("queued", "Queued", "排队量", "waits that were decided", _DECIDED),
        ("answered", "Answered", "接通量", "waits that ended in an answer", _DECIDED),
        ("abandoned", "Abandoned", "放弃量", "waits given up, short ones included", _DECIDED),
        (
            "short_abandoned",
            "Short abandons",
            "短时放弃量",
            "waits given up sooner than anybody could answer",
            _DECIDED,
        ),
        (
            "menu_abandoned",
            "Abandoned in the menu",
            "导航放弃量",
            "given up in the menu",
            "by entry",
        ),
        ("handled", "Handled", "处理量", "talks that ended", _TALK_END),
        (
            "callbacks_requested",
            "Callbacks asked for",
            "请求回拨",
            "callbacks asked for",
            "by request",
        ),
        (
            "callbacks_made",
            "Callbacks made",
            "已回拨",
            "callbacks made, of those asked for",
            "by request",
        ),
        (
            "callbacks_late",
            "Callbacks late",
            "逾期回拨",
            "made after their due instant, or overdue",
            "by request",
        ),
    ):
        yield _count(
            f"calls.{name}",
            (label, zh),
            "call_windows",
            f"sum({name})",
            formula=formula,
            attribution=attribution,
        )
    yield _share(
        "calls.abandonment",
        ("Abandonment", "放弃率"),
        "call_windows",
        "sum(abandoned)",
        "sum(queued)",
        formula="abandoned, short ones included ÷ queued",
        attribution=_DECIDED,
        higher_is="worse",
    )
    yield _mean(
        "calls.asa",
        ("Average speed of answer", "平均应答速度"),
        "call_windows",
        "sum(wait_sum_ms)",
        "sum(answered)",
        formula="wait of answered ones ÷ answered",
        attribution=_DECIDED,
        higher_is="worse",
    )
    yield _quantile(
        "calls.wait_p90",
        ("Wait, 90 % below", "等待时长 P90"),
        "call_windows",
        "wait_sketch",
        0.9,
        formula="90th percentile of the waits of answered ones",
        attribution=_DECIDED,
        higher_is="worse",
    )
    handle = "sum(talk_sum_ms) + sum(hold_sum_ms) + sum(after_call_sum_ms)"
    for name, label, zh, total, formula in (
        ("aht", "Average handle time", "平均处理时长", handle, "talk, hold and after-call work"),
        ("talk", "Average talk time", "平均通话时长", "sum(talk_sum_ms)", "talk without hold"),
        ("hold", "Average hold time", "平均保持时长", "sum(hold_sum_ms)", "hold"),
        (
            "after_call",
            "Average after-call work",
            "平均话后时长",
            "sum(after_call_sum_ms)",
            "after-call work",
        ),
    ):
        yield _mean(
            f"calls.{name}",
            (label, zh),
            "call_windows",
            total,
            "sum(handled)",
            formula=f"{formula} ÷ handled",
            attribution=_TALK_END,
        )
    yield _quantile(
        "calls.handle_p90",
        ("Handle time, 90 % below", "处理时长 P90"),
        "call_windows",
        "handle_sketch",
        0.9,
        formula="90th percentile of talk, hold and after-call work",
        attribution=_TALK_END,
    )
    for name, label, zh, formula in (
        ("over_aim", "Over 3 minutes", "超3分钟占比", "on the phone for longer than the aim"),
        ("over_limit", "Over 5 minutes", "超5分钟占比", "on the phone for longer than the limit"),
        ("transfers", "Transferred", "转接率", "talks that ended in a transfer"),
    ):
        yield _share(
            f"calls.{name}_share",
            (label, zh),
            "call_windows",
            f"sum({name})",
            "sum(handled)",
            formula=f"{formula} ÷ handled",
            attribution=_TALK_END,
            higher_is="worse",
        )
    decided = "countIf(outcome != 'provisional')"
    yield _share(
        "calls.first_contact_resolution",
        ("First-contact resolution", "一次解决率"),
        "first_contacts",
        "countIf(outcome = 'resolved')",
        decided,
        formula="first contacts that were not followed by another about the same issue within the window"
        " ÷ first contacts whose window is closed or that were repeated",
        attribution="by the beginning of the first contact; provisional until its window closes",
        higher_is="better",
    )
    yield _share(
        "calls.repeat_share",
        ("First contacts repeated", "重复来电率"),
        "first_contacts",
        "countIf(outcome = 'repeated')",
        "count()",
        formula="first contacts followed by another about the same issue within the window ÷ first contacts",
        attribution="by the beginning of the first contact",
        higher_is="worse",
    )


def _satisfaction() -> Iterator[Definition]:
    csat = "sumIf(satisfied, metric = 'csat')", "sumIf(responses, metric = 'csat')"
    yield _share(
        "csat",
        ("CSAT", "客户满意度"),
        "survey_windows",
        *csat,
        formula="answers 4–5 on 1–5 (as the policy says) ÷ answers; the last answer to a question counts",
        attribution=_BY_ANSWER,
        reference="Wilson (1927), JASA 22, 209–212",
        higher_is="better",
    )
    yield _score("csat.mean", ("CSAT, mean score", "满意度均分"), "csat", "mean of the CSAT scores")
    promoters, detractors, n = (
        f"sumIf({name}, metric = 'nps')" for name in ("promoters", "detractors", "responses")
    )
    value = f"if({n} = 0, NULL, 100 * (toInt64({promoters}) - toInt64({detractors})) / {n})"
    yield _definition(
        "nps",
        ("NPS", "净推荐值"),
        "points",
        "survey_windows",
        value=value,
        sample=n,
        low=_nps_bound(promoters, detractors, n, "-"),
        high=_nps_bound(promoters, detractors, n, "+"),
        interval="adjusted Wald 95 %",
        formula="% of 9–10 less % of 0–6, of 0–10",
        attribution=_BY_ANSWER,
        reference="Rocks (2016), The American Statistician 70, 365–372",
        higher_is="better",
    )
    yield _score("ces.mean", ("CES, mean", "客户费力度均分"), "ces", "mean of the effort scores")
    yield _share(
        "ces.top_box",
        ("CES, easy", "客户费力度（轻松占比）"),
        "survey_windows",
        "sumIf(top_box, metric = 'ces')",
        "sumIf(responses, metric = 'ces')",
        formula="answers in the two best boxes ÷ answers",
        attribution=_BY_ANSWER,
        higher_is="better",
    )
    yield _share(
        "surveys.response_rate",
        ("Response rate", "回收率"),
        "survey_windows",
        "sumIf(sent_answered, metric = '')",
        "sumIf(sent, metric = '')",
        formula="questionnaires answered ÷ sent",
        attribution=_BY_SENDING,
        higher_is="better",
    )
    yield _score(
        "audit.score", ("Service audit", "服务质检得分"), "audit", "mean of the audit scores"
    )
    yield _score(
        "employee.score", ("Employee feedback", "员工评价"), "employee", "mean of employees' scores"
    )
    yield from _service_quality()
    for known, label, zh in ((0, "met", "达标"), (1, "breached", "逾期")):
        yield _share(
            f"csat.given_{label}",
            (f"CSAT given SLA {label}", f"满意度（{zh}工单）"),
            "answered_tickets",
            f"countIf(satisfied AND breached = {known})",
            f"countIf(breached = {known})",
            formula=f"satisfied ÷ answers about tickets whose clocks were {label}; the last answer per"
            " ticket and question",
            attribution=_BY_ANSWER,
            higher_is="better",
        )


_GAPS = {
    "tangibles": "有形性",
    "reliability": "可靠性",
    "responsiveness": "响应性",
    "assurance": "保证性",
    "empathy": "移情性",
}
_REPUTATION = {
    "favourable": "美誉度",
    "awareness": "知名度",
    "return": "回头率",
    "complaint": "抱怨率",
    "repurchase": "销售力",
}
assert tuple(_GAPS) == DIMENSIONS["servqual"]
assert tuple(_REPUTATION) == DIMENSIONS["reputation"]


def _service_quality() -> Iterator[Definition]:
    for dimension, zh in _GAPS.items():
        told = f"metric = 'servqual' AND dimension = '{dimension}'"
        pairs = f"sumIf(pairs, {told})"
        total = (
            f"(toInt64(sumIf(perception_sum_thousandths, {told}))"
            f" - toInt64(sumIf(expectation_sum_thousandths, {told})))"
        )
        yield _definition(
            f"servqual.{dimension}",
            (f"SERVQUAL gap, {dimension}", f"服务质量差距·{zh}"),
            "score",
            "survey_windows",
            value=f"if({pairs} = 0, NULL, {total} / 1000 / {pairs})",
            sample=pairs,
            formula="mean perception less mean expectation",
            attribution=_BY_ANSWER,
            reference="Parasuraman, Zeithaml, Berry (1988), Journal of Retailing 64, 12–40",
            higher_is="better",
        )
    for dimension, zh in _REPUTATION.items():
        told = f"metric = 'reputation' AND dimension = '{dimension}'"
        yield _share(
            f"reputation.{dimension}",
            (f"Reputation, {dimension}", zh),
            "survey_windows",
            f"sumIf(yes, {told})",
            f"sumIf(responses, {told})",
            formula="yes ÷ answers",
            attribution=_BY_ANSWER,
            higher_is="worse" if dimension == "complaint" else "better",
        )


def _score(id_: str, names: tuple[str, str], metric: str, formula: str) -> Definition:
    n = f"sumIf(responses, metric = '{metric}')"
    total = f"sumIf(score_sum_thousandths, metric = '{metric}')"
    return _definition(
        id_,
        names,
        "score",
        "survey_windows",
        value=f"if({n} = 0, NULL, {total} / 1000 / {n})",
        sample=n,
        formula=formula,
        attribution=_BY_ANSWER,
        higher_is="better",
    )


def _nps_bound(promoters: str, detractors: str, n: str, sign: str) -> str:
    """Three answers more, spread evenly over the weights."""
    p, d = f"(({promoters} + 0.75) / ({n} + 3))", f"(({detractors} + 0.75) / ({n} + 3))"
    spread = f"{Z95!r} * sqrt(({p} + {d} - pow({p} - {d}, 2)) / ({n} + 3))"
    return f"if({n} = 0, NULL, 100 * ({p} - {d} {sign} {spread}))"


def _service() -> Iterator[Definition]:
    judged = "sum(met) + sum(breached)"
    yield _share(
        "sla.compliance",
        ("SLA compliance", "时限达标率"),
        "clock_windows",
        "sum(met)",
        judged,
        formula="met ÷ (met + breached); void, without target and still open are outside",
        attribution=_BY_END,
        higher_is="better",
    )
    yield _count(
        "sla.met",
        ("Cycles met", "达标数"),
        "clock_windows",
        "sum(met)",
        formula="cycles that ended in time",
        attribution=_BY_END,
    )
    yield _count(
        "sla.breached",
        ("Cycles breached", "逾期数"),
        "clock_windows",
        "sum(breached)",
        formula="cycles that ended late",
        attribution=_BY_END,
        higher_is="worse",
    )
    yield _mean(
        "sla.elapsed",
        ("Working time used", "平均用时"),
        "clock_windows",
        "sum(elapsed_sum_ms)",
        judged,
        formula="working time of judged cycles ÷ their number",
        attribution=_BY_END,
        higher_is="worse",
    )
    yield _quantile(
        "sla.elapsed_p90",
        ("Working time used, 90 % below", "用时 P90"),
        "clock_windows",
        "elapsed_sketch",
        0.9,
        formula="90th percentile of the working time of judged cycles",
        attribution=_BY_END,
        higher_is="worse",
    )
    for name, label, zh, attribution in (
        ("created", "Tickets created", "新建工单", "by creation"),
        ("solved", "Tickets solved", "解决工单", "by the last solving"),
        ("closed", "Tickets closed", "关闭工单", "by closing"),
    ):
        yield _count(
            f"tickets.{name}",
            (label, zh),
            "ticket_windows",
            f"sum({name})",
            formula=f"tickets {name}",
            attribution=attribution,
        )
    yield _mean(
        "tickets.time_to_solve",
        ("Time to solve", "平均解决时长"),
        "ticket_windows",
        "sum(lifetime_sum_ms)",
        "sum(solved)",
        formula="creation to the last solving, around the clock ÷ solved",
        attribution="by the last solving",
        higher_is="worse",
    )
    yield _quantile(
        "tickets.time_to_solve_p90",
        ("Time to solve, 90 % below", "解决时长 P90"),
        "ticket_windows",
        "lifetime_sketch",
        0.9,
        formula="90th percentile of creation to the last solving",
        attribution="by the last solving",
        higher_is="worse",
    )
    yield _share(
        "tickets.reopened_share",
        ("Solved after a reopening", "重开率"),
        "ticket_windows",
        "sum(reopened_solved)",
        "sum(solved)",
        formula="solved tickets that had been reopened ÷ solved",
        attribution="by the last solving",
        higher_is="worse",
    )
    yield _share(
        "tickets.resolution_rate",
        ("Resolution rate", "问题解决率"),
        "tickets",
        "countIf(solved_at IS NOT NULL)",
        "count()",
        formula="tickets of the period that are solved by now ÷ tickets of the period",
        attribution="by creation",
        higher_is="better",
    )
    yield _share(
        "tickets.complaint_rate",
        ("Complaint rate", "客户投诉率"),
        "tickets",
        "countIf(ticket_type = 'complaint')",
        "count()",
        formula="complaints ÷ tickets",
        attribution="by creation",
        higher_is="worse",
    )


def _customers() -> Iterator[Definition]:
    yield _share(
        "surveys.coverage",
        ("Survey coverage", "调查覆盖率"),
        "followed_tickets",
        "countIf(surveyed)",
        "count()",
        formula="solved tickets about which somebody was asked ÷ solved tickets",
        attribution="by the last solving",
        higher_is="better",
    )
    yield _share(
        "customers.follow_up_coverage",
        ("Follow-up coverage", "回访覆盖率"),
        "followed_tickets",
        "countIf(follow_up = 'met')",
        "countIf(follow_up != '')",
        formula="solved tickets followed up in time ÷ solved tickets that have a follow-up clock",
        attribution="by the last solving",
        higher_is="better",
    )
    yield _share(
        "customers.repeat_complaints",
        ("Repeat complaints", "重复投诉率"),
        "complaints",
        "countIf(repeated)",
        "count()",
        formula="complaints of customers who had complained in the 90 days before ÷ complaints",
        attribution="by creation",
        higher_is="worse",
    )
    yield _count(
        "customers.complaining",
        ("Complaining customers", "投诉客户数"),
        "complaints",
        "uniqExact(customer_id)",
        formula="customers with a complaint",
        attribution="by creation",
        higher_is="worse",
    )


def _agents() -> Iterator[Definition]:
    busy, idle, away = (f"sum({name}_sum_ms)" for name in ("busy", "idle", "away"))
    in_minutes = "in the minutes in which the time passed, up to the last event of each shift"
    for name, labels, part, whole, formula, higher_is in (
        (
            "occupancy",
            ("Occupancy", "工时利用率"),
            busy,
            f"{busy} + {idle}",
            "time on contacts and after-contact work ÷ (that + time available)",
            "neither",  # too high wears people out
        ),
        (
            "away_share",
            ("Breaks and absences", "离席占比"),
            away,
            f"{busy} + {idle} + {away}",
            "time on break or away ÷ time signed in",
            "worse",
        ),
    ):
        yield _definition(
            f"agents.{name}",
            labels,
            "percent",
            "shift_windows",
            value=f"if(({whole}) = 0, NULL, 100 * ({part}) / ({whole}))",
            sample=f"intDiv({whole}, 1000)",
            formula=f"{formula}; the sample is in seconds",
            attribution=in_minutes,
            higher_is=higher_is,
        )
    yield _count(
        "agents.signed_in",
        ("Shifts begun", "签入班次"),
        "shift_windows",
        "sum(agents_began)",
        formula="agents who signed in",
        attribution="by signing in",
    )


CATALOGUE: tuple[Definition, ...] = (
    *_service(),
    *_calls(),
    *_service_levels(),
    *_agents(),
    *_satisfaction(),
    *_customers(),
)
BY_ID: Mapping[str, Definition] = {one.id: one for one in CATALOGUE}
