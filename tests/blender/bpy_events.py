"""Checks inside Blender: events, and what a file load does to handlers and timers."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from bpy_scenes import cue, run, strips, timeline
from callboard_blender.addon import events, uses, versions
from callboard_blender.addon.inside import bpy


def check_events(media: Path, out: Path) -> dict[str, Any]:
    """Save, save a copy, load and render, with the queue drained after each."""
    events.register()
    urgent: list[str] = []
    scene, strip, _ = timeline(media)
    path, copy = out / "events.blend", out / "events copy.blend"
    seen: dict[str, Any] = {"before": events.drain(), "changed": [events.changed(), events.changed()]}
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    seen["saved"] = events.drain()
    bpy.ops.wm.save_as_mainfile(filepath=str(copy), copy=True)
    seen["copied"] = events.drain()
    seen["project"] = [uses.project(), str(path)]
    bpy.ops.wm.open_mainfile(filepath=str(path))
    seen["loaded"] = events.drain()
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.ops.wm.open_mainfile(filepath=str(path))
    seen["loaded_again"] = events.drain()
    events.changed()
    scene = bpy.context.scene
    strip = versions.every(scene)["clip"]
    versions.place(strip, 20, 60)
    bpy.context.view_layer.update()
    seen["edited"] = events.changed()
    events.unregister()
    events.register(lambda: urgent.extend(kind for kind, _ in events.drain()))
    scene.render.resolution_percentage, scene.frame_start, scene.frame_end = 50, 20, 22
    scene.render.filepath = str(out / "frame")
    bpy.ops.render.render(animation=True)
    seen["rendered"] = events.drain()
    events.unregister()
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    return seen | {"urgent": urgent, "after": events.drain()}


def check_added(media: Path, _out: Path) -> dict[str, Any]:
    """Add a strip and mark an asset, with a snapshot before and after."""
    events.register()
    timeline(media)
    uses.snapshot()
    events.drain()
    versions.top(bpy.context.scene).new_image(
        name="new", filepath=str(media / "stand-in.png"), channel=5, frame_start=1
    )
    bpy.data.materials.new("Bark").asset_mark()
    refs = {one["name"]: one["ref"] for one in uses.snapshot()}
    told = events.drain()
    uses.snapshot()
    events_again = events.drain()
    events.unregister()
    return {"refs": refs, "told": told, "again": events_again}


def check_timers(_media: Path, _out: Path) -> dict[str, Any]:
    """Let time pass for a timer in the background."""
    ticks: list[int] = []

    def tick() -> float:
        ticks.append(1)
        return 0.01

    bpy.app.timers.register(tick, first_interval=0.01, persistent=True)
    time.sleep(0.2)
    bpy.app.timers.unregister(tick)
    return {"ticks": len(ticks), "background": bpy.app.background, "undo": versions.undo_step("Callboard")}


def check_many(media: Path, _out: Path) -> dict[str, Any]:
    """Measure a snapshot of a timeline with a thousand strips, and of a thousand captions."""
    scene, _, _ = timeline(media)
    file = str(media / "stand-in.png")
    for number in range(1000):
        versions.top(scene).new_image(name=f"s{number}", filepath=file, channel=3, frame_start=100 + number)
    seconds, found = [], uses.snapshot()
    for _ in range(2):
        started = time.process_time()
        found = uses.snapshot()
        seconds.append(time.process_time() - started)
    long = versions.top(scene).new_image(name="long", filepath=file, channel=4, frame_start=1)
    versions.set_end(long, 15_000)
    cues = [cue(number, number * 2.0, number * 2.0 + 1.5, f"line {number}") for number in range(300)]
    started = time.process_time()
    receipt = run("subtitles.write", {"cues": cues}, uses.of_strip(scene, long))
    return {
        "uses": len(found),
        "again": min(seconds),
        "applied": time.process_time() - started,
        "names": len(receipt["landed"]),
        "last": receipt["landed"][-1],
        "state": receipt["state"],
        "strips": len(strips(scene)),
    }
