"""Runs the stories that policies carry through the real core, and tells what differs."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from schemas.policy_values import duration_ms, duration_text
from schemas.problems import Problem, ProblemsError
from streams.core.effects import Intent
from streams.core.policy import PolicyBook
from streams.core.tickets.evaluate import evaluate
from streams.core.tickets.logic import TicketLogic
from streams.core.tickets.state import TicketState
from streams.core.tickets.view import CycleView, TicketView
from streams.policies.loading import load_policy
from streams.policies.stories import SUFFIX, ReadEnd, ReadStory, Stories, load_stories, shown


@dataclass(frozen=True, slots=True)
class StoryResult:
    """One story told; without differences it came out as expected."""

    name: str
    line: int
    differences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FileResult:
    """One file: a policy's version, or the stories of a test file; else what is wrong with it."""

    path: Path
    version: str = ""
    stories: tuple[StoryResult, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def failed(self) -> int:
        """Stories that came out otherwise."""
        return sum(bool(story.differences) for story in self.stories)


def check(paths: Iterable[Path]) -> Iterator[FileResult]:
    """Every policy validated and every story told, file by file; a mistake in one stops no other.

    A folder stands for all policies and tests in it, a policy also for the test of its name.
    """
    files = files_of(paths)
    broken: set[Path] = set()
    for path in files:
        if path.name.endswith(SUFFIX):
            continue
        result = _check_policy(path)
        if result.problems:
            broken.add(path.resolve())
        yield result
    for path in files:
        if path.name.endswith(SUFFIX):
            yield _check_stories(path, broken)


def files_of(paths: Iterable[Path]) -> list[Path]:
    """Policies and tests that the paths stand for, in order of name."""
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            inside = sorted(path.rglob("*.yaml"))
            if not inside:
                hint = "policies are *.yaml files, their tests *.test.yaml"
                raise ProblemsError(Problem(str(path), "there are no policies in it", hint))
            found |= dict.fromkeys(inside)
            continue
        found[path] = None
        beside = path.with_suffix(SUFFIX)
        if not path.name.endswith(SUFFIX) and beside.exists():
            found[beside] = None
    return list(found)


def _check_policy(path: Path) -> FileResult:
    try:
        return FileResult(path, version=load_policy(path).version)
    except ProblemsError as error:
        return FileResult(path, problems=error.problems)


def _check_stories(path: Path, broken: set[Path]) -> FileResult:
    try:
        stories = load_stories(path)
    except ProblemsError as error:
        # What is wrong with a policy that was looked at itself has been said.
        new = [problem for problem in error.problems if not _is_of(problem, broken)]
        return FileResult(path, problems=tuple(new))
    return FileResult(path, stories=tuple(_tell(stories)))


def _is_of(problem: Problem, broken: set[Path]) -> bool:
    file = problem.where.rpartition(":")[0] or problem.where
    return Path(file).resolve() in broken


def _tell(stories: Stories) -> Iterator[StoryResult]:
    for story in stories.stories:
        yield StoryResult(story.name, story.line, tuple(_differences(story, stories)))


def _differences(story: ReadStory, stories: Stories) -> Iterator[str]:
    view: TicketView | None = None
    for end in story.ends:
        view = evaluate(story.events, stories.book, end.as_of_ms)
        yield from _end_differences(end, view, stories.zone)
    assert view is not None, "the model wants an end"
    if story.breaches is not None:
        found = sorted(
            (cycle.breach_ms, cycle.clock) for cycle in view.cycles if cycle.breach_ms is not None
        )
        lines = [f"{shown(at_ms, stories.zone)} {clock}" for at_ms, clock in found]
        yield from _lists_differ("breaches", lines, story.breaches)
    if story.announced is not None:
        lines = [
            f"{shown(intent.recorded_ms, stories.zone)} {intent.level} {intent.clock}"
            for intent in announcements(story, stories.book, story.ends[-1].as_of_ms)
        ]
        yield from _lists_differ("announced", lines, story.announced)


def counted(count: int, thing: str, things: str = "") -> str:
    """`1 cycle`, `2 cycles`."""
    return f"{count} {thing if count == 1 else things or f'{thing}s'}"


def _lists_differ(name: str, found: Sequence[str], expected: Sequence[str]) -> Iterator[str]:
    for line in expected:
        if line not in found:
            yield f"{name}: - {line} (expected, did not happen)"
    for line in found:
        if line not in expected:
            yield f"{name}: + {line} (happened, not expected)"
    if sorted(found) == sorted(expected) and list(found) != list(expected):
        yield f"{name}: in another order: {'; '.join(found)}"


def _end_differences(end: ReadEnd, view: TicketView, tz: ZoneInfo) -> Iterator[str]:
    as_of = f"as of {shown(end.as_of_ms, tz)}"
    for clock, expected in end.clocks.items():
        cycles = [cycle for cycle in view.cycles if cycle.clock == clock]
        if len(cycles) != len(expected):
            verdicts = ", ".join(cycle.verdict for cycle in cycles)
            has = f"{counted(len(cycles), 'cycle')} ({verdicts})" if cycles else "no cycle"
            yield f"{as_of}: {clock} has {has}, expected {len(expected) or 'none'}"
            continue
        for cycle, wanted in zip(cycles, expected, strict=True):
            which = clock if len(cycles) == 1 else f"{clock} #{cycle.ordinal}"
            for name, value in wanted.items():
                found = _fact(cycle, name)
                if found != _comparable(name, value):
                    was, should = _text(found, name, tz), _text(_comparable(name, value), name, tz)
                    yield f"{as_of}: {which}: {name} is {was}, expected {should}"


_FACTS = {
    "target": "target_ms",
    "elapsed": "elapsed_ms",
    "due_at": "due_ms",
    "at_risk_at": "at_risk_ms",
    "breach_at": "breach_ms",
    "stopped_at": "stopped_ms",
}


def _fact(cycle: CycleView, name: str) -> object:
    if name == "held":
        return {holder.team or "": holder.held_ms for holder in cycle.holders if holder.held_ms}
    found: object = getattr(cycle, _FACTS.get(name, name))
    return found


def _comparable(name: str, value: object) -> object:
    if name in ("target", "elapsed") and isinstance(value, str):
        return duration_ms(value)
    if name == "held" and isinstance(value, dict):
        return {team: duration_ms(text) for team, text in value.items()}
    return value


def _text(value: object, name: str, tz: ZoneInfo) -> str:
    if name.endswith("_at") and isinstance(value, int):
        return shown(value, tz)
    if isinstance(value, dict):
        return ", ".join(f"{team or 'nobody'} {duration_text(ms)}" for team, ms in value.items())
    if isinstance(value, int):
        return duration_text(value)
    return "none" if value is None else str(value)


def announcements(story: ReadStory, book: PolicyBook, until_ms: int) -> Iterator[Intent]:
    """What a live worker says of a story up to an instant, its timers fired when they are due."""
    logic = TicketLogic(book)
    state: TicketState | None = None
    for event in sorted(story.events, key=lambda event: event.ingested_ms):
        if event.ingested_ms > until_ms:
            break
        if state is not None:
            state, told = _timers(logic, state, event.ingested_ms)
            yield from told
        state, effects = logic.advance(state, event, event.ingested_ms)
        yield from (effect for effect in effects if isinstance(effect, Intent))
    if state is not None:
        yield from _timers(logic, state, until_ms)[1]


def _timers(
    logic: TicketLogic, state: TicketState, until_ms: int
) -> tuple[TicketState, list[Intent]]:
    """Fire what is due before an instant: everything known at it is read first."""
    told: list[Intent] = []
    wake_ms = logic.wake_ms(state)
    while wake_ms is not None and wake_ms < until_ms:
        after, effects = logic.on_timer(state, wake_ms)
        told += [effect for effect in effects if isinstance(effect, Intent)]
        if after is None or after.stub_ms is not None:
            break
        state = after
        wake_ms = logic.wake_ms(state)
    return state, told
