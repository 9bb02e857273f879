"""What the checks inside Blender share: a timeline, commands, and what is on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from callboard_blender.addon import apply, ours, uses, versions
from callboard_blender.addon.inside import bpy

RATE = 24


def timeline(media: Path) -> tuple[Any, Any, dict[str, Any]]:
    """Give a scene of 24 frames a second, and a clip of 4 s at 25 frames a second, cut to frames 11 to 61."""
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = RATE, 1.0
    scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = 320, 180, 100
    strip = versions.top(scene).new_movie(name="clip", filepath=str(media / "clip.mp4"), channel=2, frame_start=11)
    versions.set_end(strip, 61)
    use = uses.of_strip(scene, strip)
    assert use is not None
    return scene, strip, use


def command(verb: str, content: dict[str, Any], use: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """Make a command as the bridge hands it over."""
    made = {"id": "c1", "host": "blender-1", "verb": verb, "proposal": "p1", "project": uses.project(), **more}
    if use is not None:
        made |= {"use": use, "revision": use.get("revision", "")}
    return {**made, "content": content}


def cue(number: int, start: float, end: float, text: str, **more: Any) -> dict[str, Any]:
    """Make a cue."""
    return {"id": number, "start": start, "end": end, "text": text, **more}


def run(*given: Any, agreed: bool = False, **more: Any) -> dict[str, Any]:
    """Apply a command, and give its receipt."""
    return apply.run(command(*given, **more), agreed)


def strips(scene: Any) -> list[dict[str, Any]]:
    """List what is on the timeline, by channel and frame."""
    found = [
        {
            "name": strip.name,
            "type": strip.type,
            "channel": strip.channel,
            "first": int(versions.frames(strip, "first")),
            "end": int(versions.frames(strip, "end")),
            "text": getattr(strip, "text", ""),
            "id": strip.get(ours.ID, ""),
            "file": Path(ours.file_of(strip)).name if ours.file_of(strip) else "",
        }
        for strip in versions.every(scene)
    ]
    return sorted(found, key=lambda strip: (strip["channel"], strip["first"]))


def overlaps(scene: Any) -> list[tuple[str, str]]:
    """List the pairs of strips that lie over each other on one channel."""
    there = strips(scene)
    return [
        (one["name"], other["name"])
        for number, one in enumerate(there)
        for other in there[number + 1 :]
        if one["channel"] == other["channel"] and one["first"] < other["end"] and other["first"] < one["end"]
    ]


def reopened(out: Path, name: str) -> Any:
    """Save the file, open it again, and give its scene."""
    path = str(out / name)
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    return bpy.context.scene
