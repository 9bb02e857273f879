"""A stand-in figure: an armature of eight heads and the parts that hang on its bones, to be posed by hand later."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from . import head
from .inside import bpy, mathutils
from .shapes import Point, Shape, ball, limb, loft, mesh_of, placed
from .surfaces import Surfaces

Person = Mapping[str, Any]
STATURE = 1.8
_HEAD = STATURE - head.HEIGHT / 2  # metres above the ground, to the middle of the head
_SPINE: tuple[tuple[str, str, Point, Point], ...] = (
    ("hips", "", (0.0, 0.0, 0.95), (0.0, 0.0, 1.1)),
    ("spine", "hips", (0.0, 0.0, 1.1), (0.0, 0.0, 1.28)),
    ("chest", "spine", (0.0, 0.0, 1.28), (0.0, 0.0, 1.49)),
    ("neck", "chest", (0.0, 0.012, 1.49), (0.0, 0.012, 1.59)),
    ("head", "neck", (0.0, 0.012, 1.59), (0.0, 0.012, 1.8)),
)
_SIDE: tuple[tuple[str, str, Point, Point], ...] = (  # of the left; the right mirrors it
    ("upper_arm", "chest", (0.185, 0.0, 1.44), (0.222, 0.012, 1.14)),
    ("forearm", "upper_arm", (0.222, 0.012, 1.14), (0.238, -0.012, 0.885)),
    ("hand", "forearm", (0.238, -0.012, 0.885), (0.242, -0.024, 0.74)),
    ("thigh", "hips", (0.092, 0.0, 0.93), (0.098, -0.004, 0.5)),
    ("shin", "thigh", (0.098, -0.004, 0.5), (0.1, 0.014, 0.085)),
    ("foot", "shin", (0.1, 0.014, 0.085), (0.105, -0.12, 0.025)),
)


def bones() -> list[tuple[str, str, Point, Point]]:
    """Give every bone: its name, its parent's, where it begins and where it ends."""
    listed = list(_SPINE)
    for side, sign in (("L", 1.0), ("R", -1.0)):
        for name, parent, start, end in _SIDE:
            above = parent if parent in ("chest", "hips") else f"{parent}.{side}"
            ends = [(point[0] * sign, point[1], point[2]) for point in (start, end)]
            listed.append((f"{name}.{side}", above, ends[0], ends[1]))
    return listed


def _body() -> dict[str, tuple[str, str, Shape]]:
    """Give the parts: name to bone, what it wears, and shape."""
    mid = 0.0
    parts: dict[str, tuple[str, str, Shape]] = {
        "Pelvis": (
            "hips",
            "bottom",
            loft(
                [
                    ((mid, 0.0, 0.845), 0.07, 0.06),
                    ((mid, 0.0, 0.87), 0.128, 0.092),
                    ((mid, 0.0, 0.95), 0.16, 0.108),
                    ((mid, 0.0, 1.04), 0.146, 0.1),
                    ((mid, 0.0, 1.1), 0.13, 0.09),
                ]
            ),
        ),
        "Waist": (
            "spine",
            "top",
            loft(
                [
                    ((mid, 0.0, 1.03), 0.143, 0.1),
                    ((mid, 0.0, 1.12), 0.132, 0.094),
                    ((mid, 0.0, 1.22), 0.138, 0.1),
                    ((mid, 0.0, 1.31), 0.148, 0.104),
                ]
            ),
        ),
        "Chest": (
            "chest",
            "top",
            loft(
                [
                    ((mid, 0.0, 1.24), 0.138, 0.1),
                    ((mid, -0.004, 1.33), 0.16, 0.117),
                    ((mid, -0.002, 1.4), 0.174, 0.112),
                    ((mid, 0.002, 1.45), 0.172, 0.094),
                    ((mid, 0.006, 1.485), 0.14, 0.08),
                    ((mid, 0.01, 1.515), 0.096, 0.07),
                    ((mid, 0.012, 1.54), 0.064, 0.062),
                    ((mid, 0.012, 1.55), 0.05, 0.05),
                ]
            ),
        ),
        "Neck": (
            "neck",
            "skin",
            loft(
                [
                    ((mid, 0.014, 1.48), 0.064, 0.062),
                    ((mid, 0.012, 1.53), 0.053, 0.055),
                    ((mid, 0.008, 1.6), 0.052, 0.056),
                    ((mid, 0.006, 1.66), 0.05, 0.055),
                ]
            ),
        ),
        "Head": ("head", "face", _raised(head.mesh())),
        "Hair": ("head", "hair", _raised(head.hair())),
    }
    for side, sign in (("L", 1.0), ("R", -1.0)):
        for name, (bone, worn, shape) in _limbs().items():
            points = [(x * sign, y, z) for x, y, z in shape[0]]
            faces = shape[1] if sign > 0 else [tuple(reversed(face)) for face in shape[1]]
            parts[f"{name} {side}"] = (bone if bone == "head" else f"{bone}.{side}", worn, (points, faces))
    return parts


def _limbs() -> dict[str, tuple[str, str, Shape]]:
    """Give the parts of the left side."""
    ends = {name: (end, start) for name, _, start, end in _SIDE}
    return {
        "Upper arm": ("upper_arm", "top", limb(*ends["upper_arm"], 0.042, 0.056)),
        "Forearm": ("forearm", "top", limb(*ends["forearm"], 0.031, 0.042)),
        "Hand": ("hand", "skin", ball((0.241, -0.02, 0.82), (0.022, 0.042, 0.085))),
        "Thigh": ("thigh", "bottom", limb(*ends["thigh"], 0.06, 0.087)),
        "Shin": ("shin", "bottom", limb(*ends["shin"], 0.042, 0.06)),
        "Foot": ("foot", "shoe", ball((0.103, -0.055, 0.043), (0.046, 0.135, 0.046))),
        "Ear": ("head", "skin", ball((0.077, 0.012, _HEAD - 0.012), (0.011, 0.019, 0.033))),
    }


def _raised(shape: Shape) -> Shape:
    return [(x, y, z + _HEAD) for x, y, z in shape[0]], shape[1]


class Figures:
    """Makes figures; meshes are shared by all of them."""

    def __init__(self, surfaces: Surfaces, collection: Any) -> None:
        self._surfaces, self._collection = surfaces, collection
        self._parts = [(name, bone, worn, self._mesh(name, shape)) for name, (bone, worn, shape) in _body().items()]

    def _mesh(self, name: str, shape: Shape) -> Any:
        mesh = mesh_of(name, shape, smooth=True)
        if name == "Head":
            layer = mesh.uv_layers.new(name="Face")
            for loop in mesh.loops:
                x, _, z = shape[0][loop.vertex_index]
                layer.data[loop.index].uv = head.place_on_face(x, z - _HEAD)
        return mesh

    def stand(self, person: Person) -> Any:
        """Put up one figure and give its armature, standing, its bones turned by no angle."""
        name = person["name"]
        rig = bpy.data.objects.new(name, bpy.data.armatures.new(name))
        own = bpy.data.collections.new(name)
        self._collection.children.link(own)
        own.objects.link(rig)
        _grow(rig)
        for part, bone, worn, mesh in self._parts:
            thing = placed(f"{name} {part}", mesh, self._worn(person, worn), own)
            thing.parent, thing.parent_type, thing.parent_bone = rig, "BONE", bone
            rest = rig.data.bones[bone]
            # What hangs on a bone counts from its tail; meshes count from between the feet.
            thing.matrix_parent_inverse = (rest.matrix_local @ _along(rest.length)).inverted()
        scale = person["height"] / STATURE
        rig.scale = (scale, scale, scale)
        rig.location = (*person["at"], 0.0)
        rig.rotation_euler = (0.0, 0.0, math.radians(person["turn"]))
        rig.show_in_front = True
        return rig

    def _worn(self, person: Person, worn: str) -> Any:
        if worn == "face":
            return self._surfaces.face(person["skin"], person["hair"])
        colour = (0.035, 0.033, 0.035) if worn == "shoe" else person[worn]
        return self._surfaces.plain(worn.capitalize(), colour)


def _along(length: float) -> Any:
    return mathutils.Matrix.Translation((0.0, length, 0.0))


def _grow(rig: Any) -> None:
    """Give an armature its bones, which can be made in edit mode alone."""
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    made: dict[str, Any] = {}
    for name, parent, start, end in bones():
        bone = rig.data.edit_bones.new(name)
        bone.head, bone.tail, bone.roll = start, end, 0.0
        bone.parent = made.get(parent)
        made[name] = bone
    bpy.ops.object.mode_set(mode="OBJECT")
    for pose in rig.pose.bones:
        pose.rotation_mode = "XYZ"
