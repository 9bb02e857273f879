"""What sources know and say: a file's stat, what was found, what settled, and the events they emit."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from typing import Literal, NamedTuple

from callboard_schemas import (
    Asset,
    Failure,
    MediaGone,
    MediaKind,
    MediaRenamed,
    MediaSettled,
    Place,
    RootState,
    Sequence,
    encode_path,
)
from msgspec import Struct


class Stat(NamedTuple):
    """The part of a file's stat that changes when its content may have."""

    size: int
    """Bytes; the sum over frames for a sequence."""
    mtime_ns: int
    """The newest frame's for a sequence."""
    ctime_ns: int
    """The newest frame's for a sequence."""
    inode: int
    """The first frame's for a sequence."""
    device: int = 0

    @classmethod
    def of(cls, stat: os.stat_result) -> Stat:
        """Take what matters from what the operating system says."""
        return cls(stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino, stat.st_dev)


class Found(Struct, frozen=True, kw_only=True):
    """A media file, a sequence, or the reason why there is none, as the command line asked for it."""

    path: bytes
    """Absolute. A sequence's is its folder and its pattern, such as ``/show/shot.%04d.exr``."""
    kind: MediaKind
    sequence: Sequence | None = None
    frames: tuple[bytes, ...] = ()
    """File names of a sequence in frame order, relative to its folder."""
    failure: Failure | None = None
    """Why it cannot be worked on: missing, unreadable, empty, not a file, or no media in a folder."""


class Identity(Struct, frozen=True, kw_only=True):
    """Which content a file or a sequence has, and the stat that it had before and after it was read."""

    digest: str
    stat: Stat


class Seen(Struct, frozen=True, kw_only=True):
    """What is known of a settled file; kept by the catalog and given back to the source at its next start."""

    path: bytes
    """Relative to the root; a sequence's ends in its pattern."""
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    device: int
    digest: str
    kind: MediaKind
    sequence: Sequence | None = None

    @classmethod
    def of(cls, path: bytes, kind: MediaKind, digest: str, stat: Stat, sequence: Sequence | None) -> Seen:
        """Put together what is known of *path*."""
        return cls(
            path=path,
            size=stat.size,
            mtime_ns=stat.mtime_ns,
            ctime_ns=stat.ctime_ns,
            inode=stat.inode,
            device=stat.device,
            digest=digest,
            kind=kind,
            sequence=sequence,
        )

    @property
    def stat(self) -> Stat:
        """The stat it had when it settled."""
        return Stat(self.size, self.mtime_ns, self.ctime_ns, self.inode, self.device)

    def asset(self, root: str) -> Asset:
        """Say it as the bus does; *root* is the root's name."""
        return Asset(
            digest=self.digest,
            place=Place(root=root, path=encode_path(self.path)),
            kind=self.kind,
            size=self.size,
            mtime_ns=self.mtime_ns,
            sequence=self.sequence,
        )


EventType = Literal["media.settled", "media.renamed", "media.gone", "root.offline", "root.online"]


class SourceEvent(Struct, frozen=True, kw_only=True):
    """What a source has to say."""

    type: EventType
    data: MediaSettled | MediaRenamed | MediaGone | RootState
    seen: Seen | None = None
    """What to remember of the file; None where nothing is to be remembered."""


Emit = Callable[[SourceEvent], Awaitable[None]]
"""Returns when the journal has the event."""

Refresh = Callable[[Seen], None]
"""Told of a known file whose stat moved but not its content: remembered, it need not be read at the next start."""

State = Literal["seen", "waiting", "empty", "settled", "unchanged", "renamed", "gone", "missing", "ignored", "failed"]

Note = Callable[[bytes, str, str], None]
"""(path relative to the root, ``State``, detail): what ``callboard explain`` shows, with the time it was said."""
