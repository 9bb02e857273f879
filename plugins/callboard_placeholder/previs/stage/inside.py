"""The one place where Blender's module comes from; outside of Blender there is none, and nothing is imported."""

from __future__ import annotations

from typing import Any

try:
    import bpy as _bpy
except ImportError:  # read for its documentation, or by a type checker
    _bpy = None

bpy: Any = _bpy
