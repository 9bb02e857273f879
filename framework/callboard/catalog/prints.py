"""Prints in the catalog: what pictures and shots are found and compared by. The truth; faster copies are made of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from callboard_schemas import Prints

from callboard.catalog import texts


class Row(NamedTuple):
    """A print as the catalog has it; *asset* is the number of its asset, times are seconds."""

    id: int
    asset: int
    frame: int | None
    start: float | None
    end: float | None
    vector: bytes


_COLUMNS = 'id, asset, frame, start, "end", vector'


def put(conn: sqlite3.Connection, digest: str, plugin: str, given: Prints) -> None:
    """Store what a plugin says an asset is found by, in place of what it said before in the same spaces."""
    if not digest or not given.items:
        return
    asset = texts.asset_id(conn, digest)
    spaces = {name: _space(conn, name) for name in {item.space for item in given.items}}
    conn.executemany(
        "DELETE FROM prints WHERE asset = ? AND space = ? AND plugin = ?",
        [(asset, space, plugin) for space in spaces.values()],
    )
    conn.executemany(
        'INSERT INTO prints(space, asset, plugin, frame, start, "end", vector) VALUES(?,?,?,?,?,?,?)',
        [(spaces[item.space], asset, plugin, item.frame, item.start, item.end, item.vector) for item in given.items],
    )


def _space(conn: sqlite3.Connection, name: str) -> int:
    conn.execute("INSERT INTO spaces(name) VALUES(?) ON CONFLICT(name) DO NOTHING", (name,))
    return int(conn.execute("SELECT id FROM spaces WHERE name = ?", (name,)).fetchone()[0])


def spaces(conn: sqlite3.Connection) -> list[str]:
    """Name the spaces in which there are prints."""
    rows = conn.execute(
        "SELECT name FROM spaces s WHERE EXISTS (SELECT 1 FROM prints WHERE space = s.id) ORDER BY name"
    )
    return [row[0] for row in rows]


def newest(conn: sqlite3.Connection, space: str) -> int:
    """Give the highest number of a print in *space*; 0 where there is none. Numbers are never used twice."""
    row = conn.execute("SELECT max(id) FROM prints WHERE space = (SELECT id FROM spaces WHERE name = ?)", (space,))
    return int(row.fetchone()[0] or 0)


def after(conn: sqlite3.Connection, space: str, number: int = 0) -> Iterator[Row]:
    """Give the prints of *space* with numbers above *number*, in order of number."""
    rows = conn.execute(
        f"SELECT {_COLUMNS} FROM prints WHERE space = (SELECT id FROM spaces WHERE name = ?) AND id > ? ORDER BY id",  # noqa: S608 - constant columns
        (space, number),
    )
    return map(Row._make, rows)


def numbered(conn: sqlite3.Connection, numbers: Iterable[int]) -> dict[int, Row]:
    """Find prints by their numbers; those that were replaced meanwhile are not there."""
    found = {}
    for number in numbers:
        row = conn.execute(f"SELECT {_COLUMNS} FROM prints WHERE id = ?", (number,)).fetchone()  # noqa: S608 - constant columns
        if row is not None:
            found[number] = Row._make(row)
    return found
