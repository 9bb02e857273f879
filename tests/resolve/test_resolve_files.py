"""The way by files: what the free edition imports, read by others than the program that wrote it."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import opentimelineio as otio
import pysubs2
import pytest
from callboard.catalog import journal
from callboard.config import PluginSettings, Project, Settings, Watch, make_project
from callboard.errors import TimelineError
from callboard.testing.applications import Served, served
from callboard_resolve.exchange import READ_ME, pack
from callboard_resolve.package import ResolvePackage
from callboard_schemas import Captions, Cue, Evidence, Tag, Tags

CAPTIONS = Captions(
    language="en",
    cues=tuple(
        Cue(id=n, start=n, end=n + 0.5, lines=(f"<i>Line {n}</i>",), confidence=0.9, styled=True) for n in range(8)
    ),
    confidence=0.9,
)
TAGS = Tags(
    items=(Tag(label="tree", score=0.9, method="seen", evidence=(Evidence(start=1.0, end=1.5),)),), confidence=0.9
)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Make a project with a clip in its watched folder."""
    (tmp_path / "footage").mkdir()
    (tmp_path / "footage" / "a.mov").write_bytes(b"a clip")
    off = PluginSettings(enabled=False)
    plugins = {"caption": off, "autotag": off, "localize": off}
    return make_project(tmp_path, Settings(watch=(Watch(path="footage", quiet=0.1),), plugins=plugins))


def timeline(project: Project) -> Path:
    """Write a timeline at 24 frames a second: two seconds of nothing, then seconds 1 to 4 of the clip."""
    rate = 24.0
    media = otio.schema.ExternalReference(
        target_url=str(project.folder / "footage" / "a.mov"),
        available_range=otio.opentime.TimeRange(
            otio.opentime.RationalTime(0, rate), otio.opentime.RationalTime(240, rate)
        ),
    )
    track = otio.schema.Track("V1", kind="Video")
    track.append(otio.schema.Gap(duration=otio.opentime.RationalTime(48, rate)))
    shown = otio.opentime.TimeRange(otio.opentime.RationalTime(24, rate), otio.opentime.RationalTime(72, rate))
    track.append(otio.schema.Clip("a", media, shown))
    made = otio.schema.Timeline("Reel 1", global_start_time=otio.opentime.RationalTime(86400, rate))
    made.tracks.append(track)
    path = project.folder / "reel.otio"
    otio.adapters.write_to_file(made, str(path))
    return path


async def accepted(board: Served, *said: Captions | Tags) -> None:
    """Have results for the clip accepted."""
    await board.until(lambda: board.read(lambda conn: journal.place(conn, "footage", b"a.mov")))
    seen = board.read(lambda conn: journal.place(conn, "footage", b"a.mov"))
    assert seen is not None
    for one in said:
        work = partial(board.daemon.board.desk.write, asset=seen.asset("footage"), result=one, by="hand")
        await board.daemon.board.catalog.write(work)


async def test_what_was_accepted_comes_as_files(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """Subtitles at the timeline's times, markers, a timeline in Resolve's flavour, and how to import them."""
    (project.folder / "callboard.toml").write_text('[[watch]]\npath = "footage"\n')
    reel = timeline(project)
    before = reel.read_bytes()
    async with served(project) as board:
        await accepted(board, CAPTIONS, TAGS)
        assert ResolvePackage().run(project.folder, [reel], stop=lambda: False) == 0
    folder = project.folder / "reel for Resolve"
    names = {path.name for path in folder.iterdir()}
    assert names == {"reel.otio", "reel.markers.edl", "reel.en.srt", READ_ME}
    told = capsys.readouterr().out
    assert [name for name in names if name not in told] == []
    events = [(event.start, event.end, event.plaintext) for event in pysubs2.load(str(folder / "reel.en.srt"))]
    assert events == [(2000, 2500, "Line 1"), (3000, 3500, "Line 2"), (4000, 4500, "Line 3")]
    clip = json.loads((folder / "reel.otio").read_text("utf-8"))["tracks"]["children"][0]["children"][1]
    assert (clip["OTIO_SCHEMA"], clip["media_references"]["DEFAULT_MEDIA"]["target_url"]) == (
        "Clip.2",
        str(project.folder / "footage" / "a.mov"),
    )
    edl = (folder / "reel.markers.edl").read_text("utf-8")
    assert "01:00:02:00" in edl
    assert "|M:tree" in edl
    how = (folder / READ_ME).read_text("utf-8")
    assert all(name in how for name in names - {READ_ME})
    assert reel.read_bytes() == before


def test_a_timeline_of_which_nothing_is_known_is_written_all_the_same(project: Project) -> None:
    """Without anything accepted there is the timeline, and no empty subtitles or markers beside it."""
    packed = pack(project, timeline(project), project.folder / "out")
    assert {file.name for file in packed.files} == {"reel.otio", READ_ME}


def test_what_is_no_timeline_is_said(project: Project, tmp_path: Path) -> None:
    """A file that is no timeline is an error that names it, and nothing is written."""
    (tmp_path / "broken.otio").write_text("{")
    with pytest.raises(TimelineError, match=r"broken\.otio"):
        pack(project, tmp_path / "broken.otio", tmp_path / "out")
    assert not (tmp_path / "out").exists()
