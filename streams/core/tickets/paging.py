"""From intents to what a live engine says aloud: breach, page, retraction, resolve."""

from dataclasses import dataclass
from typing import Literal

from streams.core.effects import Intent

EmissionType = Literal["breach", "page", "retraction", "resolve"]


@dataclass(frozen=True, slots=True)
class Emission:
    """Something said about a cycle at an instant."""

    at_ms: int
    type: EmissionType
    key: str
    breach_ms: int


@dataclass(slots=True)
class _Said:
    breach_ms: int
    page_ms: int | None
    paged: bool = False


class Pager:
    """Holds pages back until their grace is over; a page that no longer stands is never sent.

    Feed it intents in order of time, and `pass_time` before anything of a later instant.
    """

    def __init__(self) -> None:
        self._said: dict[str, _Said] = {}

    def next_page_ms(self) -> int | None:
        """The next instant at which a page is due."""
        pages = (said.page_ms for said in self._said.values() if not said.paged)
        return min((page_ms for page_ms in pages if page_ms is not None), default=None)

    def take(self, intent: Intent) -> list[Emission]:
        """What one intent says at once. At-risk warnings are not emissions."""
        stands = intent.breach_ms is not None and intent.level != "retracted"
        said = self._said.get(intent.key)
        if said is None:
            return [self._breach(intent)] if stands else []
        emissions = []
        if not stands:
            del self._said[intent.key]
            emissions.append(self._emission(intent, "retraction", said))
        else:
            self._correct(said, intent)
            if intent.open:
                return []
        if said.paged:
            emissions.append(self._emission(intent, "resolve", said))
        said.page_ms, said.paged = None, False
        return emissions

    def pass_time(self, until_ms: int) -> list[Emission]:
        """Pages due at or before an instant, in order."""
        emissions = []
        for key, said in self._said.items():
            if said.page_ms is not None and not said.paged and said.page_ms <= until_ms:
                said.paged = True
                emissions.append(Emission(said.page_ms, "page", key, said.breach_ms))
        return sorted(emissions, key=lambda emission: (emission.at_ms, emission.key))

    def _breach(self, intent: Intent) -> Emission:
        assert intent.breach_ms is not None
        said = self._said[intent.key] = _Said(intent.breach_ms, intent.page_ms)
        return self._emission(intent, "breach", said)

    @staticmethod
    def _correct(said: _Said, intent: Intent) -> None:
        """The same breach at another instant, or open again: no second page, no page missed."""
        assert intent.breach_ms is not None
        said.breach_ms = intent.breach_ms
        page_ms = intent.page_ms
        if not said.paged and page_ms is not None and page_ms >= intent.recorded_ms:
            said.page_ms = page_ms

    @staticmethod
    def _emission(intent: Intent, type_: EmissionType, said: _Said) -> Emission:
        return Emission(intent.recorded_ms, type_, intent.key, said.breach_ms)
