"""What tells early that something changed. Hints may be late, doubled or lost: the scan is the truth."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection
from typing import Literal, Protocol

HintKind = Literal["file", "folder", "gone", "folder-gone", "lost", "root"]
"""A file or a folder came or changed; went; hints were lost; the root itself went."""

Say = Callable[[HintKind, bytes], None]
"""(kind, path relative to the root); called in any thread."""


class WatchLimit(Exception):
    """The system has no watches left."""


class Listener(Protocol):
    """Listens below one root."""

    def add(self, folder: bytes) -> None:
        """Listen to a folder (relative to the root) from now on; nothing where the whole tree is listened to.

        Raises:
            WatchLimit: the system has no watches left.
            OSError: the root cannot be listened to.
        """
        ...

    def forget(self, folders: Collection[bytes]) -> None:
        """Stop listening to folders that went, and everything below them."""
        ...

    def close(self) -> None:
        """Stop."""
        ...


def listen(root: bytes, say: Say) -> Listener:
    """Start the listener of this system.

    Raises:
        WatchLimit: the system has no watches left.
        OSError: the root cannot be listened to.
    """
    if sys.platform == "linux":
        from callboard.sources.inotify import InotifyListener

        return InotifyListener(root, say)
    from callboard.sources.observer import ObserverListener

    return ObserverListener(root, say)


def inside(root: bytes, path: bytes) -> bytes | None:
    """Give *path* relative to *root* with ``/`` between parts, or None where it is not below it."""
    if path == root:
        return b""
    prefix = root.rstrip(os.fsencode(os.sep)) + os.fsencode(os.sep)
    return path[len(prefix) :].replace(os.fsencode(os.sep), b"/") if path.startswith(prefix) else None
