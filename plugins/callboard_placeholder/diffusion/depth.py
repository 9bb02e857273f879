"""How far away what a previs shows is: its scene rendered once more, by Blender, as depth for a ControlNet."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from callboard.errors import JobError
from PIL import Image

from callboard_placeholder.engine import Array, Bench
from callboard_placeholder.previs.child import Child
from callboard_placeholder.previs.program import SCENE, find

_SCRIPT: Final = Path(__file__).with_name("depth_scene.py")
DEPTH: Final = "depth"
"""What ``options.condition`` of a pack says whose ControlNet takes depth as MiDaS gives it: near is white."""


def depth(scene: Path, width: int, height: int, bench: Bench) -> Array:
    """Render the first frame of a scene as inverse depth.

    Args:
        scene: A .blend with a camera.
        width: Pixels.
        height: Pixels.
        bench: Says whether the job goes on.

    Returns:
        height x width x 3, uint8: the nearest white, the farthest black.

    Raises:
        JobError: Blender cannot.
        Blocked: there is none.
    """
    picture = bench.folder / "depth.png"
    asked = {"scene": str(scene), "file": str(picture), "width": width, "height": height, "frame": 1}
    measured(_SCRIPT, asked, bench, "Blender measures depth")
    try:
        with Image.open(picture) as image:
            near = np.asarray(image).astype(np.float64)
    except OSError as error:
        raise JobError(f"Blender gave no depth: {error}", "Try another Blender: 3.4 to 5.0.") from None
    span = float(near.max() - near.min()) or 1.0
    grey = np.round((near - near.min()) / span * 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def measured(script: Path, asked: Mapping[str, object], bench: Bench, note: str) -> None:
    """Run a script inside Blender on a scene that is there.

    Args:
        script: Takes the path of an order.
        asked: The order.
        bench: Says whether the job goes on.
        note: What it is doing.

    Raises:
        JobError: Blender cannot.
        Blocked: there is none.
    """
    order = bench.folder / f"{script.stem}.json"
    order.write_bytes(msgspec.json.encode(asked))
    command = find(bench.context.parameters).command(order)
    child = Child(
        [str(script) if part == str(SCENE) else part for part in command],
        bench.folder,
        lambda: bench.progress(0.0, note),
    )
    while child.told() is not None:
        pass


__all__ = ["DEPTH", "depth", "measured"]
