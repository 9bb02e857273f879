"""Stand-ins for shots that are missing, as long as the gap."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final

from .. import limits, ours, uses, versions
from ..inside import bpy
from . import channels, media
from .subtitles import remove
from .task import Task

PICTURE: Final = "picture"
SOUND: Final = "sound"
COLOUR: Final = "COLOR_03"
"""The yellow of Blender's strip colours: this is no real shot."""


def insert(task: Task) -> None:
    """Put the stand-in into the gap, in place of the one that we put there for this proposal before."""
    gap, file = task.content.get("gap"), str(task.content.get("file", ""))
    name = os.path.basename(file)
    if not isinstance(gap, Mapping):
        return task.miss(name or "the stand-in", "the command names no gap")
    kind = media.kind_of(file)
    if not os.path.isfile(file):
        return task.miss(name, f"there is no such file: {file}")
    if kind not in ("IMAGE", "MOVIE"):
        return task.miss(name, "Blender shows no picture of such a file")
    scene, wanted = uses.read_gap(str(gap.get("ref", ""))) or (versions.scene_of(), 1)
    rate = uses.rate_of(scene)
    first = round(float(gap["start"]) * rate)
    end = first + max(1, round(float(gap["duration"]) * rate))
    mine = ours.strips(scene, task.proposal, str(gap["ref"]))
    theirs = [strip for strip in mine if ours.edited(scene, strip)]
    for strip in theirs:
        task.miss(strip.name, "a person edited it, so theirs is kept")
    if theirs:
        return None
    if not channels.is_free(scene, wanted, first, end, mine) and not task.agreed:
        task.stale = f"the gap on channel {wanted} is filled"
        return None
    for strip in mine:
        remove(task, scene, strip)
    channel = channels.beside(scene, wanted, first, end)
    if channel is None:
        return task.miss(name, "every channel is taken there")
    if channel != wanted:
        task.notes.append(f"channel {wanted} is taken there, so it is on {channel}")
    title = limits.cut(limits.one_line(str(gap.get("shot") or "")) or name, limits.STRIP_NAME_FREE)
    _show(task, scene, kind, (title, file, channel, first, end, str(gap["ref"])))
    return _read_back(task, scene, str(gap["ref"]), first, end)


def _show(task: Task, scene: Any, kind: str, what: tuple[str, str, int, int, int, str]) -> None:
    title, file, channel, first, end, ref = what
    make = versions.top(scene).new_image if kind == "IMAGE" else versions.top(scene).new_movie
    strip = make(name=title, filepath=file, channel=channel, frame_start=first, fit_method="FIT")
    task.changed = True
    versions.set_end(strip, end)
    strip.color_tag = COLOUR
    ours.sign(strip, task.proposal, ref, PICTURE)
    if kind == "MOVIE":
        short = end - first - int(versions.frames(strip, "content"))
        if short > 0:
            task.notes.append(f"its last frame is held for {short} frames")
        hear(task, scene, strip, file, ref)


def hear(task: Task, scene: Any, picture: Any, file: str, ref: str) -> Any | None:
    """Put the sound of a movie, if it has any, beside its picture: a movie strip alone is silent."""
    first, end = channels.span(picture)
    channel = channels.beside(scene, picture.channel + 1, first, end)
    if channel is None:
        task.miss(f"the sound of {picture.name}", "every channel is taken there")
        return None
    name = limits.cut(picture.name, limits.STRIP_NAME_FREE)
    try:
        strip = versions.top(scene).new_sound(name=name, filepath=file, channel=channel, frame_start=first)
    except RuntimeError as error:  # the wheel of Blender 4.2 is built without sound
        task.notes.append(f"no sound: {str(error).strip()}")
        return None
    if not has_sound(strip):
        sound = strip.sound
        versions.top(scene).remove(strip)
        if sound is not None and not sound.users:
            bpy.data.sounds.remove(sound)
        return None
    versions.set_end(strip, min(end, int(versions.frames(strip, "end"))))
    strip.color_tag = COLOUR
    ours.sign(strip, task.proposal, ref, SOUND)
    return strip


def has_sound(strip: Any) -> bool:
    """Tell whether the file of a sound strip has any sound: one that has none still makes a strip."""
    return strip.sound is not None and int(getattr(strip.sound, "samplerate", 1) or 0) > 0


def _read_back(task: Task, scene: Any, ref: str, first: int, end: int) -> None:
    there = {str(strip.get(ours.PART)): strip for strip in ours.strips(scene, task.proposal, ref)}
    task.landed += [strip.name for strip in there.values()]
    picture = there.get(PICTURE)
    if picture is None:
        return task.miss("the stand-in", "it is not in the file")
    if channels.span(picture) != (first, end):
        return task.miss("its length", f"it is on frames {channels.span(picture)}, the gap on {(first, end)}")
    if picture.type == "MOVIE" and not float(getattr(picture, "fps", 1.0)):
        return task.miss("its picture", "Blender cannot read the file")
    return None
