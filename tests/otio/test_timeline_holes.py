"""What a timeline lacks: gaps that nobody covers, media that is not where it was, slugs, handles and rates."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import av
import numpy as np
import pytest
from callboard.errors import TimelineError
from callboard.timedtext.rate import Rate, parse_rate
from callboard_otio import gaps, missing, read
from callboard_otio.finding import handles, places, slugs
from callboard_otio.inspecting import inspect
from callboard_otio.media import Finder
from callboard_otio.paths import file_url, local_path
from callboard_otio.probing import probing
from callboard_otio.rates import other_rates, span, time_at, timeline_rate
from callboard_otio.reading import Opened
from opentimelineio import opentime, schema

RATE = Rate(25)


def _clip(name: str, url: str, begin: int, count: int, known: tuple[int, int] | None = None) -> Any:
    reference = schema.ExternalReference(url, span(*known, RATE) if known else None)
    return schema.Clip(name, reference, span(begin, count, RATE))


def _gap(count: int) -> Any:
    return schema.Gap(source_range=span(0, count, RATE))


def _timeline(*tracks: tuple[str, list[Any]]) -> Any:
    timeline = schema.Timeline("cut", global_start_time=time_at(90_000, RATE))
    for kind, items in tracks:
        track = schema.Track(kind=kind)
        track.extend(items)
        timeline.tracks.append(track)
    return timeline


def test_a_gap_counts_where_nobody_covers_it() -> None:
    """A gap under a picture is no hole, one covered in part is; two above each other are one; audio only if asked."""
    above = [_gap(10), _clip("over", "/x.mov", 0, 20), _gap(25), _clip("late", "/x.mov", 0, 5)]
    timeline = _timeline(
        ("Video", [_gap(30), _clip("a", "/a.mov", 0, 5), _gap(15)]), ("Video", above), ("Audio", [_gap(8), _gap(4)])
    )
    assert [(one.ref, one.frames, one.timecode, one.end) for one in gaps(timeline)] == [
        ("V1-0", 30, "01:00:00:00", "01:00:01:05"),
        ("V1-35", 15, "01:00:01:10", "01:00:02:00"),
        ("V2-30", 25, "01:00:01:05", "01:00:02:05"),
    ]
    assert [(one.ref, one.covered) for one in gaps(timeline, covered=True)][2:] == [("V2-0", True), ("V2-30", False)]
    assert [one.ref for one in gaps(timeline, audio=True)][-2:] == ["A1-0", "A1-8"]


def _work(call: Callable[[], object]) -> int:
    """Count the lines of Python that a call goes through, and not those of what others left to be collected."""
    lines, before = 0, sys.gettrace()
    gc.collect()
    gc.disable()

    def trace(_frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal lines
        lines += event == "line"
        return trace

    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
        gc.enable()
    return lines


@pytest.mark.parametrize("kind", ["Video", "Audio"])
def test_twice_as_many_gaps_are_twice_the_work(kind: str) -> None:
    """Looking for gaps, and inspecting a timeline, goes through each item as often however many there are."""

    def of(count: int, what: Callable[[Any], object]) -> int:
        below = [item for _ in range(count) for item in (_clip("a", "/a.mov", 0, 5), _gap(5))]
        above = [item for _ in range(count) for item in (_gap(4), _clip("b", "/b.mov", 0, 3), _gap(3))]
        timeline = _timeline((kind, below), (kind, above))
        return _work(lambda: what(timeline))

    def inspected(timeline: Any) -> object:
        found = Opened(timeline=timeline, format="otio", rate=RATE, path=Path("cut.otio"), base=Path())
        return inspect(found, Finder(), covered=True, audio=True)

    for what in (lambda timeline: gaps(timeline, covered=True, audio=True), inspected):
        few, many = of(40, what), of(160, what)
        assert few > 400
        assert many < 4.2 * few


def test_media_is_found_where_it_went(tmp_path: Path) -> None:
    """As it says; by the end of its path in a root; by its name; by its reel; and else it is missing, with why."""
    root = tmp_path / "root"
    for name in ("day 1/A001.mov", "deep/er/B002.MOV", "REEL7.mxf", "twice/C.mov", "again/C.mov"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")
    (tmp_path / "near.mov").write_bytes(b"x")
    reel = _clip("shot 9", "file:///gone/D.mov", 0, 5)
    reel.metadata["cmx_3600"] = {"reel": "reel7"}
    clips = {
        "near": _clip("near", "near.mov", 0, 5),
        "moved": _clip("moved", "file:///Volumes/RAID/day%201/A001.mov", 0, 5),
        "windows": _clip("windows", "Z:\\show\\day 1\\A001.mov", 0, 5),
        "named": _clip("named", "file://localhost/elsewhere/b002.mov", 0, 5),
        "reel": reel,
        "twice": _clip("twice", "/old/C.mov", 0, 5),
        "gone": _clip("gone", "/old/nothing.mov", 0, 5),
        "web": _clip("web", "https://example.org/a.mov", 0, 5),
    }
    finder = Finder([root], tmp_path)
    told = {name: finder.find(clip, RATE) for name, clip in clips.items()}
    assert {name: (found.how, Path(found.path).name) for name, found in told.items()} == {
        "near": ("there", "near.mov"),
        "moved": ("moved", "A001.mov"),
        "windows": ("moved", "A001.mov"),
        "named": ("name", "B002.MOV"),
        "reel": ("reel", "REEL7.mxf"),
        "twice": ("missing", ""),
        "gone": ("missing", ""),
        "web": ("elsewhere", ""),
    }
    assert "2 files could be it" in told["twice"].problem
    found = missing(_timeline(("Video", list(clips.values()))), finder)
    assert [(one.name, one.kind) for one in found] == [("twice", "missing"), ("gone", "missing")]


def test_two_files_of_one_name_are_told_apart_by_timecode(tmp_path: Path) -> None:
    """Of two cards with the same file names, the one whose timecode covers the clip is taken."""
    first, second = tmp_path / "card1" / "C0001.mov", tmp_path / "card2" / "C0001.mov"
    for file in (first, second):
        file.parent.mkdir()
        file.write_bytes(b"x")
    begins = {first: 90_000, second: 180_000}
    finder = Finder([tmp_path], began=lambda path, _rate: begins[path])
    assert finder.find(_clip("x", "/gone/C0001.mov", 90_100, 5), RATE).path == str(first)
    early = finder.find(_clip("x", "/gone/C0001.mov", 10, 5), RATE)
    assert early.missing
    assert "another timecode" in early.problem


def _film(path: Path, timecode: str) -> None:
    with av.open(str(path), "w") as film:
        stream = film.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.metadata["timecode"] = timecode
        for _ in range(25):
            film.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8))))
        film.mux(stream.encode())


def test_a_film_says_its_own_length_and_timecode(tmp_path: Path) -> None:
    """A real file is asked in another process; what is no film says nothing."""
    _film(tmp_path / "a.mov", "10:00:00:05")
    (tmp_path / "b.mp4").write_bytes(b"no film")
    with probing() as prober:
        assert prober.frames(tmp_path / "a.mov", RATE) == 25
        assert prober.began(tmp_path / "a.mov", RATE) == 900_005
        assert prober.frames(tmp_path / "b.mp4", RATE) is None


def test_a_sequence_that_lacks_frames_says_which(tmp_path: Path) -> None:
    """Of the frames that are used, those that are not on disk are counted."""
    for number in (1001, 1002, 1004):
        (tmp_path / f"s.{number}.exr").write_bytes(b"x")
    reference = schema.ImageSequenceReference(
        target_url_base=str(tmp_path), name_prefix="s.", name_suffix=".exr", start_frame=1001, frame_step=1,
        rate=25, frame_zero_padding=4, available_range=span(0, 4, RATE),
    )  # fmt: skip
    found = Finder().find(schema.Clip("s", reference, span(0, 4, RATE)), RATE)
    assert (found.how, found.problem) == ("partly", "1 of 4 frames are not there: s.1003.exr…")


def test_handles_count_what_is_left_of_the_media() -> None:
    """Frames before and behind; below zero where the clip shows what its media does not have; twice as many at 2x."""
    fast = _clip("fast", "/c.mov", 10, 20, (0, 60))
    fast.effects.append(schema.LinearTimeWarp(time_scalar=2.0))
    over = _clip("b", "/b.mov", 95, 60, (100, 50))
    row = [_clip("a", "/a.mov", 110, 20, (100, 50)), over, fast, _clip("d", "/", 0, 1)]
    told = [handles(place, RATE) for place in places(_timeline(("Video", row)), RATE)]
    assert told == [(10, 20), (-5, -5), (10, 10), None]


def test_black_bars_and_slugs_are_known_by_kind_name_and_reel(tmp_path: Path) -> None:
    """A generator, a clip called so, and an EDL's BL reel stand for a picture that is to come."""
    generator = schema.Clip("x", schema.GeneratorReference("", "SMPTEBars"), span(0, 5, RATE))
    named = _clip("Black Video", "/m/colour.mov", 0, 5)
    timeline = _timeline(("Video", [generator, named, _clip("blackbird", "/m/blackbird.mov", 0, 5)]))
    assert [one.ref for one in slugs(timeline)] == ["V1-0", "V1-5"]
    (tmp_path / "a.edl").write_text(
        "TITLE: t\nFCM: NON-DROP FRAME\n001  BL       V     C        00:00:00:00 00:00:01:00 01:00:00:00 01:00:01:00\n"
    )
    assert [one.frames for one in slugs(read(tmp_path / "a.edl", rate="25"))] == [25]


def test_rates_beside_the_timelines_own_are_named() -> None:
    """The timeline's rate is its start's; a clip of another rate is told."""
    second = opentime.TimeRange(opentime.RationalTime(0, 30), opentime.RationalTime(30, 30))
    odd = schema.Clip("odd", schema.MissingReference(), second)
    timeline = _timeline(("Video", [_clip("a", "/a.mov", 0, 25), odd]))
    assert timeline_rate(timeline) == RATE
    assert other_rates(timeline, RATE) == ("30",)
    assert [one.start for one in places(timeline, RATE)] == [0, 25]


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("file:///a%20b/c.mov", "/a b/c.mov"),
        ("file://localhost/a.mov", "/a.mov"),
        ("file://nas/show/a.mov", "//nas/show/a.mov"),
        ("file:///C:/show/a.mov", "C:/show/a.mov"),
        ("C:\\show\\a.mov", "C:/show/a.mov"),
        ("media/a%20b.mov", "media/a b.mov"),
        ("100%.mov", "100%.mov"),
        ("http://host/a.mov", ""),
        ("/a\0b", ""),
        ("", ""),
    ],
)
def test_every_way_to_write_a_path_is_understood(url: str, path: str) -> None:
    """URLs with and without a host, percent signs, drives and plain paths."""
    assert local_path(url) == path


def test_a_path_survives_being_a_url(tmp_path: Path) -> None:
    """Blanks, percent signs, hashes and other alphabets come back."""
    for name in ("a b.mov", "100%.mov", "x#1.mov", "Zoë.mov", "現場?.mov"):
        assert local_path(file_url(tmp_path / name)) == str(tmp_path / name)


def test_an_edl_without_a_rate_is_read_at_the_one_its_numbers_allow(tmp_path: Path) -> None:
    """Frame 24 makes it 25; drop frame 29.97; and a rate that cannot be is refused with the line."""
    line = "001  R        V     C        00:00:00:{0} 00:00:02:{0} 01:00:00:00 01:00:02:00\n"
    for text, rate in ((line.format("24"), "25"), ("FCM: DROP FRAME\n" + line.format("10"), "29.97df")):
        (tmp_path / "a.edl").write_text("TITLE: t\n" + text)
        assert timeline_rate(read(tmp_path / "a.edl")) == parse_rate(rate)
    (tmp_path / "b.edl").write_text("TITLE: t\n\n" + line.format("29"))
    with pytest.raises(TimelineError, match=r"line 3: .*counts frames past 24 at 25"):
        read(tmp_path / "b.edl", rate="25")
