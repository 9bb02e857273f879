"""Text in a picture: PP-OCR's two models asked through the runtime, with the arithmetic before and after them.

Detection gives a map of where text is (differentiable binarization, https://arxiv.org/abs/1911.08947), recognition a
row of characters per line (connectionist temporal classification). Limits are those of PP-OCR's own pipeline.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from msgspec import Struct

from callboard_autotag.glance import SIDE as GLANCE
from callboard_autotag.glance import find_regions

if TYPE_CHECKING:
    from callboard.context import Runtime

Array = np.ndarray[Any, Any]

DETECT, RECOGNISE = "pp-ocr-det", "pp-ocr-rec"
_LONGEST, _SHORTEST = 960, 320  # pixels, of a picture for detection
_INK = 0.3  # a pixel of text
_SURE = 0.5  # mean over a box
_GROW = 1.6  # the map shows the core of a line; the line is larger by this ratio of area to outline
_SMALLEST = 3  # pixels
_HEIGHT = 48  # pixels, of a line for recognition
_WIDEST = 2000
_MOST_LINES = 64
_BATCH = 8


class Line(Struct, frozen=True):
    """A line of text in a picture."""

    text: str
    score: float
    """Mean probability of its characters, 0 to 1."""
    box: tuple[float, float, float, float]
    """x, y, width, height as shares of the picture."""


class Reader:
    """Reads pictures, one at a time."""

    def __init__(self, runtime: Runtime, *, glance: bool = True) -> None:
        """Make a reader.

        Args:
            runtime: That has the two models.
            glance: Look at the picture small first, and closely only where that shows a trace of text.
        """
        self._runtime, self._glance = runtime, glance
        self._characters: list[str] = []

    def read(self, pixels: Array) -> list[Line]:
        """Read a picture: uint8, height x width x 3, RGB.

        Returns:
            Lines from top to bottom, then from left to right.

        Raises:
            ModelMissing: a model is not installed.
            RuntimeGone: the runtime died during the call.
        """
        height, width = pixels.shape[:2]
        if min(height, width) < 16:  # no letter fits
            return []
        picture = np.ascontiguousarray(pixels[..., ::-1])  # the models were trained on BGR
        boxes = self._locate(picture)[:_MOST_LINES]
        crops = [cut_out(picture, box) for box in boxes]
        lines = []
        for box, (text, score) in zip(boxes, self._recognise(crops), strict=True):
            if text.strip():
                lines.append(Line(text.strip(), score, _share(box, width, height)))
        return sorted(lines, key=lambda line: (round(line.box[1] / max(line.box[3], 0.01)), line.box[0]))

    def _locate(self, picture: Array) -> list[Array]:
        """Find lines: corners in pixels of a BGR picture, from top to bottom."""
        height, width = picture.shape[:2]
        scale = scale_for(width, height)
        if not self._glance or max(width, height) * scale < 1.5 * GLANCE:
            return find_boxes(self._detect(picture, scale), width, height)
        small = self._detect(picture, GLANCE / max(width, height))
        boxes: list[Array] = []
        for left, top, right, bottom in find_regions(small, width, height):
            found = find_boxes(self._detect(picture[top:bottom, left:right], scale), right - left, bottom - top)
            boxes += [box + np.array([left, top], np.float32) for box in found]
        return sorted(boxes, key=_place)

    def _detect(self, picture: Array, scale: float) -> Array:
        """Give the chance of text for each pixel of a BGR picture scaled by *scale*: float32, rows x columns."""
        said = self._runtime.call(DETECT, {"x": for_detection(picture, scale)})
        chances: Array = np.asarray(next(iter(said.values())))[0, 0]
        return chances

    def _recognise(self, crops: list[Array]) -> list[tuple[str, float]]:
        if not self._characters:
            listed = self._runtime.call(RECOGNISE, {}, metadata=True)["metadata"]["character"]
            self._characters = ["", *listed.split("\n"), " "]  # 0 is the blank between repeats
        order = sorted(range(len(crops)), key=lambda at: crops[at].shape[1] / crops[at].shape[0])
        found: list[tuple[str, float]] = [("", 0.0)] * len(crops)
        for at in range(0, len(order), _BATCH):
            chosen = order[at : at + _BATCH]  # of like width, so that little is padding
            said = self._runtime.call(RECOGNISE, {"x": for_recognition([crops[index] for index in chosen])})
            for index, steps in zip(chosen, np.asarray(next(iter(said.values()))), strict=True):
                found[index] = decode(steps, self._characters)
        return found


def scale_for(width: int, height: int) -> float:
    """Say by how much a picture is scaled so that its text can be found."""
    return min(max(_SHORTEST / min(height, width), 1.0), _LONGEST / max(height, width))


def for_detection(picture: Array, scale: float) -> Array:
    """Scale a BGR picture for detection: float32, 1 x 3 x height x width, sides multiples of 32."""
    size = [max(32, round(side * scale / 32) * 32) for side in (picture.shape[1], picture.shape[0])]
    scaled = cv2.resize(picture, (size[0], size[1])).astype(np.float32) / 127.5 - 1.0
    return np.ascontiguousarray(scaled.transpose(2, 0, 1)[None])


def find_boxes(chances: Array, width: int, height: int) -> list[Array]:
    """Find text in a map of chances.

    Args:
        chances: float32, rows x columns, 0 to 1.
        width: Of the picture in pixels; boxes are scaled to it.
        height: Of the picture in pixels.

    Returns:
        Rectangles, perhaps turned: float32, 4 x 2, clockwise from the top left corner.
    """
    ink = cv2.dilate((chances > _INK).astype(np.uint8), np.ones((2, 2), np.uint8))
    contours, _ = cv2.findContours(ink, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    stretch = np.array([width / chances.shape[1], height / chances.shape[0]], np.float32)
    boxes = []
    for contour in contours:
        (x, y), (wide, high), turn = cv2.minAreaRect(contour)
        if min(wide, high) < _SMALLEST or _mean_inside(chances, cv2.boxPoints(((x, y), (wide, high), turn))) < _SURE:
            continue
        grow = 2 * wide * high * _GROW / (2 * (wide + high))
        corners = cv2.boxPoints(((x, y), (wide + grow, high + grow), turn)) * stretch
        corners = corners.clip([0, 0], [width - 1, height - 1])
        boxes.append(_clockwise(corners.astype(np.float32)))
    return sorted(boxes, key=_place)


def cut_out(picture: Array, box: Array) -> Array:
    """Cut a rectangle out and turn it upright; a tall one is laid on its side, as lines are read."""
    wide = max(int(np.linalg.norm(box[0] - box[1])), 4)
    high = max(int(np.linalg.norm(box[0] - box[3])), 4)
    target = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], np.float32)
    turned = cv2.warpPerspective(
        picture,
        cv2.getPerspectiveTransform(box, target),
        (wide, high),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    crop: Array = np.rot90(turned) if high >= 1.5 * wide else turned
    return crop


def for_recognition(crops: list[Array]) -> Array:
    """Scale BGR lines to 48 pixels high: float32, count x 3 x 48 x width, padded right with 0."""
    widths = [min(int(np.ceil(_HEIGHT * crop.shape[1] / crop.shape[0])), _WIDEST) for crop in crops]
    batch = np.zeros((len(crops), 3, _HEIGHT, max(320, *widths)), np.float32)
    for place, crop, width in zip(batch, crops, widths, strict=True):
        scaled = cv2.resize(np.ascontiguousarray(crop), (width, _HEIGHT)).astype(np.float32) / 127.5 - 1.0
        place[:, :, :width] = scaled.transpose(2, 0, 1)
    return batch


def decode(steps: Array, characters: list[str]) -> tuple[str, float]:
    """Turn the chances of each character at each step into text and its mean chance."""
    best = steps.argmax(axis=1)
    fresh = np.concatenate([[True], best[1:] != best[:-1]]) & (best > 0)
    if not fresh.any():
        return "", 0.0
    score = float(steps.max(axis=1)[fresh].mean())
    return "".join(characters[index] for index in best[fresh]), round(min(score, 1.0), 4)


def _place(box: Array) -> tuple[float, float]:
    return float(box[:, 1].min()), float(box[:, 0].min())


def _mean_inside(chances: Array, corners: Array) -> float:
    left, top = np.floor(corners.min(axis=0)).astype(int).clip(0)
    right, bottom = np.ceil(corners.max(axis=0)).astype(int) + 1
    part = np.ascontiguousarray(chances[top:bottom, left:right])
    if not part.size:
        return 0.0
    mask = np.zeros(part.shape, np.uint8)
    cv2.fillPoly(mask, [(corners - [left, top]).astype(np.int32)], 1)
    return float(cv2.mean(part, mask)[0])


def _clockwise(corners: Array) -> Array:
    by_x = corners[np.argsort(corners[:, 0], kind="stable")]
    left, right = by_x[:2], by_x[2:]
    top_left, bottom_left = left[np.argsort(left[:, 1])]
    top_right, bottom_right = right[np.argsort(right[:, 1])]
    return np.stack([top_left, top_right, bottom_right, bottom_left])


def _share(box: Array, width: int, height: int) -> tuple[float, float, float, float]:
    left, top = box.min(axis=0) / [width, height]
    right, bottom = box.max(axis=0) / [width, height]
    given = [round(float(value), 4) for value in (left, top, right - left, bottom - top)]
    x, y, w, h = (min(max(value, 0.0), 1.0) for value in given)
    return x, y, w, h
