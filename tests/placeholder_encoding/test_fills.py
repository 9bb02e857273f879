"""Fills by policy: which frame is shown where, from real films and sequences, and what the notes say of it."""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from callboard.errors import JobError, MediaError
from callboard.plugin.context import JobContext, Surroundings
from callboard.sources import collect, identify
from callboard.timedtext.rate import parse_rate
from callboard_placeholder import fills
from callboard_placeholder.conforming import conform, fitted_size
from callboard_placeholder.encoding import Target, write
from callboard_placeholder.engine import Array, Made, Order
from callboard_schemas import Asset, Brief, Neighbour, Place, encode_path
from PIL import Image

_STEP = 8
"""Grey values between two frames of the media of these tests: which frame it is can be read off any picture of it."""


class _Bench:
    def __init__(self, context: JobContext, folder: Path) -> None:
        self.context, self.folder = context, folder

    def progress(self, fraction: float, note: str = "") -> None:
        self.context.progress(fraction, note)


@pytest.fixture
def footage(tmp_path: Path) -> Path:
    """Give a watched folder."""
    folder = tmp_path / "footage"
    folder.mkdir()
    return folder


@pytest.fixture
def bench(tmp_path: Path, footage: Path) -> Iterator[_Bench]:
    """Give what an engine may use, with one watched folder."""
    shm = tmp_path / "shm"
    shm.mkdir()
    context = JobContext(
        parameters={},
        path=None,
        asset=None,
        log=logging.getLogger("fills"),
        surroundings=Surroundings(shm_folder=shm),
        roots={"footage": footage},
    )
    yield _Bench(context, tmp_path)
    context.close()


def _order(frames: int = 10, rate: str = "24", size: tuple[int, int] = (64, 48), **more: Any) -> Order:
    more.setdefault("brief", Brief())
    return Order(shot="SH020", frames=frames, rate=parse_rate(rate), width=size[0], height=size[1], **more)


def _pictures(frames: int, size: tuple[int, int] = (64, 48)) -> list[Array]:
    return [np.full((size[1], size[0], 3), _STEP * (index + 1), np.uint8) for index in range(frames)]


def _film(path: Path, frames: int, rate: str = "24", size: tuple[int, int] = (64, 48)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write(iter(_pictures(frames, size)), None, Target(codec="prores", order=_order(frames, rate, size)), path)
    return path


def _sequence(folder: Path, pattern: str, numbers: list[int], size: tuple[int, int] = (64, 48)) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        picture = np.full((size[1], size[0], 3), _STEP * (number - 1000), np.uint8)
        Image.fromarray(picture).save(folder / (pattern % number))
    return folder / pattern


def _asset(path: Path, footage: Path) -> Asset:
    (found,) = collect([path])
    assert found.failure is None
    identity = identify(found)
    place = Place(root="footage", path=encode_path(bytes(path.relative_to(footage))))
    return Asset(digest=identity.digest, place=place, kind=found.kind, size=identity.stat.size, sequence=found.sequence)


def _between(footage: Path) -> Brief:
    """Give a brief between a film that is cut at its sixth frame, and one that begins with its third."""
    before = _asset(_film(footage / "SH010.mov", 8), footage)
    after = _asset(_film(footage / "SH030.mov", 8), footage)
    return Brief(
        neighbours=(
            Neighbour(side="before", name="SH010", asset=before, time=5 / 24),
            Neighbour(side="after", name="SH030", asset=after, time=2 / 24),
        )
    )


def _seen(made: Made) -> list[int]:
    """Read off which frame each picture shows, counted from 1; 0 is black."""
    return [round(int(picture[picture.shape[0] // 2, picture.shape[1] // 2, 0]) / _STEP) for picture in made.pictures]


def test_black_is_black_and_silent(bench: _Bench) -> None:
    """Every picture is black, and the sound is as long as the pictures and silent."""
    order = _order(7, "29.97", (66, 50))
    made = fills.black(order, bench)
    pictures = list(made.pictures)
    assert len(pictures) == 7
    assert all(picture.shape == (50, 66, 3) and not picture.any() for picture in pictures)
    assert made.sound is not None
    assert made.sound.shape == (round(48_000 * 7 * 1001 / 30_000), 2)
    assert not made.sound.any()
    assert made.source_type == "algorithmicMedia"


def test_hold_shows_the_frame_at_the_cut(bench: _Bench, footage: Path) -> None:
    """The frame of the shot before that touches the gap stays, not the last of its file; its digest is a reference."""
    brief = _between(footage)
    made = fills.hold(_order(brief=brief), bench)
    assert _seen(made) == [6] * 10
    assert made.notes == ()
    asset = brief.neighbours[0].asset
    assert asset is not None
    assert made.references == {"footage/SH010.mov": asset.digest}


def test_hold_takes_the_shot_behind_where_there_is_none_before(bench: _Bench, footage: Path) -> None:
    """At the head of a cut, and where the media before is away, the first frame behind stays, and the notes say so."""
    brief = _between(footage)
    made = fills.hold(_order(brief=Brief(neighbours=brief.neighbours[1:])), bench)
    assert _seen(made) == [3] * 10
    assert any("SH030" in note and "instead" in note for note in made.notes)
    (footage / "SH010.mov").unlink()
    made = fills.hold(_order(brief=brief), bench)
    assert _seen(made) == [3] * 10
    assert any("before cannot be shown" in note for note in made.notes)


@pytest.mark.parametrize("engine", [fills.hold, fills.nearest])
def test_without_neighbours_nothing_can_be_held(engine: Any, bench: _Bench) -> None:
    """The error names the shot and says which engines need no neighbour."""
    with pytest.raises(JobError, match="SH020 has no neighbour") as caught:
        engine(_order(), bench)
    assert "slate" in caught.value.hint


@pytest.mark.parametrize(("frames", "shown"), [(10, [6] * 5 + [3] * 5), (7, [6] * 4 + [3] * 3), (1, [6])])
def test_nearest_meets_in_the_middle_of_a_gap(frames: int, shown: list[int], bench: _Bench, footage: Path) -> None:
    """The first half shows the shot before, the second the shot behind; the middle frame the one before."""
    assert _seen(fills.nearest(_order(frames, brief=_between(footage)), bench)) == shown


def test_nearest_with_one_neighbour_holds_it(bench: _Bench, footage: Path) -> None:
    """With one side only its frame stays throughout, and the notes say so."""
    made = fills.nearest(_order(brief=Brief(neighbours=_between(footage).neighbours[1:])), bench)
    assert _seen(made) == [3] * 10
    assert any("Only SH030" in note for note in made.notes)


def test_nearest_makes_a_sequence_whole(bench: _Bench, footage: Path) -> None:
    """Each missing number shows the nearest that exists, the earlier of two; every other frame is its own."""
    _sequence(footage / "SH020", "SH020_v002.%04d.png", [1001, 1002, 1006, 1007, 1010])
    made = fills.nearest(_order(12), bench)
    assert _seen(made) == [1, 2, 2, 2, 6, 6, 7, 7, 10, 10, 10, 10]
    note = next(note for note in made.notes if "missing" in note)
    assert "7 of 12 frames of SH020_v002.%04d.png" in note
    assert "1003-1005, 1008-1009, 1011-1012" in note
    assert made.parameters["first_frame"] == 1001


def test_rendered_shows_what_exists_and_says_what_does_not(bench: _Bench, footage: Path) -> None:
    """Frames that exist are shown; each missing one is black with a line of its own."""
    _sequence(footage, "SH020.%04d.png", [1001, 1002, 1004], (320, 180))
    order = _order(5, size=(320, 180))
    pictures = list(fills.rendered(order, bench).pictures)
    assert [int(picture[10, 10, 0]) // _STEP for picture in pictures] == [1, 2, 0, 4, 0]
    third, last = pictures[2], pictures[4]
    for missing in (third, last):
        lit = np.argwhere(missing[:, :, 0] > 100)
        assert len(lit) > 50
        assert np.abs(lit.mean(axis=0) - (90, 160)).max() < 12
    assert not np.array_equal(third, last)
    made = fills.rendered(order, bench)
    assert any("2 of 5 frames" in note and "1003, 1005" in note for note in made.notes)


def test_a_request_may_begin_within_a_sequence(bench: _Bench, footage: Path) -> None:
    """With 'first_frame' the timeline's own part is shown."""
    _sequence(footage, "SH020.%04d.png", [1001, 1002, 1003, 1004, 1006])
    assert _seen(fills.nearest(_order(3, parameters={"first_frame": 1003}), bench)) == [3, 4, 4]


def test_rendered_without_a_sequence_is_refused(bench: _Bench, footage: Path) -> None:
    """A sequence of another shot is none of this one's."""
    _sequence(footage, "SH0200.%04d.png", [1001, 1002, 1003])
    with pytest.raises(JobError, match=r"no image sequence .* named after SH020"):
        fills.rendered(_order(), bench)


def test_previous_takes_the_highest_whole_version(bench: _Bench, footage: Path) -> None:
    """Of v1, v2 and a v3 that lacks frames it is v2; the last frame stays for what it is too short."""
    _film(footage / "old" / "SH020_v001.mov", 12)
    _film(footage / "old" / "sh020_comp_v2.mov", 6)
    _film(footage / "SH021_v009.mov", 12)
    _sequence(footage / "new", "SH020_v003.%04d.png", [1001, 1002, 1010])
    made = fills.previous(_order(9), bench)
    assert _seen(made) == [1, 2, 3, 4, 5, 6, 6, 6, 6]
    assert made.notes[0] == "Shows sh020_comp_v2.mov."
    assert any("6 frames where 9" in note and "last one stays" in note for note in made.notes)
    assert made.parameters["version"] == 2
    assert list(made.references) == ["footage/old/sh020_comp_v2.mov"]


def test_previous_is_cut_where_it_is_too_long(bench: _Bench, footage: Path) -> None:
    """What does not fit is left out at its end, and said."""
    _film(footage / "SH020_v001.mov", 12)
    made = fills.previous(_order(5), bench)
    assert _seen(made) == [1, 2, 3, 4, 5]
    assert any("12 frames where 5" in note and "cut" in note for note in made.notes)


@pytest.mark.parametrize(
    ("rate", "shown"),
    [("48", [1, 1, 2, 2, 3, 3, 4, 4]), ("12", [1, 3, 5, 7, 9, 11, 12, 12]), ("23.976", [1, 2, 3, 4, 5, 6, 7, 8])],
)
def test_previous_of_another_rate_is_shown_by_time(rate: str, shown: list[int], bench: _Bench, footage: Path) -> None:
    """At each frame the one that has begun by then: 24 a second stay twice as long at 48, and are halved at 12."""
    _film(footage / "SH020_v001.mov", 12)
    made = fills.previous(_order(8, rate), bench)
    assert _seen(made) == shown
    assert any(f"shown at {rate}" in note for note in made.notes)


def test_previous_skips_placeholders_and_refuses_without_a_version(bench: _Bench, footage: Path) -> None:
    """A stand-in is no version of the shot."""
    _film(footage / "SH020_PLACEHOLDER_v001_slate.mov", 5)
    with pytest.raises(JobError, match=r"no media .* named after SH020"):
        fills.previous(_order(), bench)


def test_previous_lets_the_frame_before_stand_for_missing_ones(bench: _Bench, footage: Path) -> None:
    """Where only a sequence with holes is there, it is shown as far as it goes, and the notes count the holes."""
    _sequence(footage, "SH020_v001.%04d.png", [1001, 1002, 1005, 1006])
    made = fills.previous(_order(6), bench)
    assert _seen(made) == [1, 2, 2, 2, 5, 6]
    assert any("2 of its frames are missing" in note for note in made.notes)


def test_the_last_of_a_neighbour_that_is_gone_is_no_crash(bench: _Bench, footage: Path) -> None:
    """Media that goes away between search and reading is the job's failure in words."""
    brief = _between(footage)
    for path in footage.iterdir():
        path.unlink()
    with pytest.raises(JobError, match="cannot be shown"):
        fills.hold(_order(brief=brief), bench)
    (footage / "SH020_v001.mov").write_bytes(b"no film at all")
    with pytest.raises(MediaError):
        fills.previous(_order(), bench)


@pytest.mark.parametrize(
    ("frame", "aspect", "picture", "fitted"),
    [
        ((1920, 1080), Fraction(1), (1280, 720), (1920, 1080)),
        ((1920, 1080), Fraction(1), (1440, 1080), (1440, 1080)),
        ((1920, 1080), Fraction(1), (2048, 858), (1920, 804)),
        ((1080, 1920), Fraction(1), (1920, 1080), (1080, 608)),
        ((720, 576), Fraction(16, 15), (768, 576), (720, 576)),
        ((720, 576), Fraction(64, 45), (1024, 576), (720, 576)),
        ((2048, 1716), Fraction(2), (4096, 1716), (2048, 1716)),
        ((1920, 1080), Fraction(1), (1919, 1080), (1920, 1080)),
        ((16, 16), Fraction(1), (4000, 2), (16, 1)),
    ],
)
def test_sizes_are_fitted_and_never_stretched(
    frame: tuple[int, int], aspect: Fraction, picture: tuple[int, int], fitted: tuple[int, int]
) -> None:
    """What a picture of square pixels takes in a frame keeps its shape, to two pixels."""
    assert fitted_size(_order(size=frame, pixel_aspect=aspect), *picture) == fitted


def test_bars_are_black_even_and_said(bench: _Bench, footage: Path) -> None:
    """A square picture in a wide frame is in the middle, whole, with black at both sides."""
    picture = np.full((40, 40, 3), 200, np.uint8)
    picture[0], picture[-1], picture[:, 0], picture[:, -1] = 255, 255, 255, 255
    shown = conform(picture, _order(size=(64, 40)))
    assert shown.shape == (40, 64, 3)
    assert np.array_equal(shown[:, 12:52], picture)
    assert not shown[:, :12].any()
    assert not shown[:, 52:].any()
    asset = _asset(_film(footage / "SH010.mov", 3, size=(64, 64)), footage)
    brief = Brief(neighbours=(Neighbour(side="before", asset=asset),))
    made = fills.hold(_order(size=(128, 72), brief=brief), bench)
    assert any("64 x 64" in note and "at the sides" in note for note in made.notes)


def test_pictures_may_be_drawn_over_only_as_copies(bench: _Bench) -> None:
    """A picture that is shown again and again refuses to be written to."""
    first = next(iter(fills.black(_order(), bench).pictures))
    with pytest.raises(ValueError, match="read-only"):
        first[0, 0] = 255


def test_a_fill_is_the_same_bytes_again(bench: _Bench, footage: Path, tmp_path: Path) -> None:
    """Made twice from the same media, the film is the same to the byte."""
    subprocess.run(
        ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=96x64:r=24:d=0.5", str(footage / "SH020_v1.mp4")],
        check=True,
        timeout=60,
    )
    order = _order(12, size=(128, 64))
    digests = set()
    for name in ("a.mov", "b.mov"):
        made = fills.previous(order, bench)
        write(made.pictures, made.sound, Target(codec="prores", order=order), tmp_path / name)
        digests.add((tmp_path / name).read_bytes())
    assert len(digests) == 1
