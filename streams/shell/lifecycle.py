"""Where a process stands between its start and its end, and why it was ended when it had to be."""

from typing import Literal

Phase = Literal["starting", "running", "stopping"]

EXIT_HUNG = 70
EXIT_STOP_TOO_SLOW = 71


class Lifecycle:
    """Written by the event loop; the watchdog's thread reads it too, one plain value at a time."""

    def __init__(self) -> None:
        self.phase: Phase = "starting"
        self.busy_with = "the surroundings"  # what is being started or stopped
        self.stopping_at: float | None = None  # a monotonic reading

    def starting(self, what: str) -> None:
        """This is being started."""
        self.busy_with = what

    def running(self) -> None:
        """Everything has started."""
        if self.phase == "starting":
            self.phase = "running"

    def stop_asked(self, now_seconds: float) -> None:
        """The end has begun; the first to say so counts."""
        if self.stopping_at is None:
            self.stopping_at = now_seconds
        self.phase = "stopping"

    def stopping(self, what: str) -> None:
        """This is being stopped."""
        self.busy_with = what


class HungError(Exception):
    """The process can't go on as it should; `exit_code` tells supervisors which way."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code
