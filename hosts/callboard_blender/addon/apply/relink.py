"""The real shot in place of a stand-in: trim, effects and animation stay."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Sequence
from typing import Any, Final

from .. import ours, uses, versions
from ..inside import bpy
from . import channels, media, placeholders
from .subtitles import remove
from .task import Task

PICTURES: Final = ("IMAGE", "MOVIE")
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
        _one(task, scene, strip, file)
    return None


def _one(task: Task, scene: Any, strip: Any, file: str) -> None:
    before, stood_in = ours.file_of(strip), str(strip.get(ours.ID, ""))
    own = ours.read_note(str(strip.get(ours.LOST, "")))
    lost = str(own.get("file", ""))
    beside = [one for one in versions.every(scene) for name in {before, lost} - {""} if _is_sound_of(one, strip, name)]
    head = round(float(task.content.get("source_in") or 0.0) * uses.rate_of(scene))
    signed, sounds = _kept(strip), [(sound, ours.file_of(sound), _kept(sound)) for sound in beside]
    now = swap(task, scene, strip, file, head)
    if now is None:
        return
    _note(task, now, before, signed, head)
    now.color_tag = str(own.get("colour", "NONE"))
    for sound, heard, kept in sounds:
        colour, begin = str(sound.color_tag), head if heard == lost else None
        if begin is not None:
            kept["begin"] = round(versions.frames(sound, "head"))
        if swap(task, scene, sound, file, head, begin) is not None:
            _note(task, sound, heard, kept, head)
            sound.color_tag = colour if heard == lost else "NONE"
        elif sound.get(ours.ID):
            remove(task, scene, sound)
    if stood_in and not lost and not beside and now.type == "MOVIE":
        _hear(task, scene, now, file, head)
    _read_back(task, now, file)


def _hear(task: Task, scene: Any, picture: Any, file: str, head: int) -> None:
    heard = placeholders.hear(task, scene, picture, file, "")
    if heard is not None:
        _begin(heard, head)
        _note(task, heard, "", {}, head)
        task.landed.append(heard.name)


def restore(task: Task, scene: Any) -> None:
    """Let the strips show again what they showed before the shot of this proposal."""
    for strip in list(versions.every(scene)):
        note = _note_of(strip)
        if note.get("id") != task.proposal or "now" not in note:
            continue
        if ours.file_of(strip) != note["now"]:
            task.miss(strip.name, "a person gave it another file, so theirs is kept")
        elif not note.get("file"):
            remove(task, scene, strip)
        elif not os.path.isfile(str(note["file"])) and strip.type != "SOUND":
            task.miss(strip.name, f"what it showed before is not there: {note['file']}")
        else:
            _back(task, scene, strip, note)


def _back(task: Task, scene: Any, strip: Any, note: dict[str, Any]) -> None:
    former = note.get("before") or {}
    head, begin = int(former.get("head", 0)), None
    if "begin" in former:  # of the lost strip's own sound
        begin = int(former["begin"]) + round(versions.frames(strip, "head")) - int(note.get("head", 0))
    now = swap(task, scene, strip, str(note["file"]), head, begin)
    if now is None:
        return
    del now[ours.WAS]
    if former.get("was"):
        now[ours.WAS] = former["was"]
    if former.get("id"):
        ours.sign(now, str(former["id"]), str(former.get("use", "")), str(former.get("part", "")))
        now.color_tag = str(former.get("colour", "NONE"))
        now[ours.PRINT] = ours.fingerprint(now)
    task.landed.append(now.name)


def _note_of(strip: Any) -> dict[str, Any]:
    return ours.read_note(str(strip.get(ours.WAS, "")))


def _kept(strip: Any) -> dict[str, Any]:
    """Keep what a strip is to us, so that it can be that again."""
    return {
        "id": str(strip.get(ours.ID, "")),
        "use": str(strip.get(ours.USE, "")),
        "part": str(strip.get(ours.PART, "")),
        "colour": str(strip.color_tag),
        "was": str(strip.get(ours.WAS, "")),
        "head": int(_note_of(strip).get("head", 0)),
    }


def _begin(strip: Any, head: int) -> None:
    """Have a strip begin so many frames later in its media than it does, on the same frames of the timeline."""
    (first, end), channel = channels.span(strip), strip.channel
    versions.set_head(strip, round(versions.frames(strip, "head")) + head)
    versions.place(strip, first, end)
    strip.channel = channel


def relinked(scene: Any, proposal: str) -> list[str]:
    """Name the strips that show a real shot where a proposal's stand-in was."""
    return [
        strip.name for strip in versions.every(scene) if _note_of(strip).get("id") == proposal and strip.type != "SOUND"
    ]


def show(scene: Any, strip: Any, file: str, kind: str, files: Sequence[str] = ()) -> Any:
    """Let a strip show another film or pictures, with all that it has; gives the strip that does.

    Args:
        scene: Of the strip.
        strip: Which.
        file: What it shows; of pictures, the first.
        kind: ``MOVIE`` or ``IMAGE``.
        files: Names of the pictures, where they may not be there; else they are looked for.
    """
    if kind == strip.type == "MOVIE":
        strip.filepath = file
        return strip
    return _remake(scene, strip, file, kind, files)


def swap(task: Task, scene: Any, strip: Any, file: str, head: int = 0, begin: int | None = None) -> Any | None:
    """Let a strip show another file on the same frames; gives the strip that does, or None where none can.

    Args:
        task: Where it is told what went wrong.
        scene: Of the strip.
        strip: Which.
        file: What it shows.
        head: Frames of that file before what the first frame of the placeholder becomes.
        begin: Frames of the file before what is shown, where that is known.
    """
    moved, cut = head - int(_note_of(strip).get("head", 0)), round(versions.frames(strip, "head"))
    kind = "SOUND" if strip.type == "SOUND" else media.kind_of(file)
    if strip.type not in (*PICTURES, "SOUND") or (strip.type in PICTURES and kind not in PICTURES):
        task.miss(strip.name, f"a strip of type {strip.type} cannot show {os.path.basename(file)}")
        return None
    (first, end), channel = channels.span(strip), strip.channel
    task.changed = True
    if kind == "SOUND" and not _resound(task, strip, file):
        return None
    if kind != "SOUND":
        strip = show(scene, strip, file, kind)
    if begin is not None or moved or round(versions.frames(strip, "head")) != cut:
        versions.set_head(strip, max(cut + moved, 0) if begin is None else begin)
    if channels.span(strip) != (first, end):
        versions.place(strip, first, end)
    if strip.channel != channel:  # on the way it lay over another strip, and Blender made room
        strip.channel = channel
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
    former = {task.proposal, str(task.arguments.get("former", ""))} - {""}
    for scene in bpy.data.scenes:
        for strip in list(versions.every(scene)):
            picture = strip.get(ours.PART) == placeholders.PICTURE
            shown = strip.type != "SOUND" and _note_of(strip).get("id") in former
            if shown or (picture and ((gap and strip.get(ours.USE) == gap) or strip.get(ours.ID) in idents)):
                yield scene, strip


def _is_sound_of(other: Any, strip: Any, file: str) -> bool:
    return other.type == "SOUND" and ours.file_of(other) == file and channels.span(other)[0] == channels.span(strip)[0]


def _note(task: Task, strip: Any, before: str, kept: dict[str, Any], head: int) -> None:
    """Say on the strip what it showed. It is a real shot now: nobody's stand-in, and not ours to take away."""
    ours.unsign(strip)
    note = {"id": task.proposal, "file": before, "now": ours.file_of(strip), "head": head, "before": kept}
    known = ours.read_note(kept.get("was", ""))
    if known.get("id") == task.proposal and "now" in known:  # done again: what was there before all of it counts
        note |= {"file": known["file"], "before": known["before"]}
    strip[ours.WAS] = json.dumps(note)
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
    if not os.path.isfile(file):  # what was lost before is lost again
        strip.sound = before.copy()
        strip.sound.filepath = file
        return True
    sound = bpy.data.sounds.load(file, check_existing=True)
    strip.sound = sound
    if placeholders.has_sound(strip):
        return True
    strip.sound = before
    task.notes.append(f"{os.path.basename(file)} has no sound, so {strip.name} was left")
    return False


def _remake(scene: Any, old: Any, file: str, kind: str, files: Sequence[str]) -> Any:
    """Make a strip of the other type with all that the old one had, and take the old one away."""
    name, channel = old.name, old.channel
    old.name = "callboard-old"  # its animation follows the name, so it must be called back below
    there = versions.beside(scene, old)
    make = there.new_image if kind == "IMAGE" else there.new_movie
    first, end = channels.span(old)
    new = make(name=name, filepath=file, channel=channel, frame_start=first)
    if kind == "IMAGE":
        for following in (files or media.sequence(file))[1:]:
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
    there.remove(old)
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
