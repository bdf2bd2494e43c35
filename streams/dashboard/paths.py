"""Addresses of the pages beside the overview."""

VIEW_PATHS = (
    "/wall",
    "/board",
    "/service",
    "/calls",
    "/satisfaction",
    "/people",
    "/complaints",
    "/customers",
    "/quality",
    "/alerts",
    "/whatif",
    "/tickets/{tenant}/{source}/{ticket_id:.+}",
)
_FIRST = frozenset(path.split("/")[1] for path in VIEW_PATHS)


def is_page(path: str) -> bool:
    """Whether a person looks at it, so that an unknown one is asked to sign in."""
    return path == "/" or path.split("/")[1] in _FIRST
