"""What Callboard says on the bus about its own work, as envelopes put into the outbox."""

from __future__ import annotations

import sqlite3

import msgspec
from callboard_schemas import Envelope, JobState, Proposal, Receipt

from callboard import codec
from callboard.bus import MAX_MESSAGE, OUTBOX
from callboard.catalog import decisions, outbox

SOURCE = "callboard:board"
"""``source`` of everything the board says."""


def event(conn: sqlite3.Connection, envelope: Envelope, *shorter: Envelope) -> None:
    """Tell others of an event that was journalled; a shorter telling of it where it is too long for a message."""
    for told in (envelope, *shorter):
        message = codec.encode(told)
        if len(message) <= MAX_MESSAGE:
            _put(conn, told.type, told.id, message)
            return


def _traceable(cause: Envelope | None) -> Envelope | None:
    """Drop a cause that is as many hops from its trigger as there may be: what is said of it starts anew."""
    return cause if cause is None or cause.hops < codec.MAX_HOPS else None


def proposal(conn: sqlite3.Connection, made: Proposal, cause: Envelope | None, verb: str = "made") -> None:
    """Tell of a proposal; without its body where the message would be too long."""
    ident = made.id if verb == "made" else f"{made.id}-{made.state}-{decisions.last_decision(conn, made.id)}"
    for body in (made, msgspec.structs.replace(made, body=None)):
        envelope = codec.make(
            f"proposal.{verb}", body, source=SOURCE, subject=made.id, cause=_traceable(cause), id=ident
        )
        message = codec.encode(envelope)
        if len(message) <= MAX_MESSAGE:
            _put(conn, envelope.type, ident, message)
            return


def job(conn: sqlite3.Connection, state: JobState, cause: Envelope | None) -> None:
    """Tell that a job is done or failed."""
    ident = f"{state.key}-{state.run}-{state.state}"
    if state.failure:
        short = msgspec.structs.replace(
            state.failure, detail=state.failure.detail[-4000:], message=state.failure.message[:4000]
        )
        state = msgspec.structs.replace(state, failure=short)
    envelope = codec.make("job.state", state, source=SOURCE, subject=state.key, cause=_traceable(cause), id=ident)
    _put(conn, envelope.type, ident, codec.encode(envelope))


def receipt(conn: sqlite3.Connection, told: Receipt) -> None:
    """Tell what an effect left behind."""
    envelope = codec.make("effect.receipt", told, source=SOURCE, subject=told.target)
    _put(conn, envelope.type, envelope.id, codec.encode(envelope))


def _put(conn: sqlite3.Connection, kind: str, ident: str, message: bytes) -> None:
    safe = "".join(char if char.isalnum() or char in "-_" else "-" for char in ident)
    outbox.post(conn, f"{OUTBOX}.{kind}.{safe}", message)
