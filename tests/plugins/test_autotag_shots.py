"""Cuts are found on their frame; flashes, pans and fades are none."""

from __future__ import annotations

from typing import Any

import numpy as np
from callboard.media.cuts import Cut, CutFinder
from callboard_autotag.shots import rhythm

Array = np.ndarray[Any, Any]


def scene(seed: int) -> Array:
    """Draw a picture of soft shapes, 36 x 192, wide enough to pan over."""
    random = np.random.default_rng(seed)
    base = random.integers(20, 235, 3)
    picture = np.full((36, 192, 3), base, np.float64)
    for _ in range(25):
        y, x = random.integers(0, 30), random.integers(0, 180)
        picture[y : y + random.integers(4, 16), x : x + random.integers(6, 40)] = random.integers(0, 255, 3)
    return picture


def shot(seed: int, frames: int, speed: float = 0.3) -> list[Array]:
    """Pan slowly over a scene, with grain: 36 x 64 frames."""
    picture, random = scene(seed), np.random.default_rng(seed + 1000)
    taken = [picture[:, int(at * speed) : int(at * speed) + 64] for at in range(frames)]
    return [(frame + random.normal(0, 3, frame.shape)).clip(0, 255).astype(np.uint8) for frame in taken]


def find(frames: list[Array], rate: float = 25.0) -> list[int]:
    """Give the frame numbers of the cuts."""
    finder = CutFinder()
    for index, frame in enumerate(frames):
        finder.add(index / rate, index, frame)
    return [cut.index for cut in finder.cuts()]


def test_cuts_are_found_on_their_frame() -> None:
    """Seven shots of different lengths give six cuts, each on the first frame of its shot."""
    lengths = [30, 12, 50, 8, 25, 40, 20]
    frames = [frame for seed, length in enumerate(lengths) for frame in shot(seed, length)]
    assert find(frames) == np.cumsum(lengths)[:-1].tolist()


def test_a_flash_is_no_cut() -> None:
    """White for one to three frames and then the same picture again, as press cameras make it, is one shot."""
    for length in (1, 2, 3):
        frames = shot(3, 60)
        for at in range(30, 30 + length):
            frames[at] = np.full_like(frames[at], 250)
        assert find(frames) == []


def test_a_fast_pan_is_no_cut() -> None:
    """Half of the picture changes within twelve frames, but never at once."""
    assert find(shot(5, 60, speed=2.0)) == []


def test_a_fade_is_no_cut() -> None:
    """Fading to black over a second and up again over another is no hard cut."""
    dark = np.concatenate([np.ones(15), np.linspace(1, 0, 25), np.linspace(0, 1, 25), np.ones(15)])
    frames = [(frame * level).astype(np.uint8) for frame, level in zip(shot(7, 80), dark, strict=True)]
    assert find(frames) == []


def test_a_light_that_is_switched_on_is_no_cut() -> None:
    """The same scene at twice the brightness has the same structure."""
    frames = [(frame * (0.45 if at < 30 else 0.75)).astype(np.uint8) for at, frame in enumerate(shot(9, 60))]
    assert find(frames) == []


def test_tiny_and_single_frames_are_no_error() -> None:
    """A picture of two pixels and a clip of one frame have no cuts."""
    assert find([np.zeros((1, 2, 3), np.uint8)] * 5) == []
    assert find([np.zeros((36, 64, 3), np.uint8)]) == []
    assert find([]) == []


def test_rhythm_is_a_word_with_the_cuts_as_evidence() -> None:
    """Ten shots in ten seconds are fast; the tag lists where every cut is."""
    cuts = [Cut(at * 25, float(at), 1.0) for at in range(1, 10)]
    tags, facts = rhythm(cuts, 10.0, 250)
    assert [tag.label for tag in tags] == ["edited", "fast cutting"]
    assert [(seen.start, seen.frame) for seen in tags[0].evidence] == [(cut.time, cut.index) for cut in cuts]
    assert facts == {"shots": 10, "mean_shot_seconds": 1.0, "cuts_method": "shots"}
    assert [tag.label for tag in rhythm([], 10.0, 250)[0]] == ["single shot"]
    assert rhythm([], 0.04, 1) == ([], {})
