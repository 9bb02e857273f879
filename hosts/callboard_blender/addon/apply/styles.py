"""How our text strips look: a few presets, in parts of the picture's height, for Blender takes pixels."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from .. import versions


class Style(NamedTuple):
    """How a text strip looks."""

    about: str
    """For people."""
    size: float
    """Of the type, in parts of the shorter side of the picture."""
    box: bool = False
    outline: bool = False
    shadow: bool = False
    colour: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)


PRESETS: Final = {
    "box": Style("White on a dark box", 0.05, box=True),
    "outline": Style("White with outline and shadow", 0.05, outline=True, shadow=True),
    "large": Style("Half as large again, on a dark box", 0.075, box=True),
    "plain": Style("White with a shadow", 0.05, shadow=True),
    "yellow": Style("Yellow with outline and shadow", 0.05, outline=True, shadow=True, colour=(1.0, 0.9, 0.2, 1.0)),
}
DEFAULT: Final = "box"
_EDGE: Final = 0.05
"""How far from the picture's edge text keeps, in parts of its width and height."""
_ACROSS: Final = ("LEFT", "CENTER", "RIGHT")
_ALONG: Final = ("BOTTOM", "CENTER", "TOP")
_AT: Final = (_EDGE, 0.5, 1.0 - _EDGE)


def styled(command: dict[str, Any], style: str) -> dict[str, Any]:
    """Have a command's captions look like the preset *style*, where it does not say itself how they look."""
    arguments = command.get("arguments") or {}
    if not style or command.get("verb") != "subtitles.write" or arguments.get("style"):
        return command
    return {**command, "arguments": {**arguments, "style": style}}


def dress(scene: Any, strip: Any, preset: str, align: int, italic: bool) -> None:
    """Let a text strip look like one of ``PRESETS``, else the default, at the place of a number pad's key *align*."""
    style = PRESETS.get(preset, PRESETS[DEFAULT])
    side = min(scene.render.resolution_x, scene.render.resolution_y)
    strip.font_size = max(1.0, round(style.size * side))
    strip.color = style.colour
    strip.blend_type = "ALPHA_OVER"
    strip.use_italic = italic
    strip.use_shadow = style.shadow
    strip.use_box, strip.box_color, strip.box_margin = style.box, (0.0, 0.0, 0.0, 0.6), 0.01
    if hasattr(strip, "use_outline"):
        strip.use_outline = style.outline
    across, along = (align - 1) % 3, (align - 1) // 3 if 1 <= align <= 9 else 0
    versions.align_text(strip, _ACROSS[across], _ALONG[along])
    strip.location = (_AT[across], _AT[along])
    strip.wrap_width = 1.0 - 2 * _EDGE
