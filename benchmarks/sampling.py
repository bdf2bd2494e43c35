"""A sampling profiler: where the CPU time of one thread goes, without slowing it noticeably."""

import signal
import sys
from collections import Counter
from types import FrameType

INTERVAL_SECONDS = 0.002

# First match from the innermost frame outwards decides which stage a sample belongs to.
STAGES: tuple[tuple[str, str], ...] = (
    ("schemas/decode", "decode"),
    ("schemas/wire", "decode"),
    ("streams/core/business_time", "core: calendar"),
    ("streams/core/tickets/snapshot", "core: snapshot"),
    ("streams/core/tickets/rows", "core: outcome rows"),
    ("streams/core", "core: advance"),
    ("streams/runtime/changelog", "checkpoint: changelog append"),
    ("streams/runtime/producer", "publish and append (client)"),
    ("aiokafka/producer", "publish and append (client)"),
    ("aiokafka/record", "record batches (client)"),
    ("aiokafka/consumer", "fetch (client)"),
    ("streams/runtime/transport", "transport"),
    ("streams/runtime", "partition engine"),
    ("aiokafka", "other client work"),
    ("faust", "Faust"),
    ("mode", "Faust"),
)


class Sampler:
    """Counts samples of the main thread by stage between `start` and `stop`."""

    def __init__(self) -> None:
        self.stages: Counter[str] = Counter()
        self.places: Counter[str] = Counter()

    def start(self) -> None:
        signal.signal(signal.SIGPROF, self._sample)
        signal.setitimer(signal.ITIMER_PROF, INTERVAL_SECONDS, INTERVAL_SECONDS)

    def stop(self) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)

    def _sample(self, _signal: int, frame: FrameType | None) -> None:
        if frame is not None:
            code = frame.f_code
            name = "/".join(code.co_filename.split("/")[-3:])
            self.places[
                f"{name}:{code.co_qualname if sys.version_info >= (3, 11) else code.co_name}"
            ] += 1
        while frame is not None:
            path = frame.f_code.co_filename
            for part, stage in STAGES:
                if part in path:
                    self.stages[stage] += 1
                    return
            frame = frame.f_back
        self.stages["event loop and rest"] += 1

    def report(self, places: int = 12) -> str:
        """Stages by share, then the busiest functions."""
        total = max(1, sum(self.stages.values()))
        lines = [f"  {count / total:6.1%}  {stage}" for stage, count in self.stages.most_common()]
        lines.append("  busiest functions:")
        lines += [
            f"  {count / total:6.1%}  {place}" for place, count in self.places.most_common(places)
        ]
        return "\n".join(lines)
