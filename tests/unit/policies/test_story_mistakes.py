"""Tests that policies carry: what is wrong with them is said once, with its line."""

from pathlib import Path

import pytest

from schemas.problems import ProblemsError
from streams.policies.stories import load_stories
from tests.unit.policies.shop import SHOP

STORY = """\
zone: Europe/Berlin
stories:
  - story: one
    events:
      - {at: 2026-03-02 09:00, type: created, tier: gold}
    ends:
      - {as_of: 2026-03-03 09:00, reply: breached}
    breaches: [2026-03-02 10:00 reply]
    announced: [2026-03-02 10:00 breach reply]
"""


def problems_of(folder: Path, text: str) -> list[str]:
    """Each problem without the name of the file: `LINE: place: what (hint)`."""
    (folder / "shop.yaml").write_text(SHOP)
    path = folder / "shop.test.yaml"
    path.write_text(text)
    try:
        load_stories(path)
    except ProblemsError as error:
        return [str(problem).removeprefix(f"{path}:") for problem in error.problems]
    return []


def test_the_story_that_the_mistakes_are_made_in_has_none(tmp_path: Path) -> None:
    assert problems_of(tmp_path, STORY) == []


EVENT, END = "stories.0.events.0", "stories.0.ends.0"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("at: 2026-03-02 09:00", "at: soon", f"5: {EVENT}.at: 'soon' is not a time such as 2026-03-02 09:00"),
        ("at: 2026-03-02 09:00", "at: Sun 2026-03-02 09:00", f"5: {EVENT}.at: 2026-03-02 is a Mon, not a Sun"),
        (
            "at: 2026-03-02 09:00",
            "at: 0001-01-01 00:00",
            f"5: {EVENT}.at: '0001-01-01 00:00' does not lie in the years 1970 to 2200",
        ),
        (
            "2026-03-03 09:00",
            "9999-12-31 23:59",
            f"7: {END}.as_of: '9999-12-31 23:59' does not lie in the years 1970 to 2200",
        ),
        (
            "tier: gold",
            "sequence: -1",
            f"5: {EVENT}: sequence: Input should be greater than or equal to 0 (bad_value)",
        ),
        ("reply: breached", "replly: breached", f"7: {END}.replly: unknown clock 'replly' (did you mean 'reply'?)"),
        (
            "reply: breached",
            "reply: {verdikt: met}",
            f"7: {END}.reply.0.verdikt: unknown key 'verdikt' (did you mean 'verdict'?)",
        ),
        (
            "reply: breached",
            "reply: breached2",
            f"7: {END}.reply.0.verdict: input should be 'pending', 'met', 'breached', 'void' or 'no_target' "
            "(did you mean 'breached'?)",
        ),
        (
            "10:00 reply",
            "10:00 replly",
            "8: stories.0.breaches.0: '2026-03-02 10:00 replly' is not TIME CLOCK "
            "(write TIME CLOCK; clocks: reply, resolution)",
        ),
        ("[2026-03-02 10:00 reply]", '[""]', "8: stories.0.breaches.0: '' is not TIME CLOCK (write TIME CLOCK; clocks: reply, resolution)"),
        ("breach reply", "breech reply", "9: stories.0.announced.0: nobody announces 'breech' (did you mean 'breach'?)"),
    ],
)  # fmt: skip
def test_a_mistake_is_said_once_with_its_line(
    old: str, new: str, said: str, tmp_path: Path
) -> None:
    assert old in STORY
    assert problems_of(tmp_path, STORY.replace(old, new, 1)) == [said]


def test_a_file_without_stories_is_told(tmp_path: Path) -> None:
    assert problems_of(tmp_path, "stories: []\n") == ["1: stories: at least 1 is needed"]
