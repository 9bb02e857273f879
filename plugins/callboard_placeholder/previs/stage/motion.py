"""Keys: breath, looks, steps and seats of figures, and the camera's way. All of it stays to be changed by hand."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from .inside import bpy

Told = Mapping[str, Any]
_GAP = 0.75  # seconds from one key of a figure that stands to the next: half a breath at rest
_MOST_KEYS = 60
_STEP = 0.52  # seconds of one step of an easy walk
_SPEED = 1.25  # metres a second at which a stride is as long as drawn here


def keyed_as(kind: str) -> None:
    """Choose how new keys join: ``BEZIER`` eases, ``LINEAR`` does not."""
    bpy.context.preferences.edit.keyframe_new_interpolation_type = kind


def curves_of(owner: Any) -> Sequence[Any]:
    """Give the curves of an object that was keyed, from Blender 3.4 to 5."""
    data = owner.animation_data
    if hasattr(data.action, "fcurves"):
        return list(data.action.fcurves)
    return [curve for strip in data.action.layers[0].strips for curve in strip.channelbag(data.action_slot).fcurves]


def camera(told: Told, plan: Told, collection: Any) -> Any:
    """Put up the camera with its keys, and give it."""
    lens = bpy.data.cameras.new("Camera")
    eye = bpy.data.objects.new("Camera", lens)
    collection.objects.link(eye)
    lens.sensor_fit, lens.sensor_width, lens.clip_end = "HORIZONTAL", told["sensor"], 2000.0
    lens.dof.focus_distance, lens.dof.aperture_fstop = told["focus"], 4.0
    keyed_as("LINEAR" if told["linear"] else "BEZIER")
    keys = told["keys"]
    for key in keys:
        eye.location = key["at"]
        eye.rotation_euler = [math.radians(value) for value in key["turn"]]
        lens.lens = key["lens"]
        eye.keyframe_insert("location", frame=key["frame"])
        eye.keyframe_insert("rotation_euler", frame=key["frame"])
        lens.keyframe_insert("lens", frame=key["frame"])
    if told["shake"]:
        _shake(eye, told["shake"], plan)
    return eye


def _shake(eye: Any, much: float, plan: Told) -> None:
    """Let a hand hold it, beside its way: as keys of their own that can be taken away."""
    chance = Random(plan["seed"] + 101)  # noqa: S311 - moves a camera, and must give the same again
    gap = max(round(_fps(plan) / 4.0), 1)
    keyed_as("BEZIER")
    for frame in range(1, plan["frames"] + gap, gap):
        turn = [math.radians(chance.uniform(-much, much)) for _ in range(3)]
        eye.delta_rotation_euler = (turn[0], turn[1] * 0.4, turn[2])
        eye.delta_location = [chance.uniform(-0.006, 0.006) for _ in range(3)]
        eye.keyframe_insert("delta_rotation_euler", frame=frame)
        eye.keyframe_insert("delta_location", frame=frame)


def _fps(plan: Told) -> float:
    return float(plan["rate"][0]) / float(plan["rate"][1])


def act(rig: Any, person: Told, plan: Told, index: int) -> None:
    """Give a figure its pose and its life."""
    chance = Random(plan["seed"] * 1009 + index)  # noqa: S311 - as above
    keyed_as("BEZIER")
    if person["pose"] == "sitting":
        _sit(rig, person)
    _live(rig, person, plan, chance)
    if person["pose"] == "walking":
        _walk(rig, person, plan)


def _turned(rig: Any, bone: str, frame: float, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> None:
    """Key a bone; degrees about its own axes. X nods forward above the hips, and swings back below and in the arms."""
    pose = rig.pose.bones[bone]
    pose.rotation_euler = (math.radians(x), math.radians(y), math.radians(z))
    pose.keyframe_insert("rotation_euler", frame=frame)


def _sit(rig: Any, person: Told) -> None:
    hips = rig.pose.bones["hips"]
    hips.location = (0.0, -person["sunk"] * 1.8 / person["height"], 0.0)
    hips.keyframe_insert("location", frame=1)
    for side, out in (("L", 1.0), ("R", -1.0)):
        _turned(rig, f"thigh.{side}", 1, -86.0, 0.0, 5.0 * out)
        _turned(rig, f"shin.{side}", 1, 84.0)
        _turned(rig, f"forearm.{side}", 1, -62.0, 0.0, -8.0 * out)


def _live(rig: Any, person: Told, plan: Told, chance: Random) -> None:
    """Let it breathe, look about a little, and shift its weight."""
    fps, lively = _fps(plan), person["lively"]
    gap = max(_GAP * fps, plan["frames"] / _MOST_KEYS, 1.0)
    yaw, nod = person["head"]
    arms = {"sitting": -22.0}.get(person["pose"], -2.0)
    count = math.ceil(plan["frames"] / gap) + 2
    for key in range(count):
        frame = round(1 + (key - person["phase"]) * gap)
        breath = 1.0 if key % 2 else -1.0
        _turned(rig, "chest", frame, 0.9 * breath + chance.uniform(-0.3, 0.3), chance.uniform(-1.2, 1.2) * lively)
        turn = chance.uniform(-2.6, 2.6) * lively
        _turned(
            rig,
            "head",
            frame,
            nod * 0.6 + chance.uniform(-1.6, 1.6) * lively,
            yaw * 0.7 + turn,
            chance.uniform(-1.5, 1.5),
        )
        _turned(rig, "neck", frame, nod * 0.4 - 0.5 * breath, yaw * 0.3)
        if person["pose"] != "walking":
            for side in ("L", "R"):
                _turned(rig, f"upper_arm.{side}", frame, arms - 0.8 * breath + chance.uniform(-1.5, 1.5) * lively)
            _turned(
                rig, "spine", frame, chance.uniform(-0.7, 0.7), chance.uniform(-0.8, 0.8), chance.uniform(-0.6, 0.6)
            )


def _walk(rig: Any, person: Told, plan: Told) -> None:
    """Let it go its way at even speed; one pair of steps is keyed and goes round."""
    fps, (x, y) = _fps(plan), person["at"]
    seconds = plan["frames"] / fps
    stride = min(math.hypot(*person["walk"]) / max(seconds, 0.1) / _SPEED, 1.2)
    first = 1.0 - 2.0 * _STEP * fps * (1.0 + person["phase"])
    for quarter in range(9):
        turn = math.pi * quarter / 4.0
        frame = first + quarter * _STEP * fps / 4.0
        for side, half in (("L", 0.0), ("R", math.pi)):
            swing = math.sin(turn + half)
            lift = max(math.cos(turn + half), 0.0)
            _turned(rig, f"thigh.{side}", frame, -stride * (25.0 * swing + 8.0 * lift))
            _turned(rig, f"shin.{side}", frame, stride * (8.0 + 40.0 * lift))
            _turned(rig, f"upper_arm.{side}", frame, stride * 20.0 * swing)
            _turned(rig, f"forearm.{side}", frame, -12.0 * stride - 8.0)
        hips = rig.pose.bones["hips"]
        hips.location = (0.0, -stride * 0.022 * math.sin(turn) ** 2, 0.0)
        hips.keyframe_insert("location", frame=frame)
    for curve in curves_of(rig):
        if any(part in curve.data_path for part in ("thigh", "shin", "arm", "hips")):
            curve.modifiers.new("CYCLES")
    keyed_as("LINEAR")
    for share in (-0.5, 0.5):
        rig.location = (x + share * person["walk"][0], y + share * person["walk"][1], 0.0)
        rig.keyframe_insert("location", frame=1 if share < 0 else max(plan["frames"], 2))
