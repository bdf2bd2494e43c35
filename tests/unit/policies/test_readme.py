"""The README shows the whole language, and what it shows is true."""

import re
from pathlib import Path

from pydantic import BaseModel

from schemas import policy as language, policy_stories
from streams.policies import parse_policy
from streams.policies.checking import check

FOLDER = Path(__file__).parents[3] / "streams/policies"
README = (FOLDER / "README.md").read_text(encoding="utf-8")
MODELS: tuple[type[BaseModel], ...] = (
    language.PolicyFile,
    language.Calendar,
    language.HolidaySource,
    language.Closure,
    language.CalendarBy,
    language.Clock,
    language.Rule,
    language.ByDate,
    language.Table,
    language.Measures,
    language.CallMeasures,
    language.QueueMeasures,
    language.SurveyMeasures,
    policy_stories.StoryFile,
    policy_stories.Story,
    policy_stories.StoryEvent,
    policy_stories.ExpectedCycle,
    policy_stories.End,
)


def examples() -> list[str]:
    return re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)


def test_the_example_of_a_policy_is_one_and_its_stories_come_out(tmp_path: Path) -> None:
    policy, stories = examples()
    assert parse_policy(policy, "README").id == "shop"
    (tmp_path / "shop.yaml").write_text(policy)
    (tmp_path / "shop.test.yaml").write_text(stories)
    _policy, told = check([tmp_path])
    assert told.problems == ()
    assert [story.differences for story in told.stories] == [(), ()]


def test_every_key_is_shown() -> None:
    for model in MODELS:
        names = {field.alias or name for name, field in model.model_fields.items()}
        hidden = {name for name in names if not re.search(rf"\b{re.escape(name)}\b", README)}
        assert hidden == set(), model.__name__


def test_every_module_is_named() -> None:
    modules = {path.stem for path in FOLDER.glob("*.py")} - {"__init__"}
    assert {name for name in modules if f"`{name}`" not in README} == set()
