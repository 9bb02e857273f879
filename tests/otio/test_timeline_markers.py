"""Markers, tags and captions: where they land, that ours alone are replaced, and the files they are given out as."""

from __future__ import annotations

import csv
import io
import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from callboard.catalog import Catalog, journal, proposals
from callboard.cli import main
from callboard.config import Project, find_project
from callboard.sources.facts import Seen
from callboard.timedtext.rate import Rate, parse_rate
from callboard_otio import read, write
from callboard_otio.accepted import for_media, placeholders, roots
from callboard_otio.finding import stand_ins
from callboard_otio.markerfiles import RESOLVE_COLOURS, marker_csv, marker_edl
from callboard_otio.marking import Mark, add_accepted, add_srt, marks, remove, remove_facts
from callboard_otio.media import Finder
from callboard_otio.ours import marker_id, ours, placeholder_of
from callboard_otio.rates import set_rate, span, time_at
from callboard_otio.reading import opened
from callboard_schemas import Captions, Cue, Decision, Evidence, Placeholder, Provenance, Tag, Tags
from opentimelineio import schema

RATE = Rate(25)
SRT = "1\n00:00:01,000 --> 00:00:02,000\nHello <i>you</i>\n\n2\n00:00:03,000 --> 00:00:04,520\n3 things\n| happen\n"
DIGEST = "sha256:" + "a" * 64
MADE = Provenance(plugin="autotag", version="1", kind="analyse")


def _timeline(rate: Rate = RATE, url: str = "/m/a.mov") -> Any:
    timeline = schema.Timeline("cut", global_start_time=time_at(3600 * rate.nominal, rate))
    set_rate(timeline, rate)
    track = schema.Track(kind="Video")
    track.append(schema.Gap(source_range=span(0, 10, rate)))
    track.append(schema.Clip("a", schema.ExternalReference(url, span(900_000, 500, rate)), span(900_050, 100, rate)))
    track[1].markers.append(schema.Marker("theirs", span(900_060, 1, rate), "RED"))
    timeline.tracks.append(track)
    timeline.tracks.markers.append(schema.Marker("Act 1", span(0, 1, rate), "BLUE", comment="opening"))
    return timeline


def test_cues_become_markers_and_go_again(tmp_path: Path) -> None:
    """Each cue is a marker on its frames; a second time nothing is doubled; removal leaves a person's markers."""
    (tmp_path / "a.srt").write_text(SRT)
    timeline = _timeline()
    before = timeline.to_json_string()
    assert add_srt(timeline, tmp_path / "a.srt", RATE) == 2
    assert add_srt(timeline, tmp_path / "a.srt", RATE) == 0
    told = [(one.start, one.frames, one.name, one.note) for one in marks(timeline, RATE) if one.ident]
    assert told == [(25, 25, "Hello you", ""), (75, 38, "3 things | happen", "3 things\n| happen")]
    assert remove(timeline) == 2
    assert timeline.to_json_string() == before
    assert add_srt(timeline, tmp_path / "a.srt", RATE, offset=-2.0) == 1, "what begins before the timeline is left out"


def test_markers_are_told_where_they_show() -> None:
    """A clip's marker counts from the timeline's start; one outside of what the clip shows is not seen."""
    timeline = _timeline()
    timeline.tracks[0][1].markers.append(schema.Marker("cut away", span(900_400, 1, RATE)))
    assert [(one.start, one.name, one.track) for one in marks(timeline, RATE)] == [
        (0, "Act 1", ""),
        (20, "theirs", "V1"),
    ]


@pytest.mark.parametrize("name", ["a.otio", "a.xml", "a.fcpxml", "a.edl"])
def test_our_markers_stay_ours_through_a_format(name: str, tmp_path: Path) -> None:
    """A marker of ours on a clip is known by its id after a round trip, and can be removed alone."""
    timeline = _timeline()
    mine = schema.Marker("seen", span(900_070, 5, RATE), "GREEN", comment="a note")
    mine.metadata["callboard"] = {"id": "0123456789ab", "of": "p"}
    timeline.tracks[0][1].markers.append(mine)
    write(timeline, tmp_path / name, RATE)
    back = opened(tmp_path / name, "25").timeline
    clip = next(iter(back.find_clips()))
    assert [(one.name, marker_id(one)) for one in clip.markers] == [("theirs", ""), ("seen", "0123456789ab")]
    assert remove(back) == 1
    assert [one.name for one in next(iter(back.find_clips())).markers] == ["theirs"]


def test_the_marker_edl_has_the_shape_that_resolve_reads() -> None:
    """An event of one frame, then note, colour, name and length; no note looks like an event; one marker a frame."""
    rate = parse_rate("29.97df")
    timeline = _timeline(rate)
    timeline.global_start_time = time_at(rate.frame_of("01:00:00;00"), rate)
    told = [
        Mark(start=0, frames=1, name="A|B", note="2. note", colour="MAGENTA"),
        Mark(start=0, frames=9, name="second", colour="RED"),
        Mark(start=1800, frames=30, name="", note="on two\nlines"),
    ]
    lines = marker_edl(told, timeline, rate).splitlines()
    assert lines[:3] == ["TITLE: cut", "FCM: DROP FRAME", ""]
    events = [re.fullmatch(r"(\d{3})  001      V     C        (\S+) (\S+) \2 \3  ", one) for one in lines[3::3]]
    assert [found.groups() for found in events if found] == [
        ("001", "01:00:00;00", "01:00:00;01"),
        ("002", "01:01:00;02", "01:01:00;03"),
    ]
    assert lines[4] == "- 2. note |C:ResolveColorFuchsia |M:A/B / second |D:9"
    assert lines[7] == "on two / lines |C:ResolveColorGreen |M:Marker 2 |D:30"
    last = ("Lavender", "Sky", "Mint", "Lemon", "Sand", "Cocoa", "Cream")
    known = {"Blue", "Cyan", "Green", "Yellow", "Red", "Pink", "Purple", "Fuchsia", "Rose", *last}
    assert set(RESOLVE_COLOURS.values()) <= known


def test_the_marker_edl_with_loc_lines_is_read_by_the_library(tmp_path: Path) -> None:
    """Each LOC line comes back as a marker at its timecode, with its colour."""
    timeline = _timeline()
    text = marker_edl(marks(timeline, RATE), timeline, RATE, "loc")
    assert "* LOC: 01:00:00:20 RED     theirs" in text
    (tmp_path / "m.edl").write_text(text)
    back = read(tmp_path / "m.edl", rate="25")
    found = [
        (one.name, one.color, one.marked_range.start_time.value) for clip in back.find_clips() for one in clip.markers
    ]
    assert found == [("Act 1", "BLUE", 90_000), ("theirs", "RED", 90_020)]


def test_the_table_of_markers_cannot_run_in_a_spreadsheet() -> None:
    """A name that begins as a formula is guarded; another CSV reader finds every row."""
    told = [Mark(start=5, frames=2, name="=1+1", note='say "hi",\nyou', track="V1")]
    rows = list(csv.DictReader(io.StringIO(marker_csv(told, _timeline(), RATE))))
    assert rows == [
        {
            "timecode": "01:00:00:05", "end": "01:00:00:07", "frame": "5", "frames": "2", "track": "V1",
            "colour": "GREEN", "name": "\u2060=1+1", "note": 'say "hi",\nyou', "id": "",
        }
    ]  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Give a project with a film of which tags and captions were accepted, and a placeholder."""
    folder = tmp_path / "footage"
    folder.mkdir()
    (folder / "a.mov").write_bytes(b"x")
    (folder / "a.en.srt").write_text(SRT)
    (folder / "sh010.png").write_bytes(b"x")
    (tmp_path / "secret.png").write_bytes(b"x")
    (tmp_path / "callboard.toml").write_text('[[watch]]\npath = "footage"\n')
    found = find_project(tmp_path)
    assert found is not None
    seen = Seen(path=b"a.mov", size=1, mtime_ns=1, ctime_ns=1, inode=1, device=1, digest=DIGEST, kind="video")
    where = Evidence(start=3.0, end=3.4)
    items = (
        Tag(label="tree", score=0.9, method="m", evidence=(where,)),
        Tag(label="sea", score=0.9, method="m", evidence=(Evidence(start=19.0),)),
        Tag(label="dog", score=0.9, method="m"),
    )
    cues = (
        Cue(id=1, start=2.0, end=3.0, lines=("Hello",), confidence=1, flags=("quiet",)),
        Cue(id=2, start=9.0, end=9.5, lines=("later",), confidence=1),
        Cue(id=3, start=4.0, end=4.5, lines=("left out",), confidence=1),
    )
    results: dict[str, Tags | Captions | Placeholder] = {
        "t1": Tags(items=items, confidence=0.9, description="A tree by the sea."),
        "c1": Captions(language="en", cues=cues, confidence=0.9),
        "p1": Placeholder(shot="sh010", generator="cards", file="sh010.png", digest=DIGEST, confidence=1.0),
        "p2": Placeholder(shot="sh020", generator="cards", file="../secret.png", digest=DIGEST, confidence=1.0),
        "p3": Placeholder(shot="sh030", generator="cards", file="link.png", digest=DIGEST, confidence=1.0),
        "p4": Placeholder(shot="sh040", generator="cards", file="/etc/hostname", digest=DIGEST, confidence=1.0),
    }
    without = {"t1": ("dog",), "c1": ("3",)}
    with Catalog(found.data) as catalog:
        catalog.write_sync(lambda conn: journal.put_place(conn, "footage", seen))
        for name, result in results.items():
            digest = f"{DIGEST}-{name}" if name.startswith("p") else DIGEST
            store = partial(proposals.add, ident=name, job=f"j{name}", run="r", digest=digest, result=result)
            catalog.write_sync(partial(store, provenance=MADE))
            said = Decision(proposal=name, decision="accept", by="me", without=without.get(name, ()))
            catalog.write_sync(partial(proposals.decide, decision=said, run="r2"))
    return found


def test_what_was_accepted_lands_on_the_clip(project: Project) -> None:
    """Tags, description and the subtitle file's name in metadata; a marker where each was seen or said, and shown."""
    film = project.folder / "footage" / "a.mov"
    timeline = _timeline(url=film.as_uri())
    known = for_media(project, [film, project.folder / "other.mov"])
    finder = Finder(roots(project))
    assert add_accepted(timeline, RATE, finder, known) == 2
    assert add_accepted(timeline, RATE, finder, known) == 0
    clip = timeline.tracks[0][1]
    assert ours(clip) == {
        "tags": ["tree", "sea"],
        "description": "A tree by the sea.",
        "captions": [{"language": "en", "proposal": "c1", "file": str(film.with_name("a.en.srt"))}],
    }
    # the film's first frame is 900000; what the clip does not show has no marker
    told = [(one.marked_range.start_time.value, one.name, one.color) for one in clip.markers if marker_id(one)]
    assert told == [(900_075, "tree", "GREEN"), (900_050, "Hello", "YELLOW")]
    assert remove(timeline) == 2
    assert remove_facts(timeline) == 1
    assert ours(clip) == {}


def test_accepted_placeholders_are_those_inside_the_project(project: Project) -> None:
    """A file that a proposal names outside of the folder it counts from is not taken: up, by a link, or absolute."""
    (project.folder / "footage" / "link.png").symlink_to("/etc/hostname")
    told = placeholders(project)
    assert [(one.proposal.id, one.body.shot, one.file.name) for one in told] == [("p1", "sh010", "sh010.png")]


def test_an_accepted_placeholder_goes_where_its_shot_is(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The gap that has the shot's name is filled with it, and the stand-in carries the proposal's id."""
    monkeypatch.chdir(project.folder)
    timeline = _timeline(url=(project.folder / "footage" / "a.mov").as_uri())
    timeline.tracks[0][0].name = "sh010"
    write(timeline, project.folder / "cut.otio", RATE)
    assert main(["timeline", "fill", "cut.otio", "-o", "filled.otio"]) == 0
    (found,) = stand_ins(read(project.folder / "filled.otio"))
    assert (found.ref, found.frames, found.name) == ("V1-0", 10, "sh010")
    filled = read(project.folder / "filled.otio").tracks[0][0]
    assert placeholder_of(filled)["id"] == "p1"
    assert filled.media_reference.target_url == (project.folder / "footage" / "sh010.png").as_uri()
    assert main(["timeline", "markers", "filled.otio", "--accepted", "-o", "marked.otio"]) == 0
    assert ours(read(project.folder / "marked.otio").tracks[0][1])["tags"] == ["tree", "sea"]
