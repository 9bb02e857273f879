"""Runs inside Blender: renders a scene with each part of its figures in a colour of its own, and nothing else lit."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

bpy: Any = importlib.import_module("bpy")
order = json.loads(Path(sys.argv[sys.argv.index("--") + 1]).read_text("utf-8"))
bpy.ops.wm.open_mainfile(filepath=order["scene"])
scene = bpy.context.scene
for thing in [one for one in scene.objects if one.type == "MESH"]:
    paint = bpy.data.materials.new("flat")
    paint.use_nodes = True
    nodes = paint.node_tree.nodes
    nodes.clear()
    light, out = nodes.new("ShaderNodeEmission"), nodes.new("ShaderNodeOutputMaterial")
    figure = thing.parent is not None
    light.inputs["Color"].default_value = (*order["parts"].get(thing.data.name, [0.5 * figure] * 3), 1.0)
    paint.node_tree.links.new(light.outputs[0], out.inputs["Surface"])
    thing.material_slots[0].material = paint
scene.world = None
scene.camera.data.dof.use_dof = False
scene.cycles.samples = 1
render = scene.render
render.resolution_x, render.resolution_y, render.resolution_percentage = order["width"], order["height"], 100
render.image_settings.file_format, render.filter_size = "PNG", 0.01
scene.view_settings.view_transform = "Raw"
render.filepath = order["file"]
scene.frame_set(1)
bpy.ops.render.render(write_still=True)
