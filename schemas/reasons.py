"""Why something was rejected: the closed list of reason codes, with what to do about each."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """Meaning in both languages, and the way out."""

    en: str
    zh_cn: str
    remedy: str


REASONS: dict[str, Reason] = {
    # found while decoding
    "empty": Reason("the record has no value", "记录没有内容", "send the event as the value; tombstones mean nothing on source topics"),
    "too_large": Reason("the event is longer than 256 KiB", "事件超过 256 KiB", "send references instead of content"),
    "invalid_utf8": Reason("the text is not UTF-8", "文本不是 UTF-8 编码", "encode the JSON as UTF-8"),
    "not_json": Reason("the text is not JSON", "不是合法的 JSON", "check quoting and commas; one object per event, nothing after it"),
    "not_finite": Reason("a number is NaN, infinite or too large for any number type", "数值为 NaN、无穷大或过大", "leave the field out when there is no number"),
    "duplicate_field": Reason("a field is given twice in one object", "同一对象中字段重复", "send the field named in the detail once"),
    "too_deep": Reason("the JSON is nested too deeply", "JSON 嵌套过深", "flatten the event; at most 64 levels"),
    "not_an_object": Reason("the JSON is not an object", "JSON 不是对象", "send one object per event"),
    "unknown_version": Reason("schema_version is not known here", "未知的 schema_version", "send version 1, or upgrade ticketpulse first"),
    "unknown_type": Reason("the event type is not known for this entity", "未知的事件类型", "see schemas/README.md for the types"),
    "missing_field": Reason("a required field is missing", "缺少必填字段", "add the field named in the detail"),
    "wrong_type": Reason("a field has the wrong JSON type", "字段类型错误", "correct the field named in the detail"),
    "bad_value": Reason("a field has a value that is not allowed", "字段取值不允许", "correct the field named in the detail"),
    "too_long": Reason("a text or map is longer than allowed", "文本或映射过长", "shorten the field named in the detail"),
    "naive_time": Reason("a time has no zone", "时间缺少时区", "add Z or an offset such as +08:00"),
    "absurd_time": Reason("a time lies before 1970 or after 2200", "时间不合理", "correct the source's clock or unit"),
    "ambiguous_entity": Reason("not exactly one of ticket_id, call_id, survey_id, shift_id", "实体编号必须且只能有一个", "send exactly one id"),
    "wrong_topic": Reason("the event belongs on another topic", "事件发到了错误的主题", "tickets, calls, surveys and shifts have a topic each"),
    "wrong_key": Reason("the record's key is not tenant/source/id of the event", "消息键与事件不符", "use tenant/source/id as the key"),
    "clear_customer_id": Reason("the event names its customer in clear", "事件含明文客户标识", "send it through the edge with TICKETPULSE_CUSTOMER_KEYS set; or say by TICKETPULSE_CUSTOMER_IDS that the source's ids are pseudonyms (clear), or drop them"),
    # found later
    "misrouted": Reason("the record lies in a partition its key does not belong to", "消息分区错误", "use the murmur2 partitioner that Kafka clients have by default"),
    "too_late": Reason("the ticket was forgotten: closed longer ago than the policy's horizon", "事件过晚，工单已归档", "raise horizon_days, or correct the source"),
    "core_error": Reason("the event made the core fail; it was undone", "核心处理出错，已撤销", "report it with the original bytes, then retry"),
    "state_too_large": Reason("with this event the entity's state would outgrow a record", "工单状态过大", "a ticket with endless or huge events: correct the source; see the runbook: state too large"),
    "retried": Reason("it was a dead letter, and was put back onto its topic", "已重新投递", "nothing: if it fails again there is a new dead letter"),
    "refused_by_database": Reason("ClickHouse refused the row", "数据库拒绝该行", "run the migrations; see the detail"),
}  # fmt: skip
