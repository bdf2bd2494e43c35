"""Settings refuse what would only fail later, and say which and why."""

import pytest

from schemas.problems import ProblemsError
from streams.shell.settings import load_settings


@pytest.mark.parametrize("tenant", ["", "a/b", "a\nb", "x" * 201])
def test_a_tenant_must_fit_into_a_key(monkeypatch: pytest.MonkeyPatch, tenant: str) -> None:
    monkeypatch.setenv("TICKETPULSE_TENANT", tenant)

    with pytest.raises(ProblemsError) as raised:
        load_settings()

    (problem,) = raised.value.problems
    assert problem.where == "TICKETPULSE_TENANT"


def test_every_mistake_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKETPULSE_TENANT", "a/b")
    monkeypatch.setenv("TICKETPULSE_PARTITIONS", "0")

    with pytest.raises(ProblemsError) as raised:
        load_settings()

    assert [problem.where for problem in raised.value.problems] == [
        "TICKETPULSE_PARTITIONS",
        "TICKETPULSE_TENANT",
    ]
