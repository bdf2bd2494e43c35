"""Ticket states as bytes."""

from sys import intern

import msgspec

from streams.core.tickets.state import TicketState

VERSION = 2

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(TicketState)


def dump(state: TicketState) -> bytes:
    """Positional msgpack."""
    return _encoder.encode(state)


def load(data: bytes, version: int) -> TicketState:
    """The state of a snapshot; names that every ticket repeats are stored once in memory."""
    if version > VERSION:
        message = f"snapshot version {version} is newer than {VERSION}: update ticketpulse"
        raise ValueError(message)
    state = _decoder.decode(data)
    state.tenant = state.facts.tenant = intern(state.tenant)
    state.source = state.facts.source = intern(state.source)
    for cycle in (*state.last, *state.past):
        cycle.clock = intern(cycle.clock)
        cycle.policy = intern(cycle.policy)
        cycle.calendar = intern(cycle.calendar)
    return state
