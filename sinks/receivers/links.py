"""Where whoever is told can read on: the ticket's page, which explains its clocks, and the runbook."""

from dataclasses import dataclass
from urllib.parse import quote

from schemas.notifications import Wanted


@dataclass(frozen=True, slots=True)
class Links:
    """`page`: address under which people reach the live page. `runbook`: address of what is to be done, in which
    `{clock}` and `{team}` stand for those of the alert. Empty ones give no links."""

    page: str = ""
    runbook: str = ""

    def explanation(self, wanted: Wanted) -> str | None:
        """The ticket's page; None when nobody said where it is."""
        if not self.page:
            return None
        names = (wanted.tenant, wanted.source, wanted.ticket_id)
        return f"{self.page.rstrip('/')}/tickets/{'/'.join(quote(name, safe='') for name in names)}"

    def runbook_of(self, wanted: Wanted) -> str | None:
        """What is to be done about such a breach."""
        if not self.runbook:
            return None
        found = self.runbook.replace("{clock}", quote(wanted.clock, safe=""))
        return found.replace("{team}", quote(wanted.team or "none", safe=""))


NO_LINKS = Links()
