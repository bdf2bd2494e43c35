"""Words of reports in both languages. Codes of the data (queues, teams, causes) that are known have words, too."""

from collections.abc import Mapping
from typing import Literal

Language = Literal["en", "zh-CN"]

WORDS: Mapping[str, tuple[str, str]] = {
    "daily": ("Daily log", "日志"),
    "weekly": ("Weekly report", "周报"),
    "monthly": ("Monthly report", "月报"),
    "complaints": ("Complaint classification", "投诉分类统计表"),
    "service": ("Service", "服务时限"),
    "service_by_team": ("Compliance by team", "各部门达标率"),
    "calls": ("Calls", "话务"),
    "calls_by_queue": ("Calls by queue", "各技能组话务"),
    "levels": ("Service level by every formula", "服务水平（各公式）"),
    "satisfaction": ("Satisfaction", "客户满意度"),
    "satisfaction_by_team": ("Satisfaction by team", "各部门满意度"),
    "quality": ("Service quality and reputation", "服务质量与美誉度"),
    "people": ("People", "人员"),
    "classes": ("Complaints by cause", "投诉分类"),
    "stages": ("Complaints by stage", "投诉处理阶段"),
    "customers": ("Customers", "客户"),
    "relationships": ("Customers by relationship", "客户关系"),
    "data_quality": ("Data quality", "数据质量"),
    "metric": ("metric", "指标"),
    "value": ("value", "数值"),
    "interval": ("95 % interval", "95% 区间"),
    "sample": ("sample", "样本"),
    "before": ("before", "上期"),
    "change": ("change", "环比"),
    "formula": ("formula", "公式"),
    "queue": ("queue", "技能组"),
    "team": ("team", "部门"),
    "agent": ("agent", "人员"),
    "handled": ("talks", "通话"),
    "handle_ms": ("handle time", "处理时长"),
    "occupancy": ("occupancy", "工时利用率"),
    "solved": ("solved", "已解决"),
    "breaches_held": ("breaches held", "经手逾期"),
    "csat": ("CSAT", "满意度"),
    "answers": ("answers", "回答"),
    "audit_score": ("audit", "质检"),
    "complaints_caused": ("complaints caused", "引起投诉"),
    "cause": ("cause", "原因"),
    "class": ("class", "类别"),
    "complaints_before": ("before", "上期"),
    "share": ("share", "占比"),
    "still_open": ("open", "未结"),
    "serious": ("serious", "重大"),
    "median_solve_ms": ("median time to solve", "解决时长中位数"),
    "actions": ("corrective actions", "改善对策"),
    "in_stage": ("stage", "阶段"),
    "oldest": ("oldest", "最早"),
    "kind": ("of", "对象"),
    "mark": ("mark", "标记"),
    "found": ("found", "数量"),
    "latest": ("latest", "最近"),
    "tier": ("tier", "客户分级"),
    "contacts": ("contacts", "接触"),
    "complained_again": ("complained again", "重复投诉"),
    "silent_days": ("days since last contact", "距上次联系天数"),
    "count_customers": ("customers", "客户数"),
    "count_complaints": ("complaints", "投诉数"),
    "met": ("met", "达标"),
    "breached": ("breached", "逾期"),
    "answered": ("answered", "接通"),
    "abandoned": ("abandoned", "放弃"),
    "by_hour": ("by hour", "按小时"),
    "by_day": ("by day", "按日"),
    "no_data": ("no data", "无数据"),
    "retention": ("Retention", "客户保留度"),
    "all": ("all", "全部"),
    "scope": ("scope", "范围"),
    "zone": ("zone", "时区"),
    "made": ("made", "生成于"),
    "against": ("compared with the period before", "与上期比较"),
    "unknown": ("unknown", "未知"),
    "truncated": ("only the first rows are shown", "仅显示前若干行"),
}

# Codes that the shipped policies and the rule-books use.
_CODES: Mapping[str, str] = {
    "late_delivery": "交付延迟",
    "incomplete_delivery": "交付不全",
    "short_quantity": "缺数交付",
    "defect": "质量缺陷",
    "slow_service": "服务迟缓",
    "wrong_answer": "答复错误",
    "attitude": "服务态度",
    "promise_not_kept": "承诺未兑现",
    "not_recorded": "未登记",
    "quality": "质量异常",
    "non_quality": "非质量异常",
    "received": "受理",
    "judged": "判定",
    "investigated": "调查",
    "proposed": "方案",
    "approved": "核决",
    "implemented": "实施",
    "confirmed": "确认",
    "followed_up": "回访",
    "summarised": "总结",
    "loyal": "忠诚",
    "satisfied": "满意",
    "ordinary": "一般",
    "lost": "流失",
    "ticket": "工单",
    "call": "通话",
    "survey": "问卷",
    "shift": "班次",
    "no_beginning": "没有签入",
    "began_twice": "重复签入",
    "silent_too_long": "长时间无事件",
    "too_long": "班次过长",
    "dead letter": "死信",
    "never_ended": "未结束",
    "unknown_queue": "未知技能组",
    "unknown_ticket": "未知工单",
    "unknown_call": "未知通话",
    "event_after_end": "结束后的事件",
    "conflicting_duplicate": "内容冲突的重复",
    "future_clamped": "时间在未来",
    "partial_history": "历史不全",
}


def word(name: str, language: Language) -> str:
    """KeyError when there is none: a mistake of ours."""
    english, chinese = WORDS[name]
    return chinese if language == "zh-CN" else english


def code(value: str, language: Language) -> str:
    """A code of the data in words, where it has some."""
    if not value:
        return word("unknown", language)
    if language == "zh-CN":
        return _CODES.get(value, value)
    return value.replace("_", " ") if value in _CODES else value
