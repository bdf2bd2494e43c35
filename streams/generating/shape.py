"""How a centre's days look: when people call, what about, how long it takes, who answers a questionnaire."""

from collections.abc import Sequence
from dataclasses import dataclass

# Share of a working day's calls by hour: two peaks and a lunch dip; few at night.
_WORKDAY = (
    3, 2, 1, 1, 1, 2, 6, 18, 52, 88, 100, 92, 62, 70, 90, 86, 74, 56, 36, 26, 20, 14, 9, 5,
)  # fmt: skip
_DAY_FACTORS = (1.12, 1.0, 0.98, 0.97, 0.95, 0.45, 0.32)  # Monday is the busiest

HOUR_OF_WEEK: Sequence[float] = [
    hour * day_factor for day_factor in _DAY_FACTORS for hour in _WORKDAY
]


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue: its share of the calls, its teams, and how its calls go. Medians in seconds."""

    name: str
    share: float
    teams: tuple[str, ...]
    busy: float  # share of calls that have to wait at all
    wait_seconds: float
    talk_seconds: float
    agents: int


QUEUES = (
    Queue("regular", 0.58, ("service-1", "service-2"), 0.45, 24, 150, 24),
    Queue("technical", 0.24, ("technical",), 0.60, 42, 260, 14),
    Queue("complaints", 0.11, ("complaints",), 0.50, 20, 310, 8),
    Queue("vip", 0.07, ("vip",), 0.20, 7, 170, 6),
)
CALL_TYPES = (("question", 0.46), ("fault", 0.27), ("order", 0.17), ("complaint", 0.10))
TICKET_TYPES = (
    ("service_request", 0.40),
    ("repair", 0.27),
    ("consultation", 0.18),
    ("complaint", 0.11),
    ("return", 0.04),
)
PRIORITIES = (("low", 0.25), ("normal", 0.55), ("high", 0.16), ("urgent", 0.04))
TIERS = (("ordinary", 0.70), ("small", 0.14), ("major", 0.11), ("VIP", 0.05))
CHANNELS = (("phone", 0.52), ("app", 0.26), ("email", 0.15), ("counter", 0.07))
SOLVE_HOURS = {"low": 30.0, "normal": 14.0, "high": 5.0, "urgent": 1.6}
STAGES = (
    "received", "judged", "investigated", "proposed", "approved", "implemented", "confirmed",
    "followed_up", "summarised",
)  # fmt: skip
CAUSES = (
    ("late_delivery", 0.30),
    ("defect", 0.24),
    ("slow_service", 0.18),
    ("wrong_answer", 0.12),
    ("attitude", 0.09),
    ("promise_not_kept", 0.07),
)
MENU_ABANDONED = 0.04
PATIENCE_SECONDS = 110.0
HELD, TRANSFERRED, CALLBACK = 0.12, 0.06, 0.02
ASKED_AFTER_CALL, ANSWERS_AFTER_CALL = 0.40, 0.22
ASKED_AFTER_TICKET, ANSWERS_AFTER_TICKET = 0.60, 0.31
REOPENED, CORRECTED = 0.07, 0.01
