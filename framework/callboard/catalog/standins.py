"""What stands in for shots, and what took its place: which placeholders and swaps compete for the same place.

A place is a shot on a timeline. Of it one placeholder holds at a time, and of the media that arrived for it one.
Placeholders that were asked for by others, or for another place of the same shot, stand beside each other.
Every function takes an open connection and runs inside the caller's transaction.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from typing import NamedTuple, TypeVar

import msgspec
from callboard_schemas import Placeholder, PlaceholderRequested, Result, Swap

T = TypeVar("T")

_ROW = "id, job, digest, state, result, body, reason"


class Stand(NamedTuple):
    """A placeholder, or a swap, as the catalog has it."""

    id: str
    job: str
    digest: str
    """Of the media that arrived; empty for a placeholder."""
    state: str
    result: str
    body: bytes
    reason: str

    @property
    def placeholder(self) -> Placeholder | None:
        """What stands in, where this is it."""
        return self._as(Placeholder)

    @property
    def swap(self) -> Swap | None:
        """What arrived, where this is it."""
        return self._as(Swap)

    def _as(self, kind: type[T]) -> T | None:
        body = msgspec.json.decode(self.body, type=Result)
        return body if isinstance(body, kind) else None


class Spot(NamedTuple):
    """Where a placeholder belongs."""

    shot: str
    timeline: str
    """The file, or the project of an application; empty where nobody said."""
    ref: str
    """Where in it; empty where nobody said."""

    def meets(self, other: Spot) -> bool:
        """Say whether two are the same, as far as both say."""
        if self.shot.casefold() != other.shot.casefold() or self.timeline != other.timeline:
            return False
        return self.ref == other.ref or not (self.ref and other.ref)


def find(conn: sqlite3.Connection, ident: str) -> Stand | None:
    """Find a placeholder or a swap by its id."""
    return next(_rows(conn, "id = ?", (ident,)), None)


def spot(conn: sqlite3.Connection, one: Stand) -> Spot:
    """Say where a placeholder, or the one that a swap is for, belongs."""
    swap = one.swap
    if swap is not None:
        stood = find(conn, swap.placeholder)
        return Spot(swap.shot, "", "") if stood is None else spot(conn, stood)
    body = one.placeholder
    if body is None:
        return Spot("", "", "")
    asked = conn.execute(
        "SELECT r.application, r.project, json_extract(r.body, '$.gap.ref') FROM jobs j"
        " JOIN host_requests r ON r.caused = j.event WHERE j.key = ?",
        (one.job,),
    ).fetchone()
    if asked is not None:
        return Spot(body.shot, f"{asked[0]}:{asked[1]}", str(asked[2] or ""))
    return Spot(body.shot, body.timeline, body.ref)


def asked_for(conn: sqlite3.Connection, one: Stand) -> PlaceholderRequested | None:
    """Give what a placeholder was asked for with; nothing where its plugin made it of something else."""
    row = conn.execute(
        "SELECT json_extract(e.body, '$.data') FROM jobs j JOIN events e ON e.seq = j.event"
        " WHERE j.key = ? AND e.type = 'placeholder.requested'",
        (one.job,),
    ).fetchone()
    try:
        return None if row is None else msgspec.json.decode(row[0], type=PlaceholderRequested)
    except msgspec.MsgspecError:
        return None


def for_projects(conn: sqlite3.Connection) -> list[tuple[str, str]]:
    """Give the accepted placeholders that were asked for by a project's file, the oldest first, each with that path."""
    return conn.execute(
        "SELECT p.id, json_extract(e.body, '$.data.project') AS project FROM proposals p"
        " JOIN jobs j ON j.key = p.job JOIN events e ON e.seq = j.event"
        " WHERE p.result = 'placeholder' AND p.state = 'accepted' AND e.type = 'placeholder.requested'"
        " AND coalesce(project, '') != '' AND NOT EXISTS (SELECT 1 FROM host_requests r WHERE r.caused = j.event)"
        " ORDER BY p.created, p.id"
    ).fetchall()


def placeholders(conn: sqlite3.Connection, *states: str) -> list[Stand]:
    """Give the placeholders in some states, the oldest first."""
    return list(_of(conn, "placeholder", states))


def any_there(conn: sqlite3.Connection) -> bool:
    """Say whether anything ever stood in for a shot, or arrived for one."""
    return (
        conn.execute(
            "SELECT 1 FROM proposals WHERE result IN ('placeholder', 'swap') UNION ALL"
            " SELECT 1 FROM events WHERE type = 'shot.arrived' LIMIT 1"
        ).fetchone()
        is not None
    )


def swaps(conn: sqlite3.Connection, *states: str) -> list[Stand]:
    """Give the swaps in some states, the oldest first."""
    return list(_of(conn, "swap", states))


def swaps_of(conn: sqlite3.Connection, where: Spot, *states: str) -> list[Stand]:
    """Give the swaps in some states for a place, the oldest first."""
    return [one for one in _of(conn, "swap", states) if spot(conn, one).meets(where)]


def standing(conn: sqlite3.Connection) -> list[Stand]:
    """Give the placeholders that hold, and those whose place the real shot took: what something may arrive for."""
    taken = {one.id for one in swaps(conn, "accepted", "superseded")}
    rows = _of(conn, "placeholder", ("accepted", "superseded"))
    return [one for one in rows if one.state == "accepted" or one.reason.removeprefix("by ") in taken]


def rivals(conn: sqlite3.Connection, kept: Stand) -> list[str]:
    """Give what was accepted and gives way when a placeholder, or a swap, is accepted."""
    where = spot(conn, kept)
    found = [*_of(conn, kept.result, ("accepted",))]
    if kept.result == "swap":
        found += _of(conn, "placeholder", ("accepted",))
    return [one.id for one in found if one.id != kept.id and spot(conn, one).meets(where)]


def passed_over(conn: sqlite3.Connection, kept: Stand) -> list[str]:
    """Give what waits and is not chosen when a placeholder or a swap is accepted.

    Of placeholders, all that were made for the same request, by other engines too; of swaps, those for its place.
    """
    if kept.result == "placeholder":
        jobs = "job IN (SELECT key FROM jobs WHERE event = (SELECT event FROM jobs WHERE key = ?))"
        return [one.id for one in _rows(conn, f"{jobs} AND state = 'proposed'", (kept.job,)) if one.id != kept.id]
    where = spot(conn, kept)
    return [one.id for one in swaps_of(conn, where, "proposed") if one.id != kept.id]


def reword(conn: sqlite3.Connection, old: str, new: str) -> None:
    """Have a swap that says the same in other words wait in place of one that waits; it may have been there before."""
    conn.execute(
        "UPDATE proposals SET state = 'superseded', decided = ?, decided_by = '', reason = ?"
        " WHERE id = ? AND state = 'proposed'",
        (time.time(), f"replaced by {new}", old),
    )
    conn.execute(
        "UPDATE proposals SET state = 'proposed', decided = NULL, reason = ''"
        " WHERE id = ? AND state = 'superseded' AND reason GLOB 'replaced by *'",
        (new,),
    )


def at(conn: sqlite3.Connection, path: str) -> str:
    """Give the digest of the placeholder whose film is at an absolute path, or ends so; empty where none is."""
    name = "/" + path.lstrip("/")
    row = conn.execute(
        "SELECT json_extract(body, '$.digest') FROM proposals WHERE result = 'placeholder'"
        " AND substr('/' || json_extract(body, '$.file'), ?) = ? ORDER BY created DESC LIMIT 1",
        (-len(name), name),
    ).fetchone()
    return "" if row is None else str(row[0])


def _of(conn: sqlite3.Connection, result: str, states: tuple[str, ...]) -> Iterator[Stand]:
    marks = ", ".join("?" * len(states))
    return _rows(conn, f"result = ? AND result IN ('placeholder', 'swap') AND state IN ({marks})", (result, *states))


def _rows(conn: sqlite3.Connection, where: str, values: tuple[object, ...]) -> Iterator[Stand]:
    rows = conn.execute(
        f"SELECT {_ROW} FROM proposals WHERE {where} AND result IN ('placeholder', 'swap') ORDER BY created, id",  # noqa: S608 - constant columns and conditions
        values,
    ).fetchall()
    return (Stand(*row) for row in rows)


__all__ = [
    "Spot",
    "Stand",
    "any_there",
    "asked_for",
    "at",
    "find",
    "for_projects",
    "passed_over",
    "placeholders",
    "reword",
    "rivals",
    "spot",
    "standing",
    "swaps",
    "swaps_of",
]
