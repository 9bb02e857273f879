"""The catalog as the effects' ledger: what we wrote where, known before it is written."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from typing import Any

from callboard.catalog import Catalog
from callboard.effects import Written

_COLUMNS = "path, role, asset, digest, size, previous"


class CatalogLedger:
    """Implements ``effects.Ledger``; every call blocks until it is on disk."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def written(self, asset: str, media: bytes) -> list[Written]:
        """Give what we wrote for an asset at one media path."""
        return self._catalog.read(
            lambda conn: [
                _written(row)
                for row in conn.execute(
                    f"SELECT {_COLUMNS} FROM sidecars WHERE asset = ? AND media = ? ORDER BY path",  # noqa: S608 - constant columns
                    (asset, media),
                )
            ]
        )

    def owner(self, path: bytes) -> Written | None:
        """Give what we know of a path, if it is ours."""
        return self._catalog.read(lambda conn: owner(conn, path))

    def intend(self, written: Written, media: bytes) -> None:
        """Say what is about to be written."""
        self._put(written, media, "intended")

    def settle(self, written: Written, media: bytes) -> None:
        """Say that it was read back."""
        self._put(written, media, "written")

    def forget(self, path: bytes) -> None:
        """Say that a path is no longer ours."""
        self._catalog.write_sync(lambda conn: conn.execute("DELETE FROM sidecars WHERE path = ?", (path,)).rowcount)

    def _put(self, written: Written, media: bytes, state: str) -> None:
        values: tuple[Any, ...] = (
            *(written.path, written.role, written.asset, written.digest, written.size, written.previous),
            *(media, state),
        )
        self._catalog.write_sync(
            lambda conn: (
                conn.execute(
                    f"INSERT OR REPLACE INTO sidecars({_COLUMNS}, media, state) VALUES(?,?,?,?,?,?,?,?)",
                    values,
                ).rowcount
            )
        )


def _written(row: tuple[bytes, str, str, str, int, bytes | None]) -> Written:
    path, role, asset, digest, size, previous = row
    return Written(path=path, role=role, asset=asset, digest=digest, size=size, previous=previous)


def owner(conn: sqlite3.Connection, path: bytes) -> Written | None:
    """Find what we wrote at a path."""
    row = conn.execute(f"SELECT {_COLUMNS} FROM sidecars WHERE path = ?", (path,)).fetchone()  # noqa: S608 - constant columns
    return None if row is None else _written(row)


def is_ours(conn: sqlite3.Connection, path: bytes) -> bool:
    """Say whether a path is our own output, also one that is about to be written."""
    return conn.execute("SELECT 1 FROM sidecars WHERE path = ?", (path,)).fetchone() is not None


def sidecars_of(conn: sqlite3.Connection, asset: str, media: bytes) -> list[bytes]:
    """Give the paths of what we wrote for an asset at one media path."""
    rows = conn.execute("SELECT path FROM sidecars WHERE asset = ? AND media = ? ORDER BY path", (asset, media))
    return [row[0] for row in rows]


def subtitles_of(conn: sqlite3.Connection, asset: str, language: str) -> list[bytes]:
    """Give the paths of the SubRip files that we wrote for an asset in a language."""
    rows = conn.execute(
        "SELECT path FROM sidecars WHERE asset = ? AND role = 'srt' AND state = 'written' ORDER BY path", (asset,)
    )
    tag = b"." + language.encode() + b"."
    return [row[0] for row in rows if tag in row[0].rpartition(b"/")[2]]


def unfinished_folders(conn: sqlite3.Connection) -> set[bytes]:
    """Give the folders where a sidecar was about to be written, or waits to be."""
    rows = conn.execute("SELECT path FROM sidecars WHERE state = 'intended' UNION SELECT media FROM syncs")
    return {row[0].rpartition(b"/")[0] for row in rows}


def count(conn: sqlite3.Connection) -> int:
    """Say how many sidecars are ours."""
    return int(conn.execute("SELECT count(*) FROM sidecars WHERE state = 'written'").fetchone()[0])


def of_roles(conn: sqlite3.Connection, roles: Collection[str]) -> list[tuple[Written, bytes]]:
    """Give what we wrote in these roles, each with the path of its media, by path."""
    rows = conn.execute(f"SELECT {_COLUMNS}, media FROM sidecars WHERE state = 'written' ORDER BY path").fetchall()  # noqa: S608 - constant columns
    return [(_written(row[:6]), row[6]) for row in rows if row[1] in roles]
