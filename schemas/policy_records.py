"""What stands on the topic `policies`: published versions, and orders to judge history anew.

Records are kept for ever, so that a version named by any stored state can be read again. Every worker
follows the topic and judges by the version in force as of the event.
"""

from typing import Annotated, Literal

from pydantic import (
    AwareDatetime,
    Base64Bytes,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    TypeAdapter,
    ValidationError,
)

from schemas.problems import Problem, ProblemsError

REJUDGE_KEY_PREFIX = "rejudge/"
NOTE_LENGTH_MAX = 1_000
_WHO_LENGTH_MAX = 200


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PublishedPolicy(_Record):
    """One immutable version of a policy, whole: nothing beside this record is needed to judge by it."""

    kind: Literal["version"] = "version"
    version: Annotated[str, Field(min_length=3, description="policy id, @, content hash")]
    effective_from: Annotated[AwareDatetime, Field(description="in force from then on, event time")]
    published_at: AwareDatetime
    published_by: Annotated[str, Field(max_length=_WHO_LENGTH_MAX)]
    note: Annotated[str, Field(max_length=NOTE_LENGTH_MAX)] = ""
    retroactive: Annotated[
        bool, Field(description="its time had begun when it was published; somebody asked for that")
    ] = False
    document: Annotated[
        dict[str, JsonValue], Field(description="the policy file, normalised; see schemas.policy")
    ]
    files: Annotated[
        dict[str, Base64Bytes], Field(description="calendar files that the policy names, in base64")
    ] = {}

    @property
    def key(self) -> str:
        """The record's key."""
        return self.version


class OrderedRejudgement(_Record):
    """Judge live tickets anew by a version, from an instant on; kept as the audit of it."""

    kind: Literal["rejudge"] = "rejudge"
    version: Annotated[str, Field(min_length=3, description="the version to judge by")]
    since: Annotated[
        AwareDatetime, Field(description="tickets with an event at or after it are judged anew")
    ]
    reason: Annotated[str, Field(min_length=1, max_length=NOTE_LENGTH_MAX)]
    ordered_at: Annotated[
        AwareDatetime, Field(description="names the order; later ones are greater")
    ]
    ordered_by: Annotated[str, Field(max_length=_WHO_LENGTH_MAX)]

    @property
    def key(self) -> str:
        """The record's key."""
        return f"{REJUDGE_KEY_PREFIX}{self.ordered_at.isoformat()}"


PolicyRecord = Annotated[PublishedPolicy | OrderedRejudgement, Field(discriminator="kind")]
_RECORDS: TypeAdapter[PublishedPolicy | OrderedRejudgement] = TypeAdapter(PolicyRecord)


def record_bytes(record: PublishedPolicy | OrderedRejudgement) -> bytes:
    """The value of the Kafka record."""
    return record.model_dump_json(by_alias=True).encode()


def record_of(value: bytes, where: str) -> PublishedPolicy | OrderedRejudgement:
    """What a value says; ProblemsError with every mistake. `where` is only for messages."""
    try:
        return _RECORDS.validate_json(value)
    except ValidationError as error:
        raise ProblemsError(
            *(
                Problem(".".join([where, *map(str, item["loc"])]), item["msg"])
                for item in error.errors(include_url=False)
            )
        ) from error
