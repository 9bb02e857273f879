"""Proposals in the catalog: their states, and which takes the place of which."""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Iterator, Sequence
from typing import Any, cast

import msgspec
from callboard_schemas import Asset, Decision, Kind, Proposal, ProposalState, Provenance, Result, Translation

from callboard.catalog import decisions, standins, texts
from callboard.errors import CatalogError

_COLUMNS = (
    "id, run, job, plugin, kind, result, digest, state, confidence, provenance, body, checksum, decided_by, reason,"
    " without"
)

PERSON = "person"
"""The plugin that results are stored under which a person wrote."""


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


def digest_of(conn: sqlite3.Connection, ident: str) -> str:
    """Give the digest of a proposal's asset; empty where it has none."""
    row = conn.execute("SELECT digest FROM proposals WHERE id = ?", (ident,)).fetchone()
    return "" if row is None else str(row[0])


def language_of(conn: sqlite3.Connection, ident: str) -> str:
    """Give the language of a proposal's result; empty where it has none."""
    row = conn.execute("SELECT json_extract(body, '$.language') FROM proposals WHERE id = ?", (ident,)).fetchone()
    return "" if row is None or row[0] is None else str(row[0])


def standing(conn: sqlite3.Connection, ident: str) -> tuple[object, ...] | None:
    """Give what changes whenever a proposal does; ``None`` where there is none."""
    row: tuple[object, ...] | None = conn.execute(
        "SELECT state, decided, decided_by, reason, without FROM proposals WHERE id = ?", (ident,)
    ).fetchone()
    return row


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


def accepted_captions(conn: sqlite3.Connection) -> Iterator[Proposal]:
    """Give every captions that are accepted, oldest first."""
    rows = conn.execute(
        f"SELECT {_COLUMNS} FROM proposals WHERE state = 'accepted' AND result = 'captions' ORDER BY created, id"  # noqa: S608 - constant columns
    )
    yield from map(_proposal, rows)


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

    Accepting supersedes what was accepted before from the same plugin, of the same result and language; for stand-ins
    and what takes their place, see ``standins``.
    """
    found, becomes = get(conn, decision.proposal), _BECOMES[decision.decision]
    without = decision.without if becomes == "accepted" else ()
    if found is None or (found.state == becomes and found.without == without):
        return None
    decisions.record(conn, decision, run)
    _set(conn, found.id, becomes, decision.by, decision.reason, run)
    conn.execute("UPDATE proposals SET without = ? WHERE id = ?", (msgspec.json.encode(without), found.id))
    rivals = _rivals(conn, found) if becomes == "accepted" else []
    for other in rivals:
        _set(conn, other, "superseded", decision.by, f"by {found.id}", run)
    _pass_over(conn, found, becomes)
    if rivals or without or found.without or {found.state, becomes} != {"proposed", "accepted"}:
        texts.refresh_proposal(conn, found.id)  # what is proposed is found by the same words as what is accepted
    return get(conn, found.id)


def _pass_over(conn: sqlite3.Connection, kept: Proposal, becomes: ProposalState) -> None:
    """Put aside what waits for the same place, in other words than what was accepted: see ``release``."""
    one = standins.find(conn, kept.id) if becomes == "accepted" else None
    again = one is not None and one.result == "swap" and kept.state == "superseded"  # what came since waits on
    for other in standins.passed_over(conn, one) if one is not None and not again else ():
        _set(conn, other, "superseded", "", f"passed over for {kept.id}", "")


def _set(conn: sqlite3.Connection, ident: str, state: ProposalState, by: str, reason: str, run: str) -> None:
    conn.execute(
        "UPDATE proposals SET state = ?, decided_by = ?, decided = ?, decided_run = ?, reason = ? WHERE id = ?",
        (state, by, time.time(), run if state == "accepted" else "", reason, ident),
    )


def _slot(proposal: Proposal) -> tuple[str, bool]:
    """Say what a proposal competes for: of results in a language, one with cues and one with other texts may stand."""
    body = proposal.body
    return str(getattr(body, "language", "")), isinstance(body, Translation) and not body.cues


_SAME_MAKER = (
    "(plugin = :plugin OR (result IN ('captions', 'translation') AND (:plugin = 'person' OR plugin = 'person')))"
)
"""A person's captions and translations compete with everybody's; tags of several plugins stand side by side."""


def _rivals(conn: sqlite3.Connection, kept: Proposal) -> list[str]:
    one = standins.find(conn, kept.id)
    if one is not None:
        return standins.rivals(conn, one)
    rows = conn.execute(
        f"SELECT {_COLUMNS} FROM proposals WHERE {_SAME_MAKER} AND result = :result AND state = 'accepted'"  # noqa: S608 - constant columns
        " AND id != :id AND digest = (SELECT digest FROM proposals WHERE id = :id) AND job != :job",
        {"plugin": kept.provenance.plugin, "result": kept.result, "id": kept.id, "job": kept.job},
    )
    return [other.id for other in map(_proposal, rows) if _slot(other) == _slot(kept)]


def person_stands(conn: sqlite3.Connection, made: Proposal, digest: str) -> bool:
    """Say whether what a person wrote is accepted where *made* would take its place."""
    rows = conn.execute(
        f"SELECT {_COLUMNS} FROM proposals WHERE plugin = ? AND result = ? AND state = 'accepted' AND digest = ?",  # noqa: S608 - constant columns
        (PERSON, made.result, digest),
    )
    return any(_slot(other) == _slot(made) for other in map(_proposal, rows))


def release(conn: sqlite3.Connection, ident: str) -> list[str]:
    """Propose again what gave way to one proposal before it was accepted. Returns the ids.

    That is what a person's result took the place of before anybody looked at it, and what was not chosen with it.
    """
    rows = conn.execute(
        "UPDATE proposals SET state = 'proposed', decided = NULL, reason = ''"
        " WHERE state = 'superseded' AND (reason = ? OR (reason = ? AND EXISTS"
        " (SELECT 1 FROM proposals p WHERE p.id = ? AND p.plugin = ?))) RETURNING id",
        (f"passed over for {ident}", f"replaced by {ident}", ident, PERSON),
    ).fetchall()
    if rows:
        texts.refresh_proposal(conn, ident)
    return [row[0] for row in rows]


def given_way(conn: sqlite3.Connection, ident: str) -> list[str]:
    """Give all that one proposal's acceptance put aside, accepted before or not."""
    words = f"by {ident}", f"passed over for {ident}"
    rows = conn.execute("SELECT id FROM proposals WHERE state = 'superseded' AND reason IN (?, ?) ORDER BY id", words)
    return [row[0] for row in rows]


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
        f"SELECT {_COLUMNS} FROM proposals WHERE (plugin = :plugin OR :plugin = 'person')"  # noqa: S608 - constant columns
        " AND result = :result AND state = 'proposed' AND job != :job"
        " AND digest != '' AND digest = (SELECT digest FROM proposals WHERE id = :id)"
        " AND (:any OR job IN (SELECT key FROM jobs WHERE created <= (SELECT created FROM jobs WHERE key = :job)))"
        f" AND {_UNTOUCHED}",
        {"plugin": kept.provenance.plugin, "result": kept.result, "job": kept.job, "id": ident, "any": by_any},
    ).fetchall()
    replaced = [other.id for other in map(_proposal, rows) if _slot(other) == _slot(kept)]
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
