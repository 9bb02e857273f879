"""Walking a folder: bytes in, bytes out, no symlink followed, one unreadable folder stops nothing else."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

from callboard.sources.facts import Stat

_DIGITS = re.compile(rb"(\d+)")


class Walk:
    """What a walk found. Paths are relative to the root, ``/`` between parts."""

    def __init__(self) -> None:
        self.files: list[tuple[bytes, Stat]] = []
        self.folders: list[bytes] = []
        self.failed: dict[bytes, OSError] = {}
        """Folders that could not be listed: nothing is known about what is below them."""


def walk(
    root: bytes,
    start: bytes = b"",
    *,
    enter: Callable[[bytes], bool] = lambda _folder: True,
    keep: Callable[[bytes, bytes], bool] = lambda _path, _name: True,
    odd: Callable[[bytes, bool], None] = lambda _path, _link: None,
    deep: bool = True,
) -> Walk:
    """Walk *start* (relative to *root*) and everything below.

    Args:
        root: The folder that paths are relative to.
        start: Where to begin; empty for the root itself.
        enter: Called with each folder before it is listed; False leaves it out.
        keep: Called with a file's path and name; False leaves it out before it is stat'ed.
        odd: Told of what is neither a folder nor a file, and whether it is a symbolic link.
        deep: False lists *start* alone.
    """
    found = Walk()
    if not enter(start):
        return found
    stack = [start]
    while stack:
        folder = stack.pop()
        found.folders.append(folder)
        prefix = folder + b"/" if folder else b""
        try:
            with os.scandir(os.path.join(root, folder)) as entries:
                for entry in entries:
                    path = prefix + entry.name
                    if entry.is_dir(follow_symlinks=False):
                        if deep and enter(path):
                            stack.append(path)
                    elif not entry.is_file(follow_symlinks=False):
                        odd(path, entry.is_symlink())
                    elif keep(path, entry.name):
                        _take(found, path, entry)
        except OSError as error:
            found.failed[folder] = error
    return found


def _take(found: Walk, path: bytes, entry: os.DirEntry[bytes]) -> None:
    try:
        stat = entry.stat(follow_symlinks=False)
    except OSError:
        return  # it went while we listed; the next look tells
    found.files.append((path, Stat.of(stat)))


def natural_key(path: bytes) -> tuple[list[tuple[int, int | bytes]], bytes]:
    """Order paths as people do: ``take2`` before ``take10``, case aside."""
    parts = _DIGITS.split(path.lower())
    return [(0, int(part)) if part.isdigit() else (1, part) for part in parts if part], path
