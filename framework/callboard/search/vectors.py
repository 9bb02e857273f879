"""Finding pictures by vectors: exact search, over a copy of the catalog's prints that can be read at once.

The truth is in the catalog; the copy, one file for each space, is made of it when it is missing or far behind, and
prints that are newer than it are read from the catalog beside it. Hits that are no longer in the catalog are dropped.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from callboard.catalog import prints

Array = np.ndarray[Any, Any]

FOLDER: Final = "search"
"""In the project's data folder. It can be deleted at any time."""
_HEAD: Final = struct.Struct("<8sII")
"""Mark, numbers in a vector, spare; then rows of int64 print, int64 asset, float16 vector."""
_MARK: Final = b"CBPRNTS1"
_BEHIND: Final = 2000
"""Prints read from the catalog beside the file before it is made anew: some 10 ms a search."""
_BLOCK: Final = 8192
"""Rows turned to float32 at a time: what fits into a core's cache with room to spare."""


class Near(NamedTuple):
    """A print that was found, and how near it is: the cosine."""

    print: int
    asset: int
    cosine: float


class Space:
    """The vectors of one space: use it for one search or many; it sees what the catalog held when it was made."""

    def __init__(self, conn: sqlite3.Connection, name: str, data: Path | None = None) -> None:
        """Read the file of a space, bring it up to date where it is far behind, and read what is newer.

        Args:
            conn: The catalog.
            name: Of the space.
            data: The project's data folder; None keeps no file.
        """
        path = data / FOLDER / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}.prints" if data else None
        self._parts = [part for part in [_mapped(path) if path else None] if part is not None]
        last = int(self._parts[0]["print"][-1]) if self._parts and len(self._parts[0]) else 0
        newer = _read(conn, name, last)
        if path is not None and len(newer) > _BEHIND + last // 20 and _write(path, conn, name):
            self._parts, newer = [part for part in [_mapped(path)] if part is not None], newer[:0]
        if len(newer):
            self._parts.append(newer)

    def __len__(self) -> int:
        return sum(map(len, self._parts))

    @property
    def length(self) -> int:
        """Numbers in a vector; 0 where there are none."""
        return int(self._parts[0].dtype["vector"].shape[0]) if self._parts else 0

    def nearest(self, query: Array, count: int = 50) -> tuple[list[Near], float, float]:
        """Find the nearest vectors to *query* (float32, of length one).

        Returns:
            The nearest, nearest first; and mean and standard deviation of all cosines, to judge them by.
        """
        if not len(self) or len(query) != self.length:
            return [], 0.0, 0.0
        cosines = np.concatenate([_cosines(part["vector"], query.astype(np.float32)) for part in self._parts])
        count = min(count, len(cosines))
        top = np.argpartition(cosines, len(cosines) - count)[len(cosines) - count :]
        top = top[np.argsort(-cosines[top], kind="stable")]
        found = [self._near(int(at), float(cosines[at])) for at in top]
        return found, float(cosines.mean()), float(cosines.std())

    def _near(self, at: int, cosine: float) -> Near:
        for part in self._parts:
            if at < len(part):
                return Near(int(part["print"][at]), int(part["asset"][at]), cosine)
            at -= len(part)
        raise IndexError(at)


def _cosines(rows: Array, query: Array) -> Array:
    found = np.empty(len(rows), np.float32)
    for at in range(0, len(rows), _BLOCK):
        found[at : at + _BLOCK] = rows[at : at + _BLOCK].astype(np.float32) @ query
    return found


def _layout(length: int) -> np.dtype[Any]:
    return np.dtype([("print", "<i8"), ("asset", "<i8"), ("vector", "<f2", (length,))])


def _mapped(path: Path) -> Array | None:
    """Map a file; None where there is none, or it is not whole."""
    try:
        with path.open("rb") as file:
            mark, length, _ = _HEAD.unpack(file.read(_HEAD.size))
        size = path.stat().st_size - _HEAD.size
        layout = _layout(length)
        if mark != _MARK or not length or size % layout.itemsize or not size:
            return None
        return np.memmap(path, layout, "r", _HEAD.size)
    except (OSError, struct.error, ValueError):
        return None


def _read(conn: sqlite3.Connection, name: str, after: int) -> Array:
    rows = list(prints.after(conn, name, after))
    length = len(rows[0].vector) // 2 if rows else 1
    whole = [(row.id, row.asset, np.frombuffer(row.vector, "<f2")) for row in rows if len(row.vector) == 2 * length]
    return np.array(whole, _layout(length))


def _write(path: Path, conn: sqlite3.Connection, name: str) -> bool:
    """Make the file anew. Returns whether that could be done: without it every search is slower, and as good."""
    temporary = ""
    try:
        path.parent.mkdir(exist_ok=True, mode=0o700)
        fd, temporary = tempfile.mkstemp(dir=path.parent, suffix=".new")
        with open(fd, "wb") as file:
            for chunk in _chunks(conn, name):
                if not file.tell():
                    file.write(_HEAD.pack(_MARK, chunk.dtype["vector"].shape[0], 0))
                file.write(chunk.tobytes())
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        return False
    return True


def _chunks(conn: sqlite3.Connection, name: str) -> Iterator[Array]:
    length, chunk = 0, []
    for row in prints.after(conn, name):
        length = length or len(row.vector) // 2
        if len(row.vector) == 2 * length:
            chunk.append((row.id, row.asset, np.frombuffer(row.vector, "<f2")))
        if len(chunk) == _BLOCK:
            yield np.array(chunk, _layout(length))
            chunk = []
    if chunk:
        yield np.array(chunk, _layout(length))


__all__ = ["FOLDER", "Near", "Space"]
