"""Finding pictures by vectors: every vector is looked at, none is left to the chance of an approximate index.

The truth is in the catalog, as float16. A copy, one file for each space with a byte for each number, is made of it when
it is missing or far behind; it is scanned whole, and the best of it are measured again with the catalog's own vectors,
so that what is given is exact and what is no longer in the catalog drops out. Prints that are newer than the file are
read from the catalog beside it.
"""

from __future__ import annotations

import hashlib
import sqlite3
import struct
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from callboard.catalog import prints
from callboard.replacing import replacing

Array = np.ndarray[Any, Any]

FOLDER: Final = "search"
"""In the project's data folder. It can be deleted at any time."""
_HEAD: Final = struct.Struct("<8sII")
"""Mark, numbers in a vector, spare; then rows as ``_layout`` says."""
_MARK: Final = b"CBPRNTS1"
_BEHIND: Final = 2000
"""Prints read from the catalog beside the file before it is made anew: some 10 ms a search."""
_BLOCK: Final = 256
"""Rows turned to float32 at a time: half a megabyte stays in a core's cache; of 1024 rows a scan took ten times as
long (numpy 2.4, 512 numbers)."""
_CHUNK: Final = 8192
"""Rows written at a time."""


class Near(NamedTuple):
    """A print that was found, and how near it is: the cosine."""

    row: prints.Row
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
        self._conn = conn
        path = file_of(data, name) if data else None
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
        rough = np.concatenate([_scan(part, query.astype(np.float32)) for part in self._parts])
        numbers = np.concatenate([part["print"] for part in self._parts])
        among = min(2 * count + 100, len(rough))
        top = np.argpartition(rough, len(rough) - among)[len(rough) - among :]
        rows = prints.numbered(self._conn, numbers[top].tolist()).values()
        found = [Near(row, float(np.frombuffer(row.vector, "<f2").astype(np.float32) @ query)) for row in rows]
        found.sort(key=lambda one: -one.cosine)
        return found[:count], float(rough.mean()), float(rough.std())


def file_of(data: Path, name: str) -> Path:
    """Say where the copy of a space is kept in a project's data folder."""
    return data / FOLDER / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}.prints"


def head(length: int) -> bytes:
    """Give the first bytes of a file of vectors of *length* numbers."""
    return _HEAD.pack(_MARK, length, 0)


def _scan(rows: Array, query: Array) -> Array:
    """Give the cosine of each row with *query*, to about 0.002."""
    found = np.empty(len(rows), np.float32)
    block = np.empty((_BLOCK, len(query)), np.float32)
    for at in range(0, len(rows), _BLOCK):
        part = rows["vector"][at : at + _BLOCK]
        block[: len(part)] = part
        found[at : at + _BLOCK] = block[: len(part)] @ query
    return np.asarray(found * rows["scale"])


def layout(length: int) -> np.dtype[Any]:
    """Say how a row lies in a file: the print's number, and its vector as *scale* times whole numbers up to 127."""
    return np.dtype([("print", "<i8"), ("scale", "<f4"), ("vector", "i1", (length,))])


def rounded(numbers: Array, rows: Array) -> Array:
    """Make rows of a file of prints' numbers (int64, n) and vectors (n x length)."""
    made = np.zeros(len(rows), layout(rows.shape[1]))
    full = rows.astype(np.float32)
    scale = np.maximum(np.abs(full).max(axis=1), 1e-9) / 127
    made["print"], made["scale"], made["vector"] = numbers, scale, np.rint(full / scale[:, None])
    return made


def _mapped(path: Path) -> Array | None:
    """Map a file; None where there is none, or it is not whole."""
    try:
        with path.open("rb") as file:
            mark, length, _ = _HEAD.unpack(file.read(_HEAD.size))
        size = path.stat().st_size - _HEAD.size
        kind = layout(length)
        if mark != _MARK or not length or size % kind.itemsize or not size:
            return None
        return np.memmap(path, kind, "r", _HEAD.size)
    except (OSError, struct.error, ValueError):
        return None


def _read(conn: sqlite3.Connection, name: str, after: int) -> Array:
    """Read the prints with numbers above *after*."""
    chunks = list(_chunks(conn, name, after))
    return np.concatenate(chunks) if chunks else np.zeros(0, layout(1))


def _write(path: Path, conn: sqlite3.Connection, name: str) -> bool:
    """Make the file anew. Returns whether that could be done: without it every search is slower, and as good."""
    try:
        path.parent.mkdir(exist_ok=True, mode=0o700)
        with replacing(path) as file:
            for chunk in _chunks(conn, name):
                if not file.tell():
                    file.write(head(chunk.dtype["vector"].shape[0]))
                file.write(chunk.tobytes())
    except OSError:
        return False
    return True


def _chunks(conn: sqlite3.Connection, name: str, after: int = 0) -> Iterator[Array]:
    """Give rows of a file, some at a time; a vector that is not as long as the first one is left out."""
    rows, length = prints.after(conn, name, after), 0
    while chunk := list(islice(rows, _CHUNK)):
        length = length or len(chunk[0].vector)
        whole = [row for row in chunk if len(row.vector) == length and length % 2 == 0]
        if whole:
            values = np.frombuffer(b"".join(row.vector for row in whole), "<f2").reshape(len(whole), -1)
            yield rounded(np.array([row.id for row in whole]), values)


__all__ = ["FOLDER", "Near", "Space", "file_of", "head", "layout", "rounded"]
