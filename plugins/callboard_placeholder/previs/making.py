"""Makes a version: the plan goes to Blender, pictures come back one by one, the scene stays for an animator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
from callboard.errors import JobError

from callboard_placeholder.engine import Array, Bench, Made, Order
from callboard_placeholder.previs.canvas import Canvas
from callboard_placeholder.previs.child import Child
from callboard_placeholder.previs.plan import Plan
from callboard_placeholder.previs.planning import plan_of
from callboard_placeholder.previs.program import find

SCENE_NAME: Final = "scene.blend"
_SIDE: Final = 960  # pixels: a quarter of HD, in which a face 20 pixels high can still be told


def make(order: Order, bench: Bench) -> Made:
    """Do what ``previs`` says."""
    plan = planned(order)
    child, version, turns = _start(plan, range(1, order.frames + 1, plan.step), bench)
    return Made(
        pictures=_pictures(child, turns, plan, order),
        seed=order.seed,
        models={"Blender": version},
        parameters={
            "samples": plan.samples,
            "step": plan.step,
            "percent": plan.percent,
            "lens": plan.camera.keys[0].lens,
            "sensor": plan.camera.sensor,
            "people": len(plan.people),
            "size": plan.size,
        },
        scene=bench.folder / SCENE_NAME,
        notes=plan.notes,
    )


def stills(order: Order, bench: Bench, frames: Sequence[int]) -> list[Array]:
    """Render single frames of what ``previs`` makes.

    Args:
        order: What to make.
        bench: As an engine has it.
        frames: Numbers from 1, in order.

    Returns:
        A picture for each, height x width x 3, uint8.

    Raises:
        JobError: Blender cannot make this scene.
        Blocked: there is no Blender on this machine.
    """
    plan = planned(order)
    child, _, _ = _start(plan, frames, bench)
    canvas = Canvas(plan)
    try:
        return [canvas.laid(_expect(child, "file", "at")) for _ in frames]
    finally:
        child.close()


def planned(order: Order) -> Plan:
    """Give the plan for an order, by its parameters."""
    asked = order.parameters
    return plan_of(order, _whole(asked.get("previs_side"), _SIDE), labels=asked.get("previs_labels") is True)


def _start(plan: Plan, frames: Sequence[int], bench: Bench) -> tuple[Child, str, _Turns]:
    """Start Blender, and wait until the scene is built and saved; give it, its version, and who says how far."""
    program = find(bench.context.parameters)
    order = bench.folder / "order.json"
    told = {"plan": plan, "scene": str(bench.folder / SCENE_NAME), "folder": str(bench.folder), "render": list(frames)}
    order.write_bytes(msgspec.json.encode(told))
    turns = _Turns(bench)
    child = Child(program.command(order), bench.folder, turns)
    version = str(_expect(child, "version")["version"])
    _expect(child, "saved")
    return child, version, turns


class _Turns:
    """Says how far a version is while Blender is waited for, which is also where a cancelled job ends."""

    def __init__(self, bench: Bench) -> None:
        self._bench, self.share = bench, 0.0

    def __call__(self) -> None:
        self._bench.progress(self.share, "" if self.share else "Blender builds the scene")


def _whole(value: object, default: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def _expect(child: Child, *what: str) -> Mapping[str, Any]:
    told = child.told()
    if told is None or not set(what) <= set(told):
        child.close()
        raise JobError(f"Blender ended before its {what[0]} was told", "Try another Blender: 3.4 to 5.0.")
    return told


def _pictures(child: Child, turns: _Turns, plan: Plan, order: Order) -> Iterator[Array]:
    """Give every picture, each rendered one as long as it stands."""
    given, canvas = 0, Canvas(plan)
    try:
        while given < order.frames:
            told = child.told()
            if told is None or told.get("frame") != given + 1:
                raise JobError(f"Blender ended at frame {given} of {order.frames}", "Try again, or another Blender.")
            picture = canvas.laid(told)
            for _ in range(min(plan.step, order.frames - given)):
                yield picture
                given += 1
                turns.share = given / order.frames
    finally:
        child.close()


__all__ = ["SCENE_NAME", "make", "planned", "stills"]
