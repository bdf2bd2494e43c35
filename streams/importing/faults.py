"""Why a row was rejected: the closed list of codes beside those of `schemas.reasons`."""

from dataclasses import dataclass

from schemas.reasons import REASONS

# code → meaning in English and Chinese
ROW_REASONS: dict[str, tuple[str, str]] = {
    "missing_value": ("a needed column is blank", "必需的列为空"),
    "bad_time": ("a time can't be read", "时间无法解析"),
    "time_in_gap": ("a local time that the zone skips", "夏令时跳过的时刻"),
    "unmapped_value": ("a value that the mapping's value map doesn't know", "取值不在映射表中"),
    "not_a_number": ("not a number", "不是数字"),
    "not_a_boolean": ("not yes or no", "不是布尔值"),
    "wrong_column_count": ("the row has more or fewer columns than the header", "列数与表头不符"),
    "invalid_encoding": ("bytes that the encoding doesn't know", "编码错误"),
    "unreadable_row": ("the line can't be split into columns", "该行无法解析"),
    "not_an_object": ("the line is not a JSON object", "该行不是 JSON 对象"),
    "scattered_id": ("rows of one id don't stand together", "同一编号的行不连续"),
    "no_event": ("no event of the mapping applies to the row", "该行不产生任何事件"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One reason against one row; `where` is the column or the event's field."""

    reason: str
    detail: str
    where: str = ""


class RowFaultsError(Exception):
    """A row can't be taken, with every reason found."""

    def __init__(self, *faults: Fault) -> None:
        assert faults
        self.faults = faults
        super().__init__("; ".join(fault.detail for fault in faults))


def meaning_of(reason: str) -> tuple[str, str]:
    """What a code means, in English and Chinese."""
    if reason in ROW_REASONS:
        return ROW_REASONS[reason]
    known = REASONS[reason]
    return known.en, known.zh_cn
