"""Runs inside Blender: tells where the joints of a scene's figures are in the camera's picture, and which it sees.

Eighteen for each figure, in the order of OpenPose: nose, neck; shoulder, elbow and wrist of the right, of the left;
hip, knee and ankle of the right, of the left; right eye, left eye, right ear, left ear. Right and left are its own.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_ARM, _LEG = ("upper_arm", "forearm", "hand"), ("thigh", "shin", "foot")
"""Bones that begin at the shoulder, elbow, wrist, and at the hip, knee, ankle."""
_NOSE, _EYES = (0.0, -0.04), ((-0.0315, 0.0), (0.0315, 0.0))
"""Metres to the left of a head and up from its middle; the right eye first."""
_SKIN = 0.03  # metres that a point of the face may be under what is seen of it, as an ear's middle is
_FLESH = 0.3  # metres that a joint may be inside of a body, or of what it sits on
_STEP = 0.002  # metres behind what hides nothing, where to look on
Told = Mapping[str, Any]
Seen = list[tuple[float, float] | None]


def main(path: str) -> None:
    """Write what the order in the file *path* asks for: for each of its frames the figures, the farthest first.

    A joint is x and y, 0 to 1 from the left and from above, or nothing where the picture does not show it.
    """
    bpy: Any = importlib.import_module("bpy")  # Blender's own, and of no use outside
    order: Told = json.loads(Path(path).read_text("utf-8"))
    bpy.ops.wm.open_mainfile(filepath=order["scene"])
    scene, found = bpy.context.scene, []
    for frame in order["frames"]:
        scene.frame_set(frame)
        found.append(figures(scene, bpy.context.evaluated_depsgraph_get(), order["width"], order["height"]))
    Path(order["file"]).write_text(json.dumps(found), "utf-8")


def figures(scene: Any, graph: Any, width: int, height: int) -> list[Seen]:
    """Give the figures as the scene stands, in a picture of *width* and *height* square pixels."""
    view = _View(scene, graph, width, height)
    far: list[tuple[float, Seen]] = []
    for rig in scene.objects:
        if rig.type != "ARMATURE" or "thigh.L" not in rig.pose.bones:
            continue
        body, face = list(_body(rig.evaluated_get(graph))), list(_face(rig, graph))
        if len(face) < 5:
            continue  # somebody took its head away
        seen = [view.place(point, _FLESH, through=rig) for point in body]
        nose, *others = [view.place(point, _SKIN) for point in face]
        far.append((view.away(body[0]), [nose, *seen, *others]))
    return [seen for _, seen in sorted(far, key=lambda one: -one[0])]


def _body(rig: Any) -> Iterator[Any]:
    """Give neck, arms and legs in the world."""

    def begins(bone: str) -> Any:
        return rig.matrix_world @ rig.pose.bones[bone].head

    yield (begins("upper_arm.R") + begins("upper_arm.L")) / 2
    for limb in (_ARM, _LEG):
        for side in ("R", "L"):
            yield from (begins(f"{bone}.{side}") for bone in limb)


def _face(rig: Any, graph: Any) -> Iterator[Any]:
    """Give nose, eyes and ears in the world, from the meshes that hang on the head."""
    parts = {part.data.name: part for part in rig.children if part.type == "MESH"}
    head = parts.get("Head")
    if head is not None:
        front = [vertex.co for vertex in head.data.vertices if vertex.co.y < 0]
        heights = [vertex.co.z for vertex in head.data.vertices]
        middle = (min(heights) + max(heights)) / 2
        world = head.evaluated_get(graph).matrix_world
        for x, z in (_NOSE, *_EYES):
            yield world @ min(front, key=lambda at: (at.x - x) ** 2 + (at.z - middle - z) ** 2)
    for ear in filter(None, map(parts.get, ("Ear R", "Ear L"))):
        points = [vertex.co for vertex in ear.data.vertices]
        yield ear.evaluated_get(graph).matrix_world @ (sum(points[1:], points[0].copy()) / len(points))


class _View:
    """What the camera sees."""

    def __init__(self, scene: Any, graph: Any, width: int, height: int) -> None:
        self._scene, self._graph = scene, graph
        camera = scene.camera.evaluated_get(graph)
        self._eye = camera.matrix_world.translation
        lens = camera.calc_matrix_camera(graph, x=width, y=height, scale_x=1.0, scale_y=1.0)
        self._onto = lens @ camera.matrix_world.inverted()

    def away(self, point: Any) -> float:
        """Give how far a point is from the camera, metres."""
        return float((point - self._eye).length)

    def place(self, point: Any, deep: float, through: Any = None) -> tuple[float, float] | None:
        """Give where a point is in the picture; nothing where it is beside it, or behind something.

        Args:
            point: In the world.
            deep: Metres that it may be inside of what is seen before it.
            through: A figure that hides nothing of itself.
        """
        x, y, _, w = self._onto @ point.to_4d()
        if w <= 0:
            return None
        across, down = (x / w + 1) / 2, (1 - y / w) / 2
        if not (0 <= across <= 1 and 0 <= down <= 1) or self._hidden(point, deep, through):
            return None
        return float(across), float(down)

    def _hidden(self, point: Any, deep: float, through: Any) -> bool:
        way = (point - self._eye).normalized()
        start, left = self._eye, self.away(point) - deep
        while left > 0:
            hit, at, _, _, thing, _ = self._scene.ray_cast(self._graph, start, way, distance=left)
            if not hit:
                return False
            if thing.type == "MESH" and (through is None or thing.original.parent != through):
                return True
            start = at + way * _STEP
            left = self.away(point) - deep - self.away(start)
        return False


if __name__ == "__main__":
    main(sys.argv[sys.argv.index("--") + 1])
