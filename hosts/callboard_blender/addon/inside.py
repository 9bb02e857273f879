"""Blender's own module, looked up when it is used: what imports us outside Blender still can."""

from __future__ import annotations

import importlib
from typing import Any


class _Late:
    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module("bpy"), name)


bpy: Any = _Late()
