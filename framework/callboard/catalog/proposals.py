"""Proposals and decisions in the catalog. Decisions are append-only and chained, so a silent edit shows."""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import msgspec
from callboard_schemas import Asset, Decision, Kind, Proposal, ProposalState, Provenance, Result

from callboard.catalog import texts
from callboard.errors import CatalogError

_COLUMNS = (
    "id, run, job, plugin, kind, result, digest, state, confidence, provenance, body, checksum, decided_by, reason,"
    " without"
)


def result_name(result: Result) -> str:
    """Name a result as messages do, such as ``tags``."""
    return str(type(result).__struct_config__.tag)


def add(
    conn: sqlite3.Connection, ident: str, job: str, run: str, digest: str, result: Result, provenance: Provenance
) -> None:
    """Store a new proposal; a job that is committed twice keeps its first results."""
    body = msgspec.json.encode(result)
    conn.execute(
        "INSERT INTO proposals(id, job, run, plugin, kind, result, digest, state, confidence, provenance, body,"
        " checksum, created) VALUES(?,?,?,?,?,?,?,'proposed',?,?,?,?,?) ON CONFLICT(id) DO NOTHING",
        (
            *(ident, job, run, provenance.plugin, provenance.kind, result_name(result), digest, result.confidence),
            *(msgspec.json.encode(provenance), body, hashlib.sha256(body).hexdigest(), time.time()),
        ),
    )
    texts.refresh(conn, digest)


def _proposal(row: Sequence[Any], asset: Asset | None = None) -> Proposal:
    ident, run, job, _plugin, kind, result, _digest, state, confidence, provenance, body, checksum, by, reason = row[
        :-1
    ]
    if hashlib.sha256(body).hexdigest() != checksum:
        raise CatalogError(
            f"proposal {ident} is not what was stored",
            "The catalog is damaged; put back a backup or find the media anew.",
        )
    return Proposal(
        id=ident,
        run=run,
        job=job,
        kind=cast("Kind", kind),
        result=result,
        state=cast("ProposalState", state),
        confidence=confidence,
        provenance=msgspec.json.decode(provenance, type=Provenance),
        asset=asset,
        body=msgspec.json.decode(body, type=Result),
        decided_by=by,
        reason=reason,
        without=msgspec.json.decode(row[-1], type=tuple[str, ...]),
    )


def get(conn: sqlite3.Connection, ident: str) -> Proposal | None:
    """Find one proposal by its id."""
    row = conn.execute(f"SELECT {_COLUMNS} FROM proposals WHERE id = ?", (ident,)).fetchone()  # noqa: S608 - constant columns
    return None if row is None else _proposal(row)


def resolve(conn: sqlite3.Connection, prefix: str) -> list[str]:
    """Find the ids that start with *prefix*, as people type them."""
    rows = conn.execute("SELECT id FROM proposals WHERE substr(id, 1, ?) = ? LIMIT 5", (len(prefix), prefix))
    return [row[0] for row in rows]


def of_digest(conn: sqlite3.Connection, digest: str) -> list[Proposal]:
    """Give every proposal for an asset, oldest first."""
    rows = conn.execute(f"SELECT {_COLUMNS} FROM proposals WHERE digest = ? ORDER BY created, id", (digest,))  # noqa: S608 - constant columns
    return [_proposal(row) for row in rows]


def any_for(conn: sqlite3.Connection, digest: str) -> bool:
    """Say whether anything was ever proposed for an asset."""
    return conn.execute("SELECT 1 FROM proposals WHERE digest = ? LIMIT 1", (digest,)).fetchone() is not None


def of_job(conn: sqlite3.Connection, job: str) -> list[Proposal]:
    """Give the proposals of one job in order."""
    rows = conn.execute(f"SELECT {_COLUMNS} FROM proposals WHERE job = ? ORDER BY id", (job,))  # noqa: S608 - constant columns
    return [_proposal(row) for row in rows]


def waiting(conn: sqlite3.Connection, limit: int = 1000) -> list[tuple[Proposal, str]]:
    """Give what waits for a person, oldest first, with the asset's digest."""
    rows = conn.execute(
        f"SELECT {_COLUMNS} FROM proposals WHERE state = 'proposed' ORDER BY created, id LIMIT ?",  # noqa: S608 - constant columns
        (limit,),
    )
    return [(_proposal(row), row[6]) for row in rows]


def accepted_in(conn: sqlite3.Connection, run: str) -> list[str]:
    """Give the proposals that a run had accepted."""
    rows = conn.execute("SELECT id FROM proposals WHERE decided_run = ? AND state = 'accepted' ORDER BY id", (run,))
    return [row[0] for row in rows]


def run_exists(conn: sqlite3.Connection, run: str) -> bool:
    """Say whether a run is known."""
    return conn.execute("SELECT 1 FROM runs WHERE id = ?", (run,)).fetchone() is not None


_BECOMES: dict[str, ProposalState] = {"accept": "accepted", "reject": "rejected", "reopen": "proposed"}


def decide(conn: sqlite3.Connection, decision: Decision, run: str) -> Proposal | None:
    """Apply a decision. Returns the proposal when something changed, ``None`` when it stood so already.

    Accepting supersedes what was accepted before from the same plugin, of the same result and language.
    """
    found, becomes = get(conn, decision.proposal), _BECOMES[decision.decision]
    without = decision.without if becomes == "accepted" else ()
    if found is None or (found.state == becomes and found.without == without):
        return None
    _record(conn, decision, run)
    _set(conn, found.id, becomes, decision.by, decision.reason, run)
    conn.execute("UPDATE proposals SET without = ? WHERE id = ?", (msgspec.json.encode(without), found.id))
    rivals = _rivals(conn, found) if becomes == "accepted" else []
    for other in rivals:
        _set(conn, other, "superseded", decision.by, f"by {found.id}", run)
    if rivals or without or found.without or {found.state, becomes} != {"proposed", "accepted"}:
        texts.refresh_proposal(conn, found.id)  # what is proposed is found by the same words as what is accepted
    return get(conn, found.id)


def _set(conn: sqlite3.Connection, ident: str, state: ProposalState, by: str, reason: str, run: str) -> None:
    conn.execute(
        "UPDATE proposals SET state = ?, decided_by = ?, decided = ?, decided_run = ?, reason = ? WHERE id = ?",
        (state, by, time.time(), run if state == "accepted" else "", reason, ident),
    )


def _language(proposal: Proposal) -> str:
    return str(getattr(proposal.body, "language", ""))


def _rivals(conn: sqlite3.Connection, kept: Proposal) -> list[str]:
    rows = conn.execute(
        f"SELECT {_COLUMNS} FROM proposals WHERE plugin = ? AND result = ? AND state = 'accepted' AND id != ?"  # noqa: S608 - constant columns
        " AND digest = (SELECT digest FROM proposals WHERE id = ?) AND job != ?",
        (kept.provenance.plugin, kept.result, kept.id, kept.id, kept.job),
    )
    return [other.id for other in map(_proposal, rows) if _language(other) == _language(kept)]


def superseded_by(conn: sqlite3.Connection, ident: str) -> list[str]:
    """Give the proposals that one proposal's acceptance superseded."""
    rows = conn.execute("SELECT id FROM proposals WHERE state = 'superseded' AND reason = ?", (f"by {ident}",))
    return [row[0] for row in rows]


_UNTOUCHED = "decided_by = '' AND NOT EXISTS (SELECT 1 FROM decisions d WHERE d.proposal = proposals.id)"


def replace(conn: sqlite3.Connection, ident: str, *, by_any: bool = False) -> list[str]:
    """Have a proposal take the place of what older jobs of its plugin proposed of its asset, and nobody looked at.

    Args:
        conn: The transaction.
        ident: A proposal that analyses or transforms an asset; whatever else it is, it replaces nothing.
        by_any: Take the place of newer jobs' proposals too.

    Returns:
        The ids of what is superseded now, of the same result and language.
    """
    kept = get(conn, ident)
    if kept is None or kept.kind == "generate":
        return []
    rows = conn.execute(
        f"SELECT {_COLUMNS} FROM proposals WHERE plugin = ? AND result = ? AND state = 'proposed' AND job != ?"  # noqa: S608 - constant columns
        " AND digest != '' AND digest = (SELECT digest FROM proposals WHERE id = ?)"
        " AND (? OR job IN (SELECT key FROM jobs WHERE created <= (SELECT created FROM jobs WHERE key = ?)))"
        f" AND {_UNTOUCHED}",
        (kept.provenance.plugin, kept.result, kept.job, ident, by_any, kept.job),
    ).fetchall()
    replaced = [other.id for other in map(_proposal, rows) if _language(other) == _language(kept)]
    for other in replaced:
        # other words than where an acceptance supersedes: no undo may accept what never was accepted
        _set(conn, other, "superseded", "", f"replaced by {ident}", "")
    if replaced:
        texts.refresh_proposal(conn, ident)
    return replaced


def revive(conn: sqlite3.Connection, ident: str) -> list[str]:
    """Propose again what gave way to another job's proposal, for its own job was asked for again.

    Returns:
        What gives way to it in turn.
    """
    gave_way = conn.execute(
        "UPDATE proposals SET state = 'proposed', decided = NULL, reason = ''"  # noqa: S608 - constant condition
        f" WHERE id = ? AND state = 'superseded' AND {_UNTOUCHED}",
        (ident,),
    ).rowcount
    if not gave_way:
        return []
    texts.refresh_proposal(conn, ident)
    return replace(conn, ident, by_any=True)


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


def _record(conn: sqlite3.Connection, decision: Decision, run: str) -> None:
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
