"""Looking for text: small first, closely only where that shows any."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from callboard.runtime.local import LocalRuntime
from callboard_autotag.glance import find_regions
from callboard_autotag.reader import DETECT, Reader
from callboard_autotag.truth.text import small_lines


def _chances(*marks: tuple[int, int, int, int, float]) -> np.ndarray[Any, Any]:
    chances = np.full((432, 576), 0.02, np.float32)
    for left, top, right, bottom, chance in marks:
        chances[top:bottom, left:right] = chance
    return chances


def test_a_region_reaches_beyond_its_mark() -> None:
    """A mark becomes a region of the picture that holds the letters around it."""
    ((left, top, right, bottom),) = find_regions(_chances((100, 200, 160, 203, 0.9)), 1152, 864)
    assert left < 200
    assert right > 320
    assert top <= 400 - 12
    assert bottom >= 406 + 12
    assert (right - left) * (bottom - top) < 0.1 * 1152 * 864


def test_regions_that_touch_are_one() -> None:
    """Two lines below each other are looked at together, one far away by itself."""
    chances = _chances((100, 100, 160, 104, 0.9), (100, 115, 160, 119, 0.9), (400, 380, 460, 384, 0.9))
    assert len(find_regions(chances, 576, 432)) == 2


def test_faint_marks_are_no_regions() -> None:
    """What the small look hardly believes is not looked at again."""
    assert find_regions(_chances((100, 200, 160, 203, 0.2)), 576, 432) == []


def test_marks_everywhere_are_one_look() -> None:
    """A picture full of marks is looked at whole, within its own edges."""
    assert find_regions(_chances((4, 4, 572, 428, 0.9)), 1279, 959) == [(0, 0, 1279, 959)]


class _Counting:
    """Passes calls on to a real runtime, and counts the pixels that detection sees."""

    def __init__(self, runtime: LocalRuntime) -> None:
        self._runtime, self.pixels = runtime, 0

    def call(self, model: str, inputs: dict[str, Any], **options: Any) -> dict[str, Any]:
        if model == DETECT:
            self.pixels += inputs["x"].shape[2] * inputs["x"].shape[3]
        return self._runtime.call(model, inputs, **options)


@pytest.mark.models
def test_a_small_line_is_read_for_less() -> None:
    """Letters of 2 % of a photograph's height are read, and found where a look at the whole finds them, for less."""
    picture, text = small_lines()[4]
    read, pixels = [], []
    with LocalRuntime() as runtime:
        for glance in (False, True):
            counting = _Counting(runtime)
            lines = Reader(counting, glance=glance).read(picture)  # type: ignore[arg-type]  # it only calls
            read.append(next(line for line in lines if line.text == text))
            pixels.append(counting.pixels)
    assert np.allclose(read[0].box, read[1].box, atol=0.01)
    assert pixels[1] < 0.7 * pixels[0]
