"""Runs inside Blender's Python, beside a real board: uses media, accepts what is proposed, and renders a frame.

Usage: python bpy_board.py PROJECT CLIP STILL OUT
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "hosts"))

from callboard_blender import jobs
from callboard_blender.addon import uses, versions
from callboard_blender.addon.inside import bpy

WAIT_SECONDS = 45.0


def scene_with(clip: Path, blend: Path) -> Any:
    """Start a file of 320 by 180 with the clip on its timeline, and save it."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = 320, 180, 100
    scene.render.image_settings.file_format = "PNG"
    versions.top(scene).new_movie(name="clip", filepath=str(clip), channel=1, frame_start=1)
    bpy.ops.wm.save_as_mainfile(filepath=str(blend))
    return scene


def save() -> None:
    """Write the open file."""
    bpy.ops.wm.save_mainfile()


def review(project: Path, clip: Path, still: Path, out: Path) -> dict[str, Any]:
    """Accept the captions of a strip and the tags of an asset, as a person in the panel does."""
    scene = scene_with(clip, out / "film.blend")
    bpy.data.images.load(str(still)).asset_mark()
    save()
    session = jobs.Session(project, save, by="zoe")
    link = session.link
    found: dict[str, Any] = {"waited": session.until(lambda: len(link.inbox.rows) == 2, WAIT_SECONDS)}
    found["rows"] = sorted((row.result, row.name, row.text) for row in link.inbox.rows)
    for row in list(link.inbox.rows):
        link.decide(row.id, "accept")
    found["applied"] = session.until(lambda: session.applied == 3, WAIT_SECONDS)
    found["settled"] = session.until(lambda: link.bridge.pending == 0 and not link.inbox.rows, WAIT_SECONDS)
    found["said"] = sorted(done.line for done in link.done)
    for name, frame in (("captioned", 13), ("plain", 99)):
        scene = bpy.context.scene
        scene.frame_set(frame)
        scene.render.filepath = str(out / f"{name}.png")
        bpy.ops.render.render(write_still=True)
    found["told"] = session.until(lambda: link.bridge.pending == 0, WAIT_SECONDS)
    session.close()
    return found


def mark(project: Path, clip: Path, out: Path) -> dict[str, Any]:
    """Ask for the same captions in another file, by a Blender that takes markers only."""
    scene_with(clip, out / "marked.blend")
    session = jobs.Session(project, save, capabilities=("markers.write", "clear"))
    link = session.link
    found = {"online": session.until(lambda: link.online and link.telling.known, WAIT_SECONDS)}
    link.request("captions", uses=uses.snapshot())
    found["applied"] = session.until(lambda: session.applied == 1 and link.bridge.pending == 0, WAIT_SECONDS)
    session.close()
    return found


def main() -> None:
    """Do both, and write down what was seen."""
    project, clip, still, out = (Path(argument) for argument in sys.argv[1:])
    report = {"review": review(project, clip, still, out), "mark": mark(project, clip, out)}
    (out / "board.json").write_text(json.dumps(report), "utf-8")


main()
