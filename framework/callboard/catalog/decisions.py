"""Decisions in the catalog: append-only and chained, so a silent edit shows."""

from __future__ import annotations

import hashlib
import sqlite3
import time
from typing import NamedTuple

import msgspec
from callboard_schemas import Decision


class Acceptance(NamedTuple):
    """An acceptance that a later one took the place of."""

    run: str
    without: tuple[str, ...]


def accepted_before(conn: sqlite3.Connection, ident: str, run: str) -> Acceptance | None:
    """Give the acceptance that stood before *run* accepted a proposal otherwise; ``None`` when it was not accepted."""
    row = conn.execute(
        "SELECT decision, run, without FROM decisions WHERE proposal = :id AND seq <"
        " (SELECT min(seq) FROM decisions WHERE proposal = :id AND decision = 'accept' AND run = :run)"
        " ORDER BY seq DESC LIMIT 1",
        {"id": ident, "run": run},
    ).fetchone()
    if row is None or row[0] != "accept":
        return None
    return Acceptance(row[1], msgspec.json.decode(row[2], type=tuple[str, ...]))


def last_acceptance(conn: sqlite3.Connection, ident: str) -> Acceptance:
    """Give the newest acceptance of a proposal; one of no run when it never was accepted."""
    row = conn.execute(
        "SELECT run, without FROM decisions WHERE proposal = ? AND decision = 'accept' ORDER BY seq DESC LIMIT 1",
        (ident,),
    ).fetchone()
    return Acceptance("", ()) if row is None else Acceptance(row[0], msgspec.json.decode(row[1], type=tuple[str, ...]))


def kept_since(conn: sqlite3.Connection, run: str) -> list[tuple[str, str]]:
    """Give what a run accepted and a later decision holds accepted: the ids, and who decided."""
    return conn.execute(
        "SELECT id, decided_by FROM proposals WHERE state = 'accepted' AND decided_run != :run AND id IN"
        " (SELECT proposal FROM decisions WHERE run = :run AND decision = 'accept') ORDER BY id",
        {"run": run},
    ).fetchall()


def last_decision(conn: sqlite3.Connection, ident: str) -> int:
    """Give the number of the newest decision on a proposal; 0 when there is none."""
    row = conn.execute("SELECT max(seq) FROM decisions WHERE proposal = ?", (ident,)).fetchone()
    return int(row[0] or 0)


def record(conn: sqlite3.Connection, decision: Decision, run: str) -> None:
    """Append a decision to the chain."""
    last = conn.execute("SELECT chain FROM decisions ORDER BY seq DESC LIMIT 1").fetchone()
    now = time.time()
    entry = msgspec.json.encode([last[0] if last else "", msgspec.to_builtins(decision), now])
    conn.execute(
        "INSERT INTO decisions(proposal, decision, by, reason, at, chain, without, run) VALUES(?,?,?,?,?,?,?,?)",
        (
            *(decision.proposal, decision.decision, decision.by, decision.reason, now),
            *(hashlib.sha256(entry).hexdigest(), msgspec.json.encode(decision.without), run),
        ),
    )


def broken_link(conn: sqlite3.Connection) -> int | None:
    """Find the first decision whose chain does not follow from the one before; ``None`` when all do."""
    last = ""
    for seq, proposal, decision, by, reason, at, chain, without in conn.execute(
        "SELECT seq, proposal, decision, by, reason, at, chain, without FROM decisions ORDER BY seq"
    ):
        left_out = msgspec.json.decode(without, type=tuple[str, ...])
        told = Decision(proposal=proposal, decision=decision, by=by, reason=reason, without=left_out)
        entry = msgspec.json.encode([last, msgspec.to_builtins(told), at])
        if hashlib.sha256(entry).hexdigest() != chain:
            return int(seq)
        last = chain
    return None
