"""Pictures of clips, as icons that Blender can draw."""

from __future__ import annotations

import hashlib
import importlib
import shutil
import tempfile
from pathlib import Path
from typing import Any

from .inside import bpy


class Thumbnails:
    """Keeps pictures on disk, for Blender reads them from there, and gives their icons."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="callboard-thumbnails-"))
        self._previews: Any = importlib.import_module("bpy.utils.previews").new()

    def put(self, key: str, jpeg: bytes) -> None:
        """Keep a picture under *key*; the first one stays."""
        if key in self._previews:
            return
        path = self._folder / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.jpg"
        path.write_bytes(jpeg)
        self._previews.load(key, str(path), "IMAGE")

    def icon(self, key: str) -> int:
        """Give the icon of what is kept under *key*; 0 where there is none."""
        found = self._previews.get(key)
        return int(found.icon_id) if found is not None else 0

    def close(self) -> None:
        """Forget every picture."""
        bpy.utils.previews.remove(self._previews)
        shutil.rmtree(self._folder, ignore_errors=True)


_open: list[Thumbnails] = []


def open_all() -> None:
    """Begin to keep pictures; without a window there is nobody to see them."""
    if not bpy.app.background:
        _open.append(Thumbnails())


def close_all() -> None:
    """Forget them."""
    while _open:
        _open.pop().close()


def put(key: str, jpeg: bytes) -> None:
    """Keep a picture, where pictures are kept."""
    for one in _open:
        one.put(key, jpeg)


def icon(key: str) -> int:
    """Give a picture's icon; 0 where there is none."""
    return _open[0].icon(key) if _open else 0
