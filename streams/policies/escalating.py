"""Escalation files: read, checked, ready to be asked."""

from pathlib import Path

import yaml
from pydantic import ValidationError

from schemas import escalation as language
from schemas.problems import Problem, ProblemsError
from streams.core.alerting.escalation import Escalation


def load_escalation(path: Path) -> Escalation:
    """ProblemsError with every mistake at once."""
    try:
        given = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ProblemsError(Problem(str(path), error.strerror or str(error))) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        what = " ".join(str(error).split())
        raise ProblemsError(Problem(str(path), f"is no YAML: {what}")) from error
    try:
        return Escalation(language.Escalation.model_validate(given))
    except ValidationError as error:
        raise ProblemsError(
            *(
                Problem(f"{path}: {'.'.join(map(str, one['loc'])) or 'file'}", one["msg"])
                for one in error.errors()
            )
        ) from error
    except ValueError as error:
        raise ProblemsError(
            Problem(str(path), str(error), "an IANA zone, e.g. Asia/Shanghai")
        ) from error
