"""How a picture looks: its colours by name and share, how bright, how contrasty, how colourful, how warm."""

from __future__ import annotations

from typing import Any

import numpy as np
from callboard.colour import to_lab
from callboard.media.bars import frame_bars
from callboard_schemas import Evidence, Scalar, Tag

from callboard_autotag.colours import count_names

Array = np.ndarray[Any, Any]

METHOD = "lab-statistics"
SIDE = 48
"""Pixels: pictures are thinned to about this many a side before they are measured."""
LEAST_SHARE = 0.12
"""A colour below this share of the picture is no dominant one."""
MOST_COLOURS = 4
_LEAST_SURE = 0.5
_LEAST_BAR = 0.04  # share of the side, each; less is a trimmed edge


_BARS = ("yellow", "green", "red", "blue", ("turquoise", "cyan", "teal"), ("magenta", "purple"))
_BAR_SHARES = (0.07, 0.25)  # an eighth to a seventh of the width each, plus what the picture was scaled by


class Look:
    """Adds up how frames look; give it some each second, not all."""

    def __init__(self) -> None:
        self._shares: dict[str, float] = {}
        self._rows: list[tuple[float, ...]] = []
        self._bars = 0
        self._mattes: list[tuple[float, float]] = []

    def add(self, pixels: Array) -> None:
        """Measure one frame: uint8, height x width x 3, RGB, any size."""
        small = thin(pixels)
        rows, columns = frame_bars(small)
        self._mattes.append((rows / small.shape[0], columns / small.shape[1]))
        small = small[rows : small.shape[0] - rows, columns : small.shape[1] - columns]
        self._bars += shows_bars(small)
        lab = to_lab(small.reshape(-1, 3))
        for name, share in count_names(lab).items():
            self._shares[name] = self._shares.get(name, 0.0) + share
        light, chroma = lab[:, 0], np.hypot(lab[:, 1], lab[:, 2])
        low, high = np.percentile(light, [5, 95])
        self._rows.append(
            (
                float(light.mean()),
                float(high - low),
                float(chroma.mean()),
                float(np.percentile(chroma, 98)),
                float(lab[:, 2].mean()),
                float(light.max()),
            )
        )

    def finish(self) -> tuple[list[Tag], dict[str, Scalar | list[str]]]:
        """Give the tags and the numbers behind them; nothing where no frame was seen."""
        if not self._rows:
            return [], {}
        light, contrast, chroma, most_chroma, warmth, peak = np.mean(self._rows, axis=0).tolist()
        shares = {name: share / len(self._rows) for name, share in self._shares.items()}
        facts: dict[str, Scalar | list[str]] = {
            "lightness": round(light, 1),
            "contrast": round(contrast, 1),
            "chroma": round(chroma, 1),
            "warmth": round(warmth, 1),
            "colours": [f"{name} {share:.0%}" for name, share in _largest(shares) if share >= 0.05],
        }
        if peak < 8:
            return [_tag("black picture", "brightness", 1.0, light)], facts
        if self._bars > len(self._rows) / 2:
            return [_tag("colour bars", "test pattern", 0.95, self._bars / len(self._rows))], facts
        tags = [_tag(name, "dominant", 0.5 + share, share) for name, share in _largest(shares) if share >= LEAST_SHARE]
        tags = tags[:MOST_COLOURS]
        tags += self._matted()
        if most_chroma < 6:
            tags.append(_tag("black and white", "saturation", _sure(6 - most_chroma, 6), chroma))
        else:
            tags += _scale("saturation", chroma, 10, "muted colours", 45, "vivid colours", 15)
            tags += _scale("temperature", warmth, -8, "cool colours", 12, "warm colours", 12)
        tags += _scale("brightness", light, 28, "dark", 72, "bright", 15)
        tags += _scale("contrast", contrast, 28, "low contrast", 82, "high contrast", 15)
        return tags, facts

    def _matted(self) -> list[Tag]:
        """Name black bars that are there in nearly every frame."""
        steady = np.percentile(self._mattes, 15, axis=0)
        names = ("letterbox", "pillarbox")
        return [
            _tag(name, "black bars", 0.85, share)
            for name, share in zip(names, steady.tolist(), strict=True)
            if share >= _LEAST_BAR
        ]


def thin(pixels: Array, side: int = SIDE) -> Array:
    """Take every n-th pixel, so that about *side* remain along the longer edge."""
    step = max(1, max(pixels.shape[:2]) // side)
    return pixels[step // 2 :: step, step // 2 :: step] if min(pixels.shape[:2]) > step else pixels[::1, ::step]


def shows_bars(pixels: Array) -> bool:
    """Say whether the upper half shows colour bars: even upright stripes, all six hues of a test signal among them."""
    top = pixels[: max(pixels.shape[0] // 2, 1)]
    if float(top.std(axis=0).mean()) > 6.0:
        return False
    shares = count_names(to_lab(top.reshape(-1, 3)))
    low, high = _BAR_SHARES
    hues = [sum(shares.get(name, 0.0) for name in ((hue,) if isinstance(hue, str) else hue)) for hue in _BARS]
    return all(low <= share <= high for share in hues)


def _largest(shares: dict[str, float]) -> list[tuple[str, float]]:
    return sorted(shares.items(), key=lambda item: -item[1])


def _scale(group: str, value: float, low: float, below: str, high: float, above: str, span: float) -> list[Tag]:
    """Name *value* where it is under *low* or over *high*; the score grows over *span* beyond the limit."""
    if value < low:
        return [_tag(below, group, _sure(low - value, span), value)]
    if value > high:
        return [_tag(above, group, _sure(value - high, span), value)]
    return []


def _sure(beyond: float, span: float) -> float:
    return _LEAST_SURE + 0.5 * min(max(beyond / span, 0.0), 1.0)


def _tag(label: str, group: str, score: float, value: float) -> Tag:
    return Tag(
        label=label,
        score=round(min(score, 1.0), 3),
        method=METHOD,
        group=("picture", "colour" if group == "dominant" else group),
        evidence=(Evidence(value=round(value, 3)),),
    )
