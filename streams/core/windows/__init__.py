"""Windows: per minute of event time and set of dimensions, what the entities of one partition add up to.

A window is absolute and mergeable: sums and counts, and sketches that add up too. It is never told by how
much something grew, so a row that comes twice counts once.
"""
