"""Runs inside Blender: opens a scene and renders one frame of it as inverse depth, 16 bits of grey."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

_NEAREST = 0.25
"""Metres at which it is white; nothing that a camera looks at is nearer."""


def main(path: str) -> None:
    """Do what the order in the file *path* asks for."""
    bpy: Any = importlib.import_module("bpy")  # Blender's own, and of no use outside
    order = json.loads(Path(path).read_text("utf-8"))
    bpy.ops.wm.open_mainfile(filepath=order["scene"])
    scene = bpy.context.scene
    paint = bpy.data.materials.new("depth")
    paint.use_nodes = True
    nodes, links = paint.node_tree.nodes, paint.node_tree.links
    nodes.clear()
    seen, over = nodes.new("ShaderNodeCameraData"), nodes.new("ShaderNodeMath")
    light, out = nodes.new("ShaderNodeEmission"), nodes.new("ShaderNodeOutputMaterial")
    over.operation = "DIVIDE"
    over.inputs[0].default_value = _NEAREST
    links.new(seen.outputs["View Z Depth"], over.inputs[1])
    links.new(over.outputs[0], light.inputs["Color"])
    links.new(light.outputs[0], out.inputs["Surface"])
    for layer in scene.view_layers:
        layer.material_override = paint
    scene.world = None
    scene.camera.data.dof.use_dof = False
    render = scene.render
    render.engine = "CYCLES"
    scene.cycles.samples, scene.cycles.use_denoising, scene.cycles.max_bounces = 1, False, 0
    render.use_compositing = render.use_sequencer = render.use_motion_blur = render.film_transparent = False
    render.resolution_x, render.resolution_y, render.resolution_percentage = order["width"], order["height"], 100
    render.pixel_aspect_x = render.pixel_aspect_y = 1.0
    scene.view_settings.view_transform, scene.view_settings.look = "Raw", "None"
    scene.view_settings.exposure, scene.view_settings.gamma = 0.0, 1.0
    form = render.image_settings
    form.file_format, form.color_mode, form.color_depth = "PNG", "BW", "16"
    render.filepath = order["file"]
    scene.frame_set(order["frame"])
    bpy.ops.render.render(write_still=True)


if __name__ == "__main__":
    main(sys.argv[sys.argv.index("--") + 1])
