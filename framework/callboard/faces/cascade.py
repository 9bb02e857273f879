"""Faces by MTCNN's cascade: proposals over a pyramid of sizes, then two judges of ever larger crops.

Zhang et al. 2016, https://arxiv.org/abs/1604.02878. Boxes are left, top, right and bottom in pixels of the picture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from msgspec import Struct

from callboard.errors import JobError

if TYPE_CHECKING:
    from callboard.context import Runtime

Array = np.ndarray[Any, Any]

P_NET, R_NET, O_NET = PACKS = ("mtcnn-p", "mtcnn-r", "mtcnn-o")
SMALLEST = 20
"""Pixels: height of the smallest face that is looked for; the networks were trained on faces from 12 up."""
_FACTOR = 0.709  # from one size to the next: half the area, as in the paper's own code
_CHANCES = (0.6, 0.7, 0.7)  # of the three stages, as in the paper's own code
_CELL, _STRIDE = 12, 2  # pixels that P-Net sees at once, and from one place to the next
_SAME = (0.5, 0.7, 0.7, 0.7)  # overlap from which two boxes are one: within a size, over sizes, after each judge
_ROWS = 128  # crops in one call
_MOST = 2000  # proposals that are judged; a picture of a crowd of 400 has some 1,500


class Face(Struct, frozen=True):
    """A face in a picture."""

    box: tuple[float, float, float, float]
    """Left, top, right and bottom in pixels; may reach beyond the picture where the face does."""
    points: tuple[tuple[float, float], ...]
    """x and y in pixels: the eye on the left of the picture, the other, nose, mouth left and right."""
    score: float
    """0 to 1."""

    @property
    def height(self) -> float:
        """Pixels, from the forehead to the chin."""
        return self.box[3] - self.box[1]


class FaceFinder:
    """Finds faces in pictures, one at a time."""

    def __init__(self, runtime: Runtime, smallest: int = SMALLEST) -> None:
        self._runtime, self._smallest = runtime, smallest

    def find(self, pixels: Array) -> list[Face]:
        """Find the faces in a picture: uint8, height x width x 3, RGB.

        Returns:
            From the largest to the smallest.

        Raises:
            ModelMissing: a network's pack is not here.
            RuntimeGone: the runtime died during the call.
            JobError: a network gave something that is no number.
        """
        boxes = self._propose(pixels)
        for pack, side, least, same in ((R_NET, 24, _CHANCES[1], _SAME[2]), (O_NET, 48, _CHANCES[2], _SAME[3])):
            boxes = _square(boxes)
            chance, shift, points = self._judge(pack, pixels, boxes, side)
            sure = chance >= least
            boxes, chance, shift, points = boxes[sure], chance[sure], shift[sure], points[sure]
            points = _placed(boxes, points)
            moved = np.column_stack([_moved(boxes[:, :4], shift), chance])
            kept = keep(moved, same, within=pack == O_NET)
            boxes, points = moved[kept], points[kept]
        faces = [
            Face(_tuple(box[:4]), tuple((float(x), float(y)) for x, y in zip(place[:5], place[5:], strict=True)), score)
            for box, place, score in zip(boxes, points, boxes[:, 4].tolist(), strict=True)
        ]
        return sorted(faces, key=lambda face: -face.height)

    def _propose(self, pixels: Array) -> Array:
        height, width = pixels.shape[:2]
        found = [np.zeros((0, 9), np.float32)]
        scale, larger = _CELL / self._smallest, [pixels]
        while min(height, width) * scale >= _CELL:
            size = (int(width * scale + 1), int(height * scale + 1))
            # From the nearest size of at least twice this: the mean of means, and far fewer pixels to go over.
            source = next(
                picture for picture in reversed(larger) if picture is pixels or picture.shape[1] >= 2 * size[0]
            )
            small = cv2.resize(source, size, interpolation=cv2.INTER_AREA)
            larger.append(small)
            said = self._ask(P_NET, small[None])
            proposed = _proposals(said["chance"][0], said["shift"][0], scale)
            found.append(proposed[keep(proposed, _SAME[0])])
            scale *= _FACTOR
        boxes = np.concatenate(found)
        boxes = boxes[keep(boxes, _SAME[1])][:_MOST]
        # P-Net's shifts are shares of the box without the pixel that the judges count.
        sides = np.tile(boxes[:, 2:4] - boxes[:, :2], 2)
        return np.column_stack([boxes[:, :4] + boxes[:, 5:] * sides, boxes[:, 4]])

    def _judge(self, pack: str, pixels: Array, boxes: Array, side: int) -> tuple[Array, Array, Array]:
        """Give chances, shifts, and landmarks where the network gives any; one row for each box."""
        crops = np.stack([_crop(pixels, box, side) for box in boxes]) if len(boxes) else np.zeros((0, side, side, 3))
        answers = [self._ask(pack, crops[at : at + _ROWS]) for at in range(0, len(crops), _ROWS)]
        if not answers:
            return np.zeros(0), np.zeros((0, 4)), np.zeros((0, 10))
        joined = {name: np.concatenate([answer[name] for answer in answers]) for name in answers[0]}
        points = joined.get("points", np.zeros((len(crops), 10), np.float32))
        return joined["chance"], joined["shift"], points

    def _ask(self, pack: str, pictures: Array) -> dict[str, Array]:
        said = {name: np.asarray(value) for name, value in self._runtime.call(pack, {"pictures": pictures}).items()}
        if not all(np.isfinite(value).all() for value in said.values()):
            raise JobError(f"model {pack!r} gave something that is no number")
        return said


def keep(boxes: Array, same: float, *, within: bool = False) -> Array:
    """Choose the best of boxes that are the same.

    Args:
        boxes: n x at least 5: left, top, right, bottom, score.
        same: Overlap from which two are one.
        within: Measure the overlap by the smaller box, so that one inside another counts as the same.

    Returns:
        Places of those kept, best first.
    """
    left, top, right, bottom, score = boxes[:, :5].T.astype(np.float64)
    area = (right - left + 1) * (bottom - top + 1)
    order, kept = np.argsort(-score, kind="stable"), []
    while len(order):
        best, rest = order[0], order[1:]
        kept.append(int(best))
        wide = np.minimum(right[best], right[rest]) - np.maximum(left[best], left[rest]) + 1
        high = np.minimum(bottom[best], bottom[rest]) - np.maximum(top[best], top[rest]) + 1
        shared = np.maximum(wide, 0.0) * np.maximum(high, 0.0)
        whole = np.minimum(area[best], area[rest]) if within else area[best] + area[rest] - shared
        order = rest[shared <= same * whole]
    return np.array(kept, np.int64)


def _proposals(chance: Array, shift: Array, scale: float) -> Array:
    """Turn P-Net's map into boxes: n x 9, left, top, right, bottom, score and four shifts."""
    rows, columns = np.nonzero(chance >= _CHANCES[0])
    corners = np.stack([columns, rows], axis=1) * _STRIDE
    first, last = np.floor((corners + 1) / scale), np.floor((corners + _CELL) / scale)
    return np.column_stack([first, last, chance[rows, columns], shift[:, rows, columns].T]).astype(np.float32)


def _square(boxes: Array) -> Array:
    """Grow each box to a square around its middle."""
    middle = (boxes[:, :2] + boxes[:, 2:4]) / 2
    half = np.max(boxes[:, 2:4] - boxes[:, :2], axis=1, keepdims=True) / 2
    return np.column_stack([middle - half, middle + half, boxes[:, 4:]])


def _moved(boxes: Array, shift: Array) -> Array:
    moved: Array = boxes + shift * np.tile(boxes[:, 2:4] - boxes[:, :2] + 1, 2)
    return moved


def _placed(boxes: Array, points: Array) -> Array:
    """Turn landmarks from shares of their box into pixels: n x 10, five x and five y."""
    sides = boxes[:, 2:4] - boxes[:, :2] + 1
    across = boxes[:, :1] - 1 + points[:, :5] * sides[:, :1]
    down = boxes[:, 1:2] - 1 + points[:, 5:] * sides[:, 1:2]
    return np.column_stack([across, down])


def _crop(pixels: Array, box: Array, side: int) -> Array:
    """Cut a box out, as far as it is in the picture, and scale it to a square."""
    height, width = pixels.shape[:2]
    left, top = max(int(box[0]), 1) - 1, max(int(box[1]), 1) - 1
    right, bottom = min(int(box[2]), width), min(int(box[3]), height)
    if right <= left or bottom <= top:
        return np.zeros((side, side, 3), np.uint8)
    return cv2.resize(pixels[top:bottom, left:right], (side, side), interpolation=cv2.INTER_AREA)


def _tuple(box: Array) -> tuple[float, float, float, float]:
    left, top, right, bottom = (float(value) for value in box)
    return left, top, right, bottom


__all__ = ["O_NET", "PACKS", "P_NET", "R_NET", "SMALLEST", "Face", "FaceFinder", "keep"]
