"""Plain English names of colours, and what is meant by them."""

from __future__ import annotations

ANCHORS: tuple[tuple[str, tuple[int, int, int]], ...] = (
    ("black", (0, 0, 0)),
    ("black", (25, 25, 25)),
    ("dark grey", (66, 66, 66)),
    ("grey", (128, 128, 128)),
    ("light grey", (195, 195, 195)),
    ("white", (255, 255, 255)),
    ("red", (255, 0, 0)),
    ("red", (190, 25, 30)),
    ("dark red", (110, 15, 20)),
    ("orange", (255, 140, 0)),
    ("orange", (225, 105, 35)),
    ("brown", (120, 75, 35)),
    ("brown", (80, 50, 35)),
    ("brown", (160, 105, 70)),
    ("beige", (222, 200, 165)),
    ("beige", (195, 165, 135)),
    ("yellow", (255, 255, 0)),
    ("yellow", (235, 195, 40)),
    ("olive", (110, 110, 40)),
    ("green", (0, 255, 0)),
    ("green", (0, 140, 0)),
    ("green", (95, 170, 85)),
    ("light green", (165, 215, 150)),
    ("dark green", (20, 70, 35)),
    ("turquoise", (64, 205, 195)),
    ("cyan", (0, 255, 255)),
    ("teal", (0, 115, 115)),
    ("light blue", (160, 200, 235)),
    ("blue", (70, 130, 205)),
    ("blue", (0, 0, 255)),
    ("blue", (35, 65, 170)),
    ("dark blue", (15, 25, 85)),
    ("dark blue", (35, 50, 95)),
    ("purple", (125, 45, 160)),
    ("purple", (85, 50, 130)),
    ("lilac", (190, 170, 220)),
    ("magenta", (255, 0, 255)),
    ("magenta", (200, 20, 130)),
    ("pink", (255, 185, 200)),
    ("pink", (240, 125, 165)),
)
"""Name and sRGB of colours that everybody calls so; a pixel has the name of the nearest. Some names have several."""

COLOURS: dict[str, str] = {name: f"#{red:02x}{green:02x}{blue:02x}" for name, (red, green, blue) in ANCHORS}
"""One colour for each name, as messages write it: of several the last, which is the least glaring."""

__all__ = ["ANCHORS", "COLOURS"]
