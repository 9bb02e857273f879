"""Runs inside Blender's Python: opens files without any part of Callboard, and prints what is in them.

Usage: python bpy_reopen.py FILE...
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any

bpy: Any = importlib.import_module("bpy")


def look(path: str) -> dict[str, Any]:
    """Open a file, and list its text strips, markers and tagged assets."""
    bpy.ops.wm.open_mainfile(filepath=path)
    scene = bpy.context.scene
    editor = scene.sequence_editor
    strips = () if editor is None else editor.strips_all if hasattr(editor, "strips_all") else editor.sequences_all
    blocks = [*bpy.data.images, *bpy.data.objects]
    assets = {block.name: block.asset_data for block in blocks if block.asset_data is not None}
    return {
        "texts": [
            (strip.text, strip.frame_final_start, strip.frame_final_end, bool(strip.get("callboard_id")))
            for strip in strips
            if strip.type == "TEXT"
        ],
        "colours": sorted({tuple(round(part, 2) for part in strip.color) for strip in strips if strip.type == "TEXT"}),
        "markers": sorted((marker.frame, marker.name) for marker in scene.timeline_markers),
        "assets": {
            name: {
                "tags": sorted(tag.name for tag in data.tags),
                "description": data.description,
                "author": data.author,
            }
            for name, data in assets.items()
        },
    }


print("SEEN " + json.dumps([look(path) for path in sys.argv[1:]]))
