"""What Callboard wrote: one row per sidecar, recorded before the file appears under its name.

A row carries the version that is meant to be on disk and the one before it, so that a process that dies
between the two knows either as its own.
"""

from __future__ import annotations

import threading
from typing import Protocol

import msgspec
from msgspec import Struct


class Written(Struct, frozen=True, kw_only=True):
    """A sidecar that is ours, or is about to be."""

    path: bytes
    """Absolute."""
    role: str
    """``xmp``, ``srt``, ``vtt`` or ``json``."""
    asset: str
    """Digest of the asset that it describes."""
    digest: str
    """Hexadecimal sha256 of what was written."""
    size: int = 0
    previous: bytes | None = None
    """A ``Memory`` as JSON; opaque to whoever stores the row."""


class Ledger(Protocol):
    """Where rows are kept; a call blocks, and what it says is durable when it returns.

    One row per path: ``intend`` and ``settle`` put their row in place of the one that was there.
    """

    def written(self, asset: str, media: bytes) -> list[Written]:
        """Give the rows of an asset at one media path."""
        ...

    def owner(self, path: bytes) -> Written | None:
        """Give the row of a path, whichever asset it belongs to."""
        ...

    def intend(self, written: Written, media: bytes) -> None:
        """Record what is about to be written, before it is; from now on it is known as our own output."""
        ...

    def settle(self, written: Written, media: bytes) -> None:
        """Record that it was written and read back."""
        ...

    def forget(self, path: bytes) -> None:
        """Drop the row of a path: the file is gone, or is a person's now."""
        ...


class MemoryLedger:
    """A ledger that lives as long as the process, for tests and notebooks."""

    def __init__(self) -> None:
        self._rows: dict[bytes, tuple[Written, bytes]] = {}
        self._lock = threading.Lock()

    def written(self, asset: str, media: bytes) -> list[Written]:
        """Give the rows of an asset at one media path, by path."""
        with self._lock:
            rows = [row for row, at in self._rows.values() if row.asset == asset and at == media]
        return sorted(rows, key=lambda row: row.path)

    def owner(self, path: bytes) -> Written | None:
        """Give the row of a path."""
        with self._lock:
            found = self._rows.get(path)
        return found[0] if found else None

    def intend(self, written: Written, media: bytes) -> None:
        """Record what is about to be written."""
        with self._lock:
            self._rows[written.path] = (written, media)

    settle = intend

    def forget(self, path: bytes) -> None:
        """Drop the row of a path."""
        with self._lock:
            self._rows.pop(path, None)


class Splice(Struct, frozen=True, array_like=True):
    """One place where our bytes stand in somebody else's file."""

    at: int
    """Offset in the file as we wrote it."""
    inserted: int
    """Bytes of ours there."""
    removed: bytes
    """What stood there before."""


class Values(Struct, frozen=True, omit_defaults=True):
    """What an XMP file says in the properties that are shared with people."""

    subjects: tuple[str, ...] = ()
    hierarchy: tuple[str, ...] = ()
    """Levels parted by ``|``, as Lightroom has them."""
    description: str = ""
    paths: tuple[str, ...] = ()
    """Levels parted by ``/``, as digiKam has them."""
    alternatives: dict[str, str] = {}
    """The description in other languages, by BCP 47 tag."""


class Version(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One state of a sidecar as we wrote it."""

    digest: str
    created: bool = True
    """The file was not there before us."""
    wanted: Values = Values()
    """What we wanted it to say, whether we or a person put it there."""
    added: Values = Values()
    """The part of it that we put there."""
    splices: tuple[Splice, ...] = ()
    """Where our bytes are, if *exact*."""
    exact: bool = True
    """False: not as we wrote it, but as others left it before we wrote the version after this one."""


class Memory(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a row remembers beside the digest."""

    now: Version
    before: Version | None = None
    temp: bytes = b""
    """Name of the temporary file that the write goes through."""


def remember(row: Written) -> Memory:
    """Read a row's memory; one that cannot be read counts as a file that we created."""
    try:
        return msgspec.json.decode(row.previous or b"", type=Memory)
    except msgspec.MsgspecError:
        return Memory(now=Version(digest=row.digest))


def version_of(row: Written, digest: str) -> Version | None:
    """Give the version of ours that has *digest*, or ``None`` when a person changed the file."""
    memory = remember(row)
    for version in (memory.now, memory.before):
        if version is not None and version.digest == digest:
            return version
    return None


__all__ = ["Ledger", "Memory", "MemoryLedger", "Splice", "Values", "Version", "Written", "remember", "version_of"]
