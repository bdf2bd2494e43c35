"""The policies that we ship are in order, labelled in both languages, and prove what they promise."""

from pathlib import Path

import pytest

from streams.policies import load_policy
from streams.policies.checking import check
from streams.policies.stories import SUFFIX

FOLDER = Path(__file__).parents[3] / "deploy/policies"
POLICIES = [path for path in sorted(FOLDER.rglob("*.yaml")) if not path.name.endswith(SUFFIX)]
BOTH = {"en", "zh-CN"}


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_it_and_all_its_clocks_are_labelled_in_both_languages(path: Path) -> None:
    policy = load_policy(path)
    unlabelled = [clock.id for clock in policy.clocks if set(clock.labels) != BOTH]
    assert (set(policy.labels), unlabelled) == (BOTH, [])


def test_every_story_comes_out_as_expected() -> None:
    results = list(check([FOLDER]))
    assert [problem for result in results for problem in result.problems] == []
    told = [(result.path.name, story) for result in results for story in result.stories]
    assert [(name, story) for name, story in told if story.differences] == []
    assert len(told) > 30


def test_every_example_carries_a_test() -> None:
    examples = {path.stem for path in FOLDER.glob("*.yaml") if not path.name.endswith(SUFFIX)}
    assert examples == {path.name.removesuffix(SUFFIX) for path in FOLDER.glob(f"*{SUFFIX}")}
