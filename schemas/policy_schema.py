"""JSON Schemas (2020-12) of policy files, of the tests they carry and of escalation files: for editors, which then complete
keys and underline what is wrong. What they can't say `schemas.policy_mistakes` says."""

from typing import cast

from pydantic import BaseModel

from schemas.documents import Document
from schemas.escalation import Escalation
from schemas.policy import PolicyFile
from schemas.policy_stories import StoryFile

VERSION = 1
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def policy_file_schema() -> Document:
    """A policy file."""
    return _schema(PolicyFile, "policy", "policy file")


def story_file_schema() -> Document:
    """A test that a policy carries."""
    return _schema(StoryFile, "policy-test", "test of a policy")


def escalation_schema() -> Document:
    """Who is paged when nobody acts."""
    return _schema(Escalation, "escalation", "escalation file")


def _schema(model: type[BaseModel], name: str, title: str) -> Document:
    return {
        "$schema": _DIALECT,
        "$id": f"urn:ticketpulse:{name}:{VERSION}",
        **cast("Document", _plain(model.model_json_schema())),
        "title": title,
    }


def _plain(value: object) -> object:
    """Without pydantic's titles, which only repeat the name, and defaults that only say null."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _plain(item)
        for key, item in value.items()
        if not (key == "title" and isinstance(item, str))
        and not (key == "default" and item is None)
    }
