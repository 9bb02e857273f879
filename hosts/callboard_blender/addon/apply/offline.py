"""A stand-in for a strip whose media is not there: on the strip's own frames, and the strip as it was when it goes.

What the strip showed is kept on it; its name, place, effects and animation stay throughout, and a strip with its sound
stays silent until the real shot.
"""

from __future__ import annotations

import json
import os
from typing import Any

from .. import ours, uses, versions
from . import channels, media, placeholders, relink
from .task import Task


def insert(task: Task) -> None:
    """Let the strip that is named show the stand-in from its first frame on, for as long as the strip is."""
    file = str(task.content.get("file", ""))
    name, found, kind = os.path.basename(file), uses.find_strip(task.ref), media.kind_of(file)
    if found is None:
        return task.miss(name or "the stand-in", "the strip that it is for is no longer in this file")
    if not os.path.isfile(file):
        return task.miss(name or "the stand-in", f"there is no such file: {file}")
    scene, strip = found
    if kind not in relink.PICTURES or strip.type not in relink.PICTURES:
        return task.miss(strip.name, f"a strip of type {strip.type} cannot show {name}")
    lost = ours.read_note(str(strip.get(ours.LOST, "")))
    if lost and not strip.get(ours.ID):
        return task.miss(strip.name, "it shows the real shot by now")
    if not lost and _is_whole(strip) and not task.agreed:
        task.stale = f"{strip.name} has its media again"
        return None
    return _show(task, scene, strip, file, kind, lost or _kept(strip))


def _is_whole(strip: Any) -> bool:
    """Tell whether a strip has all the media that it shows."""
    file = ours.file_of(strip)
    if strip.type == "MOVIE":
        return os.path.isfile(file) and min(versions.frames(strip, "head"), versions.frames(strip, "tail")) >= 0
    folder = os.path.dirname(file)
    return all(os.path.isfile(os.path.join(folder, one.filename)) for one in strip.elements)


def _kept(strip: Any) -> dict[str, Any]:
    """Describe what a strip shows, so that it can show that again."""
    return {
        "file": ours.file_of(strip),
        "files": [one.filename for one in strip.elements] if strip.type == "IMAGE" else [],
        "type": strip.type,
        "head": round(versions.frames(strip, "head")),
        "trim": round(versions.frames(strip, "trim")),
        "colour": str(strip.color_tag),
        "was": str(strip.get(ours.WAS, "")),
    }


def _show(task: Task, scene: Any, strip: Any, file: str, kind: str, lost: dict[str, Any]) -> None:
    first, end = channels.span(strip)
    begun = round(versions.frames(strip, "head")) if "now" in lost else 0
    task.changed = True
    strip = relink.show(scene, strip, file, kind)
    _begin(strip, begun, 0, first, end)
    strip.color_tag = placeholders.COLOUR
    if ours.WAS in strip:
        del strip[ours.WAS]
    strip[ours.LOST] = json.dumps({**lost, "now": ours.file_of(strip)})
    ours.sign(strip, task.proposal, task.ref, placeholders.PICTURE)
    short = -round(versions.frames(strip, "tail"))
    if kind == "MOVIE" and short > 0:
        task.notes.append(f"its last frame is held for {short} frames")
    task.landed.append(strip.name)
    if ours.file_of(strip) != os.path.normpath(file):
        task.miss(strip.name, f"it shows {ours.file_of(strip)}")
    elif channels.span(strip) != (first, end):
        task.miss(f"the length of {strip.name}", f"it is on frames {channels.span(strip)}, and was on {(first, end)}")
    elif strip.type == "MOVIE" and not float(getattr(strip, "fps", 1.0)):
        task.miss(f"the picture of {strip.name}", "Blender cannot read the file")


def _begin(strip: Any, head: int, trim: int, first: int, end: int) -> None:
    """Have a strip begin at a frame of its media, on the same frames of the timeline."""
    channel = strip.channel
    if round(versions.frames(strip, "trim")) != trim:
        versions.set_trim(strip, trim)
    moved = head - round(versions.frames(strip, "head"))
    if moved:
        versions.set_end(strip, int(versions.frames(strip, "end")) + max(moved, 0))  # no head is longer than its strip
        versions.set_head(strip, head)
    if channels.span(strip) != (first, end):
        versions.place(strip, first, end)
    if strip.channel != channel:
        strip.channel = channel


def give_back(task: Task, scene: Any, strip: Any) -> None:
    """Let a strip show again what it showed before the stand-in, wherever a person moved it and however it was cut."""
    lost = ours.read_note(str(strip.get(ours.LOST, "")))
    if ours.file_of(strip) != lost.get("now"):
        return task.miss(strip.name, "a person gave it another file, so theirs is kept")
    task.changed = True
    (first, end), cut = channels.span(strip), round(versions.frames(strip, "head"))
    strip = relink.show(scene, strip, str(lost["file"]), str(lost["type"]), lost.get("files") or ())
    _begin(strip, int(lost["head"]) + cut, int(lost["trim"]), first, end)
    ours.unsign(strip)
    del strip[ours.LOST]
    strip.color_tag = str(lost["colour"])
    if lost.get("was"):
        strip[ours.WAS] = str(lost["was"])
    return None
