"""A mannequin's head: its shape by one formula, its face painted by rule; it is like nobody in particular.

Metres around the middle of a head of ``HEIGHT``, which looks along -Y with Z up. Proportions after Loomis, *Drawing the
Head and Hands*, 1956: eyes half way down, the nose's foot and the mouth at fixed shares from there to the chin.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

HEIGHT = 0.225
"""From the chin to the crown: an eighth of a person of 1.80 m."""
_WIDE, _DEEP, _HIGH = 0.076, 0.096, HEIGHT / 2
_ROUND, _TALL = 72, 56
_FACE = 320  # pixels of the painting's side
_SPAN = 0.26  # metres that it covers
_EYE = 0.0315  # from the middle to an eye's
Colour = tuple[float, float, float]


def _bump(x: float, z: float, at: tuple[float, float], size: tuple[float, float]) -> float:
    return math.exp(-(((x - at[0]) / size[0]) ** 2) - ((z - at[1]) / size[1]) ** 2)


def _out(x: float, z: float) -> float:
    """Give how far the face stands out from the skull, metres."""
    side = abs(x)
    out = -0.0095 * _bump(side, z, (_EYE, 0.001), (0.017, 0.012))
    out += 0.0035 * _bump(side, z, (_EYE, 0.021), (0.024, 0.008))
    out += 0.004 * _bump(side, z, (0.045, -0.026), (0.02, 0.018))
    out += 0.0065 * _bump(x, z, (0.0, -0.066), (0.023, 0.011))
    out -= 0.004 * _bump(x, z, (0.0, -0.0815), (0.018, 0.005))
    out += 0.009 * _bump(x, z, (0.0, -0.1), (0.024, 0.016))
    down = min(max((0.012 - z) / 0.052, 0.0), 1.0)  # along the nose, from its root to its tip
    if z > -0.04:
        out += 0.021 * down * math.exp(-((x / (0.0065 + 0.0055 * down)) ** 2))
    else:
        out += 0.021 * math.exp(-((x / 0.012) ** 2) - ((z + 0.04) / 0.0055) ** 2)
    out += 0.007 * _bump(side, z, (0.0115, -0.0425), (0.0055, 0.006))
    return out


def surface(around: float, up: float, grown: float = 0.0) -> tuple[float, float, float]:
    """Give a point of the head.

    Args:
        around: Radians from the face, positive to the left of who looks.
        up: Radians, from -pi/2 at the chin to pi/2 at the crown.
        grown: Metres by which the skull is larger, as hair is.
    """
    high, flat = math.sin(up), math.cos(up)
    z = (_HIGH + grown) * high
    jaw = 1.0 - 0.3 * max(-z - 0.02, 0.0) / 0.09
    x = (_WIDE + grown) * flat**0.82 * math.sin(around) * jaw
    y = -(_DEEP + grown) * flat**0.82 * math.cos(around)
    if y > 0:  # the back of the head ends above the neck
        y *= 1.0 - 0.35 * max(-high, 0.0)
    elif not grown:
        y = y * (0.93 + 0.07 * jaw) - _out(x, z) * min(-y / 0.03, 1.0)
    return x, y, z


def mesh(grown: float = 0.0) -> tuple[list[tuple[float, float, float]], list[tuple[int, ...]]]:
    """Give points and faces of the whole head, denser where the face is."""
    points = []
    for row in range(_TALL + 1):
        up = math.pi * (row / _TALL - 0.5)
        for column in range(_ROUND):
            turn = 2.0 * column / _ROUND - 1.0
            around = math.pi * (0.45 * turn + 0.55 * turn**3)
            points.append(surface(around, up * 0.9999, grown))
    faces: list[tuple[int, ...]] = []
    for row in range(_TALL):
        for column in range(_ROUND):
            this, following = row * _ROUND + column, row * _ROUND + (column + 1) % _ROUND
            faces.append((this, following, following + _ROUND, this + _ROUND))
    return points, faces


def hair(grown: float = 0.011) -> tuple[list[tuple[float, float, float]], list[tuple[int, ...]]]:
    """Give points and faces of the hair: thick over the skull, and under the skin where there is none."""
    points, faces = mesh()
    outer, _ = mesh(grown)
    haired: list[tuple[float, float, float]] = []
    for (x, y, z), (wide, deep, high) in zip(points, outer, strict=True):
        share = min(_hairiness(x, y, z) / 0.016, 1.0)
        if share > 0:
            share *= 2.0 - share
            haired.append((x + (wide - x) * share, y + (deep - y) * share, z + (high - z) * share))
        else:
            skull = 1.0 + max(share, -1.0) * 0.12
            haired.append((x * skull, max(y, deep) * skull, z * skull))  # never out where the nose is
    return haired, faces


def _hairiness(x: float, y: float, z: float) -> float:
    """Give how far a point of the skull is inside of the hair's edge, metres."""
    front = z - 0.07 + 0.7 * max(abs(x) - 0.04, 0.0)
    back = z + 0.06 - 0.5 * max(0.02 - y, 0.0)
    share: float = min(max((y + 0.03) / 0.035, 0.0), 1.0)  # from before the ears to behind them
    return front + (back - front) * share


def place_on_face(x: float, z: float) -> tuple[float, float]:
    """Give where on the painting a point of the head lies, 0 to 1, from the left and from below."""
    return 0.5 + x / _SPAN, 0.5 + z / _SPAN


class _Canvas:
    """A painting of the face, seen from the front."""

    def __init__(self, ground: Colour) -> None:
        self.pixels = [list(ground) for _ in range(_FACE * _FACE)]

    def lay(
        self,
        colour: Colour,
        at: tuple[float, float],
        size: tuple[float, float],
        much: float = 1.0,
        hard: float = 1.0,
        turn: float = 0.0,
        arch: float = 0.0,
    ) -> None:
        """Lay a patch: an ellipse round *at*, metres; the larger *hard*, the sharper its edge; *arch* bends it."""
        reach = 2.2 * max(size)
        first, last = (int((value / _SPAN + 0.5) * _FACE) for value in (at[1] - reach, at[1] + reach))
        left, right = (int((value / _SPAN + 0.5) * _FACE) for value in (at[0] - reach, at[0] + reach))
        cosine, sine = math.cos(turn), math.sin(turn)
        for row in range(max(first, 0), min(last + 1, _FACE)):
            for column in range(max(left, 0), min(right + 1, _FACE)):
                x = ((column + 0.5) / _FACE - 0.5) * _SPAN - at[0]
                z = ((row + 0.5) / _FACE - 0.5) * _SPAN - at[1]
                across, up = x * cosine + z * sine, z * cosine - x * sine
                up += arch * across * across
                far = (across / size[0]) ** 2 + (up / size[1]) ** 2
                if far < 5.0:
                    share = much * (math.exp(-far) if hard <= 1.0 else 1.0 / (1.0 + math.exp(4.0 * hard * (far - 1.0))))
                    pixel = self.pixels[row * _FACE + column]
                    for part in range(3):
                        pixel[part] += (colour[part] - pixel[part]) * share


def paint(skin: Colour, hair_colour: Colour) -> Iterator[float]:
    """Paint a face.

    Args:
        skin: Linear RGB.
        hair_colour: The same, for brows.

    Returns:
        R, G, B and A of each pixel of a square picture, from below, from the left.
    """
    dark: Colour = (skin[0] * 0.42, skin[1] * 0.3, skin[2] * 0.27)
    red: Colour = (skin[0] * 0.72, skin[1] * 0.36, skin[2] * 0.36)
    canvas = _Canvas(skin)
    for side in (-1.0, 1.0):
        canvas.lay(red, (side * 0.044, -0.032), (0.02, 0.016), 0.22)
        canvas.lay(dark, (side * _EYE, 0.004), (0.021, 0.0115), 0.5)
        canvas.lay(dark, (side * 0.0125, 0.006), (0.006, 0.014), 0.35)
        canvas.lay(dark, (side * 0.0145, -0.04), (0.004, 0.007), 0.35)
        canvas.lay(dark, (side * 0.032, -0.055), (0.004, 0.016), 0.22, turn=side * 0.5)
        canvas.lay(hair_colour, (side * 0.033, 0.0225), (0.0185, 0.0036), 0.95, 1.6, side * -0.06, 11.0)
        canvas.lay((0.62, 0.6, 0.57), (side * _EYE, -0.0005), (0.0142, 0.0058), 0.95, 2.5, arch=9.0)
        canvas.lay((0.07, 0.05, 0.035), (side * _EYE, 0.0), (0.0058, 0.0058), 1.0, 3.0)
        canvas.lay((0.005, 0.005, 0.005), (side * _EYE, 0.0), (0.003, 0.003), 1.0, 3.0)
        canvas.lay((0.9, 0.9, 0.9), (side * _EYE + 0.002, 0.002), (0.0011, 0.0011), 0.9, 3.0)
        canvas.lay((0.02, 0.012, 0.01), (side * _EYE, 0.006), (0.0165, 0.0019), 0.95, 1.8, arch=16.0)
        canvas.lay(dark, (side * _EYE, -0.0075), (0.0135, 0.0013), 0.5, 1.5, arch=-10.0)
        canvas.lay((0.03, 0.015, 0.012), (side * 0.0072, -0.0475), (0.0038, 0.0021), 0.85, 1.6)
    canvas.lay(dark, (0.0, -0.051), (0.017, 0.0035), 0.45)
    canvas.lay(red, (0.0, -0.0625), (0.0215, 0.0042), 0.85, 1.4, arch=5.0)
    canvas.lay(red, (0.0, -0.0705), (0.018, 0.005), 0.85, 1.4, arch=-6.0)
    canvas.lay((0.05, 0.015, 0.015), (0.0, -0.0658), (0.0225, 0.0013), 0.9, 1.6, arch=-2.0)
    canvas.lay(dark, (0.0, -0.0795), (0.015, 0.0035), 0.35)
    for pixel in canvas.pixels:
        yield from pixel
        yield 1.0


SIDE = _FACE
