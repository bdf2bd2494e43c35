"""Policies on a topic: what is published, what a worker makes of it, and how history is judged anew.

The book of a worker is its policy file (`TICKETPULSE_POLICY`, the base) and every version of the topic,
in one line by `effective_from`: at an instant of event time the newest version that has begun is in
force, and of two that begin together the one published last.

A version is published for the future, with a lead for every worker to learn it. So it makes no
difference when a worker learned it, and nothing is judged twice. One whose time has begun can be
published if somebody insists (`retroactive`): it judges what comes in from then on, and tickets that late
truth evaluates anew; what was judged stays as it was until a rejudgement is ordered.
"""

import json
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, replace

from schemas.instants import from_ms, rfc3339, to_ms
from schemas.mapping import suggestion
from schemas.policy import PolicyFile
from schemas.policy_records import OrderedRejudgement, PublishedPolicy, record_of
from schemas.problems import Problem, ProblemsError
from streams.core.policy import Policy, PolicyBook, Rejudgement
from streams.importing.documents import parse_yaml
from streams.policies.holidays import Beside
from streams.policies.loading import parse_policy

LEAD_MS = 10_000  # between publishing and taking effect: many times what a worker needs to learn


@dataclass(frozen=True, slots=True)
class Listed:
    """One version as it stands in the line. `record` is None for one of the base."""

    policy: Policy
    record: PublishedPolicy | None


class PolicyShelf:
    """What the topic has said so far. Records that can't be used change nothing: see `problems`."""

    def __init__(self, base: PolicyBook | None) -> None:
        self.problems: list[Problem] = []
        self.rejudgements: list[OrderedRejudgement] = []
        self._versions: dict[str, Listed] = {}
        for policy in () if base is None else base.policies:
            self._versions[policy.version] = Listed(policy, None)

    def take(self, value: bytes | None, where: str) -> bool:
        """Take the next record of the topic; true when the book has changed."""
        try:
            if value is None:
                raise ProblemsError(Problem(where, "a version can't be withdrawn: ignored"))
            record = record_of(value, where)
            if isinstance(record, OrderedRejudgement):
                self._order(record, where)
                return True
            return self._add(record, where)
        except ProblemsError as error:
            self.problems += error.problems
            return False

    def _add(self, record: PublishedPolicy, where: str) -> bool:
        known = self._versions.get(record.version)
        if known is None or known.record is None:
            self._versions[record.version] = Listed(policy_of(record, where), record)
            return known is None
        if known.record.document != record.document:
            what = f"{record.version} was published before with another content: ignored"
            raise ProblemsError(Problem(where, what))
        return False

    def _order(self, record: OrderedRejudgement, where: str) -> None:
        if record.version not in self._versions:
            what = f"judge anew by {record.version}, which nobody has published: ignored"
            raise ProblemsError(Problem(where, what))
        if self.rejudgements and record.ordered_at <= self.rejudgements[-1].ordered_at:
            raise ProblemsError(Problem(where, "ordered before the rejudgement above: ignored"))
        self.rejudgements.append(record)

    def listed(self) -> list[Listed]:
        """Every version, by the instant from which it is in force."""
        return sorted(self._versions.values(), key=lambda one: one.policy.effective_from_ms)

    def shadowed(self) -> list[tuple[str, str]]:
        """Versions of the base that begin when one of the topic does, and that one: the topic wins."""
        book = self.book()
        found = [
            (one.policy.version, book.as_of(one.policy.effective_from_ms).version)
            for one in self._versions.values()
            if one.record is None
        ]
        return [(version, instead) for version, instead in found if version != instead]

    def get(self, version: str) -> Listed | None:
        """A version by its name."""
        return self._versions.get(version)

    def book(self) -> PolicyBook:
        """What to judge by."""
        return PolicyBook(
            tuple(listed.policy for listed in self._versions.values()),
            tuple(
                Rejudgement(to_ms(one.ordered_at), one.version, to_ms(one.since))
                for one in self.rejudgements
            ),
        )


def policy_of(record: PublishedPolicy, where: str) -> Policy:
    """The version that a record carries; ProblemsError when it can't be judged by.

    It keeps the name under which it was published, also where holidays or zone rules are known better
    by now: states name it by that. What a clock really ran on is told by its calendar's own version.
    """
    files = record.files

    def beside(name: str) -> bytes:
        if name not in files:
            message = f"the record does not carry {name}"
            raise ValueError(message)
        return files[name]

    policy = parse_policy(json.dumps(record.document, ensure_ascii=False), where, beside)
    if policy.effective_from_ms != to_ms(record.effective_from):
        raise ProblemsError(Problem(where, "effective_from differs from the document's"))
    if policy.id != record.version.partition("@")[0]:
        raise ProblemsError(Problem(where, f"{record.version} is no version of {policy.id}"))
    return replace(policy, version=record.version)


@dataclass(frozen=True, slots=True)
class PublishRequest:
    """What a person asks for. `effective_from_ms` replaces that of the file."""

    text: str
    file: str
    beside: Beside
    by: str
    note: str = ""
    effective_from_ms: int | None = None
    retroactive: bool = False


def prepared(request: PublishRequest, shelf: PolicyShelf, now_ms: int) -> PublishedPolicy:
    """The record to publish. ProblemsError names every mistake of the file, with lines; a version that
    was published before comes back as it was."""
    files: dict[str, bytes] = {}

    def beside(name: str) -> bytes:
        files[name] = request.beside(name)
        return files[name]

    parse_policy(request.text, request.file, beside)
    model = PolicyFile.model_validate(parse_yaml(request.text, request.file).data)
    if request.effective_from_ms is not None:
        model = model.model_copy(update={"effective_from": from_ms(request.effective_from_ms)})
    document = model.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    policy = parse_policy(json.dumps(document, ensure_ascii=False), request.file, files.__getitem__)
    known = shelf.get(policy.version)
    if known is not None and known.record is not None:
        return known.record
    passed = policy.effective_from_ms < now_ms + LEAD_MS
    if passed and known is None and not request.retroactive:
        raise ProblemsError(_too_late(policy, shelf, request.file))
    return PublishedPolicy(
        version=policy.version,
        effective_from=model.effective_from,
        published_at=from_ms(now_ms),
        published_by=request.by,
        note=request.note,
        retroactive=passed and known is None,
        document=document,
        files={name: b64encode(content) for name, content in files.items()},
    )


def _too_late(policy: Policy, shelf: PolicyShelf, file: str) -> Problem:
    """Why a version whose time has begun isn't simply published."""
    from_ = rfc3339(policy.effective_from_ms)
    replaced = [one.policy for one in shelf.listed()]
    instead = ""
    if replaced:
        instead = (
            f", in place of {PolicyBook(tuple(replaced)).as_of(policy.effective_from_ms).version}"
        )
    return Problem(
        file,
        f"it would be in force from {from_} on, which has begun or is about to{instead}",
        "give --effective-from now, or a later instant; --retroactive insists, and judges by it what"
        " comes in from now on",
    )


@dataclass(frozen=True, slots=True)
class RejudgeRequest:
    """What a person asks for."""

    version: str
    since_ms: int
    reason: str
    by: str


def ordered(request: RejudgeRequest, shelf: PolicyShelf, now_ms: int) -> OrderedRejudgement:
    """The record to publish; ProblemsError names what is wrong with the order."""
    problems = list(_mistakes(request, shelf, now_ms))
    if problems:
        raise ProblemsError(*problems)
    at_ms = now_ms
    if shelf.rejudgements:
        at_ms = max(now_ms, to_ms(shelf.rejudgements[-1].ordered_at) + 1)
    return OrderedRejudgement(
        version=request.version,
        since=from_ms(request.since_ms),
        reason=request.reason.strip(),
        ordered_at=from_ms(at_ms),
        ordered_by=request.by,
    )


def _mistakes(request: RejudgeRequest, shelf: PolicyShelf, now_ms: int) -> Iterator[Problem]:
    if shelf.get(request.version) is None:
        known = [one.policy.version for one in shelf.listed()]
        hint = suggestion(request.version, known) or "see `ticketpulse policy list`"
        yield Problem("--version", f"no version {request.version!r} is known", hint)
    elif (listed := shelf.get(request.version)) is not None and listed.record is None:
        what = f"{request.version} is known from a file only"
        yield Problem("--version", what, "publish it first, so that every worker knows it")
    if request.since_ms > now_ms:
        yield Problem("--since", "lies in the future: nothing has been judged there")
    if not request.reason.strip():
        yield Problem("--reason", "is empty", "say why, for the audit")
