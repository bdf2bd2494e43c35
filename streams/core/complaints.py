"""Complaint numbers (客诉编号): `YYYYMM-NNNN`, gap-free per scope and month, handed out once.

The numbers are what a log says when it is read from its beginning: a complaint's first request gets the next
number of its scope and month. Whoever reads the log finds the same numbers, so that several may append to it
without knowing of each other, and asking twice changes nothing.
"""

from collections import Counter
from datetime import tzinfo

from schemas.complaints import NumberRequest
from schemas.instants import from_ms
from schemas.outcomes import ComplaintNumberRow

Complaint = tuple[str, str, str]  # tenant, source, ticket


class Numbering:
    """The log so far. Feed it every record, in order."""

    def __init__(self) -> None:
        self._numbered: dict[Complaint, str] = {}
        self._handed_out: Counter[tuple[str, str, str]] = Counter()

    def __len__(self) -> int:
        return len(self._numbered)

    def number_of(self, complaint: Complaint) -> str | None:
        """The number of a complaint, once its request stands in the log."""
        return self._numbered.get(complaint)

    def take(self, request: NumberRequest, offset: int) -> ComplaintNumberRow | None:
        """The next record of the log: the number that it hands out. None: that complaint has one already."""
        complaint = request.tenant, request.source, request.ticket_id
        if complaint in self._numbered:
            return None
        run = request.tenant, request.scope, request.month
        self._handed_out[run] += 1
        number = self._handed_out[run]
        text = f"{request.month}-{number:04d}"
        self._numbered[complaint] = text
        return {
            "tenant": request.tenant,
            "scope": request.scope,
            "month": request.month,
            "number": number,
            "complaint_number": text,
            "source": request.source,
            "ticket_id": request.ticket_id,
            "event_time": from_ms(request.created_ms),
            "recorded_at": from_ms(request.asked_ms),
            "version": offset + 1,
        }


def month_of_number(created_ms: int, zone: tzinfo) -> str:
    """`YYYYMM` of the complaint's beginning."""
    return from_ms(created_ms).astimezone(zone).strftime("%Y%m")
