"""Runs in a Blender with its window: plays and stops, drags nothing, and writes down what was told.

Usage: blender --factory-startup -P gui_playback.py -- OUT
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "hosts"))

from callboard_blender.addon import events, versions
from callboard_blender.addon.inside import bpy

OUT = Path(sys.argv[sys.argv.index("--") + 1])
TICKS = 3000
"""Of 50 ms: far sooner it has been told, or something is broken."""
told: list[str] = []
state: dict[str, Any] = {"ticks": 0, "step": 0, "quiet": []}


def toggle() -> None:
    """Press the play button."""
    window = next(iter(versions.windows()))
    with bpy.context.temp_override(window=window, screen=window.screen):
        bpy.ops.screen.animation_play()


def tick() -> float | None:
    """Go on as the add-on's timer does: press, wait until it is told, press again, wait, and quit."""
    told.extend(kind for kind, _ in events.drain() if "playback" in kind)
    state["ticks"] += 1
    if state["step"] == 0:
        state["quiet"] = list(told)
        state["busy"] = versions.busy()
    if state["step"] == len(told) and state["step"] < 2:
        toggle()
        state["step"] += 1
    if len(told) >= 2 or state["ticks"] > TICKS:
        events.unregister()
        OUT.write_text(json.dumps({"told": told, **state}), "utf-8")
        bpy.ops.wm.quit_blender()
        return None
    return 0.05


def begin() -> None:
    """Listen from the first tick on."""
    events.register()
    bpy.app.timers.register(tick, first_interval=0.2, persistent=True)


bpy.app.timers.register(begin, first_interval=0.5)
