"""Continuity: a placeholder beside the frames of its neighbours, measured on real films and pictures."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from callboard.context import Runtime
from callboard.media.client import open_media
from callboard.packs.store import PACKS_VARIABLE
from callboard.plugin.context import JobContext, Surroundings
from callboard.runtime.local import LocalRuntime
from callboard.testing import make_asset
from callboard.testing.tinyclip import make_tiny_clip
from callboard.timedtext.rate import Rate
from callboard_autotag.truth.cuts import photograph
from callboard_autotag.truth.shot_size import stage
from callboard_placeholder.continuity import matches
from callboard_placeholder.continuity.tones import tones
from callboard_placeholder.continuity.view import view
from callboard_placeholder.engine import Array, Order
from callboard_schemas import Asset, Brief, Match, Neighbour, Place
from callboard_schemas import Sequence as Numbered
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

NOTHING = Asset(digest="sha256:" + "0" * 64, place=Place(root="footage", path="gone.mov"), kind="video", size=1)
MakeContext = Callable[..., JobContext]


@pytest.fixture
def footage(tmp_path: Path, samples: Path) -> Path:
    """A watched folder with the harbour."""
    folder = tmp_path / "footage"
    folder.mkdir()
    shutil.copy(samples / "harbour_take3.mp4", folder / "sh010.mp4")
    return folder


@pytest.fixture
def make_context(tmp_path: Path, footage: Path) -> Iterator[MakeContext]:
    """Make the context of a job that may open what is in the footage."""
    shared = tmp_path / "shm"
    shared.mkdir()
    made: list[JobContext] = []

    def make(runtime: Runtime | None = None, models: Sequence[str] = ()) -> JobContext:
        context = JobContext(
            parameters={},
            path=None,
            asset=None,
            log=logging.getLogger("test"),
            surroundings=Surroundings(shm_folder=shared, runtime=runtime),
            roots={"footage": footage},
            models=dict.fromkeys(models, "0" * 64),
        )
        made.append(context)
        return context

    yield make
    for context in made:
        context.close()
    assert list(shared.iterdir()) == []


def order(*neighbours: Neighbour, **brief: Any) -> Order:
    """Give an order with these neighbours."""
    told = Brief(neighbours=neighbours, **brief)
    return Order(
        shot="SH020",
        brief=told,
        frames=24,
        rate=Rate(24),
        width=640,
        height=360,
    )


def before(footage: Path, name: str, time: float = 3.0, **more: Any) -> Neighbour:
    """Give the neighbour before, of a file in the footage."""
    return Neighbour(side="before", name=Path(name).stem, asset=make_asset(footage / name), time=time, **more)


def frame_of(path: Path, time: float, shm: Path) -> Array:
    """Give one frame of a film."""
    with open_media(path, shm_folder=shm) as media:
        shown = media.picture(time, 960)
    assert shown is not None
    return shown.pixels


def still(folder: Path, name: str, pixels: Array) -> str:
    """Write a still into the footage."""
    Image.fromarray(pixels).save(folder / name)
    return name


def by_what(found: Sequence[Match]) -> dict[str, Match]:
    """Give the matches by what was measured."""
    assert len({(match.what, match.side) for match in found}) == len(found)
    return {match.what: match for match in found}


def test_the_neighbours_own_frame_goes_perfectly_with_it(
    make_context: MakeContext, footage: Path, tmp_path: Path
) -> None:
    """What is cut in is what was there: palette, brightness, contrast and horizon score 1, with words and units."""
    frame = frame_of(footage / "sh010.mp4", 3.0, tmp_path)
    after = Neighbour(side="after", name="SH030", asset=make_asset(footage / "sh010.mp4"), time=5.0)
    found = matches(
        [frame, frame, frame_of(footage / "sh010.mp4", 5.0, tmp_path)],
        order(before(footage, "sh010.mp4"), after),
        make_context(),
    )
    assert [(match.side, match.what) for match in found] == [
        (side, what) for side in ("before", "after") for what in ("palette", "brightness", "contrast", "horizon")
    ]
    assert all(match.score == 1.0 for match in found)
    assert by_what(found[:4])["palette"].note == "0 dE from the shot before"
    assert by_what(found[4:])["horizon"].note == "horizon as high as in the shot after"


def test_the_first_picture_meets_the_shot_before_and_the_last_the_shot_after(
    make_context: MakeContext, footage: Path, tmp_path: Path
) -> None:
    """A version that begins as the shot before ends and ends otherwise goes with that one only."""
    frame = frame_of(footage / "sh010.mp4", 3.0, tmp_path)
    other = Neighbour(side="after", asset=make_asset(footage / "sh010.mp4"), time=3.0)
    found = matches([frame, frame, 255 - frame], order(before(footage, "sh010.mp4"), other), make_context())
    scores = {(match.side, match.what): match.score for match in found}
    assert scores["before", "palette"] == 1.0
    assert scores["after", "palette"] < 0.4


def test_the_darker_a_version_the_worse_it_goes_with_a_bright_neighbour(
    make_context: MakeContext, footage: Path, tmp_path: Path
) -> None:
    """Brightness, palette and contrast fall with each stop, and the words say by how much."""
    frame = frame_of(footage / "sh010.mp4", 3.0, tmp_path)
    context, asked = make_context(), order(before(footage, "sh010.mp4"))
    rows = []
    for stops in range(5):
        linear = (frame / 255.0) ** 2.2 * 0.5**stops
        rows.append(by_what(matches([(255 * linear ** (1 / 2.2)).astype(np.uint8)], asked, context)))
    for what in ("palette", "brightness", "contrast"):
        scores = [row[what].score for row in rows]
        assert scores == sorted(scores, reverse=True)
        assert scores[0] > 0.95
        assert scores[-1] < 0.5
    assert rows[2]["brightness"].note.endswith("L* darker than the shot before")
    assert rows[2]["contrast"].note.endswith("L* less contrast than the shot before")


def test_letterboxes_cost_nothing(make_context: MakeContext, footage: Path, tmp_path: Path) -> None:
    """Black bars on one side only are not compared."""
    frame = frame_of(footage / "sh010.mp4", 3.0, tmp_path)
    context = make_context()
    boxed = np.pad(frame, ((60, 60), (0, 0), (0, 0)))
    name = still(footage, "boxed.png", boxed)
    found = by_what(matches([frame], order(before(footage, name, 0.0)), context))
    assert min(match.score for match in found.values()) > 0.95


@pytest.mark.parametrize("what", ["gone", "no asset", "outside", "broken", "sound"])
def test_a_neighbour_that_cannot_be_seen_is_left_out(
    make_context: MakeContext, footage: Path, samples: Path, tmp_path: Path, what: str
) -> None:
    """Missing, unknown, outside the watched folders, broken, or without a picture: nothing is said, nothing raised."""
    frame = photograph("coffee")
    assets: dict[str, Asset | None] = {"gone": NOTHING, "no asset": None}
    if what == "outside":
        shutil.copy(samples / "still_bars.png", tmp_path / "bars.png")
        (footage / "bars.png").symlink_to(tmp_path / "bars.png")
        assets[what] = make_asset(footage / "bars.png")
    elif what == "broken":
        (footage / "broken.mov").write_bytes(b"no film")
        assets[what] = make_asset(footage / "broken.mov")
    elif what == "sound":
        shutil.copy(samples / "room_tone.wav", footage / "room.wav")
        assets[what] = make_asset(footage / "room.wav", "video")
    neighbour = Neighbour(side="before", asset=assets[what], time=1.0)
    good = before(footage, "sh010.mp4")
    assert matches([frame], order(neighbour), make_context()) == ()
    assert len(matches([frame, frame], order(neighbour, behind(good)), make_context())) == 3


def behind(neighbour: Neighbour) -> Neighbour:
    """Give the same neighbour on the other side."""
    return Neighbour(side="after", asset=neighbour.asset, time=neighbour.time)


def test_a_sequence_is_looked_at_by_the_rate_of_the_placeholder(make_context: MakeContext, footage: Path) -> None:
    """Numbered pictures have no rate of their own: the frame that touches is told by the timeline's."""
    for number in range(1, 11):
        still(footage, f"plate.{number:04d}.png", np.full((90, 160, 3), 20 * number, np.uint8))
    asset = Asset(
        digest="sha256:" + "1" * 64,
        place=Place(root="footage", path="plate.%2504d.png"),
        kind="sequence",
        size=1,
        sequence=Numbered(pattern="plate.%04d.png", first=1, last=10),
    )
    shown = np.full((90, 160, 3), 160, np.uint8)  # frame 8
    neighbour = Neighbour(side="before", asset=asset, time=7.5 / 24)
    found = by_what(matches([shown], order(neighbour), make_context()))
    assert found["brightness"].score == 1.0
    assert "horizon" not in found


def test_sizes_come_from_the_brief_and_the_labels_where_no_face_is_seen(
    make_context: MakeContext, footage: Path
) -> None:
    """A clear change of size goes well, none and the next one do not; without a size on both sides nothing is said."""
    frame, context = photograph("coffee"), make_context()

    def jump(size: str | None, *tags: str, name: str = "sh010.mp4") -> Match | None:
        neighbour = before(footage, name, tags=tags)
        return by_what(matches([frame], order(neighbour, shot_size=size), context)).get("shot size")

    same, near, clear = (
        jump("close-up", "close-up"),
        jump("close-up", "medium close-up"),
        jump("close-up", "medium shot"),
    )
    assert same is not None
    assert near is not None
    assert clear is not None
    assert same.score < near.score < clear.score == 1.0
    assert same.note == "close-up, the same size as the shot before"
    assert clear.note == "close-up, 2 sizes from the medium shot of the shot before"
    assert jump(None, "close-up") is None
    assert jump("close-up") is None
    assert jump("close-up", "close-up", "wide shot") is None


def test_a_model_that_fails_costs_its_own_measure_only(make_context: MakeContext, footage: Path) -> None:
    """Packs that are named but gone leave out faces and likeness, and nothing else."""
    with LocalRuntime() as runtime:
        context = make_context(runtime, ["mtcnn-p", "mtcnn-r", "mtcnn-o", "clip-image"])
        broken = by_what(matches([photograph("coffee")], order(before(footage, "sh010.mp4")), context))
    assert {"palette", "brightness", "contrast"} <= set(broken) <= {"palette", "brightness", "contrast", "shot size"}


def test_likeness_is_what_a_clip_finds(
    make_context: MakeContext, footage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A CLIP that sees mean colours finds red like red and not like its opposite."""
    models = tmp_path / "models"
    make_tiny_clip(models, name="clip")
    monkeypatch.setenv(PACKS_VARIABLE, str(models))
    red = np.zeros((90, 160, 3), np.uint8)
    red[..., 0] = 255
    neighbour = before(footage, still(footage, "red.png", red), 0.0)
    with LocalRuntime(models=models) as runtime:
        context = make_context(runtime, ["clip-image"])
        alike = by_what(matches([red], order(neighbour), context))["likeness"]
        unlike = by_what(matches([255 - red], order(neighbour), context))["likeness"]
    assert (alike.score, unlike.score) == (1.0, 0.0)
    assert alike.note == "CLIP finds it 1.00 alike (cosine) to the shot before"


@pytest.mark.models
def test_faces_tell_the_size_before_labels_do(make_context: MakeContext, footage: Path) -> None:
    """A photographed person near and far: what is seen counts, not what is said; one who faces us takes no side."""
    near, far = stage([(0.5, 2.0)], 3), stage([(0.3, 6.0)], 4)
    neighbour = before(footage, still(footage, "sh010.png", near), 0.0, tags=("extreme wide shot",))
    with LocalRuntime() as runtime:
        context = make_context(runtime, ["mtcnn-p", "mtcnn-r", "mtcnn-o"])
        found = by_what(matches([far], order(neighbour, shot_size="close-up"), context))
    assert found["shot size"].note == "medium long shot, 2 sizes from the medium close-up of the shot before"
    assert found["shot size"].score == 1.0
    assert "side" not in found


@pytest.mark.parametrize("shape", [(2, 2), (2, 4096), (4096, 2), (5, 3), (91, 7)])
def test_pictures_of_any_shape_can_be_compared(
    make_context: MakeContext, footage: Path, shape: tuple[int, int]
) -> None:
    """Tiny, flat and narrow ones, black at the edges or not, beside themselves go perfectly."""
    for edge in (0, 200):
        picture = np.full((*shape, 3), 200, np.uint8)
        picture[0], picture[-1] = edge, edge
        neighbour = before(footage, still(footage, "odd.png", picture), 0.0)
        found = by_what(matches([picture], order(neighbour), make_context()))
        assert found["palette"].score == found["brightness"].score == found["contrast"].score == 1.0


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 254), st.integers(1, 254), st.integers(1, 254))
def test_scores_are_the_same_from_either_side(red: int, green: int, blue: int) -> None:
    """Which of two pictures is the placeholder does not matter to palette, brightness and contrast."""
    flat = np.full((90, 160, 3), (red, green, blue), np.uint8)
    mixed = np.concatenate([flat[:45], 255 - flat[45:]])
    one, other = view(flat), view(mixed)
    there, back = (
        [(what, round(score, 9)) for what, score, _ in tones(*pair)] for pair in ((one, other), (other, one))
    )
    assert there == back
    assert all(score == 1.0 for _, score, _ in tones(one, one))
