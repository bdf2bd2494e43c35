"""A role: one job that starts, runs until stopped or broken, and stops within a bound."""

from typing import Protocol, runtime_checkable


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


@runtime_checkable
class Readies(Protocol):
    """A role that needs a while after its start until it does its work."""

    def ready(self) -> str | None:
        """None when ready, else what it waits for in one line."""
        ...


@runtime_checkable
class Warns(Protocol):
    """A role that knows of trouble which a restart would not end."""

    def warnings(self) -> list[str]:
        """Each in one line."""
        ...


@runtime_checkable
class Restores(Protocol):
    """A role that sometimes restores much state at once."""

    @property
    def restoring(self) -> bool:
        """Whether it does so now. Asked by another thread: one plain value."""
        ...


@runtime_checkable
class Strives(Protocol):
    """A role of which it is known whether it gets anywhere."""

    def stuck_seconds(self) -> float:
        """For how long it has been running without getting anywhere; 0 while it waits or restores."""
        ...
