"""Finding assets by what their pictures show: near to a text or a picture in a model's space, or copies of one."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from callboard.catalog import prints
from callboard.search import Hit, Reason
from callboard.search.phash import SPACE, as_number, distances
from callboard.search.sequence import EVERY, TRACK, unpack
from callboard.search.vectors import Space

Array = np.ndarray[Any, Any]

ALIKE: Final = 12
"""Bits that may differ between a picture and one that is shown as its copy; a person looks at each."""
_ENOUGH: Final = 100
"""Prints from which on the mean and spread of their cosines say what an ordinary picture is like."""
_STANDS_OUT: Final = 2.0
"""Standard deviations above the mean from which a picture has something of what was asked for: one in forty by chance.
Cosines themselves mean nothing across models: CLIP's of fitting texts lie near 0.3, SigLIP's near 0.1."""


def near(
    conn: sqlite3.Connection, name: str, query: Array, *, data: Path | None = None, kind: str = "", limit: int = 20
) -> list[Hit]:
    """Find assets with a picture near to *query*, nearest first.

    Args:
        conn: The catalog.
        name: The space that *query* is of.
        query: float32, of length one.
        data: The project's data folder, where a copy is kept that is faster to read.
        kind: Only media of this kind; empty for all.
        limit: Most assets to give.
    """
    space = Space(conn, name, data)
    found, mean, spread = space.nearest(query, max(limit * 10, 200))
    least = mean + _STANDS_OUT * spread if len(space) >= _ENOUGH else -1.0
    reasons = (
        (one.row.asset, Reason(why="looks", **_where(one.row), score=round(one.cosine, 4)))
        for one in found
        if one.cosine >= least
    )
    return _hits(conn, reasons, kind, limit)


def _where(row: prints.Row) -> dict[str, Any]:
    return {"start": row.start, "end": row.end, "frame": row.frame}


def copies(conn: sqlite3.Connection, hashed: bytes, *, kind: str = "", limit: int = 20) -> list[Hit]:
    """Find assets that show a picture with nearly the hash *hashed*, the nearest first; in films with its time."""
    found = [*_stills(conn, hashed), *_moments(conn, hashed)]
    return _hits(conn, sorted(found, key=lambda item: -item[1].score), kind, limit)


def _stills(conn: sqlite3.Connection, hashed: bytes) -> Iterator[tuple[int, Reason]]:
    rows = [row for row in prints.after(conn, SPACE) if len(row.vector) == 8]
    hashes = np.frombuffer(b"".join(row.vector for row in rows), ">u8").astype(np.uint64)
    apart = distances(hashes, as_number(hashed))
    for at in np.nonzero(apart <= ALIKE)[0].tolist():
        yield rows[at].asset, Reason(why="same", **_where(rows[at]), score=_equal(apart[at]))


def _moments(conn: sqlite3.Connection, hashed: bytes) -> Iterator[tuple[int, Reason]]:
    """Give the moment of each film that is nearest, where it is near enough."""
    for row in prints.after(conn, TRACK):
        track = unpack(row.vector)
        apart = np.where(track == 0, 64, distances(track, as_number(hashed)))
        if len(apart) and apart.min() <= ALIKE:
            start = round((row.start or 0.0) + int(apart.argmin()) * EVERY, 3)
            yield row.asset, Reason(why="same", start=start, score=_equal(apart.min()))


def _equal(apart: Any) -> float:
    return round(1 - int(apart) / 64, 4)


def _hits(conn: sqlite3.Connection, reasons: Iterable[tuple[int, Reason]], kind: str, limit: int) -> list[Hit]:
    """Give each asset once, with its best reason, if it is still somewhere and of the kind."""
    best: dict[int, Hit | None] = {}
    for asset, reason in reasons:
        if asset not in best:
            digest = _digest(conn, asset, kind)
            best[asset] = Hit(digest=digest, score=reason.score, reasons=(reason,)) if digest else None
        if sum(hit is not None for hit in best.values()) >= limit:
            break
    return [hit for hit in best.values() if hit is not None]


def _digest(conn: sqlite3.Connection, asset: int, kind: str) -> str:
    row = conn.execute(
        "SELECT t.digest FROM texts t WHERE t.id = ? AND EXISTS (SELECT 1 FROM places p WHERE p.digest = t.digest"
        " AND p.state != 'gone' AND (? = '' OR p.kind = ?))",
        (asset, kind, kind),
    ).fetchone()
    return str(row[0]) if row else ""


__all__ = ["ALIKE", "copies", "near"]
