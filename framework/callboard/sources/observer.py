"""Hints anywhere else: watchdog's observer, which listens to a whole tree."""

from __future__ import annotations

import logging
import os
from collections.abc import Collection

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

from callboard.sources.hints import Say, inside

_WANTED: list[type[FileSystemEvent]] = [
    *(DirCreatedEvent, DirMovedEvent, DirDeletedEvent),
    *(FileCreatedEvent, FileClosedEvent, FileModifiedEvent, FileMovedEvent, FileDeletedEvent),
]


class _Overflow(logging.Handler):
    """Hears watchdog say that events were lost: it tells nobody but the log."""

    def __init__(self, say: Say) -> None:
        super().__init__(logging.WARNING)
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        if "overflow" in record.getMessage().lower():
            self._say("lost", b"")


class ObserverListener(FileSystemEventHandler):
    """Listens to the tree below *root*.

    Args:
        root: Absolute path.
        say: Called in watchdog's threads.
    """

    def __init__(self, root: bytes, say: Say) -> None:
        self._root = root
        self._say = say
        self._overflow = _Overflow(say)
        logging.getLogger("watchdog").addHandler(self._overflow)
        self._observer = Observer()
        self._observer.schedule(self, os.fsdecode(root), recursive=True, event_filter=_WANTED)
        self._observer.start()

    def add(self, folder: bytes) -> None:
        """Do nothing: the tree is listened to."""

    def forget(self, folders: Collection[bytes]) -> None:
        """Do nothing: the tree is listened to."""

    def close(self) -> None:
        """Stop listening."""
        logging.getLogger("watchdog").removeHandler(self._overflow)
        self._observer.stop()
        self._observer.join()

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Turn an event into hints; watchdog calls it."""
        moved = event.event_type == "moved"
        self._hint(event.src_path, folder=event.is_directory, gone=moved or event.event_type == "deleted")
        if moved:
            self._hint(event.dest_path, folder=event.is_directory, gone=False)

    def _hint(self, path: bytes | str, *, folder: bool, gone: bool) -> None:
        relative = inside(self._root, os.fsencode(path))
        if relative is None:
            return
        if not relative:
            if gone:
                self._say("root", b"")
        elif folder:
            self._say("folder-gone" if gone else "folder", relative)
        else:
            self._say("gone" if gone else "file", relative)
