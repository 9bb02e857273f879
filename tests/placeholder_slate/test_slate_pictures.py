"""Slates: everything an editor asks of a missing shot, at any size, within its edges, the same on every machine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest
from callboard.runtime.local import LocalRuntime
from callboard.timedtext.rate import parse_rate
from callboard_autotag.reader import Reader
from callboard_placeholder.engine import Made, Order
from callboard_placeholder.slate import slate
from callboard_placeholder.slate.bars import ebu, smpte
from callboard_placeholder.slate.card import FIELD, plan
from callboard_placeholder.slate.flow import AMBER
from callboard_schemas import Brief, Line, Neighbour
from msgspec.structs import replace

if TYPE_CHECKING:
    from callboard.context import Context

BRIEF = Brief(
    purpose="Anna sees the boat leave without her.",
    slug="EXT. HARBOUR - NIGHT",
    shot_size="medium close-up",
    movement="dolly in",
    people=2,
    cast=("Anna", "Ben"),
    time_of_day="night",
    dialogue=(Line(text="Where were you?", speaker="Anna"),),
    notes="Keep the lighthouse in frame left.",
    neighbours=(Neighbour(side="before", name="SH000", palette=("#102030", "#a0b0c0")),),
    guesses={"time_of_day": "from the slug line"},
)
WORDS = " ".join(f"word{number}" for number in range(140))
FULL = Brief(
    purpose=WORDS[:1000],
    slug="Y" * 300,
    cast=tuple(f"Person {number}" for number in range(20)),
    mood=WORDS,
    dialogue=tuple(Line(text="z" * 2000, speaker="Somebody with a name" * 9) for _ in range(30)),
    notes="w" * 5000,
)
ORDER = Order(
    shot="SH010",
    brief=BRIEF,
    frames=24,
    rate=parse_rate("24"),
    width=640,
    height=360,
    start=86400,
    seed=7,
    version=2,
    versions=3,
    parameters={"slate_voice": False},
)


class Bench:
    """A folder, and nothing of a job: a slate needs no more."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def context(self) -> Context:
        """Not there."""
        raise LookupError("a slate asks nothing of its job")

    def progress(self, fraction: float, note: str = "") -> None:
        """Take any share of the whole."""
        assert 0 <= fraction <= 1, note


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Give a place to make slates in."""
    return Bench(tmp_path)


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    """Give a reader of text in pictures."""
    with LocalRuntime() as runtime:
        yield Reader(runtime)


def pictures(made: Made) -> list[np.ndarray[Any, Any]]:
    """Take all pictures."""
    return list(made.pictures)


def read(reader: Reader, picture: np.ndarray[Any, Any]) -> list[str]:
    """Read what a picture says, without spaces, which text recognition guesses."""
    return [line.text.replace(" ", "") for line in reader.read(picture)]


@pytest.mark.parametrize(
    ("width", "height", "aspect"),
    [
        (64, 36, Fraction(1)),
        (128, 72, Fraction(1)),
        (256, 144, Fraction(1)),
        (720, 576, Fraction(16, 15)),
        (1440, 1080, Fraction(4, 3)),
        (1080, 1920, Fraction(1)),
        (2048, 858, Fraction(1)),
        (400, 40, Fraction(1)),
        (64, 400, Fraction(1)),
    ],
)
@pytest.mark.parametrize("background", ["grey", "smpte bars"])
def test_any_size_is_drawn(bench: Bench, width: int, height: int, aspect: Fraction, background: str) -> None:
    """Exactly as many pictures as ordered come, each of the size that was ordered, and each another."""
    parameters = {"slate_voice": False, "slate_background": background}
    order = replace(ORDER, width=width, height=height, pixel_aspect=aspect, frames=2, parameters=parameters)
    made = slate(order, bench)
    drawn = pictures(made)
    assert [(one.shape, one.dtype) for one in drawn] == [((height, width, 3), np.uint8)] * 2
    assert (drawn[0] != drawn[1]).any()
    assert made.labelled
    assert made.sound is None


def test_8k(bench: Bench) -> None:
    """A picture of 7680 x 4320 is drawn like any other."""
    made = slate(replace(ORDER, width=7680, height=4320, frames=1), bench)
    assert [one.shape for one in pictures(made)] == [(4320, 7680, 3)]


@pytest.mark.models
def test_a_slate_says_what_is_known(bench: Bench, reader: Reader) -> None:
    """Shot, purpose, what is known, what is a guess and why, dialogue, notes, length, rate, size, version and seed."""
    order = replace(ORDER, width=960, height=540, rate=parse_rate("25"))
    said = " ".join(re.sub(r"\W", "", line) for line in read(reader, pictures(slate(order, bench))[0]))
    for text in (
        "PLACEHOLDER",
        "SH010",
        "Annaseestheboatleavewithouther",
        "mediumcloseup",
        "dollyin",
        "NIGHTguessfromtheslugline",
        "2AnnaBen",
        "Wherewereyou",
        "Keepthelighthouseinframeleft",
        "00000024long24framesat25",
        "beforeSH000",
        "v2of3seed7",
    ):
        assert text in said, text
    assert re.search("960x?540", said)


@pytest.mark.models
@pytest.mark.parametrize(
    ("rate", "start", "index", "code"),
    [
        ("29.97df", 1798, 1, "00:00:59;29"),
        ("29.97df", 1798, 2, "00:01:00;02"),
        ("25", 25 * 86400 - 1, 1, "00:00:00:00"),
    ],
)
def test_timecode_is_that_of_the_timeline(
    bench: Bench, reader: Reader, rate: str, start: int, index: int, code: str
) -> None:
    """The burnt-in timecode counts from where the shot stands, drops numbers where the rate does, and ends a day."""
    order = replace(ORDER, rate=parse_rate(rate), start=start, frames=3)
    foot = pictures(slate(order, bench))[index][plan(order, "grey").foot.top - 10 :]
    assert code in read(reader, foot)


def test_a_guess_looks_unlike_what_was_said(bench: Bench) -> None:
    """The colour of guesses is there with a guess, and nowhere without one."""

    def ambers(brief: Brief) -> int:
        picture = pictures(slate(replace(ORDER, brief=brief, frames=1, width=1280, height=720), bench))[0]
        return int((picture == np.array(AMBER)).all(axis=2).sum())

    assert ambers(BRIEF) > 100
    assert ambers(replace(BRIEF, guesses={})) == 0


@pytest.mark.parametrize(("width", "height"), [(320, 180), (640, 360), (1280, 720), (360, 640)])
def test_text_keeps_within_its_room(bench: Bench, width: int, height: int) -> None:
    """However much a brief says, the margins stay empty, nothing runs into the foot, and what found no room is told."""
    order = replace(ORDER, brief=FULL, shot="A_long_name_" * 12, width=width, height=height, frames=1)
    made = slate(order, bench)
    picture = pictures(made)[0]
    where = plan(order, "grey")
    below = picture[where.band.bottom :]
    side = where.foot.left
    assert (below[:, : side - 1] == FIELD).all()
    assert (below[:, width - side + 1 :] == FIELD).all()
    assert (picture[where.text.bottom : where.foot.top] == FIELD).all()
    assert (picture[where.foot.bottom :] == FIELD).all()
    assert (picture[where.text.top : where.text.bottom] != FIELD).any()
    assert any("no room" in note and "more parts of the brief" in note for note in made.notes)


def test_only_what_moves_changes(bench: Bench) -> None:
    """Between pictures the timecode, the counter and the countdown change, and no other pixel."""
    drawn = np.stack(pictures(slate(ORDER, bench)))
    changed = (drawn != drawn[0]).any(axis=(0, 3))
    rows, columns = np.nonzero(changed)
    where = plan(ORDER, "grey")
    assert rows.min() >= where.foot.top
    assert rows.max() < where.foot.bottom
    assert columns.min() >= where.foot.left
    assert columns.max() < where.foot.right


@pytest.mark.parametrize(("width", "height"), [(64, 36), (640, 360)])
def test_the_countdown_runs_out(bench: Bench, width: int, height: int) -> None:
    """Less and less of the countdown is lit, from all of it at the first picture to next to nothing at the last."""
    order = replace(ORDER, width=width, height=height, frames=48)
    where = plan(order, "grey")
    below = [one[where.foot.top :].astype(int) for one in pictures(slate(order, bench))]
    lit = [int(((one[..., 0] > 200) & (one[..., 2] < 60)).sum()) for one in below]
    assert all(after <= before for before, after in pairwise(lit))
    assert lit[0] > 30 * max(lit[-1], 1) or lit[-1] <= 4


def test_letters_are_not_squeezed(bench: Bench) -> None:
    """An anamorphic picture, brought to the shape in which it is seen, is the picture of square pixels."""
    square = pictures(slate(replace(ORDER, width=1280, height=720, frames=1), bench))[0]
    order = replace(ORDER, width=640, height=720, pixel_aspect=Fraction(2), frames=1)
    stored = pictures(slate(order, bench))[0]
    rows = slice(0, plan(order, "grey").foot.top)  # below, the size of the picture is told
    seen = square[rows].reshape(-1, 640, 2, 3).mean(axis=2)
    assert np.abs(stored[rows] - seen).mean() < 1.0


@pytest.mark.parametrize(
    ("x", "y", "level"),
    [
        (1 / 16, 0.2, (0.4, 0.4, 0.4)),
        (1 / 8 + 0.5 * 3 / 28, 0.2, (0.75, 0.75, 0.75)),
        (1 / 8 + 1.5 * 3 / 28, 0.2, (0.75, 0.75, 0)),
        (1 / 8 + 2.5 * 3 / 28, 0.2, (0, 0.75, 0.75)),
        (1 / 8 + 3.5 * 3 / 28, 0.2, (0, 0.75, 0)),
        (1 / 8 + 4.5 * 3 / 28, 0.2, (0.75, 0, 0.75)),
        (1 / 8 + 5.5 * 3 / 28, 0.2, (0.75, 0, 0)),
        (1 / 8 + 6.5 * 3 / 28, 0.2, (0, 0, 0.75)),
        (1 / 16, 7.5 / 12, (0, 1, 1)),
        (15 / 16, 7.5 / 12, (0, 0, 1)),
        (1 / 16, 8.5 / 12, (1, 1, 0)),
        (15 / 16, 8.5 / 12, (1, 0, 0)),
        (1 / 8 + 6.5 * 3 / 28, 8.5 / 12, (1, 1, 1)),
        (1 / 8 + 2.5 * 3 / 28, 0.9, (1, 1, 1)),
        (1 / 16, 0.9, (0.15, 0.15, 0.15)),
        (1 / 8 + (13 / 3 + 5 / 6) * 3 / 28, 0.9, (0.02, 0.02, 0.02)),
        (1 / 8 + (13 / 3 + 9 / 6) * 3 / 28, 0.9, (0.04, 0.04, 0.04)),
    ],
)
def test_bars_are_those_of_the_standard(x: float, y: float, level: tuple[float, float, float]) -> None:
    """Each field of RP 219 is where the standard has it in a 16:9 picture, and has its level."""
    bars = smpte(1920, 1080, Fraction(16, 9))
    assert bars[int(y * 1080), int(x * 1920)].tolist() == [round(part * 255) for part in level]


def test_ebu_bars() -> None:
    """White is at 100 %, the six colours at 75 %, black at 0, in the order of luminance."""
    row = ebu(64, 4)[0, 4::8].tolist()
    assert row[0] == [255, 255, 255]
    assert row[1:] == [
        [191, 191, 0],
        [0, 191, 191],
        [0, 191, 0],
        [191, 0, 191],
        [191, 0, 0],
        [0, 0, 191],
        [0, 0, 0],
    ]
    assert [0, 191, 0] in smpte(90, 160, Fraction(9, 16))[8].tolist()  # an upright picture has no pillars, but all bars


_MAKE = """
import sys, hashlib, tempfile
from pathlib import Path
import msgspec
from callboard.timedtext.rate import parse_rate
from callboard_placeholder.burnin import over
from callboard_placeholder.engine import Order
from callboard.shots import sheets
from callboard_placeholder.sheet import Shown, keep
from callboard_placeholder.slate import slate
from callboard_schemas import Brief, Placeholder

brief = msgspec.json.decode(sys.argv[1], type=Brief)
order = Order(shot="SH010", brief=brief, frames=12, rate=parse_rate("29.97df"), width=480, height=270, seed=7,
              parameters={"slate_tone": "-20 dBFS", "slate_background": "smpte bars"})
digest = hashlib.sha256()
with tempfile.TemporaryDirectory() as folder:
    class Bench:
        folder = Path(folder)
    made = slate(order, Bench())
    pictures = list(made.pictures)
    for picture in [*pictures, *over(iter(pictures), order, "previs"), made.sound]:
        digest.update(picture.tobytes())
    film = Path(folder) / "SH010_PLACEHOLDER_v001_slate.mov"
    film.touch()
    told = Placeholder(shot="SH010", generator="slate", file=str(film), digest="sha256:" + "0" * 64, confidence=1.0,
                       rate="29.97df", frames=12, width=480, height=270, brief=brief, notes=made.notes,
                       models=made.models)
    keep(Shown(pictures=pictures[:3], placeholder=told))
    digest.update(sheets.compose(Path(folder) / f"SH010{sheets.SHEET}").encode())
print(digest.hexdigest())
"""


def test_another_process_draws_the_same_bytes(tmp_path: Path) -> None:
    """Pictures, sound, burn-in and contact sheet are the same in another place, time zone and language."""
    asked = msgspec.json.encode(replace(BRIEF, notes="ليل אנה 夜")).decode()
    digests = set()
    for number, (zone, language) in enumerate((("UTC", "C"), ("Asia/Tokyo", "de_DE.UTF-8"))):
        place = tmp_path / str(number)
        place.mkdir()
        environment = {**os.environ, "TZ": zone, "LANG": language, "LC_ALL": language, "PYTHONHASHSEED": str(number)}
        done = subprocess.run(
            [sys.executable, "-c", _MAKE, asked],
            cwd=place,
            env=environment,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        digests.add(done.stdout.strip())
    assert len(digests) == 1
