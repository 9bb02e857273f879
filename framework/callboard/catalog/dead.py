"""Dead letters: what failed for good, with its reason, kept until a person has it replayed."""

from __future__ import annotations

import sqlite3
import time
from typing import NamedTuple

from callboard_schemas import Failure


class DeadLetter(NamedTuple):
    """A job or a message that failed for good."""

    id: str
    what: str
    ref: str
    code: str
    reason: str
    hint: str
    detail: str
    path: bytes
    body: bytes
    at: float
    state: str


_COLUMNS = ", ".join(DeadLetter._fields)


def bury(
    conn: sqlite3.Connection, ident: str, what: str, ref: str, why: Failure, *, path: bytes = b"", body: bytes = b""
) -> None:
    """Keep a dead letter; *what* is ``job`` or ``message``, *ref* the job's key."""
    conn.execute(
        "INSERT OR REPLACE INTO dead(id, what, ref, code, reason, hint, detail, path, body, at, state)"
        " VALUES(?,?,?,?,?,?,?,?,?,?,'open')",
        (ident, what, ref, why.code, why.message, why.hint, why.detail, path, body, time.time()),
    )


def listed(conn: sqlite3.Connection, *, everything: bool = False) -> list[DeadLetter]:
    """Give the dead letters, newest first; without *everything* only those not replayed."""
    rows = conn.execute(
        f"SELECT {_COLUMNS} FROM dead WHERE state = 'open' OR ? ORDER BY at DESC",  # noqa: S608 - constant columns
        (everything,),
    )
    return [DeadLetter(*row) for row in rows]


def find(conn: sqlite3.Connection, prefix: str) -> list[DeadLetter]:
    """Find dead letters by the start of their id."""
    rows = conn.execute(
        f"SELECT {_COLUMNS} FROM dead WHERE substr(id, 1, ?) = ? LIMIT 5",  # noqa: S608 - constant columns
        (len(prefix), prefix),
    )
    return [DeadLetter(*row) for row in rows]


def replayed(conn: sqlite3.Connection, ident: str) -> None:
    """Say that a dead letter was given back to work."""
    conn.execute("UPDATE dead SET state = 'replayed' WHERE id = ?", (ident,))
