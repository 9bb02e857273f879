"""What tells early that something changed. Hints may be late, doubled or lost: the scan is the truth."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import os
import sys
from collections.abc import Callable, Collection, Iterable
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


class Batch:
    """Hints that came together, each once, in their order."""

    def __init__(self, hints: Iterable[tuple[HintKind, bytes]]) -> None:
        by_kind: dict[HintKind, dict[bytes, None]] = collections.defaultdict(dict)
        for kind, path in hints:
            by_kind[kind][path] = None
        self.gone = set(by_kind["gone"])
        self.files = [*by_kind["file"], *(path for path in by_kind["gone"] if path not in by_kind["file"])]
        """Files to look at, those that went among them."""
        self.folders = list(by_kind["folder"])
        self.went = list(by_kind["folder-gone"])
        self.lost = "lost" in by_kind
        self.root = "root" in by_kind


class Inbox:
    """Takes hints from any thread; the loop is woken once for many.

    Args:
        loop: Where they are read.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._hints: collections.deque[tuple[HintKind, bytes]] = collections.deque()
        self._news = asyncio.Event()
        self._told = False

    def say(self, kind: HintKind, path: bytes) -> None:
        """Take a hint."""
        self._hints.append((kind, path))
        if not self._told:
            self._told = True
            with contextlib.suppress(RuntimeError):  # the loop closed while the listener was closing
                self._loop.call_soon_threadsafe(self._news.set)

    async def read(self) -> Batch:
        """Wait for hints, and take all that there are."""
        await self._news.wait()
        self._news.clear()
        self._told = False
        return Batch(self._hints.popleft() for _ in range(len(self._hints)))
