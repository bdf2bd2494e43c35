"""Settings: the only reader of the environment. Prefix `TICKETPULSE_`; a `.env` file is not read."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from schemas.problems import Problem, ProblemsError
from schemas.wire import IdPart

PREFIX = "TICKETPULSE_"


class Settings(BaseSettings):
    """Every setting, with its default, meaning and unit. Secrets may also come from files
    (`TICKETPULSE_SECRETS_DIR`, one file per setting, named like the variable in lower case)."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    broker_url: str = Field("embedded", description="`embedded`, or host:port[,host:port] of Kafka")
    kafka_security: Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"] = Field(
        "plaintext", description="how Kafka is spoken to: in the clear, over TLS, with a user, both"
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", description="how the user is proven"
    )
    kafka_user: str = Field("", description="user of Kafka, with sasl_…")
    kafka_password: SecretStr = Field(SecretStr(""), description="password of that user")
    kafka_ca_file: Path | None = Field(
        None, description="PEM file of the authority to trust instead of the system's"
    )
    kafka_cert_file: Path | None = Field(None, description="PEM file of our own certificate")
    kafka_key_file: Path | None = Field(None, description="PEM file of its key")
    topic_prefix: str = Field("", description="put before every topic and group name")
    partitions: int = Field(
        4, ge=1, le=1024, description="partitions of topics that are created here"
    )
    group: str = Field("ticketpulse", description="prefix of the consumer group names")
    worker_id: str = Field(
        "",
        pattern=r"^[A-Za-z0-9._-]{0,100}$",
        description="name of this worker, unlike any other's: started again within the session"
        " time-out it gets its partitions back at once. Empty: a new member every time",
    )
    data_dir: Path = Field(
        Path("data"), description="where the embedded ClickHouse keeps its files"
    )
    clickhouse_url: str = Field("embedded", description="`embedded` (chDB), or http(s)://host:port")
    clickhouse_user: str = Field("default", description="user of the ClickHouse server")
    clickhouse_password: SecretStr = Field(SecretStr(""), description="password of that user")
    clickhouse_ca_file: Path | None = Field(
        None, description="PEM file of the authority to trust for https instead of the system's"
    )
    clickhouse_database: str = Field("ticketpulse", description="database of all tables")
    keep_facts_days: int = Field(
        0, ge=0, description="rows of what is over are deleted after so many days; 0: never"
    )
    keep_windows_days: int = Field(0, ge=0, description="the same for sums per minute")
    keep_dead_letters_days: int = Field(0, ge=0, description="the same for dead letters")
    policy: Path = Field(Path("deploy/policies/boston311.yaml"), description="policy file in force")
    tenant: IdPart = Field("default", description="tenant of events that name none")
    http_host: str = Field("127.0.0.1", description="address that the page and API bind to")
    http_port: int = Field(8311, ge=0, le=65535, description="their port; 0 takes a free one")
    http_token: SecretStr = Field(
        SecretStr(""), description="bearer token of admins; one is needed off loopback"
    )
    http_supervisor_token: SecretStr = Field(
        SecretStr(""),
        description="token that may read, acknowledge and silence, but send no events",
    )
    http_viewer_token: SecretStr = Field(SecretStr(""), description="token that may only read")
    http_names: str = Field(
        "", description="further names that the page is reached by, e.g. of a proxy; with commas"
    )
    trusted_proxies: str = Field(
        "",
        description="addresses or networks of proxies whose word about the user is taken; with commas",
    )
    proxy_user_header: str = Field(
        "X-Forwarded-User", description="header in which such a proxy names the user"
    )
    proxy_role_header: str = Field(
        "",
        description="header in which it names viewer, supervisor or admin; empty: all are admins",
    )
    compute_urls: str = Field(
        "",
        description="http://host:port of the workers' health servers, separated by commas, for a dashboard that"
        " explains tickets and has no worker in its process; every address of a name is asked",
    )
    ingest_bytes_max: int = Field(
        4 * 1024 * 1024, ge=1024, description="largest body of POST /events"
    )
    checkpoint_seconds: float = Field(
        1.0, gt=0, le=60, description="between checkpoints with changes"
    )
    idle_checkpoint_seconds: float = Field(
        15.0, gt=0, le=3600, description="between checkpoints without"
    )
    timer_hold_seconds_max: float = Field(
        30.0, ge=0, description="longest wait of a due timer for the log"
    )
    session_timeout_seconds: float = Field(
        30.0, gt=0, description="consumer group session time-out"
    )
    writer_flush_seconds: float = Field(
        1.0, gt=0, le=60, description="between inserts into a table"
    )
    dead_letter_keys: SecretStr = Field(
        SecretStr(""),
        description="seal the originals of dead letters, the first of several seals; empty: kept plain",
    )
    customer_ids: Literal["keyed", "clear", "dropped"] = Field(
        "keyed",
        description="customer ids are replaced at the edge by keyed hashes, and refused in clear; or"
        " taken as the pseudonyms they are already; or left out",
    )
    customer_keys: SecretStr = Field(
        SecretStr(""),
        description="of those hashes, at the edge only, the newest first: `customers new-key`",
    )
    stop_share: float = Field(
        0.5, ge=0, le=1, description="of a sample of records unprocessable: compute stops; 0: never"
    )
    stop_sample: int = Field(1_000, ge=2, description="records in that sample, per partition")
    stop_consecutive: int = Field(
        500, ge=0, description="unprocessable records in a row: compute stops; 0: never"
    )
    stale_after_seconds: float = Field(
        45.0, gt=0, description="age at which the page calls data stale"
    )
    alertmanager_url: str = Field(
        "", description="http(s)://host:9093 of Prometheus Alertmanager; empty: none is told"
    )
    webhook_url: str = Field(
        "", description="where each notification is posted as JSON; empty: nowhere"
    )
    webhook_secret: SecretStr = Field(SecretStr(""), description="signs what is posted there")
    notify_language: Literal["en", "zh-CN"] = Field(
        "en", description="of messages to people; Alertmanager gets both"
    )
    notify_zone: str = Field("UTC", description="IANA zone of the times in them")
    page_url: str = Field(
        "",
        description="address under which people reach the live page: notifications link to their ticket there, which"
        " explains itself",
    )
    runbook_url: str = Field(
        "",
        description="address of what is to be done about a breach, in notifications; {clock} and {team} stand for"
        " those of the alert",
    )
    slack_url: SecretStr = Field(SecretStr(""), description="incoming webhook of a Slack channel")
    wecom_url: SecretStr = Field(
        SecretStr(""), description="robot of a WeCom group (企业微信群机器人)"
    )
    dingtalk_url: SecretStr = Field(SecretStr(""), description="robot of a DingTalk group (钉钉)")
    dingtalk_secret: SecretStr = Field(
        SecretStr(""), description="its secret, when it signs (加签)"
    )
    feishu_url: SecretStr = Field(SecretStr(""), description="robot of a Feishu group (飞书)")
    feishu_secret: SecretStr = Field(SecretStr(""), description="its secret, when it signs")
    pagerduty_key: SecretStr = Field(
        SecretStr(""), description="routing key of a PagerDuty service (Events API v2)"
    )
    jsm_key: SecretStr = Field(
        SecretStr(""), description="API key of Jira Service Management Operations"
    )
    smtp_url: SecretStr = Field(
        SecretStr(""), description="smtp[s]://user:password@host:port of a mail server"
    )
    mail_from: str = Field("", description="sender of mails")
    mail_to: str = Field("", description="who gets them, separated by commas")
    group_wait_seconds: float = Field(
        0.0, ge=0, le=600, description="before the first chat message or mail of a team's storm"
    )
    group_interval_seconds: float = Field(
        30.0, ge=0, le=3600, description="between two of its messages with news; 0: no grouping"
    )
    escalation: Path | None = Field(
        None, description="escalation file: ladders, rotas, quiet hours; empty: one page per breach"
    )
    fallback_receiver: str = Field(
        "",
        description="of the receivers that are set, the one that is told what no other has taken",
    )
    fallback_after_seconds: float = Field(
        300.0, gt=0, description="after which the fallback is told"
    )
    resend_seconds: float = Field(
        60.0, gt=0, le=3600, description="between two reminders of what fires; forgotten after four"
    )
    page_age_seconds_max: float = Field(
        3600.0, gt=0, description="a breach that becomes known later than this is marked late"
    )
    complaint_zone: str = Field(
        "UTC", description="IANA zone whose months number the complaints (YYYYMM-NNNN)"
    )
    complaint_scope: Literal["tenant", "source"] = Field(
        "tenant", description="what the numbers run within: a tenant, or each source system"
    )
    health_host: str = Field("127.0.0.1", description="address of /healthz, /readyz and /metrics")
    health_port: int = Field(0, ge=0, le=65535, description="their port; 0: they are not served")
    health_token: SecretStr = Field(
        SecretStr(""), description="bearer token of /metrics and of details; needed off loopback"
    )
    watchdog_seconds: float = Field(
        60.0, ge=0, description="silence of the event loop that ends the process; 0: none does"
    )
    checkpoint_age_seconds_max: float = Field(
        300.0, ge=0, description="age of a running worker's checkpoint that ends it; 0: none does"
    )
    stop_seconds_max: float = Field(
        30.0, gt=0, description="for all roles to stop; then the process ends, with an error"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="least level logged"
    )
    secrets_dir: Annotated[Path | None, NoDecode] = Field(
        None, description="folder of secret files"
    )


def listed(text: str) -> tuple[str, ...]:
    """The parts of a setting that holds several, separated by commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def load_settings(**overrides: object) -> Settings:
    """Read the environment; every mistake at once as `ProblemsError`.

    `overrides` (from the command line) win; None means not given.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)  # type: ignore[arg-type]  # checked by pydantic
    except ValidationError as error:
        raise ProblemsError(
            *(
                Problem(PREFIX + str(item["loc"][0]).upper(), item["msg"], f"got {item['input']!r}")
                for item in error.errors()
            )
        ) from error
