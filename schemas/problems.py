"""Mistakes of a person's input, collected and told all at once."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: where it stands, what is wrong, what to do about it."""

    where: str
    what: str
    hint: str = ""

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text} ({self.hint})" if self.hint else text


class ProblemsError(Exception):
    """A file, setting or command can't be used; carries every mistake found, in reading order.

    The command line prints one line per problem and exits with 2; nothing has been changed.
    """

    def __init__(self, *problems: Problem) -> None:
        assert problems, "an error without a problem helps nobody"
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))
