"""Blender's own modules, looked up when they are used: what imports us outside Blender still can."""

from __future__ import annotations

import importlib
from typing import Any


class _Late:
    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self._name), name)


bpy: Any = _Late("bpy")
mathutils: Any = _Late("mathutils")
object_utils: Any = _Late("bpy_extras.object_utils")
