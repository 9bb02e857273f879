"""The journal: what happened, where media is, and what was noticed about each path.

Every function takes an open connection and runs inside the caller's transaction.
"""

from __future__ import annotations

import sqlite3
import time
from typing import NamedTuple, cast

import msgspec
from callboard_schemas import Asset, Envelope, MediaKind, Sequence

from callboard.catalog import texts
from callboard.sources.facts import Seen


class Event(NamedTuple):
    """A journalled event."""

    seq: int
    type: str
    run: str
    state: str
    body: bytes


def append(conn: sqlite3.Connection, envelope: Envelope, body: bytes, run: str, state: str = "routed") -> int | None:
    """Journal an event and return its number; ``None`` when the journal has it already."""
    row = conn.execute(
        "INSERT INTO events(id, source, type, run, hops, received, state, body) VALUES(?,?,?,?,?,?,?,?)"
        " ON CONFLICT(source, id) DO NOTHING RETURNING seq",
        (envelope.id, envelope.source, envelope.type, run, envelope.hops, time.time(), state, body),
    ).fetchone()
    return None if row is None else int(row[0])


def event(conn: sqlite3.Connection, seq: int) -> Event | None:
    """Find one event by its number."""
    row = conn.execute("SELECT seq, type, run, state, body FROM events WHERE seq = ?", (seq,)).fetchone()
    return None if row is None else Event(*row)


def number(conn: sqlite3.Connection, source: str, ident: str) -> int:
    """Give the number of an event that was journalled; 0 when it was not."""
    row = conn.execute("SELECT seq FROM events WHERE source = ? AND id = ?", (source, ident)).fetchone()
    return 0 if row is None else int(row[0])


def envelope(conn: sqlite3.Connection, seq: int) -> Envelope | None:
    """Give the envelope of an event."""
    found = event(conn, seq)
    return None if found is None else msgspec.json.decode(found.body, type=Envelope)


def parked(conn: sqlite3.Connection) -> list[Event]:
    """Give every event that waits for a newer program."""
    rows = conn.execute("SELECT seq, type, run, state, body FROM events WHERE state = 'parked' ORDER BY seq")
    return [Event(*row) for row in rows]


def park(conn: sqlite3.Connection, body: bytes, reason: str, ident: str) -> None:
    """Keep a message of an unknown major version until a newer program can read it."""
    conn.execute(
        "INSERT INTO events(id, source, type, run, hops, received, state, note, body) VALUES(?,?,?,?,?,?,?,?,?)"
        " ON CONFLICT(source, id) DO NOTHING",
        (ident, "parked", "parked", "", 0, time.time(), "parked", reason, body),
    )


def unpark(conn: sqlite3.Connection, seq: int) -> None:
    """Forget a parked copy, once its message is journalled under its own name."""
    conn.execute("DELETE FROM events WHERE seq = ? AND state = 'parked'", (seq,))


def put_place(conn: sqlite3.Connection, root: str, seen: Seen, state: str = "present") -> None:
    """Say where an asset is now."""
    former = conn.execute("SELECT digest, state FROM places WHERE root = ? AND path = ?", (root, seen.path)).fetchone()
    sequence = msgspec.json.encode(seen.sequence) if seen.sequence else None
    conn.execute(
        "INSERT OR REPLACE INTO places(root, path, digest, kind, size, mtime_ns, ctime_ns, inode,"
        " device, sequence, state, seen) VALUES(?,?,?,?,?,?,?,?,?,?,?,?)",
        (
            *(root, seen.path, seen.digest, seen.kind, seen.size, seen.mtime_ns, seen.ctime_ns),
            *(_signed(seen.inode), _signed(seen.device), sequence, state, time.time()),
        ),
    )
    if former is None or former[0] != seen.digest or (former[1] == "gone") != (state == "gone"):
        for digest in {seen.digest, former[0] if former else seen.digest}:
            texts.refresh(conn, digest)


def _signed(number: int) -> int:
    """Fold an unsigned 64-bit number (inodes on some shares) into SQLite's signed one."""
    return number - (1 << 64) if number >= 1 << 63 else number


def _unsigned(number: int) -> int:
    return number + (1 << 64) if number < 0 else number


_SEEN = "path, size, mtime_ns, ctime_ns, inode, device, digest, kind, sequence"


def _seen(row: tuple[bytes, int, int, int, int, int, str, str, bytes | None]) -> Seen:
    path, size, mtime_ns, ctime_ns, inode, device, digest, kind, sequence = row
    return Seen(
        path=path,
        size=size,
        mtime_ns=mtime_ns,
        ctime_ns=ctime_ns,
        inode=_unsigned(inode),
        device=_unsigned(device),
        digest=digest,
        kind=cast("MediaKind", kind),
        sequence=msgspec.json.decode(sequence, type=Sequence) if sequence else None,
    )


def known(conn: sqlite3.Connection, root: str) -> dict[bytes, Seen]:
    """Give every present file of a root, by relative path."""
    rows = conn.execute(f"SELECT {_SEEN} FROM places WHERE root = ? AND state != 'gone'", (root,))  # noqa: S608 - constant columns
    return {row[0]: _seen(row) for row in rows}


def drop_place(conn: sqlite3.Connection, root: str, path: bytes) -> None:
    """Say that a file is no longer there; its results stay."""
    rows = conn.execute(
        "UPDATE places SET state = 'gone', seen = ? WHERE root = ? AND path = ? RETURNING digest",
        (time.time(), root, path),
    ).fetchall()
    for (digest,) in rows:
        texts.refresh(conn, digest)


def places_of(conn: sqlite3.Connection, digest: str) -> list[tuple[str, Seen]]:
    """Give every place where an asset is, newest first."""
    rows = conn.execute(
        f"SELECT root, {_SEEN} FROM places WHERE digest = ? AND state = 'present' ORDER BY seen DESC",  # noqa: S608 - constant columns
        (digest,),
    )
    return [(row[0], _seen(row[1:])) for row in rows]


def asset_now(conn: sqlite3.Connection, digest: str, otherwise: Asset | None) -> Asset | None:
    """Say where an asset is now; *otherwise* where it is at no place."""
    found = next(iter(places_of(conn, digest)), None)
    return found[1].asset(found[0]) if found else otherwise


def place(conn: sqlite3.Connection, root: str, path: bytes) -> Seen | None:
    """Find what is known of one path."""
    row = conn.execute(
        f"SELECT {_SEEN} FROM places WHERE root = ? AND path = ? AND state = 'present'",  # noqa: S608 - constant columns
        (root, path),
    ).fetchone()
    return None if row is None else _seen(row)


def note(
    conn: sqlite3.Connection, root: str, path: bytes, state: str, detail: str = "", at: float | None = None
) -> None:
    """Remember what was noticed of a path, for ``callboard explain``."""
    conn.execute(
        "INSERT INTO notes(root, path, at, state, detail) VALUES(?,?,?,?,?)",
        (root, path, time.time() if at is None else at, state, detail),
    )


def notes(conn: sqlite3.Connection, root: str, path: bytes) -> list[tuple[float, str, str]]:
    """Give the notes of a path in order: time (seconds since 1970), state, detail."""
    return conn.execute(
        "SELECT at, state, detail FROM notes WHERE root = ? AND path = ? ORDER BY seq", (root, path)
    ).fetchall()
