"""Project files in folders: which there are, and which were saved since the last look."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

SUFFIX: Final = ".kdenlive"
_RESCAN: Final = 60.0
"""Seconds after which all is looked at again: events get lost, and shares send none."""
_QUIET: Final = 0.3
"""Seconds without a change before a file counts as saved."""
Print = tuple[int, int, int]


class ProjectFiles(FileSystemEventHandler):
    """Watches projects, given by file or by folder. Use it in a ``with`` block.

    Args:
        paths: absolute files and folders; a folder with all below it.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = list(paths)
        self._known: dict[str, Print] = {}
        self._doubtful: dict[str, tuple[Print, float]] = {}
        self._stirred = threading.Event()
        self._stirred.set()
        self._looked = 0.0
        self._observer = Observer()

    def __enter__(self) -> Self:
        folders = {str(path if path.is_dir() else path.parent) for path in self._paths}
        for folder in sorted(folders):
            recursive = any(str(path) == folder and path.is_dir() for path in self._paths)
            if os.path.isdir(folder):
                self._observer.schedule(self, folder, recursive=recursive)
        self._observer.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._observer.stop()
        self._observer.join(5.0)

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Remember that a project may have changed; called on the watcher's own thread."""
        if event.event_type in ("opened", "closed_no_write"):
            return
        names = (os.fsdecode(event.src_path), os.fsdecode(getattr(event, "dest_path", "") or ""))
        if event.is_directory or any(name.endswith(SUFFIX) for name in names):
            self._stirred.set()

    def wait(self, seconds: float) -> None:
        """Wait until something stirs, at most *seconds*."""
        if not self._doubtful:
            self._stirred.wait(seconds)
        else:
            threading.Event().wait(min(seconds, _QUIET / 3))

    def saved(self, *, now: float | None = None) -> list[str]:
        """Give the projects that are new or were saved since the last call, and have been quiet for a moment."""
        now = time.monotonic() if now is None else now
        if not (self._stirred.is_set() or self._doubtful or now - self._looked > _RESCAN):
            return []
        self._stirred.clear()
        self._looked = now
        found = self._files()
        self._doubtful = {path: seen for path, seen in self._doubtful.items() if path in found}
        self._known = {path: seen for path, seen in self._known.items() if path in found}
        done = []
        for path, seen in found.items():
            if self._known.get(path) == seen:
                self._doubtful.pop(path, None)
                continue
            before = self._doubtful.get(path)
            if before is None or before[0] != seen:
                self._doubtful[path] = (seen, now)
            elif now - before[1] >= _QUIET:
                del self._doubtful[path]
                self._known[path] = seen
                done.append(path)
        return done

    def ours(self, path: str) -> None:
        """Take a project as it is now for known: we wrote it."""
        seen = _print(path)
        if seen is not None:
            self._known[path] = seen

    def _files(self) -> dict[str, Print]:
        found: dict[str, Print] = {}
        for path in self._paths:
            names = (
                (os.path.join(folder, name) for folder, _, files in os.walk(path) for name in files)
                if path.is_dir()
                else iter([str(path)])
            )
            for name in names:
                seen = _print(name) if name.endswith(SUFFIX) else None
                if seen is not None:
                    found[name] = seen
        return found


def _print(path: str) -> Print | None:
    try:
        info = os.stat(path)
    except OSError:
        return None
    return (info.st_mtime_ns, info.st_size, info.st_ino)


__all__ = ["SUFFIX", "ProjectFiles"]
