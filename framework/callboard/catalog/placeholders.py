"""Placeholders in the catalog, by the shot that they stand in for."""

from __future__ import annotations

import sqlite3

from callboard_schemas import Placeholder, Proposal

from callboard.catalog import proposals


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


__all__ = ["body", "every", "of_shot", "shots"]
