"""Placeholders in the catalog, by the shot that they stand in for."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from callboard_schemas import Placeholder, Proposal

from callboard.catalog import proposals


class Step(NamedTuple):
    """One thing that happened to a shot."""

    at: float
    """Seconds since 1970."""
    what: str
    """``made``, ``arrived``, or a decision: ``accept``, ``reject``, ``reopen``."""
    proposal: str
    result: str
    """``placeholder`` or ``swap``."""
    file: str
    by: str = ""
    reason: str = ""
    run: str = ""


def trail(conn: sqlite3.Connection, shot: str) -> list[Step]:
    """Give all that happened to a shot: what was made, what arrived, who decided what and why; the oldest first."""
    of_shot = "p.result IN ('placeholder', 'swap') AND json_extract(p.body, '$.shot') = :shot"
    file = "coalesce(json_extract(p.body, '$.file'), json_extract(p.body, '$.path'), '')"
    rows = conn.execute(
        f"SELECT p.created, CASE p.result WHEN 'swap' THEN 'arrived' ELSE 'made' END, p.id, p.result, {file},"  # noqa: S608 - constant conditions
        f" '', '', p.run, 0 FROM proposals p WHERE {of_shot} UNION ALL"
        f" SELECT d.at, d.decision, p.id, p.result, {file}, d.by, d.reason, d.run, d.seq"
        f" FROM decisions d JOIN proposals p ON p.id = d.proposal WHERE {of_shot} ORDER BY 1, 9",
        {"shot": shot},
    ).fetchall()
    return [Step(*row[:-1]) for row in rows]


def shots(conn: sqlite3.Connection) -> list[str]:
    """Give the shots for which something was made, by name."""
    rows = conn.execute(
        "SELECT DISTINCT json_extract(body, '$.shot') AS shot FROM proposals WHERE result = 'placeholder' ORDER BY shot"
    )
    return [str(row[0]) for row in rows]


def of_shot(conn: sqlite3.Connection, shot: str) -> list[Proposal]:
    """Give every placeholder of a shot, whatever became of it, oldest first."""
    rows = conn.execute(
        "SELECT id FROM proposals WHERE result = 'placeholder' AND json_extract(body, '$.shot') = ?"
        " ORDER BY created, id",
        (shot,),
    ).fetchall()
    return _whole(conn, [row[0] for row in rows])


def every(conn: sqlite3.Connection) -> list[Proposal]:
    """Give every placeholder, oldest first."""
    rows = conn.execute("SELECT id FROM proposals WHERE result = 'placeholder' ORDER BY created, id").fetchall()
    return _whole(conn, [row[0] for row in rows])


def body(made: Proposal) -> Placeholder:
    """Give what a placeholder's proposal holds."""
    assert isinstance(made.body, Placeholder), "the catalog gave it as one"
    return made.body


def _whole(conn: sqlite3.Connection, idents: list[str]) -> list[Proposal]:
    return [found for ident in idents if (found := proposals.get(conn, ident)) is not None]


__all__ = ["Step", "body", "every", "of_shot", "shots", "trail"]
