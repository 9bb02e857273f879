"""How the figures of a previs stand: their joints, which are known, as a picture of skeletons for a ControlNet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
from callboard.errors import JobError
from callboard.known_types import know

from callboard_placeholder.diffusion.depth import measured
from callboard_placeholder.diffusion.skeleton import Joint
from callboard_placeholder.engine import Bench
from callboard_placeholder.previs import stage

_SCRIPT: Final = Path(stage.__file__).with_name("joints.py")
POSE: Final = "pose"
"""What ``options.condition`` of a pack says whose ControlNet takes skeletons as OpenPose draws them."""


def poses(scene: Path, width: int, height: int, bench: Bench, frames: Sequence[int] = (1,)) -> list[list[list[Joint]]]:
    """Tell where the joints of a scene's figures are in the picture.

    Args:
        scene: A .blend with a camera, as previs makes it.
        width: Pixels.
        height: Pixels.
        bench: Says whether the job goes on.
        frames: Numbers from 1.

    Returns:
        For each frame the figures, the farthest first, each with the joints of ``skeleton``.

    Raises:
        JobError: Blender cannot.
        Blocked: there is none.
    """
    told = bench.folder / "poses.json"
    asked = {"scene": str(scene), "file": str(told), "width": width, "height": height, "frames": list(frames)}
    measured(_SCRIPT, asked, bench, "Blender measures poses")
    try:
        return msgspec.json.decode(told.read_bytes(), type=list[list[list[Joint]]])
    except (OSError, msgspec.MsgspecError) as error:
        raise JobError(f"Blender gave no poses: {error}", "Try another Blender: 3.4 to 5.0.") from None


know(list[list[list[Joint]]])

__all__ = ["POSE", "poses"]
