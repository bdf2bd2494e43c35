"""Ticket clocks: one fold over the events of one ticket, and everything that is said about it."""
