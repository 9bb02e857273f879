"""Timelines as applications write them: nested clips and lanes, Avid's and Resolve's lines, logs, several sequences."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from callboard.timedtext.rate import Rate, parse_rate
from callboard_otio import gaps, read
from callboard_otio.finding import places
from callboard_otio.rates import frames, start_frame, timeline_rate
from callboard_otio.reading import opened
from opentimelineio import schema

FCPX = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE fcpxml>
<fcpxml version="1.10">
 <resources>
  <format id="r1" name="FFVideoFormat1080p2398" frameDuration="1001/24000s" width="1920" height="1080"/>
  <asset id="r2" name="A001" start="86486400/24000s" duration="240240/24000s" hasVideo="1" format="r1" hasAudio="1">
   <media-rep kind="original-media" src="file:///show/A001.mov"/>
  </asset>
  <asset id="r3" name="song" start="0s" duration="30s" hasAudio="1" hasVideo="0" src="file:///show/song.wav"/>
  <effect id="r4" name="Basic Title" uid=".../Basic Title.moti"/>
  <media id="r5" name="compound"><sequence format="r1" duration="48048/24000s" tcStart="0s">
   <spine><asset-clip ref="r2" offset="0s" duration="48048/24000s" start="86486400/24000s"/></spine>
  </sequence></media>
 </resources>
 <library><event name="day 1"><project name="Cut 7">
  <sequence format="r1" tcStart="86486400/24000s" tcFormat="NDF" duration="240240/24000s">
   <spine>
    <asset-clip ref="r2" name="A001" offset="86486400/24000s" duration="48048/24000s" start="86534448/24000s">
     <note>from the wife's camera</note>
     <adjust-volume amount="-3dB"/>
     <title ref="r4" lane="2" name="Name" offset="86546460/24000s" duration="24024/24000s"/>
     <asset-clip ref="r3" lane="-1" name="song" offset="86534448/24000s" duration="72072/24000s"/>
     <marker start="86540454/24000s" duration="1001/24000s" value="look" note="twice"/>
     <marker start="86541455/24000s" duration="1001/24000s" value="to do" completed="0"/>
    </asset-clip>
    <transition name="Cross Dissolve" offset="86522436/24000s" duration="24024/24000s"/>
    <clip name="inside" duration="48048/24000s" start="3600s">
     <video ref="r2" offset="3600s" start="86498412/24000s" duration="100100/24000s"/>
     <spine lane="1" offset="86424000/24000s">
      <asset-clip ref="r2" name="second" offset="0s" duration="12012/24000s"/>
     </spine>
    </clip>
    <gap name="Gap" offset="86582496/24000s" duration="24024/24000s" start="3600s"/>
    <ref-clip ref="r5" name="compound" offset="86606520/24000s" duration="24024/24000s" enabled="0"/>
   </spine>
  </sequence></project></event></library>
</fcpxml>
"""


def _rows(timeline: Any, rate: Rate) -> dict[str, list[tuple[str, int, int, int]]]:
    """Give each track's items: name, first frame, length, first frame of media."""
    rows: dict[str, list[tuple[str, int, int, int]]] = {}
    for place in places(timeline, rate):
        rows.setdefault(place.name, []).append((place.item.name, place.start, place.frames, place.source))
    return rows


def test_fcpxml_of_final_cut_is_laid_out_by_lanes(tmp_path: Path) -> None:
    """Connected clips, a title, a secondary storyline and sound lie where they play, on 23.976's own frames."""
    (tmp_path / "a.fcpxml").write_text(FCPX)
    found = opened(tmp_path / "a.fcpxml")
    timeline, rate = found.timeline, found.rate
    assert (timeline.name, str(rate)) == ("Cut 7", "23.976")
    assert start_frame(timeline, rate) == 86_400
    assert _rows(timeline, rate) == {
        "V1": [("A001", 0, 48, 86_448), ("inside", 48, 48, 86_412), ("", 96, 24, 0), ("compound", 120, 24, 0)],
        "V2": [("", 0, 72, 0), ("second", 72, 12, 86_400)],
        "V3": [("", 0, 12, 0), ("Name", 12, 24, 0)],
        "A1": [("song", 0, 72, 0)],
    }
    first = next(iter(timeline.find_clips()))
    assert (first.media_reference.target_url, first.metadata["fcpxml"]["note"]) == (
        "file:///show/A001.mov",
        "from the wife's camera",
    )
    assert [(one.name, one.color, one.comment, frames(one.marked_range.start_time, rate)) for one in first.markers] == [
        ("look", "BLUE", "twice", 86_454),
        ("to do", "RED", "", 86_455),
    ]
    (dissolve,) = timeline.find_children(descended_from_type=schema.Transition)
    assert (frames(dissolve.in_offset, rate), frames(dissolve.out_offset, rate)) == (12, 12)
    compound = timeline.tracks[0][-1]
    assert isinstance(compound, schema.Stack)
    assert not compound.enabled
    assert [one.ref for one in gaps(timeline)] == ["V1-96"]


def test_a_bundle_of_final_cut_is_read_by_its_inner_file(tmp_path: Path) -> None:
    """An .fcpxmld folder holds Info.fcpxml; .xml may be FCPXML too, and is told by its root."""
    folder = tmp_path / "a.fcpxmld"
    folder.mkdir()
    (folder / "Info.fcpxml").write_text(FCPX)
    assert read(folder).name == "Cut 7"
    (tmp_path / "a.xml").write_text(FCPX)
    assert opened(tmp_path / "a.xml").format == "fcpxml"


AVID = """TITLE:   REEL_02_V3
FCM: NON-DROP FRAME
* made for the lab
001  A014C003 V     C        11:02:10:05 11:02:12:05 02:00:00:00 02:00:02:00
* FROM CLIP NAME:  12A-1.NEW.01
* LOC: 11:02:11:00 CYAN    FIX THE SKY
* SOURCE FILE: A014C003_220101_R1AB
FCM: NON-DROP FRAME
002  BL       V     C        00:00:00:00 00:00:00:12 02:00:02:00 02:00:02:12
003  A015C001 V     C        09:00:00:00 09:00:02:00 02:00:03:00 02:00:04:00
M2   A015C001       048.0                09:00:00:00
* FROM CLIP NAME:  14-2
EFFECTS NAME IS FLOP
004  A015C001 V     C        09:00:10:00 09:00:10:00 02:00:04:00 02:00:04:00
004  A016C009 V     D    012 01:00:00:00 01:00:02:00 02:00:04:00 02:00:06:00
* FROM CLIP NAME:  14-2
* TO CLIP NAME:  15-1
005  A016C009 A     C        01:00:00:00 01:00:01:00 02:00:04:00 02:00:05:00
"""


def test_an_edl_of_avid_keeps_reels_locators_speed_and_black(tmp_path: Path) -> None:
    """Record timecode becomes the timeline's; what is black, faster, dissolved and on a sound track is told so."""
    (tmp_path / "a.edl").write_text(AVID)
    found = opened(tmp_path / "a.edl", "24")
    timeline, rate = found.timeline, found.rate
    assert rate.timecode(start_frame(timeline, rate)) == "02:00:00:00"
    rows = _rows(timeline, rate)
    assert [(name, start, count) for name, start, count, _ in rows["V1"]] == [
        ("12A-1.NEW.01", 0, 48),
        ("002", 48, 12),
        ("", 60, 12),
        ("14-2", 72, 24),
        ("15-1", 96, 48),
    ]
    clips = list(timeline.tracks[0])
    assert clips[0].metadata["cmx_3600"]["reel"] == "A014C003"
    assert [(one.name, one.color) for one in clips[0].markers] == [("FIX THE SKY", "CYAN")]
    assert isinstance(clips[1].media_reference, schema.GeneratorReference)
    assert [one.time_scalar for one in clips[3].effects] == [2.0]
    assert [one.ref for one in gaps(timeline)] == ["V1-60"]
    assert rows["A1"][-1][1:3] == (96, 24)


def test_the_marker_edl_of_resolve_is_read_as_its_events(tmp_path: Path) -> None:
    """The lines behind events that begin with a note or a bar are carried as comments, and stop nobody."""
    (tmp_path / "m.edl").write_text(
        "TITLE: ( no title )\n\n001  001      V     C        01:00:18:06 01:00:18:07 01:00:18:06 01:00:18:07  \n"
        "hair on the lens |C:ResolveColorYellow |M:Marker 1 |D:1\n\n"
    )
    timeline = read(tmp_path / "m.edl", rate="25")
    (clip,) = timeline.find_clips()
    assert "hair on the lens |C:ResolveColorYellow |M:Marker 1 |D:1" in list(clip.metadata["cmx_3600"]["comments"])


ALE = "Heading\nFIELD_DELIM\tTABS\nVIDEO_FORMAT\t1080\nFPS\t25\n\nColumn\nName\tStart\tEnd\tTape\n\nData\n"


def test_a_log_is_a_row_of_clips(tmp_path: Path) -> None:
    """An ALE has no timeline: its clips stand one after the other, which is said."""
    (tmp_path / "a.ale").write_text(ALE + "A001\t01:00:00:00\t01:00:02:00\tT1\nA002\t02:00:00:00\t02:00:01:00\tT2\n")
    found = opened(tmp_path / "a.ale", "25")
    assert _rows(found.timeline, found.rate) == {"V1": [("A001", 0, 50, 90_000), ("A002", 50, 25, 180_000)]}
    assert "is a list of clips, not a timeline" in found.notes[0]


PREMIERE = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE xmeml>
<xmeml version="4">
 <sequence id="sequence-1"><name>Main</name><duration>120</duration>
  <rate><timebase>30</timebase><ntsc>TRUE</ntsc></rate>
  <timecode><rate><timebase>30</timebase><ntsc>TRUE</ntsc></rate><string>01;00;00;00</string>
   <frame>107892</frame><displayformat>DF</displayformat></timecode>
  <media><video><track>
   <clipitem id="clipitem-1"><name>a.mov</name><enabled>FALSE</enabled><duration>300</duration>
    <rate><timebase>30</timebase><ntsc>TRUE</ntsc></rate><start>30</start><end>90</end><in>15</in><out>75</out>
    <file id="file-1"><name>a.mov</name><pathurl>file://localhost/C%3a/show/a.mov</pathurl>
     <rate><timebase>30</timebase><ntsc>TRUE</ntsc></rate><duration>300</duration>
     <timecode><rate><timebase>30</timebase><ntsc>TRUE</ntsc></rate><string>00;00;10;00</string><frame>300</frame>
      <displayformat>DF</displayformat><reel><name>T7</name></reel></timecode></file></clipitem>
  </track></video></media>
  <marker><comment>why</comment><name>here</name><in>40</in><out>-1</out></marker>
 </sequence>
 <sequence id="sequence-2"><name>Other</name><rate><timebase>25</timebase><ntsc>FALSE</ntsc></rate></sequence>
</xmeml>
"""


def test_xml_of_premiere_counts_drop_frame_and_says_what_else_it_holds(tmp_path: Path) -> None:
    """The first sequence is read, the other named; times count from the media's own timecode; a marker has no end."""
    (tmp_path / "a.xml").write_text(PREMIERE.replace('<sequence id="sequence-2">', '<sequence id="sequence-2">'))
    found = opened(tmp_path / "a.xml")
    timeline = found.timeline
    assert timeline_rate(timeline) == parse_rate("29.97df")
    assert found.rate.timecode(start_frame(timeline, found.rate)) == "01:00:00;00"
    assert _rows(timeline, found.rate)["V1"] == [("", 0, 30, 0), ("a.mov", 30, 60, 315)]
    (clip,) = timeline.find_clips()
    assert not clip.enabled
    assert [(one.name, one.comment, one.marked_range.duration.value) for one in timeline.tracks.markers] == [
        ("here", "why", 0)
    ]
    assert "holds 2 timelines; this is 'Main', the others are 'Other'" in found.notes


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_an_edl_of_any_age_is_text(encoding: str, tmp_path: Path) -> None:
    """Marks, UTF-16 and old Latin letters are read as they were meant."""
    text = AVID.replace("12A-1.NEW.01", "Süden")
    (tmp_path / "a.edl").write_bytes(text.encode(encoding))
    assert next(iter(read(tmp_path / "a.edl", "24").find_clips())).name == "Süden"
