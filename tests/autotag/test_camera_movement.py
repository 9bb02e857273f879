"""Camera movement is told from rendered moves; what passes in front of the camera does not count as the camera's."""

from __future__ import annotations

import numpy as np
import pytest
from callboard.media import Frame
from callboard_autotag.analyser import Shot
from callboard_autotag.motion import Motion
from callboard_autotag.truth.motion import RATE, Clip, clips, labels_of, render

CLIPS = {clip.name: clip for clip in clips()}
CHOSEN = (
    "static, grainy",
    "static, large thing passes",
    "pan right 0.03",
    "pan left 0.5",
    "tilt up 0.12",
    "tilt down 0.5",
    "zoom in 0.04",
    "zoom out 0.3",
    "handheld 1",
    "hand, pan",
    "pan, thing passes",
    "roll",
)


@pytest.mark.parametrize("name", CHOSEN)
def test_a_move_has_its_name(name: str) -> None:
    """Slow, fast, by hand and with something passing: exactly the labels of the move, no others."""
    assert labels_of(CLIPS[name]) == CLIPS[name].labels


def joined(*parts: Clip) -> tuple[list[Frame], list[Shot]]:
    """Put clips behind each other, each a shot."""
    frames: list[Frame] = []
    shots = []
    for number, clip in enumerate(parts):
        first = len(frames)
        frames += [
            Frame(frame.time + first / RATE, frame.index + first, frame.pixels) for frame in render(clip, number)
        ]
        shots.append(Shot(number, first / RATE, len(frames) / RATE, first, len(frames) - 1))
    return frames, shots


def test_each_shot_has_its_own_span() -> None:
    """A pan cut to a still shot: each move's evidence is the seconds of its own shot, and the cut is no move."""
    frames, shots = joined(CLIPS["pan right 0.12"], CLIPS["static"])
    motion = Motion(lambda: shots)
    for frame in frames:
        motion.add(frame)
    tags, facts = motion.finish()
    spans = {tag.label: [(seen.start, seen.end) for seen in tag.evidence] for tag in tags}
    assert spans.keys() == {"pan right", "static camera"}
    ((start, end),) = spans["pan right"]
    assert start is not None
    assert end is not None
    assert start < 0.2
    assert 3.5 < end <= 4.0
    ((start, _),) = spans["static camera"]
    assert start is not None
    assert start >= 4.0
    assert isinstance(facts["camera"], list)
    assert all(tag.threshold is not None and tag.score >= tag.threshold for tag in tags)


def test_black_bars_do_not_hold_a_pan_still() -> None:
    """Bars at top and bottom have strong edges that never move; the picture between them does."""
    motion = Motion()
    for frame in render(CLIPS["pan left 0.12"]):
        pixels = frame.pixels.copy()
        pixels[:14], pixels[-14:] = 0, 0
        motion.add(Frame(frame.time, frame.index, pixels))
    assert {tag.label for tag in motion.finish()[0]} == {"pan left"}


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 160, 3), (90, 160, 3), (160, 3, 3)])
def test_pictures_without_detail_have_no_movement(shape: tuple[int, int, int]) -> None:
    """Flat and tiny pictures cannot be followed: nothing is said, and nothing fails."""
    motion = Motion()
    for index in range(30):
        motion.add(Frame(index / 24, index, np.full(shape, 90, np.uint8)))
    assert motion.finish() == ([], {})


def test_short_shots_and_no_frames() -> None:
    """Shots of a few frames, and none at all, are no error."""
    assert Motion().finish() == ([], {})
    frames = list(render(CLIPS["pan right 0.5"]))[:30]
    motion = Motion(lambda: [Shot(at, at * 0.25, (at + 1) * 0.25, at * 6, at * 6 + 5) for at in range(5)])
    for frame in frames:
        motion.add(frame)
    assert {tag.label for tag in motion.finish()[0]} <= {"pan right"}
