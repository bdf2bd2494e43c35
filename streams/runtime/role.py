"""A role: one job that starts, runs until stopped or broken, and stops within a bound."""

from typing import Protocol


class Role(Protocol):
    """Compute, writer, dashboard, … all look like this, alone in a process or together in one."""

    name: str

    async def start(self) -> None:
        """Return when the role does its work; raise when it can't (ProblemsError for the user's mistakes)."""
        ...

    async def run(self) -> None:
        """Return after `stop`; raise what broke the role. A broken role never goes on half alive."""
        ...

    async def stop(self) -> None:
        """Finish what was begun and release everything, within seconds. May be called twice."""
        ...

    def healthy(self) -> str | None:
        """None when healthy, else what is wrong in one line."""
        ...
