"""Opens the database that the settings name."""

from sinks.clickhouse.client import ClickHouse
from sinks.clickhouse.retention import Keeping
from streams.shell.settings import Settings


def open_database(settings: Settings) -> ClickHouse:
    """Connect; ProblemsError says what to do when that can't be. The caller closes it."""
    return ClickHouse.connect(
        settings.clickhouse_url,
        user=settings.clickhouse_user,
        password=settings.clickhouse_password.get_secret_value(),
        database=settings.clickhouse_database,
        path=settings.data_dir,
        ca_file=settings.clickhouse_ca_file,
    )


def keeping_of(settings: Settings) -> Keeping:
    """How long its rows are kept."""
    return Keeping(
        settings.keep_facts_days, settings.keep_windows_days, settings.keep_dead_letters_days
    )
