"""The same timeline through each format and back: what each loses is the table in docs/timelines.md."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from callboard.timedtext.rate import Rate, parse_rate
from callboard_otio.losses import ASPECTS, facts, losses
from callboard_otio.rates import frames, set_rate, span, start_frame, time_at, timeline_rate
from callboard_otio.reading import opened
from callboard_otio.writing import write
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  # compiled, and ships no stubs
from opentimelineio import schema

DOCS = Path(__file__).parents[2] / "docs" / "timelines.md"
RATES = ("23.976", "24", "25", "29.97", "29.97df", "30", "50", "59.94", "59.94df")
COLUMNS = {
    ".otio": "a.otio",
    ".otioz": "a.otioz",
    ".otiod": "a.otiod",
    ".xml": "a.xml",
    ".fcpxml": "a.fcpxml",
    ".edl": "a.edl",
    ".aaf": "a.aaf",
}


def _clip(name: str, used: int, count: int, rate: Rate, folder: Path) -> Any:
    first = _hour(10, rate)
    reference = schema.ExternalReference((folder / f"{name}.mov").as_uri(), span(first, 400, rate))
    reference.name = f"{name}.mov"
    return schema.Clip(name, reference, span(first + used, count, rate))


def _hour(number: int, rate: Rate) -> int:
    return rate.frame_of(f"{number:02d}:00:00{';' if rate.drop else ':'}00")


def _timeline(rate: Rate, folder: Path) -> Any:
    """Make a timeline that has one of everything."""
    for name in ("A001", "B002", "C003", "E005"):
        (folder / f"{name}.mov").write_bytes(b"film")
    timeline = schema.Timeline("reel 1", global_start_time=time_at(_hour(1, rate), rate))
    set_rate(timeline, rate)
    first, second, sound = (schema.Track(name, kind=kind) for name, kind in TRACKS)
    dissolve = schema.Transition("Cross Dissolve", "SMPTE_Dissolve", time_at(6, rate), time_at(6, rate))
    fast, lost = _clip("C003", 5, 50, rate, folder), _clip("D004", 0, 40, rate, folder)
    fast.effects.append(schema.LinearTimeWarp(time_scalar=2.0))
    lost.media_reference = schema.MissingReference()
    slug = schema.Clip("slug", schema.GeneratorReference("black", "black"), span(0, 24, rate))
    opening = _clip("A001", 10, 48, rate, folder)
    second_shot = _clip("B002", 30, 72, rate, folder)
    for item in (opening, dissolve, second_shot, schema.Gap(source_range=span(0, 36, rate)), fast, lost, slug):
        first.append(item)
    title = _clip("E005", 0, 20, rate, folder)
    title.enabled = False
    for item in (schema.Gap(source_range=span(0, 60, rate)), title):
        second.append(item)
    sound.append(_clip("A001", 10, 48, rate, folder))
    timeline.tracks.extend([first, second, sound])
    _annotate(timeline, opening, rate)
    return timeline


TRACKS = (("Story", "Video"), ("Titles", "Video"), ("Dialogue", "Audio"))


def _annotate(timeline: Any, clip: Any, rate: Rate) -> None:
    at = frames(clip.source_range.start_time, rate) + 10
    clip.markers.append(schema.Marker("Face", span(at, 1, rate), "RED", comment="who is it"))
    timeline.tracks.markers.append(schema.Marker("Reel start", span(3, 1, rate), "CYAN", comment="begin"))
    clip.metadata["callboard"] = {"tags": ["tree"], "captions": [{"language": "en", "file": "/f/A001.en.srt"}]}
    clip.metadata["show"] = {"scene": "12"}
    stand_in = next(one for one in timeline.find_clips() if one.name == "slug")
    stand_in.metadata["callboard"] = {"placeholder": {"id": "p1", "for": "gap"}}


def _lost(timeline: Any, path: Path, rate: Rate) -> dict[str, str]:
    """Write and read back, and say of each aspect what is left: ``all``, ``2 of 3`` or ``none``."""
    written = write(timeline, path, rate)
    back = opened(path, str(rate) if path.suffix == ".edl" else "")
    bundled = path.suffix in (".otioz", ".otiod")
    assert losses(timeline, back.timeline, rate, back.rate, bundled=bundled) == written.losses
    if bundled:
        assert {Path(one.media_reference.target_url).parent.name for one in _films(back.timeline)} == {"media"}
    whole = {aspect: count.total() for aspect, count in facts(timeline, rate).items()}
    said = {one.aspect: one for one in written.losses}
    return {
        aspect: "all" if aspect not in said else (f"{said[aspect].kept} of {said[aspect].before}") for aspect in whole
    }


def _films(timeline: Any) -> list[Any]:
    return [one for one in timeline.find_clips() if isinstance(one.media_reference, schema.ExternalReference)]


def made_table(folder: Path) -> dict[str, list[str]]:
    """Make the table: aspect to a cell for each format."""
    rate = parse_rate("29.97df")
    timeline = _timeline(rate, folder)
    told = {title: _lost(timeline, folder / name, rate) for title, name in COLUMNS.items()}
    here = [aspect for aspect in ASPECTS if facts(timeline, rate)[aspect]]
    return {aspect: [told[title][aspect] for title in COLUMNS] for aspect in here}


def _told_table() -> dict[str, list[str]]:
    """Read the table out of the page."""
    rows = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in DOCS.read_text("utf-8").splitlines()
        if line.startswith("|")
    ]
    begin = next(number for number, row in enumerate(rows) if row[0] == "what")
    assert [cell.strip("`") for cell in rows[begin][1:]] == list(COLUMNS)
    return {row[0]: row[1:] for row in rows[begin + 2 :] if len(row) == len(COLUMNS) + 1}


def test_what_each_format_loses_is_the_table_in_the_docs(tmp_path: Path) -> None:
    """The table that a round trip through every format makes is the one that people read."""
    assert _told_table() == made_table(tmp_path)


@pytest.mark.parametrize("text", RATES)
@pytest.mark.parametrize("name", ["a.otio", "a.edl", "a.xml", "a.fcpxml"])
def test_every_rate_comes_back_to_the_frame(name: str, text: str, tmp_path: Path) -> None:
    """At every rate, drop frame too, each cut, source frame and start is where it was."""
    rate = parse_rate(text)
    timeline = _timeline(rate, tmp_path)
    written = write(timeline, tmp_path / name, rate)
    back = opened(tmp_path / name, text if name == "a.edl" else "")
    assert back.rate == rate
    assert timeline_rate(back.timeline) == rate
    assert start_frame(back.timeline, rate) == _hour(1, rate)
    told = {one.aspect for one in written.losses}
    assert not told & {"frame rate", "start timecode", "drop frame", "source ranges", "clip markers", "media paths"}
    if name != "a.edl":  # which holds one track
        assert not told & {"clips", "gaps", "transitions", "generators"}


def test_an_edl_says_its_timecode_as_an_independent_reader_counts_it(tmp_path: Path) -> None:
    """The events are read by a pattern and a drop frame rule written out here, and lie where the timeline says."""
    rate = parse_rate("29.97df")
    write(_timeline(rate, tmp_path), tmp_path / "a.edl", rate)
    text = (tmp_path / "a.edl").read_text("utf-8")
    assert text.splitlines()[:2] == ["TITLE: reel 1", "FCM: DROP FRAME"]
    events = re.findall(r"^(\d{3})  (\S+) +V +(\S)(?: (\d+))? +(\S+) (\S+) (\S+) (\S+)$", text, re.MULTILINE)
    hour = 107_892
    lasting = [[_dropped(one) for one in event[4:]] for event in events if event[6] != event[7]]
    assert [(a - 10 * hour, b - a, c - hour, d - hour) for a, b, c, d in lasting] == [
        (10, 42, 0, 42),
        (24, 78, 42, 120),
        (5, 100, 156, 206),
        (0, 40, 206, 246),
        (-10 * hour, 24, 246, 270),
    ]
    assert "* LOC: 10:00:00;20 RED     Face" in text
    assert re.search(r"^M2   C003\s+59.94\d*\s", text, re.MULTILINE)


def _dropped(timecode: str) -> int:
    """Count frames of 29.97 drop frame: two numbers are left out each minute, but not each tenth."""
    hours, minutes, seconds, count = (int(one) for one in re.split("[:;]", timecode))
    total = hours * 60 + minutes
    return (total * 60 + seconds) * 30 + count - 2 * (total - total // 10)


def test_non_drop_frame_stays_so_in_an_edl(tmp_path: Path) -> None:
    """29.97 without drop frame is written with colons, counts every number, and says so."""
    rate = parse_rate("29.97")
    write(_timeline(rate, tmp_path), tmp_path / "a.edl", rate)
    text = (tmp_path / "a.edl").read_text("utf-8")
    assert "FCM: NON-DROP FRAME" in text
    assert ";" not in text
    assert "01:00:00:00 01:00:01:12" in text


def test_final_cut_pro_7_xml_says_the_same_to_another_parser(tmp_path: Path) -> None:
    """Read by lxml alone: rate, timecode, cuts, in points and the marker's colour."""
    rate = parse_rate("29.97df")
    write(_timeline(rate, tmp_path), tmp_path / "a.xml", rate)
    sequence = etree.parse(str(tmp_path / "a.xml")).getroot().find(".//sequence")
    assert (sequence.findtext("rate/timebase"), sequence.findtext("rate/ntsc")) == ("30", "TRUE")
    assert sequence.findtext("timecode/string") == "01:00:00;00"
    assert (sequence.findtext("timecode/displayformat"), sequence.findtext("timecode/frame")) == ("DF", "107892")
    items = sequence.findall("media/video/track")[0].findall("clipitem")
    told = [[int(one.findtext(name)) for name in ("start", "end", "in", "out")] for one in items]
    # next to a dissolve the format writes -1, and reaches into the handles by the dissolve's half
    assert told[0] == [0, -1, 10, 64]
    assert told[1] == [-1, 120, 24, 102]
    assert told[2] == [156, 206, 5, 55]
    marker = items[0].find("marker")
    assert [marker.findtext(f"color/{name}") for name in ("red", "green", "blue")] == ["255", "0", "0"]
    assert marker.findtext("comment") == "who is it"


def test_fcpxml_is_on_whole_frames(tmp_path: Path) -> None:
    """Every time in it is a whole number of frames of 1001/30000 s, and the spine has no hole and no overlap."""
    rate = parse_rate("29.97")
    write(_timeline(rate, tmp_path), tmp_path / "a.fcpxml", rate)
    root = etree.parse(str(tmp_path / "a.fcpxml")).getroot()
    frame = Fraction(1001, 30000)
    for element in root.iter():
        for name in ("offset", "duration", "tcStart"):
            if element.get(name):
                assert (Fraction(element.get(name).rstrip("s")) / frame).denominator == 1
    sequence = root.find(".//sequence")
    at = Fraction(sequence.get("tcStart").rstrip("s"))
    for element in sequence.find("spine"):
        if element.tag != "transition":
            assert Fraction(element.get("offset").rstrip("s")) == at
            at += Fraction(element.get("duration").rstrip("s"))


def test_the_flavour_for_resolve_is_what_its_importer_takes(tmp_path: Path) -> None:
    """Read as plain JSON: Clip.2, media under DEFAULT_MEDIA, bare paths, ranges inside the media's own timecode."""
    rate = parse_rate("24")
    timeline = _timeline(rate, tmp_path)
    opening = next(iter(timeline.find_clips()))
    opening.media_reference.available_range = None
    written = write(timeline, tmp_path / "a.otio", rate, flavour="resolve")
    assert written.notes == ("D004: has no file, so Resolve will show it offline",)
    document = json.loads((tmp_path / "a.otio").read_text("utf-8"))
    assert document["global_start_time"]["value"] == 86400
    clips = [one for track in document["tracks"]["children"] for one in track["children"] if _is_clip(one)]
    assert len(clips) == 7
    for clip in clips:
        assert (clip["OTIO_SCHEMA"], clip["active_media_reference_key"]) == ("Clip.2", "DEFAULT_MEDIA")
        media, used = clip["media_references"]["DEFAULT_MEDIA"], clip["source_range"]
        if media["OTIO_SCHEMA"].startswith("ExternalReference"):
            assert media["target_url"] == str(tmp_path / media["name"])
            known = media["available_range"]
            assert 0 <= used["start_time"]["value"] - known["start_time"]["value"] < known["duration"]["value"]
            assert used["start_time"]["value"] >= 864_000


def _is_clip(child: dict[str, Any]) -> bool:
    return bool(child["OTIO_SCHEMA"].startswith("Clip"))


ROWS = st.lists(st.tuples(st.sampled_from(["clip", "gap"]), st.integers(1, 3000)), min_size=1, max_size=4)


@settings(max_examples=12)
@given(rows=st.lists(ROWS, min_size=1, max_size=2), text=st.sampled_from(RATES))
def test_no_cut_moves_on_its_way(
    rows: list[list[tuple[str, int]]], text: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever the cut and the rate, each clip shows the same frames at the same time through both XML formats."""
    rate, folder = parse_rate(text), tmp_path_factory.getbasetemp()
    timeline = schema.Timeline("cut", global_start_time=time_at(_hour(1, rate), rate))
    set_rate(timeline, rate)
    for row in rows:
        track = schema.Track(kind="Video")
        for number, (kind, count) in enumerate([*row, ("clip", 7)]):
            clip = _clip(f"c{number}", number, count, rate, folder)
            track.append(clip if kind == "clip" else schema.Gap(source_range=span(0, count, rate)))
        timeline.tracks.append(track)
    for name in ("random.fcpxml", "random.xml"):
        written = write(timeline, folder / name, rate, force=True)
        assert not {one.aspect for one in written.losses} & {"clips", "gaps", "source ranges", "start timecode"}


def test_a_retimed_clip_keeps_what_it_shows_through_fcpxml(tmp_path: Path) -> None:
    """Media time follows the time map: twice as fast from the frame where the clip begins."""
    rate = parse_rate("25")
    write(_timeline(rate, tmp_path), tmp_path / "a.fcpxml", rate)
    root = etree.parse(str(tmp_path / "a.fcpxml")).getroot()
    clip = next(one for one in root.iter("asset-clip") if one.get("name") == "C003")
    (t0, v0), (t1, v1) = (
        [Fraction(point.get(name).rstrip("s")) for name in ("time", "value")]
        for point in clip.iterfind("timeMap/timept")
    )
    begin = Fraction(clip.get("start").rstrip("s"))
    assert v0 + (begin - t0) * (v1 - v0) / (t1 - t0) == Fraction(36000) + Fraction(5, 25)
