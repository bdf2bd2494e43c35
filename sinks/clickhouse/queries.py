"""SQL lives in `.sql` files beside the code that asks; this reads them."""

from functools import cache
from importlib.resources import files


@cache
def read_query(package: str, name: str) -> str:
    """The text of `<name>.sql` in a package folder, e.g. `("streams.dashboard.queries", "open")`.

    FileNotFoundError when there is no such file: a mistake of ours, not of the user.
    """
    return (files(package) / f"{name}.sql").read_text(encoding="utf-8")
