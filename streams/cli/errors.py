"""What a person sees when something can't be done: one clear line per mistake, exit code 2 (another one
when the process could not go on or end as it should)."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from schemas.problems import ProblemsError
from streams.runtime.changelog import ChangelogError
from streams.runtime.stop_rule import StopRuleError
from streams.shell.lifecycle import HungError

CANNOT_GO_ON = 3


@contextmanager
def told_clearly() -> Iterator[None]:
    """Turn `ProblemsError` and file errors into messages on stderr and exit code 2."""
    try:
        yield
    except ProblemsError as error:
        for problem in error.problems:
            sys.stderr.write(f"error: {problem}\n")
        raise typer.Exit(2) from error
    except HungError as error:
        sys.stderr.write(f"error: {error}\n")
        raise typer.Exit(error.exit_code) from error
    except (ChangelogError, StopRuleError) as error:
        sys.stderr.write(f"error: {error}\n")
        raise typer.Exit(CANNOT_GO_ON) from error
    except OSError as error:
        sys.stderr.write(f"error: {error.filename or ''}: {error.strerror or error}\n")
        raise typer.Exit(2) from error
    except KeyboardInterrupt as error:
        raise typer.Exit(130) from error
