"""Requests of hosts in the catalog: what people in applications asked for, and what came of it.

Every function takes an open connection and runs inside the caller's transaction.
"""

from __future__ import annotations

import sqlite3
import time
from typing import NamedTuple

import msgspec
from callboard_schemas import Failure, HostRequest

SHOWN = 24 * 3600.0
"""Seconds for which a refusal is shown in the inbox of the application that asked."""


class Asked(NamedTuple):
    """A request as the catalog has it."""

    seq: int
    """Of its event in the journal."""
    id: str
    run: str
    host: str
    application: str
    """Empty while its host did not say what it is."""
    project: str
    what: str
    body: bytes
    caused: int | None
    """Number of the event that it caused, where that has no asset."""
    state: str
    """``open``, ``done`` or ``refused``."""
    reason: str
    at: float

    @property
    def request(self) -> HostRequest:
        """What was asked for."""
        return msgspec.json.decode(self.body, type=HostRequest)


_COLUMNS = ", ".join(Asked._fields)


def add(conn: sqlite3.Connection, seq: int, ident: str, run: str, application: str, asked: HostRequest) -> None:
    """Take a request that was journalled."""
    conn.execute(
        "INSERT INTO host_requests(seq, id, run, host, application, project, what, body, state, at)"
        " VALUES(?,?,?,?,?,?,?,?,'open',?)",
        (
            *(seq, ident, run, asked.host, application, asked.project, asked.what),
            *(msgspec.json.encode(asked), time.time()),
        ),
    )


def open_ones(conn: sqlite3.Connection) -> list[Asked]:
    """Give what is not done yet, oldest first."""
    rows = conn.execute(f"SELECT {_COLUMNS} FROM host_requests WHERE state = 'open' ORDER BY seq")  # noqa: S608 - constant columns
    return [Asked(*row) for row in rows]


def settle(conn: sqlite3.Connection, seq: int, state: str, reason: str = "", caused: int | None = None) -> None:
    """Say what came of a request; what it caused stays said."""
    conn.execute(
        "UPDATE host_requests SET state = ?, reason = ?, caused = coalesce(?, caused) WHERE seq = ?",
        (state, reason, caused, seq),
    )


def belongs_to(conn: sqlite3.Connection, seq: int, application: str) -> None:
    """Say which application asked."""
    conn.execute("UPDATE host_requests SET application = ? WHERE seq = ?", (application, seq))


def that_caused(conn: sqlite3.Connection, event: int) -> Asked | None:
    """Find the request that caused an event without an asset."""
    row = conn.execute(f"SELECT {_COLUMNS} FROM host_requests WHERE caused = ?", (event,)).fetchone()  # noqa: S608 - constant columns
    return None if row is None else Asked(*row)


def settled(conn: sqlite3.Connection, application: str, project: str) -> list[Asked]:
    """Give what a project asked for lately and what was refused or asked of plugins, newest first."""
    rows = conn.execute(
        f"SELECT {_COLUMNS} FROM host_requests WHERE application = ? AND project = ? AND state != 'open' AND at > ?"  # noqa: S608 - constant columns
        " ORDER BY seq DESC LIMIT 10",
        (application, project, time.time() - SHOWN),
    )
    return [Asked(*row) for row in rows]


def fruitless(conn: sqlite3.Connection, run: str) -> list[str]:
    """Say which jobs of a request's run bring nothing: those that failed, and whose results were rejected before."""
    failed = conn.execute(
        "SELECT j.plugin, j.failure FROM run_jobs r JOIN jobs j ON j.key = r.job WHERE r.run = ? AND j.state = 'failed'"
        " ORDER BY j.created",
        (run,),
    )
    rejected = conn.execute(
        "SELECT j.plugin, max(p.decided_by) FROM run_jobs r JOIN jobs j ON j.key = r.job"
        " JOIN proposals p ON p.job = j.key"
        " WHERE r.run = ? AND r.cached = 1 GROUP BY j.key HAVING min(p.state = 'rejected') = 1 ORDER BY j.created",
        (run,),
    )
    found = []
    for plugin, failure in failed.fetchall():
        why = msgspec.json.decode(failure, type=Failure) if failure else None
        found.append(f"{plugin} failed: {why.message if why else 'it does not say why'}")
    found += [f"{plugin} did it before, and {by} rejected it: 'callboard accept' takes it" for plugin, by in rejected]
    return found
