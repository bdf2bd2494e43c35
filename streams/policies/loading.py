"""Reads policy files, checks them whole, and compiles them."""

from collections.abc import Sequence
from pathlib import Path

from schemas.policy import PolicyFile
from schemas.problems import Problem, ProblemsError
from streams.core.policy import Policy, PolicyBook
from streams.importing.documents import parse_yaml
from streams.policies.compiling import compile_policy
from streams.policies.holidays import Beside, LookedUp
from streams.policies.understanding import understood

FILE_BYTES_MAX = 1024 * 1024


def load_book(paths: Path | Sequence[Path]) -> PolicyBook:
    """Every version that the files hold; ProblemsError names every mistake of every file."""
    given = [paths] if isinstance(paths, Path) else list(paths)
    problems: list[Problem] = []
    starts: dict[int, tuple[Path, Policy]] = {}
    for path in given:
        try:
            policy = load_policy(path)
        except ProblemsError as error:
            problems += error.problems
            continue
        other, _ = starts.setdefault(policy.effective_from_ms, (path, policy))
        if other is not path:
            what = f"in force from the same instant as {other}"
            problems.append(Problem(str(path), what, "give each version its own effective_from"))
    if problems:
        raise ProblemsError(*problems)
    return PolicyBook(tuple(policy for _, policy in starts.values()))


def load_policy(path: Path) -> Policy:
    """One policy; ProblemsError names every mistake with its line."""
    text = read_policy_text(path)
    return parse_policy(text, str(path), beside=lambda name: (path.parent / name).read_bytes())


def read_policy_text(path: Path) -> str:
    """What the file says, unchecked; ProblemsError when it can't be read."""
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise ProblemsError(Problem(str(path), "larger than 1 MiB: is it a policy file?"))
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ProblemsError(Problem(str(path), f"not UTF-8 at byte {error.start}")) from error
    except OSError as error:
        hint = "name one with --policy, or TICKETPULSE_POLICY"
        raise ProblemsError(Problem(str(path), error.strerror or str(error), hint)) from error


def parse_policy(text: str, file: str, beside: Beside | None = None) -> Policy:
    """A policy from its text; `file` is only for messages, `beside` reads files it names."""
    return read_policy(text, file, beside)[1]


def read_policy(text: str, file: str, beside: Beside | None = None) -> tuple[PolicyFile, Policy]:
    """The same, with the file as it was understood."""
    document = parse_yaml(text, file)
    if not isinstance(document.data, dict):
        raise ProblemsError(Problem(f"{file}:1", "not a policy file", "start with `policy: NAME`"))
    mistakes = list(document.mistakes)
    looked_up = LookedUp(beside)
    parsed = understood(document, mistakes, looked_up.look_up)
    if mistakes:
        raise ProblemsError(*document.problems(mistakes))
    assert parsed is not None, "without mistakes there is a file"
    return parsed, compile_policy(parsed, looked_up)
