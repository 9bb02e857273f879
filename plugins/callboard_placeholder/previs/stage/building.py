"""Builds a planned scene, saves it, and renders it a picture at a time, telling each on standard output."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import motion, rendering, surfaces
from .figure import Figures
from .inside import bpy
from .shapes import mesh_of, placed, simple

Told = Mapping[str, Any]
MARK = "CALLBOARD "
_SAMPLES = 16  # for whoever renders the scene that is saved; pictures are made with fewer


def main(path: str) -> None:
    """Do everything that the order in the file *path* asks for."""
    order = json.loads(Path(path).read_text("utf-8"))
    bpy.ops.wm.read_factory_settings(use_empty=True)
    plan = order["plan"]
    _say({"version": bpy.app.version_string})
    build(plan)
    bpy.ops.wm.save_as_mainfile(filepath=order["scene"], compress=True, check_existing=False)
    _say({"saved": order["scene"]})
    rendering.pictures(order, _say)
    _say({"done": len(order["render"])})


def _say(told: Told) -> None:
    sys.stdout.write(f"\n{MARK}{json.dumps(told)}\n")
    sys.stdout.flush()


def build(plan: Told) -> None:
    """Build the scene of a plan."""
    scene = bpy.context.scene
    scene.name = plan["shot"]
    places = {}
    for name in ("Camera", "Figures", "Set", "Light"):
        places[name] = bpy.data.collections.new(name)
        scene.collection.children.link(places[name])
    _timeline(scene, plan)
    _look(scene, plan)
    surfaces.light(plan["light"], places["Light"])
    made = surfaces.Surfaces(plan["light"])
    _set(plan, made, places["Set"])
    figures = Figures(made, places["Figures"])
    for index, person in enumerate(plan["people"]):
        rig = figures.stand(person)
        motion.act(rig, person, plan, index)
        if plan["labels"]:
            _label(rig, person, plan, made, places["Figures"])
    scene.camera = motion.camera(plan["camera"], plan, places["Camera"])
    for thing in scene.objects:
        if thing.type in ("MESH", "FONT"):
            # Cycles sends a ray more from where light ends. It would find glow, which stands for light from all around
            # already, by chance: as grain that changes with what moves.
            thing.visible_diffuse = thing.visible_glossy = False
    mark = scene.timeline_markers.new(plan["shot"], frame=1)
    mark.camera = scene.camera
    text = bpy.data.texts.new("Brief")
    text.from_string(plan["about"])
    scene.frame_set(1)


def _timeline(scene: Any, plan: Told) -> None:
    """Set range, exact rate and size: 23.976 is 24 frames in 1.001 seconds."""
    render, (top, under) = scene.render, plan["rate"]
    scene.frame_start, scene.frame_end = 1, plan["frames"]
    render.fps = max(-(-top // under), 1)
    render.fps_base = render.fps * under / top
    render.resolution_x, render.resolution_y, render.resolution_percentage = plan["width"], plan["height"], 100
    wide, high = plan["pixel_aspect"]
    render.pixel_aspect_x, render.pixel_aspect_y = max(wide / high, 1.0), max(high / wide, 1.0)
    scene.unit_settings.system = "METRIC"


def _look(scene: Any, plan: Told) -> None:
    """Set the renderer: one ray from the camera, one to the key light, and nothing that differs from run to run."""
    render, cycles = scene.render, scene.cycles
    render.engine = "CYCLES"
    cycles.device, cycles.samples, cycles.seed = "CPU", _SAMPLES, 0
    cycles.use_adaptive_sampling = cycles.use_denoising = cycles.use_animated_seed = False
    cycles.use_auto_tile = False
    cycles.light_sampling_threshold = 0.0  # else faint light comes by chance, as grain
    for name in ("max", "diffuse", "glossy", "transmission", "volume"):
        setattr(cycles, f"{name}_bounces", 0)
    cycles.transparent_max_bounces = 1
    cycles.caustics_reflective = cycles.caustics_refractive = False
    _pattern(cycles)
    cycles.debug_bvh_layout = "BVH2"
    render.use_persistent_data, render.dither_intensity = True, 0.0
    render.use_compositing = render.use_sequencer = False
    settings = render.image_settings
    settings.file_format, settings.color_mode, settings.color_depth, settings.compression = "PNG", "RGB", "8", 10
    scene.display_settings.display_device = "sRGB"
    scene.view_settings.view_transform, scene.view_settings.look = "Standard", "None"


def _pattern(cycles: Any) -> None:
    """Choose the cheapest pattern of samples that this Blender has under one of its names."""
    for name in ("SOBOL", "TABULATED_SOBOL", "SOBOL_BURLEY"):
        try:
            cycles.sampling_pattern = name
        except TypeError:  # how Blender says that it does not know a name
            continue
        return


def _set(plan: Told, made: surfaces.Surfaces, collection: Any) -> None:
    meshes: dict[str, Any] = {}
    ground: dict[str, Any] = {
        "name": "Ground",
        "shape": "box",
        "at": (0.0, 0.0, -0.05),
        "size": (1600.0, 1600.0, 0.1),
        "colour": plan["ground"],
        "turn": 0.0,
        "shadow": False,
    }
    for prop in (ground, *plan["props"]):
        kind = prop["shape"]
        if kind not in meshes:
            meshes[kind] = mesh_of(kind.capitalize(), simple(kind), smooth=kind != "box")
        thing = placed(prop["name"], meshes[kind], made.plain(prop["name"], prop["colour"]), collection)
        thing.location, thing.scale = prop["at"], prop["size"]
        thing.rotation_euler = (0.0, 0.0, math.radians(prop["turn"]))
        thing.visible_shadow = prop["shadow"]


def _label(rig: Any, person: Told, plan: Told, made: surfaces.Surfaces, collection: Any) -> None:
    """Write a name above a figure, turned to the camera of the first key."""
    curve = bpy.data.curves.new(f"{person['name']} label", "FONT")
    curve.body, curve.size, curve.align_x = person["name"], 0.09, "CENTER"
    curve.materials.append(made.plain("Label", (0.8, 0.8, 0.8)))
    label = bpy.data.objects.new(f"{person['name']} label", curve)
    collection.objects.link(label)
    label.parent = rig
    label.visible_shadow = False
    label.location = (0.0, 0.0, 1.88 - person["sunk"])
    turn = math.radians(plan["camera"]["keys"][0]["turn"][2] - person["turn"])
    label.rotation_euler = (math.pi / 2, 0.0, turn)
