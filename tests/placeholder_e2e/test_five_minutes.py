"""A five-minute cut with holes: filled, rendered, and given its real shots one by one, each frame where it belongs."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import opentimelineio as otio
import pytest
from callboard import codec
from callboard.bus import INTAKE
from callboard.catalog import proposals, standins
from callboard.cli.app import run as command
from callboard.config import Project, find_project
from callboard.testing import TmpPlugin, countedclips
from callboard.testing.applications import Served, served
from callboard.timedtext.rate import parse_rate
from callboard_otio.finding import gaps, missing
from callboard_otio.media import Finder
from callboard_schemas import PlaceholderRequested, Swap
from opentimelineio import opentime, schema

RATE = parse_rate("29.97df")
START = "01:00:00;00"
LENGTH = 8992
"""Five minutes of 29.97 frames a second, by the clock."""
OWN, HANDLES = (1, 2), 8
SOURCE = RATE.frame_of("10:00:00;00")
"""First frame of what the offline clips were cut from."""

PROFILE = (
    '<profile frame_rate_num="30000" frame_rate_den="1001" width="192" height="108" progressive="1"'
    ' sample_aspect_num="1" sample_aspect_den="1" display_aspect_num="16" display_aspect_den="9" colorspace="709"/>'
)


class Event(NamedTuple):
    """What is on the timeline from a frame on."""

    start: int
    frames: int
    kind: str
    """``own``, ``gap`` or ``offline``."""
    number: int
    """Of the film, or of the shot: 1 to 15."""
    first: int
    """Frame of the film that it begins with."""


def events() -> list[Event]:
    """Lay out 12 gaps and 3 offline clips among clips of two films."""
    found, at, shot, turn = [], 0, 0, 0
    lengths = [231, 199, 307, 180, 263]
    while at < LENGTH:
        hole = turn % 3 == 2 and shot < 15
        frames = 50 + 7 * (shot % 6) if hole else lengths[turn % len(lengths)]
        frames = min(frames, LENGTH - at)
        if hole:
            shot += 1
            found.append(Event(at, frames, "offline" if shot % 5 == 0 else "gap", shot, 0))
        else:
            found.append(Event(at, frames, "own", OWN[turn % 2], 13 * turn % 60))
        at, turn = at + frames, turn + 1
    assert [event.kind for event in found].count("gap") == 12
    assert [event.kind for event in found].count("offline") == 3
    return found


def name(shot: int) -> str:
    """Name a shot."""
    return f"SH{shot * 10:03d}"


def time(value: int) -> Any:
    """Give a frame as the timeline counts."""
    return opentime.RationalTime(value, float(RATE.fps))


def cut(folder: Path, films: dict[int, Path]) -> Path:
    """Write the timeline."""
    track = schema.Track("V1", kind=schema.TrackKind.Video)
    for event in events():
        span = opentime.TimeRange(time(event.first), time(event.frames))
        if event.kind == "gap":
            whole = opentime.TimeRange(time(0), time(event.frames))
            track.append(schema.Gap(name=name(event.number), source_range=whole))
            continue
        if event.kind == "own":
            file, whole = films[event.number].as_uri(), opentime.TimeRange(time(0), time(400))
        else:
            file = (folder / "gone" / f"{name(event.number)}.mov").as_uri()
            span = opentime.TimeRange(time(SOURCE + 1000 * event.number), time(event.frames))
            whole = opentime.TimeRange(time(SOURCE), time(100_000))
        clip = schema.Clip(
            name=name(event.number) if event.kind == "offline" else "",
            media_reference=schema.ExternalReference(target_url=file, available_range=whole),
            source_range=span,
        )
        there = opentime.TimeRange(span.start_time + time(5), time(1))
        clip.markers.append(schema.Marker(name="look", marked_range=there))
        track.append(clip)
    timeline = schema.Timeline("cut", tracks=[track], global_start_time=time(RATE.frame_of(START)))
    timeline.metadata["callboard"] = {"rate": "29.97df"}
    path = folder / "cut.otio"
    otio.adapters.write_to_file(timeline, str(path))
    return path


def layout(path: Path) -> list[tuple[Any, ...]]:
    """Read with plain OpenTimelineIO where each item is, and on which frame of its item each marker is."""
    timeline = otio.adapters.read_from_file(str(path))
    found = []
    for item in timeline.tracks[0]:
        place = item.range_in_parent()
        marks = [
            (mark.name, mark.marked_range.start_time - item.trimmed_range().start_time, mark.marked_range.duration)
            for mark in getattr(item, "markers", [])
        ]
        found.append((place.start_time, place.duration, marks))
    return found


def rendered(path: Path, folder: Path) -> list[tuple[int, int] | None]:
    """Have melt render what plain OpenTimelineIO reads, and read each picture's own number off it."""
    lines, sources = [], dict[str, str]()
    timeline = otio.adapters.read_from_file(str(path))
    for item in timeline.tracks[0]:
        length = int(item.duration().value)
        if isinstance(item, schema.Gap):
            lines.append(f'<blank length="{length}"/>')
            continue
        file = otio.url_utils.filepath_from_url(item.media_reference.target_url)
        begin = int((item.source_range.start_time - item.media_reference.available_range.start_time).value)
        ident = sources.setdefault(file, f"p{len(sources)}")
        lines.append(f'<entry producer="{ident}" in="{begin}" out="{begin + length - 1}"/>')
    made = "".join(
        f'<producer id="{ident}"><property name="resource">{file}</property>'
        '<property name="mlt_service">avformat</property></producer>'
        for file, ident in sources.items()
    )
    text = f'<mlt>{PROFILE}{made}<playlist id="cut">{"".join(lines)}</playlist></mlt>'
    document, out = folder / "cut.mlt", path.with_suffix(".mkv")
    document.write_text(text)
    line = ["melt", str(document), "-consumer", f"avformat:{out}", "vcodec=mpeg4", "qscale=4", "g=1", "an=1"]
    subprocess.run([*line, "real_time=-1"], check=True, timeout=280, stdin=subprocess.DEVNULL, capture_output=True)
    return list(countedclips.seen(out))


def shown(films: Callable[[Event], tuple[int, int]]) -> list[tuple[int, int, int, int]]:
    """Say what should be seen, as ``countedclips.runs`` does: *films* gives an event's film and its first frame."""
    return [(event.start, *films(event), event.frames) for event in events()]


@pytest.fixture
def project(tmp_path: Path, tmp_plugin: TmpPlugin, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Give a project with a watched folder, and a plugin whose placeholders can be told from each other."""
    (tmp_path / "footage").mkdir()
    tmp_plugin(
        "counted", countedclips.STANDS_IN, events=["placeholder.requested"], kind="generate", results=["placeholder"]
    )
    (tmp_path / "callboard.toml").write_text(
        'allow_plugins = ["counted"]\nworkers = 2\n[[watch]]\npath = "footage"\nquiet = 0.2\n'
        f"[shots]\nhandles = {HANDLES}\n"
        + "".join(f"[plugins.{one}]\nenabled = false\n" for one in ("autotag", "caption", "localize", "placeholder"))
    )
    monkeypatch.chdir(tmp_path)
    found = find_project(tmp_path)
    assert found is not None
    return found


def run(*words: str) -> Any:
    """Run a command line in this process, and give what it prints as JSON."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        assert command([*words, "--json"]) == 0
    return json.loads(said.getvalue())


class Stage:
    """The board at work on the cut."""

    def __init__(self, board: Served) -> None:
        self.board = board

    async def ask(self, path: Path) -> None:
        """Ask for a placeholder for each hole, as a coverage report would, and accept them."""
        timeline = otio.adapters.read_from_file(str(path))
        holes = [*gaps(timeline, rate=RATE), *missing(timeline, Finder([], path.parent), rate=RATE)]
        assert len(holes) == 15
        for hole in holes:
            asked = PlaceholderRequested(
                shot=hole.name, frames=hole.frames, counted="29.97df", start=hole.timecode, width=countedclips.WIDTH,
                height=countedclips.HEIGHT, timeline=str(path), ref=hole.ref,
            )  # fmt: skip
            envelope = codec.make("placeholder.requested", asked, source="urn:test")
            await self.board.bus.publish(f"{INTAKE}.placeholder.requested", codec.encode(envelope), msg_id=envelope.id)
        await self.board.until(lambda: len(self.ids("placeholder", "proposed")) == 15, 120)
        for ident in self.ids("placeholder", "proposed"):
            await self.accept(ident)

    def ids(self, result: str, state: str) -> list[str]:
        """Give what is in a state."""
        found = standins.placeholders if result == "placeholder" else standins.swaps
        return [one.id for one in self.board.read(lambda conn: found(conn, state))]

    async def accept(self, ident: str) -> None:
        """Accept as a person does."""
        desk = self.board.daemon.board.desk
        await self.board.daemon.board.catalog.write(
            lambda conn: desk.decide_many(conn, [ident], "accept", "zoe", "good")
        )
        self.board.daemon.board.wake()

    async def arrives(self, film: Path) -> Swap:
        """Have a real shot land in the watched folder, and accept what is proposed for it."""
        film.replace(self.board.footage / film.name)
        await self.board.until(lambda: self.ids("swap", "proposed"))
        (ident,) = self.ids("swap", "proposed")
        made = self.board.read(lambda conn: proposals.get(conn, ident))
        assert made is not None
        assert isinstance(made.body, Swap)
        await self.accept(ident)
        return made.body


@pytest.mark.timeout(600)
async def test_a_cut_never_waits_for_a_shot(project: Project, tmp_path: Path) -> None:
    """Filled and rendered, then given its shots one by one: no edit moves, and no placeholder is left."""
    media = tmp_path / "media"
    media.mkdir()
    films = {one: countedclips.write(media / f"own{one}.mov", one, 400, RATE.fps) for one in OWN}
    path = cut(tmp_path, films)
    before = layout(path)
    filled = tmp_path / "filled.otio"
    real = {
        event.number: countedclips.write(
            tmp_path / f"{name(event.number).lower()}_comp_v001.mov", 200 + event.number,
            event.frames + 2 * HANDLES, RATE.fps,
            timecode=RATE.timecode(SOURCE + 5000 * event.number),
        )
        for event in events() if event.kind != "own"
    }  # fmt: skip
    async with served(project) as board:
        stage = Stage(board)
        await stage.ask(path)
        told = run("timeline", "fill", str(path), "-o", str(filled))
        assert [one["state"] for one in told["places"]] == ["filled"] * 15
        assert layout(filled) == before
        found = countedclips.runs(rendered(filled, tmp_path))
        assert found == shown(lambda one: (one.number, one.first) if one.kind == "own" else (100 + one.number, 0))
        for event in [one for one in events() if one.kind != "own"]:
            swap = await stage.arrives(real[event.number])
            assert (swap.shot, swap.questions, swap.handles) == (name(event.number), (), (HANDLES, HANDLES))
            told = run("timeline", "swap", str(filled), "--in-place")
            states = [one["state"] for one in told["places"]]
            assert states.count("swapped") == 1
            assert layout(filled) == before
    clips = list(otio.adapters.read_from_file(str(filled)).find_clips())
    ours = [clip.metadata["callboard"] for clip in clips if "callboard" in clip.metadata]
    assert not any("placeholder" in known for known in ours)
    assert all(Path(otio.url_utils.filepath_from_url(clip.media_reference.target_url)).is_file() for clip in clips)
    found = countedclips.runs(rendered(filled, tmp_path))
    assert found == shown(lambda one: (one.number, one.first) if one.kind == "own" else (200 + one.number, HANDLES))
    assert len(ours) == 15
    (entry,) = ours[0]["trail"]
    assert (entry["by"], entry["reason"]) == ("zoe", "good")
    assert entry["was"].endswith("_PLACEHOLDER_v001_otio.mov")
