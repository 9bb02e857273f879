"""The real shot in place of a stand-in: trim, effects and animation stay."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from typing import Any, Final

from .. import ours, uses, versions
from ..inside import bpy
from . import channels, media, placeholders
from .subtitles import remove
from .task import Task

_PICTURES: Final = ("IMAGE", "MOVIE")
_PLACED: Final = ("name", "channel", "filepath", "directory", "stream_index", "views_format", "use_multiview")
_TIMED: Final = ("frame_", "left_", "right_", "content_", "animation_", "select_", "duration")


def relink(task: Task) -> None:
    """Let the strips that are meant show the real shot."""
    file = str(task.content.get("file", ""))
    if not os.path.isfile(file):
        return task.miss(os.path.basename(file) or "the shot", f"there is no such file: {file}")
    found = list(_targets(task))
    if not found:
        task.miss(os.path.basename(file), "the strip that it is for is no longer in this file")
    for scene, strip in found:
        before, stood_in = ours.file_of(strip), str(strip.get(ours.ID, ""))
        beside = [other for other in versions.every(scene) if _is_sound_of(other, strip, before)]
        now = swap(task, scene, strip, file)
        if now is None:
            continue
        _note(task, now, before)
        for sound in beside:
            if swap(task, scene, sound, file) is not None:
                _note(task, sound, before)
            elif sound.get(ours.ID):
                remove(task, scene, sound)
        if stood_in and not beside and now.type == "MOVIE":
            heard = placeholders.hear(task, scene, now, file, "")
            if heard is not None:
                _note(task, heard, "")
                task.landed.append(heard.name)
        _read_back(task, now, file)
    return None


def relinked(scene: Any, proposal: str) -> list[str]:
    """Name the strips that show a real shot where a proposal's stand-in was."""
    return [
        strip.name
        for strip in versions.every(scene)
        if ours.read_note(str(strip.get(ours.WAS, ""))).get("id") == proposal and strip.type != "SOUND"
    ]


def swap(task: Task, scene: Any, strip: Any, file: str) -> Any | None:
    """Let a strip show another file on the same frames; gives the strip that does, or None where none can."""
    kind = "SOUND" if strip.type == "SOUND" else media.kind_of(file)
    if strip.type not in (*_PICTURES, "SOUND") or (strip.type in _PICTURES and kind not in _PICTURES):
        task.miss(strip.name, f"a strip of type {strip.type} cannot show {os.path.basename(file)}")
        return None
    first, end = channels.span(strip)
    task.changed = True
    if kind == "SOUND" and not _resound(task, strip, file):
        return None
    if kind == strip.type == "MOVIE":
        strip.filepath = file
    elif kind in _PICTURES:
        strip = _remake(scene, strip, file, kind)
    if channels.span(strip) != (first, end):
        versions.place(strip, first, end)
    short = -round(versions.frames(strip, "tail"))
    if short > 0 and (kind == "MOVIE" or len(getattr(strip, "elements", ())) > 1):
        task.miss(f"the last {short} frames of {strip.name}", "the shot is shorter, so its last frame is held")
    return strip


def _targets(task: Task) -> Iterator[tuple[Any, Any]]:
    """Find the strip that is named; else the stand-in of the gap, or of the proposal, that is named."""
    named = uses.find_strip(task.ref) if task.ref else None
    if named is not None:
        yield named
        return
    gap = str((task.content.get("gap") or {}).get("ref", ""))
    idents = {task.proposal, str(task.arguments.get("placeholder", ""))} - {""}
    for scene in bpy.data.scenes:
        for strip in list(versions.every(scene)):
            picture = strip.get(ours.PART) == placeholders.PICTURE
            if picture and ((gap and strip.get(ours.USE) == gap) or (not gap and strip.get(ours.ID) in idents)):
                yield scene, strip


def _is_sound_of(other: Any, strip: Any, file: str) -> bool:
    return other.type == "SOUND" and ours.file_of(other) == file and channels.span(other)[0] == channels.span(strip)[0]


def _note(task: Task, strip: Any, before: str) -> None:
    """Say on the strip what it showed. It is a real shot now: nobody's stand-in, and not ours to take away."""
    ours.unsign(strip)
    strip[ours.WAS] = json.dumps({"id": task.proposal, "file": before})
    strip.color_tag = "NONE"


def _read_back(task: Task, strip: Any, file: str) -> None:
    if ours.file_of(strip) == os.path.normpath(file):
        task.landed.append(strip.name)
    else:
        task.miss(strip.name, f"it shows {ours.file_of(strip)}")
    if strip.type == "MOVIE" and not float(getattr(strip, "fps", 1.0)):
        task.miss(f"the picture of {strip.name}", "Blender cannot read the file")


def _resound(task: Task, strip: Any, file: str) -> bool:
    before = strip.sound
    sound = bpy.data.sounds.load(file, check_existing=True)
    strip.sound = sound
    if placeholders.has_sound(strip):
        return True
    strip.sound = before
    task.notes.append(f"{os.path.basename(file)} has no sound, so {strip.name} was left")
    return False


def _remake(scene: Any, old: Any, file: str, kind: str) -> Any:
    """Make a strip of the other type with all that the old one had, and take the old one away."""
    name, channel = old.name, old.channel
    old.name = "callboard-old"  # its animation follows the name, so it must be called back below
    make = versions.top(scene).new_image if kind == "IMAGE" else versions.top(scene).new_movie
    first, end = channels.span(old)
    new = make(name=name, filepath=file, channel=channel, frame_start=first)
    if kind == "IMAGE":
        for following in media.sequence(file)[1:]:
            new.elements.append(following)
    versions.place(new, first, end)
    _copy(old, new)
    for key in old.keys():  # noqa: SIM118 - a strip is no mapping
        new[key] = old[key]
    for other in versions.every(scene):
        versions.set_input(other, old, new)
    for curve in list(versions.curves(scene)):
        if ours.path_names(curve.data_path, old.name):
            curve.data_path = curve.data_path.replace(_quoted(old.name), _quoted(name), 1)
    versions.top(scene).remove(old)
    new.name, new.channel = name, channel
    return new


def _quoted(name: str) -> str:
    return f'_all["{bpy.utils.escape_identifier(name)}"]'


def _copy(old: Any, new: Any) -> None:
    """Copy what both strips have: blending, colour, crop, transform, modifiers."""
    _copy_values(old, new)
    for part in ("transform", "crop"):
        if hasattr(old, part) and hasattr(new, part):
            _copy_values(getattr(old, part), getattr(new, part))
    for modifier in old.modifiers:
        made = new.modifiers.new(modifier.name, modifier.type)
        if made is not None:
            _copy_values(modifier, made)


def _copy_values(old: Any, new: Any) -> None:
    for member in new.bl_rna.properties:
        name = member.identifier
        if member.is_readonly or member.type in ("POINTER", "COLLECTION") or not hasattr(old, name):
            continue
        if name in _PLACED or name.startswith(_TIMED):
            continue
        with contextlib.suppress(TypeError, ValueError, AttributeError):
            setattr(new, name, getattr(old, name))
