"""Slates and small lines of text that are rendered, and how much of them is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from callboard_autotag.reader import Reader
from callboard_autotag.slate import read_slate
from callboard_autotag.truth.cuts import photograph

if TYPE_CHECKING:
    from callboard.context import Runtime

Array = np.ndarray[Any, Any]

LEAST = 0.8  # mean chance of its characters below which the tagger does not believe a line
SMALL = (0.016, 0.02, 0.03, 0.05)
"""Heights of capitals as shares of the picture's height: from small print to a lower third."""
_PHOTOS = ("astronaut", "coffee", "rocket", "chelsea")
_TEXTS = ("Harbour Street", "PLATFORM 12", "Dr. Marion Keller", "Lighthouse Road")


class Slate(NamedTuple):
    """What is written on a slate, and how it is shown."""

    scene: str
    take: str
    roll: str
    boxed: bool
    """Words above their values, as on a board; else in one line each."""
    dark: bool
    turn: float
    """Degrees that it is held askew."""


def slates(count: int = 12, seed: int = 3) -> list[Slate]:
    """Make slates of every kind."""
    random = np.random.default_rng(seed)
    made = []
    for number in range(count):
        scene = f"{random.integers(1, 200)}{random.choice(['', 'A', 'B', 'C'])}"
        roll = f"{random.choice(['A', 'B'])}{random.integers(1, 1000):03d}"
        turn = float(random.uniform(-4, 4))
        made.append(Slate(scene, str(random.integers(1, 30)), roll, number % 2 == 0, number % 3 == 0, turn))
    return made


def render(slate: Slate, seed: int = 0) -> Array:
    """Draw a slate: uint8, 720 x 1280 x 3, RGB, with grain."""
    paper, ink = ((25, 25, 28), (235, 235, 230)) if slate.dark else ((238, 236, 228), (20, 20, 25))
    picture = np.full((720, 1280, 3), (90, 100, 95), np.uint8)
    cv2.rectangle(picture, (180, 90), (1100, 630), paper, -1)
    fields = (("SCENE", slate.scene), ("TAKE", slate.take), ("ROLL", slate.roll))
    for place, (word, value) in enumerate(fields):
        if slate.boxed:
            left = 230 + 300 * place
            cv2.putText(picture, word, (left, 230), cv2.FONT_HERSHEY_SIMPLEX, 1.5, ink, 3, cv2.LINE_AA)
            cv2.putText(picture, value, (left, 360), cv2.FONT_HERSHEY_SIMPLEX, 2.4, ink, 5, cv2.LINE_AA)
        else:
            at = (240, 230 + 150 * place)
            cv2.putText(picture, f"{word} {value}", at, cv2.FONT_HERSHEY_SIMPLEX, 2.2, ink, 4, cv2.LINE_AA)
    matrix = cv2.getRotationMatrix2D((640, 360), slate.turn, 1.0)
    turned = cv2.warpAffine(picture, matrix, (1280, 720), borderMode=cv2.BORDER_REPLICATE)
    grain = np.random.default_rng(seed).normal(0, 5, turned.shape)
    made: Array = (turned + grain).clip(0, 255).astype(np.uint8)
    return made


def small_lines(seed: int = 1) -> list[tuple[Array, str]]:
    """Write a line of small letters into photographs, one in each.

    Returns:
        Pictures, uint8, 720 x 1280 x 3, RGB, with grain, and what is written there.
    """
    random = np.random.default_rng(seed)
    return [
        (_written(photograph(name), text, share, random), text)
        for share in SMALL
        for name, text in zip(_PHOTOS, _TEXTS, strict=True)
    ]


def _written(photo: Array, text: str, share: float, random: np.random.Generator) -> Array:
    """Write *text* at a random place; its capitals are *share* of the picture's height."""
    picture = Image.fromarray(cv2.resize(photo, (1280, 720), interpolation=cv2.INTER_CUBIC))
    pen = ImageDraw.Draw(picture)
    font = ImageFont.load_default(100.0)
    _, top, _, bottom = font.getbbox("H")
    font = ImageFont.load_default(100.0 * share * 720 / (bottom - top))
    wide, high = (round(side) for side in pen.textbbox((0, 0), text, font=font)[2:])
    left, top = int(random.integers(20, 1260 - wide)), int(random.integers(20, 700 - high))
    behind = np.asarray(picture)[top : top + high, left : left + wide].mean()
    pen.text((left, top), text, font=font, fill=(245, 245, 245) if behind < 140 else (15, 15, 15))
    grain = random.normal(0, 3, (720, 1280, 1))
    written: Array = (np.asarray(picture) + grain).clip(0, 255).astype(np.uint8)
    return written


def evaluate_text(runtime: Runtime, count: int = 12) -> dict[str, float]:
    """Measure what is read to the letter: fields of rendered slates, slates whole, and small lines in photographs.

    Args:
        runtime: That has the packs of the reader.
        count: Slates to render.

    Raises:
        ModelMissing: a pack is not here.
    """
    reader = Reader(runtime)
    right = whole = 0
    made = slates(count)
    for seed, slate in enumerate(made):
        lines = [line for line in reader.read(render(slate, seed)) if line.score >= LEAST]
        read = {field: value for field, (value, _) in read_slate(lines).items()}
        truth = {"scene": slate.scene, "take": slate.take, "roll": slate.roll}
        fields = sum(read.get(field) == value for field, value in truth.items())
        right += fields
        whole += fields == len(truth)
    lines_read = [text in _read(reader, picture) for picture, text in small_lines()]
    return {
        "slate_fields_right": round(right / (3 * len(made)), 4),
        "slates_whole": round(whole / len(made), 4),
        "small_text_recall": round(sum(lines_read) / len(lines_read), 4),
    }


def _read(reader: Reader, picture: Array) -> list[str]:
    return [line.text for line in reader.read(picture) if line.score >= LEAST]


__all__ = ["SMALL", "Slate", "evaluate_text", "render", "slates", "small_lines"]
