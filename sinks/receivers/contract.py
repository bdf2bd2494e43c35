"""What a receiver of notifications promises, and how it fails."""

from collections.abc import Sequence
from typing import Protocol

from schemas.notifications import Notification

# level of a notification → how urgent it is where no rung of a ladder says otherwise
_SEVERITIES = {"breach": "critical", "at_risk": "warning"}


def severity_of(notification: Notification) -> str:
    """warning or critical: the rung's, else the level's. The same for an alert, its reminders and its end."""
    return notification.severity or _SEVERITIES[notification.level]


class ReceiverError(Exception):
    """A notification was not taken, or it is unknown whether it was. Repeating it is harmless.

    `refused`: the receiver says no to this content, and would say so again. `wait_seconds`: it asks not
    to be tried again before.
    """

    def __init__(self, message: str, *, refused: bool = False, wait_seconds: float = 0.0) -> None:
        super().__init__(message)
        self.refused = refused
        self.wait_seconds = wait_seconds


class Receiver(Protocol):
    """Delivers notifications. Each says how its key stands from now on, whatever was said before."""

    name: str
    batch_max: int  # how many one delivery may hold
    at_once: int  # how many deliveries may be under way
    grouped: bool  # people read it: a storm becomes few messages
    resend_seconds: float | None  # firing ones expire unless they are said again this often

    async def deliver(self, notifications: Sequence[Notification], now_ms: int) -> None:
        """Return when all were taken; ReceiverError when one was not: then all may be repeated."""
        ...

    async def stop(self) -> None:
        """Release everything. May be called twice."""
        ...
