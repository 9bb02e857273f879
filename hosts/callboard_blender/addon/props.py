"""What we register on Blender's own types: markers take no other property of ours in Blender 5."""

from __future__ import annotations

from typing import Final

from .inside import bpy

MARKER_REF: Final = "callboard_ref"


def register() -> None:
    """Let each timeline marker carry our reference; saved with the .blend."""
    kind = bpy.types.TimelineMarker
    if not hasattr(kind, MARKER_REF):
        setattr(kind, MARKER_REF, bpy.props.StringProperty(options={"HIDDEN"}))


def unregister() -> None:
    """Take the property away; what is stored in the .blend stays."""
    kind = bpy.types.TimelineMarker
    if hasattr(kind, MARKER_REF):
        delattr(kind, MARKER_REF)
