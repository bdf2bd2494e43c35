"""Shifts: the presence of agents, and what they did in it."""
