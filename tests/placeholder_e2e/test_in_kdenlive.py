"""A shot's way through a Kdenlive project: a stand-in, the shot with its handles, a newer one, and back; by melt."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from callboard.testing import countedclips
from callboard_kdenlive import saving
from callboard_kdenlive.measure import measure
from callboard_kdenlive.mlt import melt
from callboard_kdenlive.tracks import items, tracks
from callboard_kdenlive.uses import open_gaps
from callboard_schemas import Command, Content, Parameters

RED, BLUE, STANDS_IN, SHOT, NEWER = 1, 2, 3, 4, 5
GAP, FRAMES, LAST = 30, 40, 72
"""Where the project's gap begins and how long it is, and the last frame that is looked at."""
Seen = list[tuple[int, int, int, int]]


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Give the project's two clips, and three films for its gap: as long, with 8 frames of handles, and with 5."""
    folder = tmp_path_factory.mktemp("films")
    made = (
        (RED, "red.mp4", 75), (BLUE, "blue.mp4", 75), (STANDS_IN, "SH010_PLACEHOLDER_v001_slate.mov", FRAMES),
        (SHOT, "SH010_v001.mov", FRAMES + 16), (NEWER, "SH010_v002.mov", FRAMES + 10),
    )  # fmt: skip
    return {film: countedclips.write(folder / name, film, frames, 25) for film, name, frames in made}


@pytest.fixture
def edit(pytestconfig: pytest.Config, films: dict[int, Path], tmp_path: Path) -> Path:
    """Give a closed project of those clips, small enough to be rendered fast."""
    text = (pytestconfig.rootpath / "tests" / "kdenlive" / "edit.kdenlive").read_text("utf-8")
    small = text.replace('width="1280" height="720"', f'width="{countedclips.WIDTH}" height="{countedclips.HEIGHT}"')
    path = tmp_path / "edit.kdenlive"
    path.write_text(small.replace("@FOLDER@", str(films[RED].parent)), "utf-8")
    return path


def shown(path: Path) -> Seen:
    """Render the project and read the pictures' own numbers."""
    out = path.with_suffix(".mkv")
    line = [melt(), str(path), f"out={LAST}", "-consumer", f"avformat:{out}", "vcodec=mpeg4", "qscale=2", "g=1", "an=1"]
    # Without a display melt leaves out the transitions of Qt.
    bare = {name: value for name, value in os.environ.items() if name != "DISPLAY"}
    subprocess.run([*line, "real_time=-1"], check=True, timeout=280, capture_output=True, env=bare)
    return countedclips.runs(list(countedclips.seen(out)))


def laid(path: Path) -> list[tuple[str, int, int]]:
    """List what lies where on the tracks."""
    project = saving.read(str(path))[0]
    return [(track.name, one.start, one.length) for track in tracks(project) for one in items(project, track)]


def do(path: Path, verb: str, proposal: str, content: Content | None = None, **given: str) -> None:
    """Have the closed project take a command."""
    arguments: Parameters = {name: value for name, value in given.items() if value}
    command = Command(id="c", host="h", verb=verb, proposal=proposal, content=content, arguments=arguments)
    outcome = saving.patch(str(path), command, measure)
    assert (outcome.refused, outcome.stale, outcome.missing) == ("", "", [])


def in_gap(seen: Seen) -> list[tuple[int, int, int]]:
    """Give film, first frame and length of what is seen where the gap was."""
    return [(film, first, count) for place, film, first, count in seen if GAP <= place < GAP + FRAMES]


def test_a_shot_comes_in_with_its_handles_and_goes_again(edit: Path, films: dict[int, Path]) -> None:
    """Each picture is the right one: the stand-in, the shot behind its handle, a newer one, and each of them back."""
    gap = open_gaps(saving.read(str(edit))[0])[0]
    do(edit, "placeholder.insert", "p", Content(gap=gap, file=str(films[STANDS_IN])))
    before, around = laid(edit), [run for run in shown(edit) if not GAP <= run[0] < GAP + FRAMES]
    steps = [(in_gap(shown(edit)), [(STANDS_IN, 0, FRAMES)])]
    do(edit, "relink", "s1", Content(gap=gap, file=str(films[SHOT]), source_in=8 / 25), placeholder="p")
    steps.append((in_gap(shown(edit)), [(SHOT, 8, FRAMES)]))
    do(edit, "relink", "s2", Content(gap=gap, file=str(films[NEWER]), source_in=5 / 25), placeholder="p", former="s1")
    steps.append((in_gap(shown(edit)), [(NEWER, 5, FRAMES)]))
    do(edit, "clear", "s2")
    steps.append((in_gap(shown(edit)), [(SHOT, 8, FRAMES)]))
    do(edit, "clear", "s1")
    seen = shown(edit)
    steps.append((in_gap(seen), [(STANDS_IN, 0, FRAMES)]))
    assert [found for found, _ in steps] == [wanted for _, wanted in steps]
    assert laid(edit) == before
    assert [run for run in seen if not GAP <= run[0] < GAP + FRAMES] == around
    assert {film for _, film, _, _ in around} == {RED, BLUE}
