"""Cues keep to shot changes: on them, or half a second from them, and two frames before them at their ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from callboard import shm
from callboard.media.client import open_media
from callboard.timedtext.profile import load
from callboard.timedtext.rate import parse_rate
from callboard_caption.cues import lay_out
from callboard_caption.layout import Layout, rate_of_picture
from callboard_caption.shots import shot_changes
from callboard_schemas import Cue, Word

FRAMES = parse_rate("24")
CUT = 10 * 24


def cues_of(first: int, last: int, *more: tuple[int, int], cut: int = CUT) -> list[Cue]:
    """Say one word from frame *first* to *last*, and others; the cues with a shot change at *cut*."""
    words = [
        Word(text="Never!", start=start / 24, end=end / 24, confidence=1.0) for start, end in [(first, last), *more]
    ]
    layout = Layout(profile=load("netflix", "en"), rate=FRAMES, language="en", cuts=(cut / 24,))
    return lay_out(words, layout, 60.0)


def frames_of(cue: Cue) -> tuple[int, int]:
    """Give a cue's first frame and the frame at which it is gone, counted from the shot change."""
    return FRAMES.frame_at(cue.start) - CUT, FRAMES.frame_at(cue.end) - CUT


@pytest.mark.parametrize(
    ("heard", "shown"),
    [
        (-13, -13),  # far enough
        (-12, -12),
        (-11, -12),  # 8 to 11 frames before: out to half a second
        (-8, -12),
        (-7, 0),  # up to 7 frames before: onto the change
        (-1, 0),
        (0, 0),
        (1, 0),  # within half a second after: onto the change
        (11, 0),
        (12, 12),
    ],
)
def test_a_cue_starts_on_a_shot_change_or_half_a_second_from_it(heard: int, shown: int) -> None:
    """In-times near a shot change move as the published zones say."""
    (cue,) = cues_of(CUT + heard, CUT + heard + 40)
    assert frames_of(cue)[0] == shown


@pytest.mark.parametrize(
    ("over", "gone"),
    [
        (-13, -13),  # far enough
        (-11, -2),  # within half a second before: on to two frames before the change
        (-1, -2),
        (0, -2),
        (7, -2),  # up to 7 frames after: back to two frames before it
        (8, 12),  # 8 to 11 frames after: on to half a second
        (11, 12),
        (12, 12),
        (13, 13),
    ],
)
def test_a_cue_ends_two_frames_before_a_shot_change_or_half_a_second_from_it(over: int, gone: int) -> None:
    """Out-times near a shot change move as the published zones say."""
    (cue,) = cues_of(CUT - 60, CUT + over)
    assert frames_of(cue)[1] == gone


def test_two_cues_meet_on_the_shot_change() -> None:
    """Where one speaker stops a little after the cut and the next begins, the cut parts them."""
    before, after = cues_of(CUT - 50, CUT + 4, (CUT + 6, CUT + 50))
    assert frames_of(before)[1] == -2
    assert frames_of(after)[0] == 0


def test_speech_that_goes_on_across_a_cut_is_not_torn_from_its_cue() -> None:
    """Two words with a cut in the first and no pause between stay together: neither edge comes near the cut."""
    (cue,) = cues_of(CUT - 40, CUT + 10, (CUT + 11, CUT + 60))
    assert frames_of(cue) == (-40, 60)


def test_a_profile_without_a_rule_about_shots_leaves_times_alone() -> None:
    """The web profile lets cues start and end wherever they are said."""
    layout = Layout(profile=load("web", "en"), rate=FRAMES, language="en", cuts=(10.0,))
    word = Word(text="Never!", start=(CUT - 5) / 24, end=(CUT + 40) / 24, confidence=1.0)
    (cue,) = lay_out([word], layout, 60.0)
    assert frames_of(cue) == (-5, 40)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Six seconds at 23.976 frames a second, in three shots of coloured blocks that a camera passes slowly."""
    path = tmp_path / "film.mp4"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("mpeg4", rate=parse_rate("23.976").fps)
        stream.width, stream.height, stream.pix_fmt = 160, 90, "yuv420p"
        stream.bit_rate = 2_000_000
        noise = np.random.default_rng(5)
        shots = [noise.integers(0, 255, (3, 10, 3), np.uint8).repeat(30, 0).repeat(30, 1) for _ in range(3)]
        for index in range(144):
            picture = shots[index // 48][:, index % 48 :][:, :160]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")))
        container.mux(stream.encode(None))
    return path


@pytest.fixture
def folder() -> Iterator[Path]:
    """A private folder in shared memory."""
    made = shm.make_folder()
    yield made
    made.rmdir()


def test_shot_changes_are_seen_in_the_picture(film: Path, folder: Path) -> None:
    """Cuts of a film are found on their frames, and its rate is read as a fraction."""
    with open_media(film, shm_folder=folder) as media:
        facts = media.probe()
        rate = rate_of_picture(facts)
        assert str(rate) == "23.976"
        assert rate is not None
        assert [rate.frame_at(cut) for cut in shot_changes(media)] == [48, 96]


def test_a_varying_rate_is_no_rate(folder: Path, pytestconfig: pytest.Config) -> None:
    """A telephone's picture has no frames to lie on: its cues are timed in milliseconds."""
    with open_media(pytestconfig.rootpath / "tests/media/vfr_phone.mp4", shm_folder=folder) as media:
        assert rate_of_picture(media.probe()) is None
