"""A service centre that never was: seeded events of calls, tickets and questionnaires, of any size.

For demonstrations, load tests, and the proof that windows equal a batch computation over the raw file.
"""

from streams.generating.centre import Centre, Size, Told

__all__ = ["Centre", "Size", "Told"]
