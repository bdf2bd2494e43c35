"""Calls: events of one call in, its legs and times out. Pure, and the same for any order of arrival."""
