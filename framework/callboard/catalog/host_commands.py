"""Commands to hosts in the catalog: what an acceptance asks of each project, by which route, and what became of it.

Every function takes an open connection and runs inside the caller's transaction.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec
from callboard_schemas import Command, CommandReceipt, Content

OPEN = ("pending", "applied", "partial", "stale", "refused", "failed")
"""States of what still holds; ``withdrawn``, ``expired`` and ``told`` (no command, another route) are the others."""


class Row(NamedTuple):
    """A command, or the route that was taken instead of one."""

    seq: int
    id: str
    application: str
    project: str
    proposal: str
    digest: str
    run: str
    route: str
    """Where the result goes: ``subtitles``, ``markers``, ``tags``, ``placeholder``, ``sidecar``, ``timeline``…"""
    why: str
    verb: str
    """Empty where the route needs nothing of the application."""
    ref: str
    body: bytes
    content: bytes
    """What it brings, where that is not made of the proposal."""
    state: str
    created: float
    expires: float
    posted: float | None
    settled: float | None
    host: str
    landed: bytes
    missing: bytes
    note: str

    @property
    def command(self) -> Command:
        """The command, without what it brings."""
        return msgspec.json.decode(self.body, type=Command)

    @property
    def brings(self) -> Content | None:
        """What it brings, where that is not made of the proposal."""
        return msgspec.json.decode(self.content, type=Content) if self.content else None

    @property
    def is_over(self) -> bool:
        """Whether it waited for longer than the settings allow."""
        return 0 < self.expires <= time.time()

    @property
    def has_landed(self) -> tuple[str, ...]:
        """Names of what is there, as the application shows them."""
        return msgspec.json.decode(self.landed, type=tuple[str, ...])

    @property
    def is_missing(self) -> tuple[str, ...]:
        """What did not land, and why."""
        return msgspec.json.decode(self.missing, type=tuple[str, ...])


_COLUMNS = ", ".join(Row._fields)


def _rows(conn: sqlite3.Connection, where: str, values: Sequence[object]) -> list[Row]:
    rows = conn.execute(f"SELECT {_COLUMNS} FROM host_commands WHERE {where} ORDER BY seq", values)  # noqa: S608 - constant columns and conditions
    return [Row(*row) for row in rows]


def add(
    conn: sqlite3.Connection,
    command: Command,
    *,
    application: str,
    digest: str,
    run: str,
    route: str,
    why: str,
    content: Content | None = None,
    told: bool = False,
) -> bool:
    """Put a command in, to be posted until its receipt; *told* means that its route needs nothing of the application.

    Returns:
        Whether it is new.
    """
    changed = conn.execute(
        "INSERT INTO host_commands(id, application, project, proposal, digest, run, route, why, verb, ref, body,"
        " content, state, created, expires) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT(id) DO NOTHING",
        (
            *(command.id, application, command.project, command.proposal, digest, run, route, why),
            *("" if told else command.verb, command.use.ref if command.use else ""),
            *(msgspec.json.encode(command), msgspec.json.encode(content) if content else b""),
            *("told" if told else "pending", time.time(), command.expires),
        ),
    ).rowcount
    return bool(changed)


def every(conn: sqlite3.Connection) -> list[Row]:
    """Give everything, oldest first."""
    return _rows(conn, "1", ())


def get(conn: sqlite3.Connection, ident: str) -> Row | None:
    """Find a command."""
    return next(iter(_rows(conn, "id = ?", (ident,))), None)


def pending(conn: sqlite3.Connection, application: str, project: str) -> list[Row]:
    """Give what a project was not asked for, or did not answer, oldest first; what is over included."""
    return _rows(conn, "application = ? AND project = ? AND state = 'pending'", (application, project))


def count_pending(conn: sqlite3.Connection, application: str, project: str) -> int:
    """Count what a project still has to be asked for."""
    row = conn.execute(
        "SELECT count(*) FROM host_commands WHERE application = ? AND project = ? AND state = 'pending'"
        " AND (expires = 0 OR expires > ?)",
        (application, project, time.time()),
    ).fetchone()
    return int(row[0])


def pending_ids(conn: sqlite3.Connection, application: str, project: str) -> list[str]:
    """Give the ids of what ``pending`` gives."""
    rows = conn.execute(
        "SELECT id FROM host_commands WHERE application = ? AND project = ? AND state = 'pending' ORDER BY seq",
        (application, project),
    )
    return [row[0] for row in rows]


def waiting(conn: sqlite3.Connection) -> list[tuple[str, str, int]]:
    """Count what each project still has to be asked for: application, project and commands."""
    return conn.execute(
        "SELECT application, project, count(*) FROM host_commands WHERE state = 'pending'"
        " AND (expires = 0 OR expires > ?) GROUP BY application, project ORDER BY application, project",
        (time.time(),),
    ).fetchall()


def count_troubled(conn: sqlite3.Connection, application: str, project: str) -> int:
    """Count what a project did not, or not wholly, take."""
    row = conn.execute(
        "SELECT count(*) FROM host_commands WHERE application = ? AND project = ?"
        " AND state IN ('partial', 'stale', 'refused', 'failed')",
        (application, project),
    ).fetchone()
    return int(row[0])


def expire(conn: sqlite3.Connection) -> None:
    """Put aside what waited for longer than the settings allow."""
    conn.execute(
        "UPDATE host_commands SET state = 'expired', note = 'waited longer than hosts.expire_days'"
        " WHERE state = 'pending' AND expires > 0 AND expires <= ?",
        (time.time(),),
    )


def of_proposal(conn: sqlite3.Connection, proposal: str) -> list[Row]:
    """Give everything that a proposal asked of hosts, oldest first."""
    return _rows(conn, "proposal = ?", (proposal,))


def placeholders(conn: sqlite3.Connection, states: Sequence[str]) -> list[Row]:
    """Give every command that put a placeholder into a gap and stands so, oldest first."""
    marks = ", ".join("?" * len(states))
    return _rows(conn, f"verb = 'placeholder.insert' AND state IN ({marks})", states)


def of_former(conn: sqlite3.Connection, application: str, project: str, ref: str, verb: str, digest: str) -> list[Row]:
    """Give what a use was given of the content that its file had before."""
    return _rows(
        conn,
        "application = ? AND project = ? AND ref = ? AND ref != '' AND verb = ? AND digest NOT IN ('', ?)"
        " AND state IN ('pending', 'applied', 'partial', 'stale')",
        (application, project, ref, verb, digest),
    )


def count_settled(conn: sqlite3.Connection, proposal: str, application: str, project: str) -> int:
    """Count what a proposal asked of a project and does not wait any more."""
    row = conn.execute(
        "SELECT count(*) FROM host_commands"
        " WHERE proposal = ? AND application = ? AND project = ? AND state != 'pending'",
        (proposal, application, project),
    ).fetchone()
    return int(row[0])


def posted(conn: sqlite3.Connection, idents: Iterable[str], host: str) -> set[str]:
    """Say that commands are about to be posted to a host. Returns those that are still wanted."""
    now = time.time()
    return {
        ident
        for ident in idents
        if conn.execute(
            "UPDATE host_commands SET posted = ?, host = ? WHERE id = ? AND state = 'pending'", (now, host, ident)
        ).rowcount
    }


def settle(conn: sqlite3.Connection, ident: str, receipt: CommandReceipt) -> None:
    """Keep a receipt; what was withdrawn meanwhile stays withdrawn."""
    conn.execute(
        "UPDATE host_commands SET state = CASE WHEN state IN ('withdrawn', 'expired') THEN state ELSE ? END,"
        " settled = ?, host = ?, landed = ?, missing = ?, note = ? WHERE id = ?",
        (
            *(receipt.state, time.time(), receipt.host, msgspec.json.encode(receipt.landed)),
            *(msgspec.json.encode(receipt.missing), receipt.note, ident),
        ),
    )


def withdraw(conn: sqlite3.Connection, seq: int, note: str) -> None:
    """Say that a command holds no more."""
    conn.execute(
        "UPDATE host_commands SET state = 'withdrawn', note = CASE note WHEN '' THEN ? ELSE note END WHERE seq = ?",
        (note, seq),
    )
