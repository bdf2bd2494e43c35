"""What the settings say about customer ids."""

from schemas.customers import KEY_BYTES_MIN, CustomerIds, Keys
from schemas.problems import Problem, ProblemsError
from streams.shell.settings import Settings, listed


def customer_ids_of(settings: Settings) -> CustomerIds:
    """ProblemsError when a key is none; it is not shown."""
    try:
        keys = Keys(listed(settings.customer_keys.get_secret_value()))
    except ValueError as error:
        what = f"a key is at least {KEY_BYTES_MIN} bytes in hexadecimal digits, several are separated by commas"
        hint = "make one: ticketpulse customers new-key"
        raise ProblemsError(Problem("customer_keys", what, hint)) from error
    return CustomerIds(settings.customer_ids, keys)
