"""How large a picture a model is asked for, and with how many steps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from callboard_placeholder.engine import Order

if TYPE_CHECKING:
    from callboard.packs import Pack

_MULTIPLE: Final = 8
"""Pixels by which sides grow: an autoencoder's eighth. A pack may say another."""
_SIZE: Final = 512
_STEPS: Final = 30
_GUIDANCE: Final = 7.5
_NARROWEST: Final = 4.0
"""Models make nothing sensible of a picture that is more than four times as wide as it is high."""


def drawn_size(order: Order, pack: Pack) -> tuple[int, int]:
    """Give width and height for the model: the frame's shape as it is shown, as many pixels as the model is used to."""
    side = int(order.parameters.get("diffusion_size") or 0) or _number(pack, "size", _SIZE)  # type: ignore[arg-type]  # a number, as the manifest says
    multiple = int(_number(pack, "multiple", _MULTIPLE))
    shape = float(order.width * order.pixel_aspect / order.height)
    shape = min(max(shape, 1 / _NARROWEST), _NARROWEST)
    width, height = side * math.sqrt(shape), side / math.sqrt(shape)
    return _near(width, multiple), _near(height, multiple)


def settings(order: Order, pack: Pack, *, begins: bool) -> dict[str, Any]:
    """Give steps, guidance and, where it starts from a picture, strength: the project's, else the pack's own."""
    steps = int(order.parameters.get("diffusion_steps") or 0) or int(_number(pack, "steps", _STEPS))  # type: ignore[arg-type]  # as above
    asked = float(order.parameters.get("diffusion_guidance", -1.0))  # type: ignore[arg-type]  # as above
    guidance = asked if asked >= 0 else float(_number(pack, "guidance", _GUIDANCE))
    if not begins:
        return {"steps": steps, "guidance": guidance}
    strength = float(order.parameters.get("diffusion_strength", 0.6))  # type: ignore[arg-type]  # as above
    return {"steps": max(steps, math.ceil(1 / strength)), "guidance": guidance, "strength": strength}


def _near(value: float, multiple: int) -> int:
    return max(round(value / multiple), 1) * multiple


def _number(pack: Pack, name: str, default: float) -> float:
    value = pack.options.get(name, default)
    return float(value) if isinstance(value, int | float) else default


__all__ = ["drawn_size", "settings"]
