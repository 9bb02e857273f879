"""What placeholders are called on disk: their names say what they are, and the same content keeps its name."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

MARK: Final = "_PLACEHOLDER_v"
"""In every name; the watcher passes over what carries it."""
_UNSAFE: Final = re.compile(r'[^\w.-]+|[<>:"/\\|?*\x00-\x1f]')
_LONGEST: Final = 120
"""Characters of a shot's name in a file's; file systems take 255 bytes."""


def safe(shot: str) -> str:
    """Give a shot's name as a file system takes it; a name that had to change keeps apart from others by a digest."""
    name = _UNSAFE.sub("-", shot).strip(".-")[:_LONGEST]
    while len(name.encode()) > _LONGEST:
        name = name[:-1]
    changed = name != shot
    return f"{name or 'shot'}-{hashlib.sha256(shot.encode()).hexdigest()[:6]}" if changed else name


def home(output: Path, shot: str) -> Path:
    """Give the folder of a shot's placeholders."""
    return output / safe(shot)


def stem(shot: str, version: int, engine: str) -> str:
    """Give a name without its suffix: ``SH010_PLACEHOLDER_v003_slate``."""
    return f"{safe(shot)}{MARK}{version:03d}_{engine}"


def versions(folder: Path, shot: str) -> dict[int, list[str]]:
    """List what is in a shot's folder, by version."""
    pattern = re.compile(re.escape(safe(shot) + MARK) + r"(\d{3,})_")
    found: dict[int, list[str]] = {}
    for name in sorted(os.listdir(folder)) if folder.is_dir() else ():
        if match := pattern.match(name):
            found.setdefault(int(match[1]), []).append(name)
    return found


def free(folder: Path, shot: str, taken: Sequence[int] = ()) -> int:
    """Give the version behind the last."""
    return max([0, *versions(folder, shot), *taken]) + 1


__all__ = ["MARK", "free", "home", "safe", "stem", "versions"]
