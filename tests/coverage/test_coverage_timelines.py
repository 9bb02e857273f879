"""Timelines of every format held against real files: what is there, what is not, and what is not whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import opentimelineio as otio
import pytest
from callboard.coverage import Coverage, Look, cover, read_cut, reading
from callboard.coverage.standins import StandIns
from callboard.errors import TimelineError
from callboard.timedtext.rate import parse_rate
from callboard_otio.filling import StandIn, replace_gap
from callboard_otio.rates import set_rate, span, time_at
from callboard_otio.writing import write
from opentimelineio import schema

RATE = parse_rate("25")


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with two films of 100 and 60 frames, the second with timecode, and a sequence with a hole."""
    folder = tmp_path_factory.mktemp("footage")
    film(folder / "SH010_v002.mov", 100)
    film(folder / "SH030.mov", 60, "01:00:00:00")
    (folder / "render").mkdir()
    for number in (*range(1001, 1010), *range(1015, 1026)):
        (folder / "render" / f"SH040.{number}.exr").write_bytes(b"x")
    (folder / "render" / "SH040.1012.exr").touch()  # begun and never written
    return folder


def film(path: Path, count: int, timecode: str = "") -> None:
    """Write a small black film at 25 frames a second."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        if timecode:
            stream.metadata["timecode"] = timecode
        black = np.zeros((48, 64, 3), np.uint8)
        for _ in range(count):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(black, format="rgb24")))
        file.mux(stream.encode(None))


def clip(name: str, url: str, begin: int, count: int, known: tuple[int, int] | None = None) -> Any:
    """Make a clip; *known* is the first frame and the length of its media, as the timeline says."""
    return schema.Clip(
        name, schema.ExternalReference(url, span(*known, RATE) if known else None), span(begin, count, RATE)
    )


def gap(count: int) -> Any:
    """Make a gap."""
    return schema.Gap(source_range=span(0, count, RATE))


def timeline(*tracks: list[Any]) -> Any:
    """Make a timeline of picture tracks that begins at one hour."""
    made = schema.Timeline("cut", global_start_time=time_at(90_000, RATE))
    for items in tracks:
        track = schema.Track(kind="Video")
        track.extend(items)
        made.tracks.append(track)
    set_rate(made, RATE)
    return made


def covered(path: Path, *, roots: tuple[Path, ...] = (), handles: int = 0) -> Coverage:
    """Read a file and hold it against the disk."""
    with reading() as headers:
        cut = read_cut(path, Look(headers=headers, roots=roots, rate="25" if path.suffix in (".edl", ".ale") else ""))
        return cover(cut, headers, StandIns(), handles=handles)


def saved(made: Any, path: Path) -> Path:
    """Write a timeline with the library alone."""
    otio.adapters.write_to_file(made, str(path))
    return path


def states(found: Coverage) -> dict[str, str]:
    """Give the state of each item by its ref."""
    return {one.ref: one.state for one in found.cut.items}


def test_each_item_is_told_as_it_is(footage: Path, tmp_path: Path) -> None:
    """A gap, offline media, a hole in a sequence, media that is too short and a stand-in's name are told apart."""
    film(tmp_path / "SH050_PLACEHOLDER_v001_slate.mov", 50)
    sequence = schema.ImageSequenceReference(
        target_url_base=str(footage / "render"),
        name_prefix="SH040.",
        name_suffix=".exr",
        start_frame=1001,
        frame_step=1,
        rate=25,
        frame_zero_padding=4,
        available_range=span(0, 25, RATE),
    )
    items = [
        clip("SH010", str(footage / "SH010_v002.mov"), 10, 40),
        gap(30),
        clip("SH030", str(footage / "SH030.mov"), 90_010, 60),
        schema.Clip("SH040", sequence, span(0, 25, RATE)),
        clip("SH050", "SH050_PLACEHOLDER_v001_slate.mov", 0, 50),
        clip("SH060", "file:///gone/SH060.mov", 5, 30),
    ]
    found = covered(saved(timeline(items), tmp_path / "cut.otio"), handles=8)
    told = {one.shot or one.ref: one for one in found.cut.items}
    assert {name: one.state for name, one in told.items()} == {
        "SH010": "real",
        "V1-40": "gap",
        "SH030": "partial",
        "SH040": "partial",
        "SH050": "stand-in",
        "SH060": "offline",
    }
    assert (told["SH010"].head, told["SH010"].tail, told["SH010"].short) == (10, 50, False)
    assert told["SH030"].missing_frames == 10
    assert (told["SH040"].missing, told["SH040"].missing_frames) == (((1010, 1014),), 5)
    assert told["SH050"].by == "name"
    assert "no file of its name" in told["SH060"].problem
    assert {state: total.frames for state, total in found.totals.items()} == {
        "real": 40,
        "gap": 30,
        "partial": 85,
        "stand-in": 50,
        "offline": 30,
    }
    assert sum(total.percent for total in found.totals.values()) == pytest.approx(100, abs=0.03)
    assert found.totals["stand-in"].seconds == 2.0
    assert not found.ready
    assert [one.ref for one in found.lacking] == ["V1-40", "V1-70", "V1-130", "V1-205"]


def test_handles_are_those_of_the_file(footage: Path, tmp_path: Path) -> None:
    """What the header says goes before what the timeline believes; fewer handles than asked are told."""
    items = [
        clip("one", str(footage / "SH010_v002.mov"), 0, 90, (0, 500)),
        clip("two", str(footage / "SH030.mov"), 90_020, 20, (90_000, 60)),
        clip("three", str(footage / "SH010_v002.mov"), 12, 76),
    ]
    found = covered(saved(timeline(items), tmp_path / "cut.otio"), handles=12)
    told = [(one.head, one.tail, one.short, one.state) for one in found.cut.items]
    assert told == [(0, 10, True, "real"), (20, 20, False, "real"), (12, 12, False, "real")]
    assert "handles 0+10, 12 are wanted" in found.cut.items[0].problem
    assert found.ready, "handles are told, and are nothing that a delivery lacks"


def test_what_is_seen_is_the_uppermost(footage: Path, tmp_path: Path) -> None:
    """A gap under a picture is no hole; one that several tracks share counts once; a track switched off is not seen."""
    media = str(footage / "SH010_v002.mov")
    tracks = (
        [gap(30), clip("a", media, 0, 5), gap(15)],
        [gap(10), clip("over", media, 0, 20), gap(25), clip("late", media, 0, 5)],
        [clip("off", "/gone.mov", 0, 60)],
    )
    made = timeline(*tracks)
    made.tracks[2].enabled = False
    found = covered(saved(made, tmp_path / "cut.otio"))
    assert [(one.start, one.frames, one.state, one.ref) for one in found.picture] == [
        (0, 10, "gap", "V1-0"),
        (10, 20, "real", "V2-10"),
        (30, 5, "real", "V1-30"),
        (35, 15, "gap", "V1-35"),
        (50, 5, "gap", "V2-30"),
        (55, 5, "real", "V2-55"),
    ]
    assert [one.ref for one in found.lacking] == ["V1-0", "V2-30", "V1-35"]
    assert [one.ref for one in found.cut.items if one.covered] == ["V2-0"]
    assert found.totals["offline"].items == 0


@pytest.mark.parametrize("suffix", [".otio", ".otioz", ".edl", ".xml", ".fcpxml", ".aaf"])
def test_every_format_says_the_same(footage: Path, tmp_path: Path, suffix: str) -> None:
    """The same cut is covered alike, whatever it was written as: a clip, a gap, a clip that is gone, a clip."""
    items = [
        clip("SH010", str(footage / "SH010_v002.mov"), 10, 40, (0, 100)),
        gap(30),
        clip("SH060", str(footage / "SH060.mov"), 5, 30, (0, 50)),
        clip("SH011", str(footage / "SH010_v002.mov"), 50, 25, (0, 100)),
    ]
    made = timeline(items)
    path = tmp_path / f"cut{suffix}"
    write(made, path, RATE)
    found = covered(path, roots=(footage,))
    assert [(one.start, one.frames) for one in found.cut.items] == [(0, 40), (40, 30), (70, 30), (100, 25)]
    assert [one.state for one in found.cut.items] == ["real", "gap", "offline", "real"]
    assert found.cut.rate.fps == 25


def test_a_log_of_clips_is_a_row_of_them(footage: Path, tmp_path: Path) -> None:
    """Avid's log names reels and times; its clips are looked for by name."""
    head = "Heading\nFIELD_DELIM\tTABS\nVIDEO_FORMAT\t1080\nFPS\t25\n\nColumn\nName\tTape\tStart\tEnd\tSource File\n\n"
    rows = "SH030\tA001\t01:00:00:00\t01:00:02:00\tSH030.mov\nSH099\tA002\t01:00:00:00\t01:00:02:00\tSH099.mov\n"
    path = tmp_path / "log.ale"
    path.write_text(f"{head}Data\n{rows}")
    found = covered(path, roots=(footage,))
    assert [(one.name, one.frames, one.state) for one in found.cut.items] == [
        ("SH030", 50, "real"),
        ("SH099", 50, "offline"),
    ]


def test_our_stand_ins_are_known_by_what_we_wrote(footage: Path, tmp_path: Path) -> None:
    """A gap that we filled is a stand-in whatever its file is called, and says for which proposal."""
    made = timeline([clip("SH010", str(footage / "SH010_v002.mov"), 0, 40), gap(30), clip("x", "/gone.mov", 0, 1)])
    stand_in = StandIn(
        ident="p-7", file=footage / "SH010_v002.mov", name="SH020", frames=100, facts={"proposal": "p-7"}
    )
    replace_gap(made, "V1-40", stand_in)
    found = covered(saved(made, tmp_path / "cut.otio"))
    one = found.cut.items[1]
    assert (one.state, one.by, one.stands, one.name) == ("stand-in", "cut", "p-7", "SH020")


def test_a_nested_timeline_is_no_better_than_its_worst(footage: Path, tmp_path: Path) -> None:
    """A stand-in in a nested timeline is a stand-in; a clip that is gone makes it partial."""

    def nested(*items: Any) -> Any:
        track = schema.Track(kind="Video")
        track.extend(items)
        return schema.Stack("inner", [track])

    whole = clip("a", str(footage / "SH010_v002.mov"), 0, 20)
    items = [
        nested(whole.deepcopy(), clip("SH1", "/x/SH1_PLACEHOLDER_v001_slate.mov", 0, 20)),
        nested(whole.deepcopy(), clip("gone", "/gone.mov", 0, 20)),
        nested(whole.deepcopy()),
    ]
    found = covered(saved(timeline(items), tmp_path / "cut.otio"))
    assert [one.state for one in found.cut.items] == ["stand-in", "partial", "real"]


def test_a_sequence_is_found_where_its_folder_went(footage: Path, tmp_path: Path) -> None:
    """The end of its folder's path is looked for in the roots, for references and for paths with a number sign."""
    told = {"name_prefix": "SH040.", "name_suffix": ".exr", "start_frame": 1015, "frame_step": 1, "rate": 25}
    moved = schema.ImageSequenceReference(
        target_url_base="file:///Volumes/old/render/", frame_zero_padding=4, available_range=span(0, 10, RATE), **told
    )
    items = [
        schema.Clip("SH040", moved, span(0, 10, RATE)),
        clip("SH041", "/Volumes/old/render/SH040.%04d.exr", 1015, 10),
        clip("SH042", "/Volumes/old/render/SH040.####.exr", 1005, 10),
        clip("SH043", "file:///Volumes/old/render/SH040.%04d.exr", 1015, 2),
        clip("SH044", "file:///Volumes/old/render/SH040.%2504d.exr", 1015, 2),
    ]
    path = saved(timeline(items), tmp_path / "cut.otio")
    assert [one.state for one in covered(path, roots=(footage,)).cut.items] == [
        *("real", "real", "partial", "real", "real")
    ]
    assert [one.state for one in covered(path).cut.items] == ["offline"] * 5


def test_speed_counts_for_what_is_shown(footage: Path, tmp_path: Path) -> None:
    """A clip at double speed uses twice as much of its media, and is partial where there is not as much."""
    fast, too_fast = (clip("fast", str(footage / "SH010_v002.mov"), 0, count) for count in (50, 60))
    for one in (fast, too_fast):
        one.effects.append(schema.LinearTimeWarp(time_scalar=2.0))
    found = covered(saved(timeline([fast, too_fast]), tmp_path / "cut.otio"))
    assert [(one.source_frames, one.state) for one in found.cut.items] == [(100, "real"), (120, "partial")]


@pytest.mark.parametrize("name", ["cut.prproj", "cut", "gone.otio"])
def test_what_cannot_be_read_says_what_can(tmp_path: Path, name: str) -> None:
    """A file of another kind, and one that is not there, are errors with what to do."""
    if not name.startswith("gone"):
        (tmp_path / name).write_text("x")
    with pytest.raises(TimelineError, match=r"nothing here reads|is not there"):
        covered(tmp_path / name)
