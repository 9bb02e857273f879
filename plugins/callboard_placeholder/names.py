"""What placeholders are called on disk: their names say what they are, and the same content keeps its name."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Final

MARK: Final = "_PLACEHOLDER_v"
"""In every name; the watcher passes over what carries it."""
_UNSAFE: Final = re.compile(r"[^\w-]+")
"""Dots too: what follows the first dot of a name is its number and its suffix."""
_DEVICES: Final = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d|conin\$|conout\$)")
"""Names that Windows keeps for devices, whatever follows a dot."""
_LONGEST: Final = 120
"""Bytes of a shot's name in a file's, without what tells it from others; file systems take 255 of a whole name."""


def safe(shot: str) -> str:
    """Give a shot's name as every file system takes it: letters of any script, digits, ``-`` and ``_``.

    A name that had to change is kept apart from others by a digest. The two ways of writing an accent are one name.
    """
    shot = unicodedata.normalize("NFC", shot)
    name = _UNSAFE.sub("-", shot).strip("-")
    if _DEVICES.fullmatch(name):
        name = f"shot-{name}"
    name = name.encode("utf-8", "ignore")[:_LONGEST].decode("utf-8", "ignore")
    if name == shot and name.strip("_") and MARK not in name:
        return name
    digest = hashlib.sha256(shot.encode("utf-8", "surrogatepass")).hexdigest()[:6]
    return f"{name.replace(MARK, '-').strip('-_') or 'shot'}-{digest}"


def home(output: Path, shot: str) -> Path:
    """Give the folder of a shot's placeholders."""
    return output / safe(shot)


def stem(shot: str, version: int, engine: str) -> str:
    """Give a name without its suffix: ``SH010_PLACEHOLDER_v003_slate``."""
    return f"{safe(shot)}{MARK}{version:03d}_{engine}"


def versions(folder: Path, shot: str) -> dict[int, list[str]]:
    """List what is in a shot's folder, by version; where disks take SH010 for sh010, both are one shot's."""
    pattern = re.compile(re.escape(safe(shot) + MARK) + r"(\d{3,})_", re.IGNORECASE)
    found: dict[int, list[str]] = {}
    for name in sorted(os.listdir(folder)) if folder.is_dir() else ():
        if match := pattern.match(unicodedata.normalize("NFC", name)):
            found.setdefault(int(match[1]), []).append(name)
    return found


def free(folder: Path, shot: str, taken: Sequence[int] = ()) -> int:
    """Give the version behind the last."""
    return max([0, *versions(folder, shot), *taken]) + 1


__all__ = ["MARK", "free", "home", "safe", "stem", "versions"]
