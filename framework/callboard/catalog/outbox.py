"""The outbox: what must be said on the bus, committed with the change it tells of, and the sidecars to write."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable
from typing import NamedTuple

from callboard_schemas import Receipt
from msgspec import json

KEEP_DAYS = 7.0
"""Days for which the outbox is compared with the stream at each connect, and kept."""


class Letter(NamedTuple):
    """A message that waits to be sent."""

    seq: int
    subject: str
    body: bytes


class Sync(NamedTuple):
    """Sidecars to bring in line with the proposals of one asset at one place."""

    digest: str
    media: bytes
    root: str
    path: bytes
    folder: bytes
    wanted: int
    run: str
    empty: int


def post(conn: sqlite3.Connection, subject: str, body: bytes) -> None:
    """Put a message in; the same subject twice is the same message."""
    conn.execute(
        "INSERT INTO outbox(subject, body, created) VALUES(?,?,?) ON CONFLICT(subject) DO NOTHING",
        (subject, body, time.time()),
    )


def unsent(conn: sqlite3.Connection, limit: int = 256) -> list[Letter]:
    """Give the oldest messages that were not sent."""
    rows = conn.execute("SELECT seq, subject, body FROM outbox WHERE sent IS NULL ORDER BY seq LIMIT ?", (limit,))
    return [Letter(*row) for row in rows]


def sent(conn: sqlite3.Connection, letters: Iterable[int]) -> None:
    """Say that the stream has these messages."""
    now = time.time()
    conn.executemany("UPDATE outbox SET sent = ? WHERE seq = ?", [(now, seq) for seq in letters])


def reconcile(conn: sqlite3.Connection, stored: set[str]) -> int:
    """Queue again what was sent in the last days but is not in the stream any more. Returns how many."""
    since = time.time() - KEEP_DAYS * 86400
    rows = conn.execute("SELECT seq, subject FROM outbox WHERE sent IS NOT NULL AND created > ?", (since,)).fetchall()
    lost = [(seq,) for seq, subject in rows if subject not in stored]
    conn.executemany("UPDATE outbox SET sent = NULL WHERE seq = ?", lost)
    return len(lost)


def forget_old(conn: sqlite3.Connection) -> None:
    """Drop sent messages that are past their days."""
    conn.execute("DELETE FROM outbox WHERE sent IS NOT NULL AND created < ?", (time.time() - KEEP_DAYS * 86400,))


def want_sync(
    conn: sqlite3.Connection,
    digest: str,
    media: bytes,
    root: str,
    path: bytes,
    *,
    folder: bytes = b"",
    run: str = "",
    empty: bool = False,
) -> None:
    """Ask that the sidecars of one asset at one place follow its proposals; *empty* takes ours away."""
    conn.execute(
        "INSERT INTO syncs(digest, media, root, path, folder, wanted, run, empty) VALUES(?,?,?,?,?,1,?,?)"
        " ON CONFLICT(digest, media, folder) DO UPDATE SET wanted = wanted + 1, run = excluded.run,"
        " not_before = 0, empty = excluded.empty",
        (digest, media, root, path, folder, run, int(empty)),
    )


def syncs(conn: sqlite3.Connection, limit: int = 64) -> list[Sync]:
    """Give the sidecars to write now."""
    rows = conn.execute(
        "SELECT digest, media, root, path, folder, wanted, run, empty FROM syncs WHERE not_before <= ? LIMIT ?",
        (time.time(), limit),
    )
    return [Sync(*row) for row in rows]


def is_writing(conn: sqlite3.Connection, digest: str) -> bool:
    """Say whether sidecars of an asset are about to be written; those that failed are not, for they may wait long."""
    now = time.time()
    found = conn.execute("SELECT 1 FROM syncs WHERE digest = ? AND not_before <= ? LIMIT 1", (digest, now)).fetchone()
    return found is not None


def next_sync(conn: sqlite3.Connection) -> float | None:
    """Say when the next sidecar may be written, in seconds since 1970."""
    when: float | None = conn.execute("SELECT min(not_before) FROM syncs").fetchone()[0]
    return when


def synced(conn: sqlite3.Connection, sync: Sync, receipts: Iterable[Receipt], retry: float = 0.0) -> None:
    """Keep the receipts, and drop the wish unless it was made again meanwhile or must be tried again in *retry* s."""
    key = (sync.digest, sync.media, sync.folder)
    if retry:
        conn.execute(
            "UPDATE syncs SET not_before = ? WHERE digest = ? AND media = ? AND folder = ?", (time.time() + retry, *key)
        )
    else:
        conn.execute(
            "DELETE FROM syncs WHERE digest = ? AND media = ? AND folder = ? AND wanted = ?", (*key, sync.wanted)
        )
    conn.executemany(
        "INSERT INTO receipts(run, target, state, digest, note, proposals, at) VALUES(?,?,?,?,?,?,?)",
        [
            (sync.run, r.target.encode(), r.state, r.digest, r.note, json.encode(r.proposals), time.time())
            for r in receipts
            if r.state != "unchanged"
        ],
    )
