"""Runs inside Blender's Python, beside a real board: installs the built add-on with Blender's own installer, uses
media, accepts what is proposed, and renders a frame.

Usage: python bpy_board.py ZIP PROJECT CLIP STILL OUT, with BLENDER_USER_RESOURCES a folder of its own
"""  # noqa: D205 - the first sentence takes two lines

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "hosts"))

from callboard_blender.addon import uses, versions
from callboard_blender.addon.inside import bpy
from callboard_blender.jobs import Session

WAIT_SECONDS = 90.0
MODULE = "bl_ext.user_default.callboard"


def installed(archive: Path) -> Any:
    """Install and switch on the add-on; give its connection."""
    bpy.app.version  # noqa: B018 - importing Blender is what makes its own modules importable
    importlib.import_module("bl_pkg.bl_extension_cli").cli_extension_handler(
        ["install-file", "-r", "user_default", "--enable", str(archive)]
    )
    bpy.context.preferences.addons[MODULE].preferences.by = "zoe"
    bpy.context.preferences.addons[MODULE].preferences.style = "yellow"
    return importlib.import_module(f"{MODULE}.connection")


def until(connection: Any, done: Callable[[], object]) -> bool:
    """Do what the add-on's timer does in a window, until *done* holds; False where it does not in time."""
    ends = time.monotonic() + WAIT_SECONDS
    while not done():
        if time.monotonic() > ends:
            return False
        time.sleep(min(connection.pump(), 0.05))
    return True


def scene_with(clip: Path, blend: Path) -> Any:
    """Start a file of 320 by 180 with the clip on its timeline, and save it."""
    bpy.ops.wm.read_homefile(use_empty=True)
    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = 320, 180, 100
    scene.render.image_settings.file_format = "PNG"
    versions.top(scene).new_movie(name="clip", filepath=str(clip), channel=1, frame_start=1)
    bpy.ops.wm.save_as_mainfile(filepath=str(blend))
    return scene


def save() -> None:
    """Write the open file."""
    bpy.ops.wm.save_mainfile()


def review(archive: Path, project: Path, clip: Path, still: Path, out: Path) -> dict[str, Any]:
    """Accept the captions of a strip and the tags of an asset, as a person in the panel does."""
    os.environ["CALLBOARD_PROJECT"] = str(project)
    connection = installed(archive)
    scene = scene_with(clip, out / "film.blend")
    bpy.data.images.load(str(still)).asset_mark()
    save()
    link = connection.current()
    found: dict[str, Any] = {"waited": until(connection, lambda: len(link.inbox.rows) == 2)}
    found["rows"] = sorted((row.result, row.name, row.text) for row in link.inbox.rows)
    for row in list(link.inbox.rows):
        link.decide(row.id, "accept")
    found["applied"] = until(connection, lambda: len(link.done) == 3)
    found["settled"] = until(connection, lambda: link.bridge.pending == 0 and not link.inbox.rows)
    found["said"] = sorted(done.line for done in link.done)
    save()
    for name, frame in (("captioned", 13), ("plain", 99)):
        scene = bpy.context.scene
        scene.frame_set(frame)
        scene.render.filepath = str(out / f"{name}.png")
        bpy.ops.render.render(write_still=True)
    found["told"] = until(connection, lambda: link.bridge.pending == 0)
    bpy.ops.preferences.addon_disable(module=MODULE)
    return found | {"left": connection.current() is not None}


def mark(project: Path, clip: Path, out: Path) -> dict[str, Any]:
    """Ask for the same captions in another file, by a Blender that takes markers only."""
    scene_with(clip, out / "marked.blend")
    session = Session(project, save, capabilities=("markers.write", "clear"))
    link = session.link
    found = {"online": session.until(lambda: link.online and link.telling.known, WAIT_SECONDS)}
    link.request("captions", uses=uses.snapshot())
    found["applied"] = session.until(lambda: session.applied == 1 and link.bridge.pending == 0, WAIT_SECONDS)
    session.close()
    return found


def main() -> None:
    """Do both, and write down what was seen."""
    archive, project, clip, still, out = (Path(argument) for argument in sys.argv[1:])
    report = {"review": review(archive, project, clip, still, out), "mark": mark(project, clip, out)}
    (out / "board.json").write_text(json.dumps(report), "utf-8")


main()
