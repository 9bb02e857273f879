"""Real Blender beside a real board: media dropped, reviewed from inside, and found in the files opened anew."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from callboard.testing import write_plugin
from callboard_blender import build
from PIL import Image, ImageChops

HERE = Path(__file__).parent
JOBS = HERE.parents[1] / "hosts" / "callboard_blender" / "jobs.py"
SOON = 200.0
"""Seconds that only guard against hanging."""
# Only the very first call waits for the wheels to be fetched.
pytestmark = [pytest.mark.timeout(900), pytest.mark.broker]

SAYS = """
    from callboard import Captions, Cue, Tag, Tags, hookimpl

    @hookimpl
    def callboard_handle(event, asset, context):
        if context.path.suffix == ".png":
            tags = tuple(Tag(label=label, score=0.9, method="says") for label in ("orange", "slate"))
            return Tags(items=tags, confidence=0.9, description="An orange slate.")
        lines = (("Hello from the board",), ("and", "goodbye"))
        cues = (Cue(id=n, start=n - 0.9, end=n - 0.1, lines=l, confidence=0.9) for n, l in enumerate(lines, start=1))
        return Captions(language="en", cues=tuple(cues), confidence=0.9)
"""
SETTINGS = """
allow_plugins = ["says"]
workers = 1
[[watch]]
path = "footage"
quiet = 0.2
[policy]
analyse = "ask"
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give a project with a board that is up, on a broker of its own."""
    folder = tmp_path_factory.mktemp("board")
    (folder / "site").mkdir()
    write_plugin(folder / "site", "says", SAYS, events=["media.settled"], results=["captions", "tags"])
    (folder / "footage").mkdir()
    off = "".join(f"[plugins.{name}]\nenabled = false\n" for name in ("autotag", "caption", "localize"))
    (folder / "callboard.toml").write_text(SETTINGS + off)
    path = os.pathsep.join([str(folder / "site"), *filter(None, [os.environ.get("PYTHONPATH")])])
    with (folder / "log").open("w") as log:
        board = subprocess.Popen(
            [sys.executable, "-m", "callboard", "up"],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"},
        )
        try:
            assert board.stdout is not None
            assert any("Ready in" in line for line in board.stdout), (folder / "log").read_text()
            yield folder
        finally:
            board.terminate()
            try:
                board.communicate(timeout=SOON)
            finally:
                board.kill()
                board.communicate()


def media(folder: Path, name: str, *source: str) -> Path:
    """Put media into the watched folder, as a copy does that renames at its end."""
    part = folder / name
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", *source, part], check=True, timeout=SOON)
    return part.rename(folder / "footage" / name)


@pytest.fixture(scope="module", params=("4.2", "4.5", "5.0"))
def blender(request: pytest.FixtureRequest, project: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Let one Blender review and apply; give what it saw, its interpreter, and its folder."""
    python = subprocess.check_output([HERE.parent / "bpy.sh", request.param], text=True, timeout=850).strip()
    label, out = request.param.replace(".", "-"), tmp_path_factory.mktemp("out")
    # A picture of its own for each: what was accepted of a file holds for the same file elsewhere.
    colour = {"4-2": "navy", "4-5": "maroon", "5-0": "olive"}[label]
    clip = media(project, f"clip-{label}.mp4", f"color={colour}:s=320x180:r=24:d=5", "-pix_fmt", "yuv420p")
    still = media(project, f"still-{label}.png", f"color={colour}:s=64x64:d=1", "-frames:v", "1")
    (archive,) = [path for path in build.build(out) if path.name == build.name("extension")]
    done = subprocess.run(
        [python, HERE / "bpy_board.py", archive, project, clip, still, out],
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, "BLENDER_USER_RESOURCES": str(out / "user")},
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return {**json.loads((out / "board.json").read_text()), "python": python, "out": out, "still": still, "clip": clip}


@pytest.fixture(scope="module")
def files(blender: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give what is in both files, opened by a Blender without any part of ours."""
    out = blender["out"]
    shown = subprocess.check_output(
        [blender["python"], HERE / "bpy_reopen.py", out / "film.blend", out / "marked.blend"], text=True, timeout=SOON
    )
    film, marked = json.loads(shown.partition("SEEN ")[2].splitlines()[0])
    return film, marked


def test_what_waits_is_accepted_from_inside(blender: dict[str, Any]) -> None:
    """In the installed add-on the inbox shows captions and tags of the media in use; accepted, they land."""
    review = blender["review"]
    assert [(result, name) for result, name, _ in review["rows"]] == [
        ("captions", blender["clip"].name),
        ("tags", blender["still"].name),
    ]
    assert "Hello from the board" in review["rows"][0][2]
    assert (review["waited"], review["applied"], review["settled"], review["told"]) == (True, True, True, True)
    assert [line.partition(":")[0] for line in review["said"]] == ["In place"] * 3
    assert review["left"] is False


def test_it_is_in_the_saved_file(files: tuple[dict[str, Any], dict[str, Any]], blender: dict[str, Any]) -> None:
    """Opened anew, the file holds the captions as text strips at their frames, and the asset's tags."""
    film, _ = files
    assert sorted(film["texts"], key=lambda text: text[1]) == [
        ["Hello from the board", 3, 23, True],
        ["and\ngoodbye", 27, 47, True],
    ]
    assert film["colours"] == [[1.0, 0.9, 0.2, 1.0]]  # as was preferred
    assert film["markers"] == []
    assert film["assets"] == {
        blender["still"].name: {
            "tags": ["orange", "slate"],
            "description": "An orange slate.",
            "author": "zoe in Blender",
        }
    }


def test_a_host_without_subtitles_gets_markers(
    files: tuple[dict[str, Any], dict[str, Any]], blender: dict[str, Any]
) -> None:
    """Where a Blender says that it takes markers only, the same captions come as markers."""
    _, marked = files
    assert blender["mark"] == {"online": True, "applied": True}
    assert marked["markers"] == [[3, "Hello from the board"], [27, "and goodbye"]]
    assert marked["texts"] == []


def test_the_caption_is_in_the_rendered_frame(blender: dict[str, Any]) -> None:
    """A frame with a caption has white letters at the foot of the plain colour that the clip is."""
    captioned, plain = (Image.open(blender["out"] / f"{name}.png").convert("RGB") for name in ("captioned", "plain"))
    box = ImageChops.difference(captioned, plain).convert("L").point([0] * 40 + [255] * 216).getbbox()
    assert box is not None
    assert box[1] > 120
    brightest = [
        max(number for number, count in enumerate(one.convert("L").histogram()) if count) for one in (plain, captioned)
    ]
    assert brightest[0] < 150 < brightest[1]


def holds(project: Path, query: str, wanted: list[tuple[str, ...]]) -> None:
    """Wait until the board's catalog holds what it should: another process writes it."""
    ends = time.monotonic() + SOON
    with contextlib.closing(sqlite3.connect(project / ".callboard" / "catalog.sqlite")) as catalog:
        while (rows := catalog.execute(query).fetchall()) != wanted:
            assert time.monotonic() < ends, rows
            time.sleep(0.05)


LIBRARY = """
import sys, bpy
bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.data.images.load(sys.argv[1]).asset_mark()
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[2])
"""


@pytest.mark.parametrize("blender", ["5.0"], indirect=True)
def test_a_job_tags_an_asset_library(blender: dict[str, Any], project: Path) -> None:
    """A job that serves a library brings accepted tags into it, in place as it was asked to, until it is stopped."""
    library = blender["out"] / "library.blend"
    python = [blender["python"], "-I"]
    subprocess.run([*python, "-c", LIBRARY, blender["still"], library], check=True, capture_output=True, timeout=SOON)
    serve = [JOBS, "serve", library, "--project", project, "--in-place", "--idle", "300", "--most", "300"]
    with subprocess.Popen([*python, *serve], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as serving:
        try:
            query = f"SELECT verb, state FROM host_commands WHERE project = '{library}' ORDER BY verb"
            holds(project, query, [("description.write", "applied"), ("tags.write", "applied")])
        finally:
            serving.terminate()
            said, _ = serving.communicate(timeout=SOON)
    # Blender says things of its own around it.
    (told,) = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert (serving.returncode, told) == (0, {"file": str(library), "applied": 2, "problem": ""})
    shown = subprocess.check_output([*python, HERE / "bpy_reopen.py", library], text=True, timeout=SOON)
    (found,) = json.loads(shown.partition("SEEN ")[2].splitlines()[0])
    assert found["assets"][blender["still"].name]["tags"] == ["orange", "slate"]


@pytest.mark.parametrize("blender", ["5.0"], indirect=True)
def test_a_render_without_a_window_is_told(blender: dict[str, Any], project: Path) -> None:
    """A render on a farm tells the board when it begins and when it ends."""
    out = blender["out"]
    scene = "s = bpy.context.scene; s.render.filepath, s.render.resolution_percentage = sys.argv[2], 25"
    code = f"import bpy, sys; bpy.ops.wm.open_mainfile(filepath=sys.argv[1]); {scene}; bpy.ops.wm.save_mainfile()"
    python = [blender["python"], "-I"]
    film = [out / "marked.blend", out / "farm-"]
    subprocess.run([*python, "-c", code, *film], check=True, capture_output=True, timeout=SOON)
    job = [JOBS, "render", film[0], "--project", project, "--start", "2", "--end", "4", "--wait", "90"]
    done = subprocess.run([*python, *job], capture_output=True, text=True, timeout=SOON)
    (told,) = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert (done.returncode, told["frames"], told["told"], told["problem"]) == (0, [2, 4], True, "")
    assert sorted(path.name for path in out.glob("farm-*")) == [f"farm-{number:04d}.png" for number in (2, 3, 4)]
    query = (
        f"SELECT type FROM events WHERE type GLOB 'host.render.*' AND body ->> '$.data.project' = '{film[0]}'"
        " ORDER BY rowid"
    )
    holds(project, query, [("host.render.started",), ("host.render.ended",)])  # the broker has both already
