"""What took whose place for a shot, who decided so, when and why: read from the decisions, which are never changed."""

from __future__ import annotations

import sqlite3

import msgspec
from callboard_schemas import Placeholder, Result, Swap
from msgspec import Struct

from callboard.catalog import standins


class Step(Struct, frozen=True, kw_only=True):
    """One decision on what stands in for a shot, or took its place."""

    at: float
    """Seconds since 1970."""
    by: str
    decision: str
    """``accept``, ``reject``, or ``reopen``, which takes an acceptance back."""
    proposal: str
    result: str
    """``placeholder`` or ``swap``."""
    shot: str
    file: str
    """What it was about: the placeholder's film, or the media that came."""
    was: str = ""
    """What had the place before: the placeholder's film, or the media that a newer version followed."""
    timeline: str = ""
    version: int | None = None
    reason: str = ""


def trail(conn: sqlite3.Connection, shot: str = "", proposal: str = "") -> list[Step]:
    """Give every decision on a shot's placeholders and on what took their place, the oldest first.

    Args:
        conn: The transaction.
        shot: Its name, small or large letters alike; empty for all shots.
        proposal: Only decisions on this one; empty for all.
    """
    rows = conn.execute(
        "SELECT d.seq, d.at, d.by, d.decision, d.reason, p.id, p.body FROM decisions d"
        " JOIN proposals p ON p.id = d.proposal"
        " WHERE p.result IN ('placeholder', 'swap') AND (? = '' OR p.id = ?) ORDER BY d.seq",
        (proposal, proposal),
    ).fetchall()
    found: list[Step] = []
    held: dict[standins.Spot, str] = {}
    for _, at, by, decision, reason, ident, text in rows:
        body, one = msgspec.json.decode(text, type=Result), standins.find(conn, ident)
        if not isinstance(body, Placeholder | Swap) or one is None:
            continue
        where = standins.spot(conn, one)
        file = body.file if isinstance(body, Placeholder) else f"{body.root}:{body.path}"
        was = held.get(where, "")
        if decision == "accept":
            held[where] = file
        elif held.get(where) == file:
            held.pop(where)
        if shot and body.shot.casefold() != shot.casefold():
            continue
        if isinstance(body, Swap) and not was:
            stood = standins.find(conn, body.placeholder)
            was = stood.placeholder.file if stood is not None and stood.placeholder is not None else ""
        found.append(
            Step(
                at=at,
                by=by,
                decision=decision,
                proposal=ident,
                result=one.result,
                shot=body.shot,
                file=file,
                was="" if was == file else was,
                timeline=where.timeline,
                version=body.version if isinstance(body, Swap) else None,
                reason=reason,
            )
        )
    return found


__all__ = ["Step", "trail"]
