"""Metrics that compare a period with others, each its own query."""
