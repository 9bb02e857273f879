"""Meshes by rule: limbs, bodies, boxes. Points in metres, faces as places in the list of points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .inside import bpy

Point = tuple[float, float, float]
Shape = tuple[list[Point], list[tuple[int, ...]]]
Section = tuple[Point, float, float]
_AROUND = 20
_CAP = 4  # rings of a rounded end


def loft(sections: Sequence[Section], around: int = _AROUND) -> Shape:
    """Give a body round a stack of ellipses, closed at both ends.

    Args:
        sections: From the lower end to the upper: the middle, and the half axes along X and Y.
        around: Corners of each.
    """
    points: list[Point] = []
    for (x, y, z), wide, deep in sections:
        turns = [2.0 * math.pi * step / around for step in range(around)]
        points += [(x + wide * math.cos(turn), y + deep * math.sin(turn), z) for turn in turns]
    faces: list[tuple[int, ...]] = []
    for row in range(len(sections) - 1):
        for step in range(around):
            this, following = row * around + step, row * around + (step + 1) % around
            faces.append((this, following, following + around, this + around))
    faces.append(tuple(reversed(range(around))))
    faces.append(tuple(range(len(points) - around, len(points))))
    return points, faces


def limb(lower: Point, upper: Point, thin: float, thick: float) -> Shape:
    """Give a limb with rounded ends: *thin* is its radius at the lower end, *thick* at the upper."""
    sections: list[Section] = []
    for step in range(_CAP):
        turn = math.pi / 2 * (step + 0.25) / _CAP
        sections.append(
            ((lower[0], lower[1], lower[2] - thin * math.cos(turn)), thin * math.sin(turn), thin * math.sin(turn))
        )
    for share in (0.0, 0.35, 0.7, 1.0):
        middle = tuple(a + (b - a) * share for a, b in zip(lower, upper, strict=True))
        radius = thin + (thick - thin) * share + 0.06 * thick * math.sin(math.pi * share)
        sections.append(((middle[0], middle[1], middle[2]), radius, radius))
    for step in reversed(range(_CAP)):
        turn = math.pi / 2 * (step + 0.25) / _CAP
        sections.append(
            ((upper[0], upper[1], upper[2] + thick * math.cos(turn)), thick * math.sin(turn), thick * math.sin(turn))
        )
    return loft(sections)


def ball(middle: Point, half: Point, around: int = _AROUND, rings: int = 12) -> Shape:
    """Give an ellipsoid with half axes *half*."""
    sections: list[Section] = []
    for ring in range(rings + 1):
        turn = math.pi * (ring + 0.001) / (rings + 0.002)
        at = (middle[0], middle[1], middle[2] - half[2] * math.cos(turn))
        sections.append((at, half[0] * math.sin(turn), half[1] * math.sin(turn)))
    return loft(sections, around)


def box() -> Shape:
    """Give a box of one metre about the origin."""
    points = [(x, y, z) for z in (-0.5, 0.5) for y in (-0.5, 0.5) for x in (-0.5, 0.5)]
    return points, [(0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5)]


def simple(kind: str) -> Shape:
    """Give a shape of a set, a metre in each direction about the origin: box, cylinder, cone or sphere."""
    if kind == "cylinder":
        return loft([((0.0, 0.0, -0.5), 0.5, 0.5), ((0.0, 0.0, 0.5), 0.5, 0.5)])
    if kind == "cone":
        return loft([((0.0, 0.0, -0.5), 0.5, 0.5), ((0.0, 0.0, 0.5), 0.01, 0.01)])
    if kind == "sphere":
        return ball((0.0, 0.0, 0.0), (0.5, 0.5, 0.5), 32, 16)
    return box()


def mesh_of(name: str, shape: Shape, *, smooth: bool) -> Any:
    """Make a mesh with one place for a material."""
    points, faces = shape
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(points, [], faces)
    mesh.polygons.foreach_set("use_smooth", [smooth and len(face) <= 4 for face in faces])
    mesh.materials.append(None)
    mesh.update()
    return mesh


def placed(name: str, mesh: Any, material: Any, collection: Any) -> Any:
    """Put an object of *mesh* into a collection, with a material of its own."""
    thing = bpy.data.objects.new(name, mesh)
    thing.material_slots[0].link = "OBJECT"
    thing.material_slots[0].material = material
    collection.objects.link(thing)
    return thing
