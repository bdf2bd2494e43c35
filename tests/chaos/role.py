"""`python -m tests.chaos.role ROLE OFFSET_FILE`: one role as deployed, but for its clock."""

import asyncio
import logging
import sys
from pathlib import Path

from streams.dashboard.server import Dashboard
from streams.shell.application import Extras, run_roles
from streams.shell.settings import load_settings
from tests.chaos.shared_clock import SharedOffset, WrongClock


async def _told(_dashboard: Dashboard | None) -> None:
    logging.getLogger("chaos").info("started")


def main() -> None:
    """Run until SIGTERM."""
    logging.basicConfig(level="INFO", format="%(asctime)s %(levelname)s %(name)s %(message)s")
    role, offset = sys.argv[1], SharedOffset(Path(sys.argv[2]))
    extras = Extras(make_clock=lambda: WrongClock(offset))
    asyncio.run(run_roles(load_settings(), (role,), _told, extras))


main()
