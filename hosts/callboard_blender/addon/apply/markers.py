"""Markers on the timeline of the scene."""

from __future__ import annotations

from typing import Any

from .. import limits, ours, props, timing, uses
from .subtitles import scene_of
from .task import Task


def write(task: Task) -> None:
    """Set the markers on the use that they are for, in place of those that we set there before."""
    props.register()
    scene = scene_of(task)
    rate = uses.rate_of(scene)
    wanted = list(task.content.get("markers") or ())
    use = task.use or {"start": scene.frame_start / rate}
    found, outside = timing.spans(use, [(float(mark["start"]), float(mark["start"])) for mark in wanted], rate)
    if outside:
        task.notes.append(f"{outside} of {len(wanted)} markers lie outside of the cut")
    if any(mark.get("note") or mark.get("colour") or mark.get("duration") for mark in wanted):
        task.notes.append("Blender's markers have a name and a frame only: no note, colour or length")
    kept = _make_room(task, scene)
    for span in found:
        if str(span.number) not in kept:
            _set(task, scene, str(span.number), str(wanted[span.number]["name"]), span.first)
    task.landed += [
        marker.name for marker, note in ours.markers(scene, task.proposal, task.ref) if _as_set(marker, note)
    ]


def _as_set(marker: Any, note: dict[str, Any]) -> bool:
    return bool(marker.name == note.get("name") and marker.frame == note.get("frame"))


def _make_room(task: Task, scene: Any) -> set[str]:
    kept: set[str] = set()
    for marker, note in list(ours.markers(scene, task.proposal, task.ref)):
        if _as_set(marker, note):
            task.changed = True
            scene.timeline_markers.remove(marker)
        else:
            kept.add(str(note.get("part")))
            task.miss(marker.name, "a person edited it, so theirs is kept")
    return kept


def _set(task: Task, scene: Any, part: str, name: str, frame: int) -> None:
    plain = limits.one_line(name)
    short = limits.cut(plain, limits.MARKER_NAME)
    marker = scene.timeline_markers.new(short, frame=frame)
    task.changed = True
    setattr(marker, props.MARKER_REF, ours.marker_note(task.proposal, task.ref, part, marker.name, marker.frame))
    if marker.name != plain:
        task.miss(f"the end of marker {marker.name!r}", f"Blender keeps {limits.MARKER_NAME} bytes of a name")


def clear(task: Task, scene: Any, use: str | None) -> None:
    """Take our markers for a proposal away, but those that a person edited."""
    for marker, note in list(ours.markers(scene, task.proposal, use)):
        if _as_set(marker, note):
            task.changed = True
            scene.timeline_markers.remove(marker)
        else:
            task.miss(marker.name, "a person edited it, so theirs is kept")
