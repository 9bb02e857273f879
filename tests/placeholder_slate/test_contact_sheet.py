"""The contact sheet: every version with what speaks for it and against it, readable, the same bytes each time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from callboard.runtime.local import LocalRuntime
from callboard_autotag.reader import Reader
from callboard_placeholder.sheet import WIDTH, Shown, contact_sheet
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


def shown(version: int, *, pictures: int = 3, aspect: str = "", size: tuple[int, int] = (320, 180)) -> Shown:
    """Make a version."""
    told = Placeholder(
        shot="SH010",
        generator="previs",
        file=f"SH010_PLACEHOLDER_v{version:03d}_previs.mov",
        digest="sha256:" + "0" * 64,
        confidence=1.0,
        seed=40 + version,
        version=version,
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
    return Shown(version=version, engine="previs", pictures=[picture] * pictures, placeholder=told)


@pytest.mark.models
def test_a_sheet_says_everything(tmp_path: Path) -> None:
    """Versions, seeds, names of the neighbours, scores with what was measured, and notes are read back."""
    path = tmp_path / "sheet.png"
    contact_sheet([shown(1)], "SH010", path)
    picture = np.asarray(Image.open(path))
    assert picture.shape[1] == WIDTH
    with LocalRuntime() as runtime:
        said = "|".join(line.text.replace(" ", "") for line in Reader(runtime).read(picture))
    for text in (
        "SH010",
        "1version",
        "Annaseestheboatleave",
        "v1",
        "seed41",
        "besideSH000",
        "besideSH020",
    ):
        assert text in said, said
    for text in ("palette", "0.83", "colours11.2apart", "horizon", "0.27", "0.7smore", "frame96"):
        assert text in said, said


def test_a_sheet_is_the_same_bytes(tmp_path: Path) -> None:
    """Drawn twice, a sheet is the same file, and nothing else is left in its folder."""
    for name in ("one", "two"):
        contact_sheet([shown(1), shown(2)], "SH010", tmp_path / f"{name}.png")
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.png", "two.png"]


@pytest.mark.parametrize(
    ("pictures", "aspect", "size", "across"),
    [(1, "", (320, 180), 300), (3, "2:1", (160, 180), 300), (2, "", (180, 320), 169), (3, "", (64, 36), 300)],
)
def test_pictures_have_their_shape(
    tmp_path: Path, pictures: int, aspect: str, size: tuple[int, int], across: int
) -> None:
    """Pictures are shown as they are seen, upright ones too, however few there are."""
    path = tmp_path / "sheet.png"
    contact_sheet([shown(3, pictures=pictures, aspect=aspect, size=size)], "SH010", path)
    plain = (np.asarray(Image.open(path)) == 120).all(axis=2)
    rows = np.flatnonzero(plain.sum(axis=1) > 100)  # letters have a few such pixels at their edges, too
    first = plain[rows[0]]
    runs = int((np.diff(np.concatenate([[0], first.astype(int)])) == 1).sum())
    assert runs == pictures
    assert int(first.sum()) == across * pictures
