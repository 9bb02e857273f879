"""Runs inside Blender: opens a scene and tells what an animator finds in it, as JSON in the file named last."""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any

bpy: Any = importlib.import_module("bpy")

scene_path, to = sys.argv[sys.argv.index("--") + 1 :]
bpy.ops.wm.open_mainfile(filepath=scene_path)
scene = bpy.context.scene


def keyed(thing: Any) -> int:
    """Give how many keys an object has."""
    action = thing.animation_data and thing.animation_data.action
    if not action:
        return 0
    if hasattr(action, "fcurves"):
        return sum(len(curve.keyframe_points) for curve in action.fcurves)
    bags = [strip.channelbag(thing.animation_data.action_slot) for strip in action.layers[0].strips]
    return sum(len(curve.keyframe_points) for bag in bags for curve in bag.fcurves)


rigs = [thing for thing in bpy.data.objects if thing.type == "ARMATURE"]
told = {
    "range": [scene.frame_start, scene.frame_end],
    "fps": scene.render.fps / scene.render.fps_base,
    "size": [scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage],
    "aspect": scene.render.pixel_aspect_x / scene.render.pixel_aspect_y,
    "collections": sorted(child.name for child in scene.collection.children),
    "camera": [scene.camera.name, round(scene.camera.data.lens, 3), round(scene.camera.data.sensor_width, 3)],
    "camera_keys": keyed(scene.camera),
    "figures": {rig.name: keyed(rig) for rig in rigs},
    "bones": sorted(bone.name for bone in rigs[0].data.bones),
    "parts": sum(thing.parent_type == "BONE" for thing in bpy.data.objects),
    "texts": {text.name: [text.use_module, text.as_string()] for text in bpy.data.texts},
    "drivers": sum(len(thing.animation_data.drivers) for thing in bpy.data.objects if thing.animation_data),
    "labels": sorted(curve.body for curve in bpy.data.curves),
}
with open(to, "w", encoding="utf-8") as file:
    json.dump(told, file)
