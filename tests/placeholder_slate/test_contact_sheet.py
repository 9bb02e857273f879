"""The contact sheet: every version that is there, with what speaks for it and against it, whoever made it and when."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from callboard.runtime.local import LocalRuntime
from callboard.shots import sheets
from callboard.sources.single import digest_of
from callboard_autotag.reader import Reader
from callboard_placeholder.sheet import Shown, keep
from callboard_schemas import Brief, Match, Neighbour, Placeholder
from PIL import Image

BRIEF = Brief(
    purpose="Anna sees the boat leave.",
    neighbours=(Neighbour(side="before", name="SH000"), Neighbour(side="after", name="SH020")),
)
MATCHES = (
    Match(what="palette", side="before", score=0.83, note="colours 11.2 apart"),
    Match(what="horizon", side="after", score=0.27, note="45 % against 61 %"),
)


def shown(
    folder: Path, version: int, *, pictures: int = 3, aspect: str = "", size: tuple[int, int] = (320, 180)
) -> Shown:
    """Make a version, its film in its place."""
    film = folder / f"SH010_PLACEHOLDER_v{version:03d}_previs.mov"
    film.touch()
    told = Placeholder(
        shot="SH010",
        generator="previs",
        file=str(film),
        digest="sha256:" + "0" * 64,
        confidence=1.0,
        seed=40 + version,
        version=1,
        versions=2,
        rate="24",
        frames=96,
        width=size[0],
        height=size[1],
        pixel_aspect=aspect,
        brief=BRIEF,
        matches=MATCHES,
        notes=("The dialogue takes 0.7 s more than the shot.",),
    )
    picture = np.full((size[1], size[0], 3), 40 * version, np.uint8)
    return Shown(pictures=[picture] * pictures, placeholder=told)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Give a shot's folder."""
    (folder := tmp_path / "SH010").mkdir()
    return folder


def drawn(home: Path) -> np.ndarray[Any, Any]:
    """Compose the sheet and give its picture: height x width x 3, uint8."""
    assert sheets.compose(home / f"SH010{sheets.SHEET}")
    return np.asarray(Image.open(home / "SH010_PLACEHOLDER_sheet.png"))


@pytest.mark.models
def test_a_sheet_says_everything(home: Path) -> None:
    """Versions, seeds, names of the neighbours, scores with what was measured, and notes are read back."""
    keep(shown(home, 3))
    with LocalRuntime() as runtime:
        said = "|".join(line.text.replace(" ", "") for line in Reader(runtime).read(drawn(home)))
    for text in (
        "SH010",
        "PLACEHOLDERS",
        "Annaseestheboatleave",
        "v003",
        "seed43",
        "besideSH000",
        "besideSH020",
    ):
        assert text in said, said
    for text in ("palette", "0.83", "colours11.2apart", "horizon", "0.27", "0.7smore", "frame96"):
        assert text in said, said


def test_a_sheet_is_the_same_bytes(home: Path) -> None:
    """Composed of the same versions, in whatever order they came, a sheet is the same file."""
    digests = []
    for order in ((1, 2), (2, 1)):
        for version in order:
            keep(shown(home, version))
        digests.append(sheets.compose(home / f"SH010{sheets.SHEET}"))
    assert digests[0] == digests[1] == digest_of(home / "SH010_PLACEHOLDER_sheet.png")
    assert not [path.name for path in home.iterdir() if path.name.startswith(".")]


def test_a_version_that_is_gone_is_not_shown(home: Path) -> None:
    """Of a film that was taken away the row goes too; without any there is no sheet; strange files are let be."""
    for version in (1, 2):
        keep(shown(home, version))
    both = drawn(home)
    (home / "SH010_PLACEHOLDER_v001_previs.mov").unlink()
    (home / "SH010_PLACEHOLDER_v009_slate_row.png").write_bytes(b"half a picture")
    one = drawn(home)
    assert one.shape[0] < both.shape[0]
    assert (one == 80).all(axis=2).sum() > 10_000  # letters have a few pixels of any grey at their edges
    assert (one == 40).all(axis=2).sum() < 1_000 < (both == 40).all(axis=2).sum()
    assert not (home / "SH010_PLACEHOLDER_v001_previs_row.png").exists()
    (home / "SH010_PLACEHOLDER_v002_previs.mov").unlink()
    assert sheets.compose(home / f"SH010{sheets.SHEET}") == ""
    assert not (home / "SH010_PLACEHOLDER_sheet.png").exists()


def test_the_last_of_several_leaves_a_sheet_of_all(home: Path) -> None:
    """Processes that finish at once do not lose each other's versions."""
    for version in range(1, 5):
        keep(shown(home, version))
    rows = [(home / f"SH010_PLACEHOLDER_v{version:03d}_previs_row.png").read_bytes() for version in range(1, 5)]
    whole = drawn(home).tobytes()
    for path in home.glob("*.png"):
        path.unlink()
    script = (
        "import sys; from pathlib import Path; from callboard.shots import sheets\n"
        "home, version = Path(sys.argv[1]), sys.argv[2]\n"
        "print('ready', flush=True); row = sys.stdin.buffer.read()\n"
        "(home / f'SH010_PLACEHOLDER_v00{version}_previs_row.png').write_bytes(row)\n"
        "sheets.compose(home / f'SH010{sheets.SHEET}')\n"
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(home), str(version)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for version in range(1, 5)
    ]
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
    for process, row in zip(running, rows, strict=True):
        assert process.stdin is not None
        process.stdin.write(row)
        process.stdin.close()
    for process in running:
        assert process.wait(100) == 0
        assert process.stdout is not None
        process.stdout.close()
    assert np.asarray(Image.open(home / "SH010_PLACEHOLDER_sheet.png")).tobytes() == whole


@pytest.mark.parametrize(
    ("pictures", "aspect", "size", "across"),
    [(1, "", (320, 180), 300), (3, "2:1", (160, 180), 300), (2, "", (180, 320), 169), (3, "", (64, 36), 300)],
)
def test_pictures_have_their_shape(home: Path, pictures: int, aspect: str, size: tuple[int, int], across: int) -> None:
    """Pictures are shown as they are seen, upright ones too, however few there are."""
    keep(shown(home, 3, pictures=pictures, aspect=aspect, size=size))
    plain = (drawn(home) == 120).all(axis=2)
    rows = np.flatnonzero(plain.sum(axis=1) > 100)  # letters have a few such pixels at their edges, too
    first = plain[rows[0]]
    runs = int((np.diff(np.concatenate([[0], first.astype(int)])) == 1).sum())
    assert runs == pictures
    assert int(first.sum()) == across * pictures
