"""Runs inside Blender: prints what lies on the picture channels of a .blend, as one line of JSON. Nothing is changed.

    blender -b --factory-startup --disable-autoexec -P cutlist.py -- FILE

or ``python cutlist.py FILE`` where Python has the module ``bpy``. Scripts in the file are not run.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Iterator
from typing import Any, Final

MARK: Final = "CALLBOARD "
_PICTURES: Final = ("MOVIE", "IMAGE", "MOVIECLIP", "SCENE", "META", "COLOR")
_MOST: Final = 100_000


def _part(name: str) -> Any:
    """Import a module of the add-on, also where none of Callboard's packages is on Python's path, as in Blender."""
    folder = os.path.dirname(os.path.abspath(__file__))
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return importlib.import_module(f"addon.{name}")


def listed(path: str) -> dict[str, Any]:
    """Open a file, and describe the scene that is edited in it, or else the first that has strips."""
    bpy = importlib.import_module("bpy")
    bpy.ops.wm.open_mainfile(filepath=path, load_ui=False, use_scripts=False)
    versions = _part("versions")
    scenes = [versions.scene_of(), *bpy.data.scenes]
    scene = next((one for one in scenes if len(versions.every(one))), scenes[0])
    others = sorted({one.name for one in scenes if len(versions.every(one))} - {scene.name})
    render = scene.render
    strips = [_strip(scene, one) for one in _top(versions, scene) if one.type in _PICTURES][:_MOST]
    return {
        "scene": scene.name,
        "others": others,
        "fps": [render.fps, float(render.fps_base)],
        "size": [render.resolution_x, render.resolution_y, render.resolution_percentage],
        "pixel": [float(render.pixel_aspect_x), float(render.pixel_aspect_y)],
        "first": scene.frame_start,
        "last": scene.frame_end,
        "markers": [[one.frame, one.name] for one in scene.timeline_markers],
        "strips": strips,
        "gaps": list(_gaps(scene, strips)),
    }


def _gaps(scene: Any, strips: list[dict[str, Any]]) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """Give the frames that no picture covers, up to the last that does, as the panel would ask for them."""
    channel = min((one["channel"] for one in strips), default=1)
    at = scene.frame_start
    for first, end in sorted((one["first"], one["end"]) for one in strips if not one["mute"]):
        if first > at:
            yield at, first, _part("uses").describe_gap(scene, channel, at, first)
        at = max(at, end)


def _top(versions: Any, scene: Any) -> Any:
    return versions.top(scene) if scene.sequence_editor is not None else ()


def _strip(scene: Any, strip: Any) -> dict[str, Any]:
    ours, versions = _part("ours"), _part("versions")
    told = {
        "name": strip.name,
        "type": strip.type,
        "channel": strip.channel,
        "first": int(versions.frames(strip, "first")),
        "end": int(versions.frames(strip, "end")),
        "mute": bool(strip.mute) or bool(getattr(versions.channel_of(scene, strip.channel), "mute", False)),
        "ours": str(strip.get(ours.ID, "")),
        "path": "",
    }
    if strip.type == "META":
        inner: Any = getattr(strip, "strips", None) or getattr(strip, "sequences", ())
        told["inside"] = [_strip(scene, one) for one in inner if one.type in _PICTURES][:_MOST]
    elif strip.type == "SCENE":
        told["there"] = strip.scene is not None
    elif strip.type != "COLOR":
        told |= _media(scene, strip, ours, versions)
    return told


def _media(scene: Any, strip: Any, ours: Any, versions: Any) -> dict[str, Any]:
    """Say which file a strip shows, and which part of it."""
    told = {"path": ours.file_of(strip)}
    use = _part("uses").of_strip(scene, strip)
    if use is not None:
        told |= {"source_in": use["source_in"], "speed": use["speed"]}
        told |= {"use": use} if strip.type in ("MOVIE", "IMAGE") else {}
    if strip.type == "IMAGE" and len(strip.elements) > 1:
        begin = int(versions.frames(strip, "head") + versions.frames(strip, "trim"))
        count = int(versions.frames(strip, "end") - versions.frames(strip, "first"))
        names = [one.filename for one in strip.elements]
        # what is held beyond the first and the last picture shows them, and needs no file of its own
        last = min(max(begin + count, 1), len(names))
        told["files"] = names[min(max(begin, 0), last - 1) : last]
    return told


def main(arguments: Any) -> int:
    """Print what is in the file that the command line names; 2 where it cannot be opened."""
    given = list(arguments)
    given = given[given.index("--") + 1 :] if "--" in given else given[1:]
    try:
        told = listed(given[0])
    except (ModuleNotFoundError, RuntimeError) as error:
        print(MARK + json.dumps({"problem": str(error).strip()}), flush=True)
        return 2
    print(MARK + json.dumps(told, ensure_ascii=True), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
