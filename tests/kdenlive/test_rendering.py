"""What melt makes of projects that we changed, and of plain files: pixels compared."""

from __future__ import annotations

import os
import subprocess
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from callboard_kdenlive import saving
from callboard_kdenlive.measure import measure
from callboard_kdenlive.mlt import Clip, Profile, document, melt
from callboard_kdenlive.uses import open_gaps, uses
from callboard_schemas import Command, Content, HostCue
from numpy.typing import NDArray
from PIL import Image

RED, BLUE, GREEN, BLACK = (200, 0, 0), (0, 0, 200), (0, 200, 0), (0, 0, 0)
NEAR = 45
"""How far a colour may be off after H.264 and the way through another colour space."""


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with two clips of 75 frames and a still."""
    folder = tmp_path_factory.mktemp("media")
    for name, colour in (("red", RED), ("blue", BLUE)):
        moving(folder / f"{name}.mp4", colour, 75)
    moving(folder / "standin.mp4", GREEN, 60)
    Image.new("RGB", (320, 180), GREEN).save(folder / "standin.png")
    return folder


def moving(path: Path, colour: tuple[int, int, int], frames: int) -> None:
    """Write a clip of one colour at 25 frames a second."""
    picture = np.full((180, 320, 3), colour, np.uint8)
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for _ in range(frames):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(stream.encode(None))


def rendered(path: Path, last: int) -> list[NDArray[np.uint8]]:
    """Render a project up to a frame, and give its frames as rows, columns and three colours."""
    out = path.with_suffix(".render.mkv")
    target = f"avformat:{out}"
    command = [
        melt(),
        str(path),
        f"out={last}",
        "-consumer",
        target,
        "vcodec=libx264",
        "crf=12",
        "an=1",
        "real_time=-1",
    ]
    # Without a display melt leaves out the transitions of Qt, and a black ground shows through as black all the same.
    environment = {name: value for name, value in os.environ.items() if name != "DISPLAY"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    with av.open(str(out)) as file:
        return [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in file.decode(video=0)]


def shows(frame: NDArray[np.uint8], colour: tuple[int, int, int]) -> bool:
    """Tell whether the middle of a frame is of a colour."""
    height, width, _ = frame.shape
    middle = frame[height // 2 - 4 : height // 2 + 4, width // 2 - 4 : width // 2 + 4].reshape(-1, 3).mean(axis=0)
    return bool(np.abs(middle - np.asarray(colour)).max() < NEAR)


def white(part: NDArray[np.uint8]) -> int:
    """Count the pixels of bright text."""
    return int((part.min(axis=2) > 150).sum())


@pytest.fixture
def edit(pytestconfig: pytest.Config, media: Path, tmp_path: Path) -> Path:
    """Give a closed project of that media, with a gap of 40 frames after frame 29."""
    text = (pytestconfig.rootpath / "tests" / "kdenlive" / "edit.kdenlive").read_text("utf-8")
    path = tmp_path / "edit.kdenlive"
    small = text.replace('width="1280" height="720"', 'width="320" height="180"')
    path.write_text(small.replace("@FOLDER@", str(media)), "utf-8")
    return path


@pytest.mark.parametrize("standin", ["standin.png", "standin.mp4"])
def test_melt_shows_the_placeholder_and_the_subtitles(edit: Path, media: Path, standin: str) -> None:
    """The gap is black before, and shows the stand-in after, to the frame; a cue is seen while it lasts."""
    before = rendered(edit, 80)
    assert shows(before[29], RED)
    assert shows(before[30], BLACK)
    project, _ = saving.read(str(edit))
    use = next(use for use in uses(project) if use.ref.startswith("V1-") and use.path.endswith("red.mp4"))
    cues = (HostCue(id=1, start=0.2, end=0.6, text="WWWWW"), HostCue(id=2, start=0.8, end=1.1, text="MMMMM", align=8))
    for verb, content in (
        ("subtitles.write", Content(cues=cues)),
        ("placeholder.insert", Content(gap=open_gaps(project)[0], file=str(media / standin))),
    ):
        command = Command(id="c", host="h", verb=verb, proposal="p", use=use if content.cues else None, content=content)
        assert saving.patch(str(edit), command, measure).missing == []
    after = rendered(edit, 80)
    half = after[0].shape[0] // 2
    assert [shows(after[at], GREEN) for at in (29, 30, 50, 69, 70)] == [False, True, True, True, False]
    assert shows(after[70], BLUE)
    assert white(after[2]) == 0
    assert white(after[8][half:]) > 40
    assert white(after[8][:half]) == 0
    assert white(after[22][:half]) > 40


def test_melt_renders_a_plain_file_of_ours(media: Path, tmp_path: Path) -> None:
    """Clips, a gap and a still follow each other to the frame, with a subtitle file shown over them."""
    titles = tmp_path / "titles.srt"
    titles.write_text("1\n00:00:00,800 --> 00:00:01,200\nWWWWW\n", "utf-8")
    clips = (
        Clip(frames=10, path=str(media / "red.mp4"), source_in=20),
        Clip(frames=5),
        Clip(frames=10, path=str(media / "standin.png")),
        Clip(frames=10, path=str(media / "blue.mp4")),
    )
    path = tmp_path / "plain.mlt"
    path.write_bytes(document(Profile(width=320, height=180, fps=Fraction(25)), clips, subtitles=str(titles)))
    frames = rendered(path, 34)
    assert len(frames) == 35
    wanted = ((0, RED), (9, RED), (10, BLACK), (14, BLACK), (15, GREEN), (24, GREEN), (25, BLUE), (34, BLUE))
    assert [(at, colour) for at, colour in wanted if shows(frames[at], colour)] == list(wanted)
    assert white(frames[5][90:]) == 0
    assert white(frames[22][90:]) > 40


def test_a_shot_that_is_too_short_is_refused(edit: Path, media: Path, tmp_path: Path) -> None:
    """A relink never leaves a clip on the timeline without pictures."""
    short = tmp_path / "short.mp4"
    moving(short, GREEN, 20)
    use = next(use for use in uses(saving.read(str(edit))[0]) if use.path.endswith("red.mp4"))
    command = Command(id="c", host="h", verb="relink", proposal="p", use=use, content=Content(file=str(short)))
    before = edit.read_bytes()
    outcome = saving.patch(str(edit), command, measure)
    assert outcome.refused == f"{short} is 30 frame(s) shorter than what the timeline shows of it"
    assert edit.read_bytes() == before


def test_the_real_shot_takes_the_place_of_the_placeholder(edit: Path, media: Path) -> None:
    """Where a still stood in, the moving shot is seen, and nothing else moved."""
    project, _ = saving.read(str(edit))
    still = Content(gap=open_gaps(project)[0], file=str(media / "standin.png"))
    saving.patch(str(edit), Command(id="c", host="h", verb="placeholder.insert", proposal="p", content=still), measure)
    standin = next(use for use in uses(saving.read(str(edit))[0]) if use.path.endswith("standin.png"))
    shot = Content(file=str(media / "blue.mp4"))
    outcome = saving.patch(
        str(edit), Command(id="d", host="h", verb="relink", proposal="q", use=standin, content=shot), measure
    )
    assert outcome.landed == [f"standin.png: {media / 'blue.mp4'}"]
    frames = rendered(edit, 72)
    assert [shows(frames[at], BLUE) for at in (29, 30, 69)] == [False, True, True]
