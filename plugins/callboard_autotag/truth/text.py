"""Slates that are rendered, and how many of their fields are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np

from callboard_autotag.reader import Reader
from callboard_autotag.slate import read_slate

if TYPE_CHECKING:
    from callboard.context import Runtime

Array = np.ndarray[Any, Any]

LEAST = 0.8  # mean chance of its characters below which the tagger does not believe a line


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


def evaluate_text(runtime: Runtime, count: int = 12) -> dict[str, float]:
    """Measure on rendered slates: the share of fields that are read to the letter, and of slates whose fields all are.

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
    return {"slate_fields_right": round(right / (3 * len(made)), 4), "slates_whole": round(whole / len(made), 4)}


__all__ = ["Slate", "evaluate_text", "render", "slates"]
