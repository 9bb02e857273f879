"""Black, frozen and flash frames and fades are found where they are; light has its words; soft pictures are guessed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import cv2
import numpy as np
import pytest
from callboard.media import Frame
from callboard_autotag.analyser import Picture
from callboard_autotag.blur import measure_blur
from callboard_autotag.choose import Chooser
from callboard_autotag.quality import Glitches, Sharpness
from callboard_autotag.transitions import shots_of
from callboard_autotag.truth.light import PALETTES, evaluate_light, labels_of, palette_picture, scenes
from callboard_autotag.truth.motion import clips, make_texture, render
from callboard_schemas import Tag

Array = np.ndarray[Any, Any]
MOVING = next(clip for clip in clips() if clip.name == "pan right 0.12")
SLOW = next(clip for clip in clips() if clip.name == "pan right 0.03")


def moving() -> list[Array]:
    """Give 96 frames of a slow pan with grain."""
    return [frame.pixels for frame in render(MOVING)]


def watch(pictures: Iterable[Array]) -> dict[str, Tag]:
    """Give what is found in pictures at 24 frames a second, by label."""
    glitches = Glitches()
    for index, pixels in enumerate(pictures):
        glitches.add(Frame(index / 24, index, pixels))
    return {tag.label: tag for tag in glitches.finish()[0]}


def test_whole_pictures_have_no_faults() -> None:
    """A pan has none, and a very slow one without grain is not frozen."""
    assert watch(moving()) == {}
    assert watch(frame.pixels for frame in render(SLOW._replace(grain=0.0, seconds=3.0))) == {}


def test_black_frames_have_their_place() -> None:
    """Ten black frames with grain in the middle are told with start, end and frame, and are no fade."""
    frames: list[np.ndarray[Any, Any]] = list(moving())
    random = np.random.default_rng(1)
    for at in range(40, 50):
        frames[at] = random.integers(0, 12, frames[at].shape).astype(np.uint8)
    found = watch(frames)
    assert found.keys() == {"black frames"}
    (seen,) = found["black frames"].evidence
    assert seen.frame == 40
    assert seen.start == pytest.approx(40 / 24, abs=1e-3)
    assert seen.end == pytest.approx(50 / 24, abs=0.03)


def test_a_frozen_picture_is_found_and_marked_as_a_guess() -> None:
    """Two seconds of one frame with the noise of compression in a clip that moves."""
    frames = moving()
    random = np.random.default_rng(2)
    for at in range(30, 80):
        noise = random.integers(-1, 2, frames[30].shape)
        frames[at] = (frames[30].astype(int) + noise).clip(0, 255).astype(np.uint8)
    tag = watch(frames)["frozen frames"]
    assert tag.guess
    (seen,) = tag.evidence
    assert seen.start == pytest.approx(30 / 24, abs=0.05)
    assert seen.end == pytest.approx(80 / 24, abs=0.05)


@pytest.mark.parametrize("length", [1, 2, 3])
def test_flash_frames_are_found(length: int) -> None:
    """White frames, and frames of another picture, that come between two of the same."""
    stray = make_texture(30)[:90, :160]
    for strange in (np.full((90, 160, 3), 250, np.uint8), stray):
        frames = moving()
        frames[50 : 50 + length] = [strange for _ in range(length)]
        found = watch(frames)
        assert found.keys() == {"flash frames"}
        assert [seen.frame for seen in found["flash frames"].evidence] == [50]


def test_fades_are_told_from_cuts_to_black() -> None:
    """A second of fading out and in again around black; a hard cut to black is none."""
    levels = np.concatenate([np.ones(24), np.linspace(1, 0, 24), np.zeros(6), np.linspace(0, 1, 24), np.ones(18)])
    found = watch((frame * level).astype(np.uint8) for frame, level in zip(moving(), levels, strict=True))
    assert {"fade in", "fade out", "black frames"} <= found.keys()
    (out,) = found["fade out"].evidence
    assert out.start == pytest.approx(1.0, abs=0.3)
    assert not {"flash frames", "frozen frames"} & found.keys()


def picture(pixels: Array) -> Picture:
    """Choose a picture."""
    return Picture(0.0, 0, pixels, 100.0)


def test_soft_pictures_are_guessed_and_sharp_ones_are_not() -> None:
    """The same scene in focus and out of focus; a flat one is neither."""
    sharp = make_texture(4)[:720]
    soft = cv2.GaussianBlur(sharp, (0, 0), 6)
    labels = {}
    for name, pixels in (("sharp", sharp), ("soft", soft), ("flat", np.full_like(sharp, 80))):
        looker = Sharpness()
        looker.look(picture(pixels))
        labels[name] = [(tag.label, tag.guess) for tag in looker.finish()[0]]
    assert labels == {"sharp": [], "soft": [("soft picture", True)], "flat": []}
    grey = cv2.cvtColor(sharp, cv2.COLOR_RGB2GRAY)
    blurs = [measure_blur(cv2.GaussianBlur(grey, (0, 0), size)) for size in (0.5, 1, 2)]
    assert blurs == sorted(blurs)


def test_light_has_its_words() -> None:
    """Key and time of day of made scenes, and every colour of two-coloured pictures; day and night are guesses."""
    assert evaluate_light() == {"palette_recall": 1.0, "key_and_time_right": 1.0}
    assert labels_of(palette_picture(0, 5, 0)) >= {PALETTES[0][0], PALETTES[5][0]}
    assert [sorted(truth & labels_of(made)) for made, truth in scenes()] == [sorted(truth) for _, truth in scenes()]


def large(frame: Frame, blur: float = 0.0) -> Frame:
    """Give a frame a large version, out of focus where *blur* says so."""
    pixels = cv2.resize(frame.pixels, (640, 360), interpolation=cv2.INTER_CUBIC)
    pixels = np.ascontiguousarray(cv2.GaussianBlur(pixels, (0, 0), blur)) if blur else pixels
    return Frame(frame.time, frame.index, frame.pixels, pixels)


def test_the_sharp_picture_of_a_shot_is_chosen() -> None:
    """Of four candidates that look alike, three of them blurred, the sharp one stands for the shot."""
    chooser = Chooser(most=10)
    for number, frame in enumerate(list(render(MOVING))[::12][:4]):
        chooser.add(large(frame, 0.0 if number == 2 else 5.0))
    (chosen,) = chooser.choose(shots_of([], [], 96, 4.0))
    assert chosen.index == 24
    assert chosen.shot is not None
    assert chosen.shot.end == 4.0


def test_pictures_stay_within_their_number_and_their_memory() -> None:
    """Of a long film with a new look each half second few pictures are held, and as many as asked for are given."""
    chooser = Chooser(most=8)
    random = np.random.default_rng(0)
    for index in range(1200):
        small = np.full((18, 32, 3), random.integers(0, 255, 3), np.uint8)
        chooser.add(Frame(index / 2, index, small, cv2.resize(small, (320, 180))))
    assert chooser.held <= 24
    chosen = list(chooser.choose([]))
    assert 4 <= len(chosen) <= 8
    times = [seen.time for seen in chosen]
    assert times == sorted(times)
    assert times[-1] - times[0] > 300
    assert all(seen.pixels.shape == (180, 320, 3) for seen in chosen)


def test_black_pictures_are_chosen_only_where_there_is_nothing_else() -> None:
    """A picture next to black is chosen; of black alone, black is."""
    frames = list(render(MOVING))
    dark = [Frame(frame.time, frame.index, frame.pixels // 40) for frame in frames]
    chooser = Chooser()
    for frame in (dark[0], dark[12], frames[24], dark[36]):
        chooser.add(large(frame))
    assert 24 in [seen.index for seen in chooser.choose(shots_of([], [], 48, 2.0))]
    alone = Chooser()
    alone.add(large(dark[0]))
    assert len(list(alone.choose([]))) == 1
