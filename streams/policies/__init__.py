"""Policy files → the core's compiled, immutable policies."""

from streams.policies.loading import load_book, load_policy, parse_policy

__all__ = ["load_book", "load_policy", "parse_policy"]
