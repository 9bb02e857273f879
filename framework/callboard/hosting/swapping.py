"""Where a placeholder is in the projects of applications, and where the media is that takes its place."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator

from callboard_schemas import Gap, Swap, decode_path

from callboard.catalog import host_commands, hosts, journal, standins
from callboard.catalog.host_commands import Row
from callboard.hosting.mapping import Roots

_HOLDS = ("pending", "applied", "partial", "stale")
"""States of a placeholder's command in which the real shot may take its place."""


def holding(conn: sqlite3.Connection, ident: str) -> Iterator[Row]:
    """Give what projects were asked for a proposal and have, or still will."""
    for row in host_commands.of_proposal(conn, ident):
        if row.verb not in ("", "clear") and row.state in _HOLDS:
            yield row


def is_swap(conn: sqlite3.Connection, ident: str) -> bool:
    """Say whether a proposal is a swap."""
    one = standins.find(conn, ident)
    return one is not None and one.result == "swap"


def media_of(conn: sqlite3.Connection, roots: Roots, swap: Swap) -> str:
    """Give the absolute path of a swap's media, where it is now; where it was, where it is nowhere."""
    for root, seen in journal.places_of(conn, swap.digest):
        if root in roots.folders:
            return os.fsdecode(roots.folders[root] + b"/" + seen.path)
    return os.fsdecode(roots.folders.get(swap.root, b"") + b"/" + decode_path(swap.path))


def projects_of(conn: sqlite3.Connection, swap: Swap) -> dict[tuple[str, str], tuple[str, Gap | None]]:
    """Give the projects in which a placeholder for a swap's place is, with that one's id and its gap."""
    stood = standins.find(conn, swap.placeholder)
    found: dict[tuple[str, str], tuple[str, Gap | None]] = {}
    if stood is None:
        return found
    where = standins.spot(conn, stood)
    for one in standins.placeholders(conn, "accepted", "superseded"):
        body = one.placeholder
        if body is None or not standins.spot(conn, one).meets(where):
            continue
        for row in holding(conn, one.id):
            if row.verb == "placeholder.insert":
                found[row.application, row.project] = one.id, row.brings.gap if row.brings else None
        # a project that was saved under another name uses the placeholder's file, too
        for project in hosts.uses_of(conn, body.digest):
            found.setdefault(project, (one.id, None))
    return found


__all__ = ["holding", "is_swap", "media_of", "projects_of"]
