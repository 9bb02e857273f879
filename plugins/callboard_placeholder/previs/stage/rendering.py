"""Renders a built scene a picture at a time: at the corners of its pixels, and only where a picture can have changed.

One ray goes through every corner between pixels; who reads the pictures lays four corners together for each pixel. That
smooths edges as well as four rays for each pixel would, for a quarter of them, and leaves nothing to chance.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import Any

from .inside import bpy, object_utils

Told = Mapping[str, Any]
Box = tuple[int, int, int, int]
"""Left, top, right and bottom of a part of the picture, in corners; empty where right is not beyond left."""
_ROUND = 3  # corners around what moves: its edges are found by other sums than those that the rays go by
_NEAR = 0.05  # metres before the camera; what is nearer, or behind, has no place in the picture
_GROUND = -0.1  # metres: no shadow falls on anything lower
_FLAT = -0.02  # a key light that goes down less than this throws shadows past everything


def pictures(order: Told, say: Callable[[Told], None]) -> None:
    """Render the frames of an order into its folder and tell each: its number, its file, and its place."""
    scene, plan = bpy.context.scene, order["plan"]
    _steady(scene)
    wide, high = _corners(scene, plan)
    still = len(plan["camera"]["keys"]) == 1 and not plan["camera"]["shake"]
    whole: Box = (0, 0, wide, high)
    before: Box | None = None
    for index, frame in enumerate(order["render"]):
        scene.frame_set(frame)
        now = _moving(scene, wide, high) if still else whole
        box = whole if before is None else _both(before, now)
        before = now
        to = os.path.join(order["folder"], f"{index:06d}.png") if box[2] > box[0] else ""
        if to:
            _render(scene, box, wide, high)
            bpy.data.images["Render Result"].save_render(to, scene=scene)
        say({"frame": frame, "file": to, "at": box})


def _steady(scene: Any) -> None:
    """Trace rays in the same way on every machine.

    By Cycles' own tree: Embree chooses by the processor, and gave other pixels with AVX-512 than with AVX2. By its
    kernel for SSE, which every machine has: that for AVX2 gave others too, four or so in a picture.
    """
    preferences = bpy.context.preferences
    preferences.view.show_developer_ui = True
    preferences.experimental.use_cycles_debug = True
    for name in ("debug_use_cpu_avx", "debug_use_cpu_avx2"):
        if hasattr(scene.cycles, name):
            setattr(scene.cycles, name, False)


def _corners(scene: Any, plan: Told) -> tuple[int, int]:
    """Let one ray go through each corner between pixels, and give how many there are across and down."""
    render, cycles = scene.render, scene.cycles
    wide, high = (max(plan[side] * plan["percent"] // 100, 1) for side in ("width", "height"))
    lens = scene.camera.data
    lens.sensor_width = lens.sensor_width * (wide + 1) / wide
    render.resolution_x, render.resolution_y, render.resolution_percentage = wide + 1, high + 1, 100
    render.image_settings.compression = 0
    cycles.samples, cycles.pixel_filter_type, cycles.filter_width = plan["samples"], "BOX", 0.01
    return wide + 1, high + 1


def _render(scene: Any, box: Box, wide: int, high: int) -> None:
    render = scene.render
    left, top, right, bottom = box
    render.use_border = render.use_crop_to_border = box != (0, 0, wide, high)
    # A quarter more, because Blender cuts what falls short of a whole number by a rounding error down to the one below.
    render.border_min_x, render.border_max_x = (left + 0.25) / wide, min((right + 0.25) / wide, 1.0)
    render.border_min_y, render.border_max_y = (high - bottom + 0.25) / high, min((high - top + 0.25) / high, 1.0)
    bpy.ops.render.render()


def _both(one: Box, other: Box) -> Box:
    """Give the box around two of them."""
    if one[2] <= one[0]:
        return other
    if other[2] <= other[0]:
        return one
    return min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])


def _moving(scene: Any, wide: int, high: int) -> Box:
    """Give the box around the figures and all that their shadows can fall on; the whole picture where it has none."""
    whole: Box = (0, 0, wide, high)
    down = -bpy.data.objects["Key light"].matrix_world.col[2].xyz
    seen = []
    for point in _outlines():
        if down.z > _FLAT:
            return whole
        shadow = point + down * max((_GROUND - point.z) / down.z, 0.0)
        for end in (point, shadow):
            x, y, depth = object_utils.world_to_camera_view(scene, scene.camera, end)
            if depth < _NEAR:
                return whole
            seen.append((x * wide, (1.0 - y) * high))
    if not seen:
        return 0, 0, 0, 0
    across, downwards = zip(*seen, strict=True)
    left, top = max(int(min(across)) - _ROUND, 0), max(int(min(downwards)) - _ROUND, 0)
    right, bottom = min(int(max(across)) + _ROUND + 1, wide), min(int(max(downwards)) + _ROUND + 1, high)
    return (left, top, right, bottom) if left < right and top < bottom else (0, 0, 0, 0)


def _outlines() -> Iterator[Any]:
    """Give the corners of the boxes in which parts of figures and their labels lie, in metres of the scene."""
    graph = bpy.context.evaluated_depsgraph_get()
    for thing in bpy.data.collections["Figures"].all_objects:
        if thing.type in ("MESH", "FONT"):
            evaluated = thing.evaluated_get(graph)
            box = [tuple(corner) for corner in evaluated.bound_box]
            ends = [(min(side), max(side)) for side in zip(*box, strict=True)]
            for corner in product(*ends):
                yield evaluated.matrix_world @ type(evaluated.location)(corner)
