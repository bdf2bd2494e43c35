"""How long to wait before the next try: pure, so that the schedule is a table a test can read."""

from dataclasses import dataclass

from sinks.contract import SinkBusy, SinkError


@dataclass(frozen=True, slots=True)
class Backoff:
    """Doubles from `first_seconds` up to `most_seconds`."""

    first_seconds: float = 0.2
    most_seconds: float = 15.0

    def wait_seconds(self, failures: int, error: SinkError | None = None) -> float:
        """Wait after so many failures in a row; never shorter than a busy database asks for."""
        assert failures >= 1, "nothing has failed"
        # Exponent capped: 2.0**1100 overflows, and an outage may be long.
        wait_seconds = min(self.first_seconds * 2.0 ** min(failures - 1, 30), self.most_seconds)
        if isinstance(error, SinkBusy):
            return max(wait_seconds, error.retry_after_seconds)
        return wait_seconds
