"""Jobs in the catalog. The key is unique, so asking for one twice changes nothing."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import NamedTuple

import msgspec
from callboard_schemas import Asset, Failure, Parameters
from msgspec import Struct


class Planned(Struct, frozen=True, kw_only=True):
    """A job that an event asks for, before it is known whether it was done already."""

    key: str
    plugin: str
    version: str
    parameters: Parameters
    models: dict[str, str]
    deadline: float
    asset: Asset | None = None


class Row(NamedTuple):
    """A job as the catalog has it."""

    key: str
    plugin: str
    version: str
    parameters: bytes
    models: bytes
    asset: bytes | None
    digest: str
    event: int
    run: str
    deadline: float
    state: str
    tries: int
    crashes: int
    not_before: float
    failure: bytes | None
    created: float
    finished: float | None
    seconds: float | None

    @property
    def why(self) -> Failure | None:
        """Why it failed or waits."""
        return None if self.failure is None else msgspec.json.decode(self.failure, type=Failure)

    @property
    def subject(self) -> Asset | None:
        """The asset, where it was when the job was made."""
        return None if self.asset is None else msgspec.json.decode(self.asset, type=Asset)


_COLUMNS = ", ".join(Row._fields)
WANTED = ".requested"
"""How the types of events end by which a person asks for something and waits."""


def want(conn: sqlite3.Connection, planned: Planned, event: int, run: str) -> bool:
    """Ask for a job in a run. Returns whether it is new; a job done or failed before is attached as it is."""
    asset = msgspec.json.encode(planned.asset) if planned.asset else None
    new = conn.execute(
        "INSERT INTO jobs(key, plugin, version, parameters, models, asset, digest, event, run, deadline, state,"
        " created)"
        " VALUES(?,?,?,?,?,?,?,?,?,?,'queued',?) ON CONFLICT(key) DO NOTHING",
        (
            *(planned.key, planned.plugin, planned.version, msgspec.json.encode(planned.parameters)),
            *(msgspec.json.encode(planned.models), asset, planned.asset.digest if planned.asset else ""),
            *(event, run, planned.deadline, time.time()),
        ),
    ).rowcount
    cached = 0
    if not new:
        done = conn.execute("SELECT state IN ('done','failed') FROM jobs WHERE key = ?", (planned.key,)).fetchone()[0]
        cached = int(done)
        if not done:
            conn.execute(
                "UPDATE jobs SET run = ?, asset = ?, event = ?, state = 'queued', not_before = 0 WHERE key = ?",
                (run, asset, event, planned.key),
            )
    conn.execute("INSERT OR IGNORE INTO run_jobs(run, job, cached) VALUES(?,?,?)", (run, planned.key, cached))
    return bool(new)


def get(conn: sqlite3.Connection, key: str) -> Row | None:
    """Find one job."""
    row = conn.execute(f"SELECT {_COLUMNS} FROM jobs WHERE key = ?", (key,)).fetchone()  # noqa: S608 - constant columns
    return None if row is None else Row(*row)


def ready(conn: sqlite3.Connection, limit: int, run: str = "", *, wanted_only: bool = False) -> list[Row]:
    """Give queued jobs whose time has come, oldest first; with *run*, only that run's.

    With *wanted_only*, only those of events by which somebody asked for something and waits.

    Jobs of a run that a person interrupted wait until somebody asks for them again.
    """
    rows = conn.execute(
        f"SELECT {_COLUMNS} FROM jobs INDEXED BY jobs_waiting WHERE state = 'queued' AND not_before <= :now"  # noqa: S608 - constant columns
        " AND (:run = '' OR run = :run)"
        " AND run NOT IN (SELECT id FROM runs WHERE state = 'interrupted')"
        " AND (NOT :wanted OR EXISTS (SELECT 1 FROM events e WHERE e.seq = jobs.event AND e.type GLOB '*' || :kind))"
        " ORDER BY created LIMIT :limit",
        {"now": time.time(), "run": run, "limit": limit, "wanted": wanted_only, "kind": WANTED},
    )
    return [Row(*row) for row in rows]


def is_wanted(conn: sqlite3.Connection, row: Row) -> bool:
    """Say whether somebody asked for a job and waits."""
    kind = conn.execute("SELECT type FROM events WHERE seq = ?", (row.event,)).fetchone()
    return kind is not None and kind[0].endswith(WANTED)


def next_ready(conn: sqlite3.Connection, after: float) -> float | None:
    """Say when the next job that waits for its time may start, in seconds since 1970; ``None`` when none waits."""
    row = conn.execute(
        "SELECT min(not_before) FROM jobs WHERE state = 'queued' AND not_before > ?", (after,)
    ).fetchone()
    when: float | None = row[0]
    return when


def running(conn: sqlite3.Connection, key: str) -> None:
    """Say that a job has started."""
    conn.execute("UPDATE jobs SET state = 'running' WHERE key = ? AND state = 'queued'", (key,))


def requeue_running(conn: sqlite3.Connection) -> int:
    """Queue again what was running when the last board ended. Returns how many."""
    return conn.execute("UPDATE jobs SET state = 'queued' WHERE state = 'running'").rowcount


def done(conn: sqlite3.Connection, key: str, seconds: float) -> None:
    """Say that a job has its results."""
    conn.execute(
        "UPDATE jobs SET state = 'done', failure = NULL, finished = ?, seconds = ? WHERE key = ?",
        (time.time(), seconds, key),
    )


def cancel(conn: sqlite3.Connection, key: str, why: Failure) -> None:
    """Say that a job is no longer wanted, because its asset is another one now."""
    conn.execute(
        "UPDATE jobs SET state = 'cancelled', failure = ?, finished = ? WHERE key = ?",
        (msgspec.json.encode(why), time.time(), key),
    )


def failed(conn: sqlite3.Connection, key: str, why: Failure, state: str, wait: float = 0.0) -> None:
    """Count a failure. *state* is ``queued`` (tried again after *wait* seconds), ``blocked`` or ``failed``."""
    conn.execute(
        "UPDATE jobs SET state = ?, failure = ?, not_before = ?, finished = CASE WHEN ? = 'failed' THEN ? END,"
        " tries = tries + ?, crashes = crashes + ? WHERE key = ?",
        (
            *(state, msgspec.json.encode(why), time.time() + wait, state, time.time()),
            *(int(why.cause == "deterministic"), int(why.cause == "crash"), key),
        ),
    )


def wake(conn: sqlite3.Connection, codes: tuple[str, ...] = (), digest: str = "") -> int:
    """Queue blocked jobs again: those blocked with one of *codes* (any when empty), or on one asset."""
    rows = conn.execute("SELECT key, failure, digest FROM jobs WHERE state = 'blocked'").fetchall()
    woken = 0
    for key, failure, on in rows:
        code = msgspec.json.decode(failure, type=Failure).code if failure else ""
        if (not codes or code in codes) and (not digest or on == digest):
            conn.execute("UPDATE jobs SET state = 'queued', not_before = 0 WHERE key = ?", (key,))
            woken += 1
    return woken


def blocked(conn: sqlite3.Connection) -> list[Row]:
    """Give the jobs that wait for their surroundings."""
    return [Row(*row) for row in conn.execute(f"SELECT {_COLUMNS} FROM jobs WHERE state = 'blocked'")]  # noqa: S608 - constant columns


def unblock(conn: sqlite3.Connection, keys: Iterable[str]) -> None:
    """Queue blocked jobs again."""
    conn.executemany(
        "UPDATE jobs SET state = 'queued', not_before = 0 WHERE key = ? AND state = 'blocked'", [(k,) for k in keys]
    )


def retry(conn: sqlite3.Connection, key: str, run: str) -> None:
    """Give a failed job all its tries back."""
    conn.execute(
        "UPDATE jobs SET state = 'queued', tries = 0, crashes = 0, not_before = 0, run = ? WHERE key = ?", (run, key)
    )
    conn.execute("INSERT OR REPLACE INTO run_jobs(run, job, cached) VALUES(?,?,0)", (run, key))


def of_run(conn: sqlite3.Connection, run: str) -> list[tuple[Row, bool]]:
    """Give every job of a run, with whether it was there already."""
    rows = conn.execute(
        f"SELECT {', '.join('j.' + name for name in Row._fields)}, r.cached"  # noqa: S608 - constant columns
        " FROM run_jobs r JOIN jobs j ON j.key = r.job WHERE r.run = ? ORDER BY j.created",
        (run,),
    )
    return [(Row(*row[:-1]), bool(row[-1])) for row in rows]


def others_of_run(conn: sqlite3.Connection, run: str, known: AbstractSet[str]) -> list[Row]:
    """Give the jobs of a run that are not *known*, which holds only jobs of it: a count tells that there are none."""
    if conn.execute("SELECT count(*) FROM run_jobs WHERE run = ?", (run,)).fetchone()[0] <= len(known):
        return []
    keys = conn.execute("SELECT job FROM run_jobs WHERE run = ?", (run,)).fetchall()
    rows = [get(conn, key) for (key,) in keys if key not in known]
    return sorted((row for row in rows if row is not None), key=lambda row: row.created)


def was_cached(conn: sqlite3.Connection, run: str, key: str) -> bool:
    """Say whether a run found this job done by an earlier one."""
    row = conn.execute("SELECT cached FROM run_jobs WHERE run = ? AND job = ?", (run, key)).fetchone()
    return bool(row and row[0])


def of_digest(conn: sqlite3.Connection, digest: str) -> list[Row]:
    """Give every job on one asset."""
    rows = conn.execute(f"SELECT {_COLUMNS} FROM jobs WHERE digest = ? ORDER BY created", (digest,))  # noqa: S608 - constant columns
    return [Row(*row) for row in rows]


def counts(conn: sqlite3.Connection) -> dict[str, int]:
    """Count jobs by state."""
    return dict(conn.execute("SELECT state, count(*) FROM jobs GROUP BY state").fetchall())


def start_run(conn: sqlite3.Connection, run: str, trigger: str) -> None:
    """Open a run: everything one trigger causes."""
    conn.execute(
        "INSERT INTO runs(id, trigger, started, state) VALUES(?,?,?,'open') ON CONFLICT(id) DO NOTHING",
        (run, trigger, time.time()),
    )


def close_run(conn: sqlite3.Connection, run: str) -> None:
    """Close an open run whose jobs are all settled."""
    conn.execute(
        "UPDATE runs SET state = 'done' WHERE id = :run AND state = 'open' AND NOT EXISTS (SELECT 1 FROM run_jobs r"
        " JOIN jobs j ON j.key = r.job WHERE r.run = :run AND j.state IN ('queued', 'running', 'blocked'))",
        {"run": run},
    )


def end_run(conn: sqlite3.Connection, run: str, state: str) -> None:
    """Close a run as ``done`` or ``interrupted``."""
    conn.execute("UPDATE runs SET state = ? WHERE id = ?", (state, run))
