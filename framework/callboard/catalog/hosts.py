"""Hosts in the catalog: which applications were here, with which project, and which media each project uses.

Every function takes an open connection and runs inside the caller's transaction.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable
from typing import NamedTuple

import msgspec
from callboard_schemas import Presence, Use

KEEP_DAYS = 90.0
"""Days for which an application that never comes back is remembered, by the name of its one start."""


class Known(NamedTuple):
    """A host as it was last heard of."""

    host: str
    application: str
    version: str
    project: str
    revision: str
    capabilities: tuple[str, ...]
    seen: float


class Used(NamedTuple):
    """One use of media in an application's project, and where that media is for us."""

    application: str
    project: str
    root: str
    """Empty where its path is in none of the watched folders."""
    path: bytes
    """Relative to the root."""
    digest: str
    """Empty where nothing is known of the path yet."""
    use: Use


def put(conn: sqlite3.Connection, presence: Presence) -> None:
    """Remember what a host says of itself, and forget those that never came back."""
    now = time.time()
    conn.execute("DELETE FROM hosts WHERE seen < ?", (now - KEEP_DAYS * 86400,))
    conn.execute(
        "INSERT OR REPLACE INTO hosts(host, application, version, project, revision, capabilities, seen)"
        " VALUES(?,?,?,?,?,?,?)",
        (
            *(presence.host, presence.application, presence.version, presence.project, presence.revision),
            *(msgspec.json.encode(presence.capabilities), now),
        ),
    )
    if presence.project:
        conn.execute(
            "INSERT OR REPLACE INTO host_projects(application, project, host, capabilities, seen) VALUES(?,?,?,?,?)",
            (
                *(presence.application, presence.project, presence.host),
                *(msgspec.json.encode(presence.capabilities), now),
            ),
        )


def find(conn: sqlite3.Connection, host: str) -> Known | None:
    """Find a host by the id of its one start."""
    row = conn.execute(
        "SELECT host, application, version, project, revision, capabilities, seen FROM hosts WHERE host = ?", (host,)
    ).fetchone()
    if row is None:
        return None
    ident, application, version, project, revision, able, seen = row
    return Known(ident, application, version, project, revision, msgspec.json.decode(able, type=tuple[str, ...]), seen)


def capabilities(conn: sqlite3.Connection, application: str, project: str) -> tuple[str, ...]:
    """Give what an application can do in a project, as it last said; nothing where it never had it open."""
    row = conn.execute(
        "SELECT capabilities FROM host_projects WHERE application = ? AND project = ?", (application, project)
    ).fetchone()
    return () if row is None else msgspec.json.decode(row[0], type=tuple[str, ...])


def projects(conn: sqlite3.Connection) -> list[tuple[str, str]]:
    """Give the projects that applications had open, each with its application."""
    return conn.execute("SELECT application, project FROM host_projects ORDER BY application, project").fetchall()


def any_project(conn: sqlite3.Connection) -> bool:
    """Say whether any application ever was here with a project."""
    return conn.execute("SELECT 1 FROM host_projects LIMIT 1").fetchone() is not None


_USED = "application, project, root, path, digest, body"


def _used(row: tuple[str, str, str, bytes, str, bytes]) -> Used:
    return Used(*row[:5], msgspec.json.decode(row[5], type=Use))


def put_uses(conn: sqlite3.Connection, rows: Iterable[Used], *, first: int = 0) -> None:
    """Add uses, or say them anew; *first* is the position of the first one in its project."""
    conn.executemany(
        "INSERT OR REPLACE INTO host_uses(application, project, ref, position, root, path, digest, body)"
        " VALUES(?,?,?,?,?,?,?,?)",
        [
            (
                one.application,
                one.project,
                one.use.ref,
                at,
                one.root,
                one.path,
                one.digest,
                msgspec.json.encode(one.use),
            )
            for at, one in enumerate(rows, first)
        ],
    )


def drop_uses(conn: sqlite3.Connection, application: str, project: str) -> None:
    """Forget every use of a project, to be said anew."""
    conn.execute("DELETE FROM host_uses WHERE application = ? AND project = ?", (application, project))


def digests(conn: sqlite3.Connection, application: str, project: str) -> set[str]:
    """Give the digests of the media that a project uses, where they are known."""
    rows = conn.execute(
        "SELECT DISTINCT digest FROM host_uses WHERE application = ? AND project = ? AND digest != ''",
        (application, project),
    )
    return {row[0] for row in rows}


def uses_of(conn: sqlite3.Connection, digest: str) -> dict[tuple[str, str], list[Used]]:
    """Give every use of an asset, by application and project, in the order that its application told them."""
    found: dict[tuple[str, str], list[Used]] = {}
    rows = conn.execute(
        f"SELECT {_USED} FROM host_uses WHERE digest = ? AND digest != '' ORDER BY application, project, position, ref",  # noqa: S608 - constant columns
        (digest,),
    )
    for one in map(_used, rows):
        found.setdefault((one.application, one.project), []).append(one)
    return found


def of_project(conn: sqlite3.Connection, application: str, project: str) -> list[Used]:
    """Give every use in a project, in the order that its application told them."""
    rows = conn.execute(
        f"SELECT {_USED} FROM host_uses WHERE application = ? AND project = ? ORDER BY position, ref",  # noqa: S608 - constant columns
        (application, project),
    )
    return [_used(row) for row in rows]


def refs_of(conn: sqlite3.Connection, application: str, project: str, digest: str) -> list[str]:
    """Give how an application calls its uses of an asset in a project."""
    rows = conn.execute(
        "SELECT ref FROM host_uses WHERE application = ? AND project = ? AND digest = ? AND digest != ''"
        " ORDER BY position, ref",
        (application, project, digest),
    )
    return [row[0] for row in rows]


def at_path(conn: sqlite3.Connection, root: str, path: bytes) -> list[Used]:
    """Give every use of what is at one path."""
    rows = conn.execute(f"SELECT {_USED} FROM host_uses WHERE root = ? AND path = ?", (root, path))  # noqa: S608 - constant columns
    return [_used(row) for row in rows]


def in_folder(conn: sqlite3.Connection, root: str, folder: bytes) -> list[Used]:
    """Give every use of what is in a folder, and in folders in it."""
    low, high = (folder + b"/", folder + b"0") if folder else (b"", b"\xff" * 64)  # "0" is the byte after "/"
    rows = conn.execute(
        f"SELECT {_USED} FROM host_uses WHERE root = ? AND path >= ? AND path < ?",  # noqa: S608 - constant columns
        (root, low, high),
    )
    return [_used(row) for row in rows]


def set_digest(conn: sqlite3.Connection, used: Used, digest: str) -> None:
    """Say which asset a use is of."""
    conn.execute(
        "UPDATE host_uses SET digest = ? WHERE application = ? AND project = ? AND ref = ?",
        (digest, used.application, used.project, used.use.ref),
    )


def waiting_for(
    conn: sqlite3.Connection, application: str, project: str, after: str, limit: int
) -> list[tuple[str, str]]:
    """Give what waits for a person and concerns a project, oldest first: the ids and the digests of the assets.

    Args:
        conn: The transaction.
        application: Whose project.
        project: Which.
        after: Only what comes after this id; empty for all.
        limit: At most so many.
    """
    return conn.execute(
        "SELECT p.id, p.digest FROM proposals p WHERE p.state = 'proposed' AND (p.digest IN"
        " (SELECT digest FROM host_uses WHERE application = :application AND project = :project AND digest != '')"
        " OR EXISTS (SELECT 1 FROM jobs j JOIN host_requests r ON r.caused = j.event WHERE j.key = p.job"
        " AND r.application = :application AND r.project = :project)"
        " OR (p.result = 'placeholder' AND EXISTS (SELECT 1 FROM jobs j JOIN events e ON e.seq = j.event"
        " WHERE j.key = p.job AND e.type = 'placeholder.requested'"
        " AND json_extract(e.body, '$.data.project') = :project))"
        " OR (p.result = 'swap' AND EXISTS (SELECT 1 FROM host_commands c WHERE c.application = :application"
        " AND c.project = :project AND c.proposal = json_extract(p.body, '$.placeholder'))))"
        " AND (:after = '' OR (p.created, p.id) > (SELECT a.created, a.id FROM proposals a WHERE a.id = :after))"
        " ORDER BY p.created, p.id LIMIT :limit",
        {"application": application, "project": project, "after": after, "limit": limit},
    ).fetchall()
