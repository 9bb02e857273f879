"""What we made in the open file: each strip carries the proposal it was made for, and what it looked like then.

A strip that looks another way now was edited by a person, and is theirs.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from typing import Any, Final

from . import props, versions
from .inside import bpy

ID: Final = "callboard_id"
PART: Final = "callboard_part"
USE: Final = "callboard_use"
PRINT: Final = "callboard_print"
LANGUAGE: Final = "callboard_language"
"""On a caption."""
WAS: Final = "callboard_was"
"""On a strip whose media we changed: the proposal, and the file that it showed before."""
LOST: Final = "callboard_lost"
"""On a strip whose media is not there: what it showed before a stand-in took its place."""
_PLAIN: Final = ("name", "type", "channel", "mute", "text", "use_bold", "use_italic", "use_box", "directory")
_NUMBERS: Final = ("font_size", "wrap_width", "blend_alpha", "volume")
_TRANSFORM: Final = ("offset_x", "offset_y", "scale_x", "scale_y", "rotation")


def fingerprint(strip: Any) -> str:
    """Sum up all of a strip that a person may have changed."""
    looks: list[Any] = [versions.frames(strip, what) for what in ("first", "end", "head", "trim")]
    looks += [str(getattr(strip, name, "")) for name in _PLAIN if name != "directory"]
    looks += [round(float(getattr(strip, name, 0.0)), 2) for name in _NUMBERS]
    for name in ("color", "location"):
        looks += [round(float(value), 3) for value in getattr(strip, name, ())]
    transform = getattr(strip, "transform", None)
    if transform is not None:
        looks += [round(float(getattr(transform, name)), 3) for name in _TRANSFORM]
    # The folder may move with the project; the file's name stays.
    looks += [os.path.basename(file_of(strip)), len(getattr(strip, "modifiers", ()))]
    return hashlib.sha256(json.dumps(looks).encode()).hexdigest()[:16]


def file_of(strip: Any) -> str:
    """Give the absolute path of the file that a strip shows; empty where it shows none."""
    if strip.type == "IMAGE":
        element = strip.elements[0] if len(strip.elements) else None
        named = os.path.join(strip.directory, element.filename) if element is not None else ""
    elif strip.type == "SOUND":
        named = strip.sound.filepath if strip.sound is not None else ""
    elif strip.type == "MOVIE":
        named = strip.filepath
    else:
        clip = getattr(strip, "clip", None)
        named = clip.filepath if clip is not None else ""
    return os.path.normpath(bpy.path.abspath(named)) if named else ""


def sign(strip: Any, proposal: str, use: str, part: str) -> None:
    """Say on a strip that we made it, for what, and how it looks."""
    strip[ID], strip[USE], strip[PART] = proposal, use, part
    strip[PRINT] = fingerprint(strip)


def unsign(strip: Any) -> None:
    """Let a strip be a person's own."""
    for key in (ID, USE, PART, PRINT, LANGUAGE):
        if key in strip:
            del strip[key]


def strips(scene: Any, proposal: str, use: str | None = None) -> list[Any]:
    """Give the strips that we made for a proposal, and for one use where it is named."""
    return [
        strip
        for strip in versions.every(scene)
        if strip.get(ID) == proposal and (use is None or strip.get(USE, "") == use)
    ]


def edited(scene: Any, strip: Any) -> bool:
    """Tell whether a person changed a strip of ours, copied or animated it, or put it under an effect or in a meta."""
    if strip.get(PRINT) != fingerprint(strip) or strip.parent_meta() is not None:
        return True
    if any(strip == read for other in versions.every(scene) for read in versions.inputs(other)):
        return True
    return any(path_names(curve.data_path, strip.name) for curve in versions.curves(scene))


def path_names(path: str, name: str) -> bool:
    """Tell whether an animation path is of the strip of that name."""
    return f'_all["{bpy.utils.escape_identifier(name)}"]' in path


def marker_note(proposal: str, use: str, part: str, name: str, frame: int) -> str:
    """Write what a marker of ours carries."""
    return json.dumps({"id": proposal, "use": use, "part": part, "name": name, "frame": frame})


def markers(scene: Any, proposal: str, use: str | None = None) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Give the markers that we made for a proposal, with what they carry."""
    for marker in scene.timeline_markers:
        note = read_note(getattr(marker, props.MARKER_REF, ""))
        if note.get("id") == proposal and (use is None or note.get("use", "") == use):
            yield marker, note


def read_note(text: str) -> dict[str, Any]:
    """Read what we wrote into the file; nothing where it is not ours."""
    try:
        note = json.loads(text) if text else {}
    except ValueError:
        return {}
    return note if isinstance(note, dict) else {}
