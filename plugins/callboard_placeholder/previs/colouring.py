"""Colours: greys that lean to the palette of the brief or its neighbours, light by the time of day and the mood."""

from __future__ import annotations

from typing import Final

from callboard_schemas import Brief, TimeOfDay
from msgspec.structs import replace

from callboard_placeholder.previs.plan import Colour, Light
from callboard_placeholder.previs.wording import moods_of

_LEAN: Final = 0.55
"""How far greys lean to the palette: it is a grey-box scene still, but cuts beside its neighbours."""
_CLOTHES: Final[tuple[tuple[Colour, Colour], ...]] = (
    ((0.13, 0.17, 0.24), (0.07, 0.075, 0.09)),
    ((0.3, 0.27, 0.23), (0.1, 0.09, 0.08)),
    ((0.16, 0.2, 0.17), (0.09, 0.09, 0.1)),
    ((0.24, 0.15, 0.15), (0.06, 0.06, 0.07)),
)
_LIGHTS: Final[dict[TimeOfDay, Light]] = {
    "dawn": Light(
        sun=(1.0, 0.72, 0.52),
        strength=2.1,
        high=17.0,
        side=42.0,
        above=(0.34, 0.36, 0.44),
        below=(0.2, 0.18, 0.17),
        zenith=(0.24, 0.34, 0.52),
        horizon=(0.86, 0.6, 0.46),
    ),
    "day": Light(
        sun=(1.0, 0.97, 0.92),
        strength=2.3,
        high=46.0,
        side=38.0,
        above=(0.42, 0.46, 0.52),
        below=(0.2, 0.19, 0.18),
        zenith=(0.2, 0.38, 0.66),
        horizon=(0.66, 0.76, 0.86),
    ),
    "dusk": Light(
        sun=(1.0, 0.56, 0.34),
        strength=1.8,
        high=15.0,
        side=-44.0,
        above=(0.26, 0.24, 0.36),
        below=(0.13, 0.11, 0.13),
        zenith=(0.1, 0.12, 0.28),
        horizon=(0.75, 0.36, 0.22),
    ),
    "night": Light(
        sun=(0.58, 0.7, 1.0),
        strength=1.25,
        high=40.0,
        side=-36.0,
        above=(0.1, 0.13, 0.2),
        below=(0.05, 0.055, 0.075),
        zenith=(0.008, 0.012, 0.03),
        horizon=(0.03, 0.045, 0.085),
    ),
}
_INDOORS: Final[dict[TimeOfDay, tuple[Colour, float, Colour]]] = {  # the sun's colour and strength, and what is around
    "dawn": ((1.0, 0.8, 0.62), 1.5, (0.36, 0.34, 0.34)),
    "day": ((1.0, 0.97, 0.92), 1.6, (0.4, 0.4, 0.4)),
    "dusk": ((1.0, 0.68, 0.44), 1.4, (0.3, 0.26, 0.26)),
    "night": ((1.0, 0.74, 0.5), 1.3, (0.2, 0.16, 0.13)),
}


def linear(colour: str) -> Colour:
    """Give the linear RGB of an sRGB colour such as ``#1b2a3c`` (IEC 61966-2-1)."""
    parts = [int(colour[at : at + 2], 16) / 255.0 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return round(red, 5), round(green, 5), round(blue, 5)


def palette_of(brief: Brief) -> tuple[list[Colour], str]:
    """Give the colours to keep to, and whose they are: the brief's, else those of the nearest neighbours."""
    if brief.palette:
        return [linear(colour) for colour in brief.palette], "the brief"
    told = [neighbour.palette for neighbour in brief.neighbours if neighbour.palette]
    woven = [palette[at] for at in range(8) for palette in told if at < len(palette)]
    return [linear(colour) for colour in woven[:8]], "the neighbours" if woven else ""


def leaning(grey: Colour, brief: Brief, which: int, much: float = _LEAN) -> Colour:
    """Let a grey lean to one of the palette's colours, as light as it was."""
    palette, _ = palette_of(brief)
    if not palette:
        return grey
    to = palette[which % len(palette)]
    light, target = _luminance(grey), max(_luminance(to), 0.01)
    scale = min((light / target) ** 0.6, 4.0)
    red, green, blue = (min(a + (b * scale - a) * much, 0.9) for a, b in zip(grey, to, strict=True))
    return round(red, 5), round(green, 5), round(blue, 5)


def clothes(brief: Brief, index: int) -> tuple[Colour, Colour]:
    """Give the colours of what a figure wears, above and below."""
    top, bottom = _CLOTHES[index % len(_CLOTHES)]
    return leaning(top, brief, index + 1), leaning(bottom, brief, index + 2, 0.3)


def light_of(brief: Brief, *, indoors: bool) -> tuple[Light, list[str]]:
    """Give the light, and what was assumed."""
    time = brief.time_of_day
    notes = [] if time else ["nobody said the time of day: it is day"]
    light = _LIGHTS[time or "day"]
    if indoors:
        sun, strength, around = _INDOORS[time or "day"]
        down: Colour = (around[0] * 0.5, around[1] * 0.5, around[2] * 0.5)
        light = replace(light, sun=sun, strength=strength, high=38.0, above=around, below=down)
    for mood in moods_of(brief):
        light = _in_mood(light, mood)
    palette, _ = palette_of(brief)
    if palette and time != "night":
        light = replace(
            light, horizon=leaning(light.horizon, brief, 0, 0.35), zenith=leaning(light.zenith, brief, 0, 0.3)
        )
    return light, notes


def _in_mood(light: Light, mood: str) -> Light:
    if mood == "dark":
        return replace(
            light,
            strength=light.strength * 0.9,
            side=light.side * 1.35,
            above=_by(light.above, 0.6),
            below=_by(light.below, 0.6),
            zenith=_by(light.zenith, 0.7),
            horizon=_by(light.horizon, 0.7),
        )
    if mood == "bright":
        return replace(light, strength=light.strength * 1.1, above=_by(light.above, 1.2), below=_by(light.below, 1.2))
    tint: Colour = (1.08, 1.0, 0.88) if mood == "warm" else (0.9, 1.0, 1.1)
    return replace(
        light, sun=_tinted(light.sun, tint), above=_tinted(light.above, tint), horizon=_tinted(light.horizon, tint)
    )


def _by(colour: Colour, much: float) -> Colour:
    return colour[0] * much, colour[1] * much, colour[2] * much


def _tinted(colour: Colour, tint: Colour) -> Colour:
    return colour[0] * tint[0], colour[1] * tint[1], colour[2] * tint[2]


def _luminance(colour: Colour) -> float:
    return 0.2126 * colour[0] + 0.7152 * colour[1] + 0.0722 * colour[2]  # ITU-R BT.709


__all__ = ["clothes", "leaning", "light_of", "linear", "palette_of"]
