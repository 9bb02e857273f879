"""``callboard timeline`` as people type it: what it prints, what it writes, and what it refuses."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from callboard.cli import main
from callboard.timedtext.rate import Rate
from callboard_otio import read
from callboard_otio.finding import stand_ins
from callboard_otio.rates import span, time_at
from opentimelineio import schema

RATE = Rate(25)


@pytest.fixture
def cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder of its own with a cut: a clip that is there, a gap, one that is not, and a card."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CALLBOARD_HOME", str(tmp_path / "home"))
    (tmp_path / "A.mov").write_bytes(b"x")
    (tmp_path / "card.png").write_bytes(b"x")
    timeline = schema.Timeline("Cut 1", global_start_time=time_at(90_000, RATE))
    track = schema.Track("V1", kind="Video")
    track.append(schema.Clip("A", schema.ExternalReference("A.mov", span(0, 200, RATE)), span(10, 50, RATE)))
    track.append(schema.Gap("sh010", source_range=span(0, 30, RATE)))
    track.append(schema.Clip("B", schema.ExternalReference("/gone/B.mov"), span(0, 20, RATE)))
    timeline.tracks.append(track)
    timeline.to_json_file(str(tmp_path / "cut.otio"))
    return tmp_path


def _json(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    capsys.readouterr()
    main(["timeline", *arguments, "--json"])
    return json.loads(capsys.readouterr().out)


def test_the_help_names_every_command(capfd: pytest.CaptureFixture[str]) -> None:
    """``callboard timeline --help`` lists what it can do, without the library being imported."""
    assert main(["timeline", "--help"]) == 0
    told = capfd.readouterr().out
    assert all(name in told for name in ("inspect", "fill", "markers", "convert"))


def test_inspect_says_what_is_there_and_what_is_not(cut: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The head, a table of tracks, each place to fill with its name and timecode, and a sum."""
    assert main(["timeline", "inspect", "cut.otio", "--clips"]) == 0
    told = capsys.readouterr().out
    assert "cut.otio: Cut 1, 25 fps, 01:00:00:00 to 01:00:04:00 (100 frames), 0 markers" in told
    assert "V1-50 gap     01:00:02:00 01:00:03:05 30     sh010" in told
    assert "V1-80 missing 01:00:03:05 01:00:04:00 20     B     is not there" in told
    assert "10+140" in told
    assert told.rstrip().endswith("1 gap, 1 missing clip, 0 slugs, 0 stand-ins of ours")
    report = _json(capsys, "inspect", "cut.otio")
    assert [one["ref"] for one in report["gaps"] + report["missing"]] == ["V1-50", "V1-80"]
    assert report["clips"][0]["media"] == {"how": "there", "path": str(cut / "A.mov"), "said": "A.mov", "problem": ""}


def test_fill_puts_the_card_where_something_is_missing(cut: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Filled once; unchanged again; another file for one place replaces ours alone; and removal gives back the cut."""
    before = read(cut / "cut.otio").to_json_string()
    assert main(["timeline", "fill", "cut.otio", "--with", "card.png", "-o", "filled.otio"]) == 0
    filled = read(cut / "filled.otio")
    assert [one.ref for one in stand_ins(filled)] == ["V1-50", "V1-80"]
    assert [one.duration().value for one in filled.tracks[0]] == [50, 30, 20]
    assert (cut / "cut.otio").exists()
    again = _json(capsys, "fill", "filled.otio", "--with", "card.png", "--in-place")
    assert [one["state"] for one in again["places"]] == ["unchanged", "unchanged"]
    other = _json(capsys, "fill", "filled.otio", "--at", "V1-50=A.mov", "-o", "other.otio")
    assert [(one["state"], one["what"]) for one in other["places"]] == [("filled", "A.mov"), ("left", "")]
    assert main(["timeline", "fill", "other.otio", "--remove", "-o", "back.otio"]) == 0
    assert read(cut / "back.otio").to_json_string() == before


def test_a_stand_in_gives_way_when_the_shot_arrives(cut: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A clip whose own media is there again gets it back; the stand-in of the gap stays."""
    main(["timeline", "fill", "cut.otio", "--with", "card.png", "-o", "filled.otio"])
    (cut / "new").mkdir()
    (cut / "new" / "B.mov").write_bytes(b"x")
    told = _json(capsys, "fill", "filled.otio", "--root", "new", "--in-place")
    assert [(one["spot"]["ref"], one["state"]) for one in told["places"]] == [("V1-80", "arrived"), ("V1-50", "left")]
    filled = read(cut / "filled.otio")
    assert filled.tracks[0][2].media_reference.target_url == "/gone/B.mov"
    assert [one.ref for one in stand_ins(filled)] == ["V1-50"]


def test_fill_says_what_to_do_when_there_is_nothing_to_put(cut: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No file, a wrong place, a wrong generator and a file that is not there are refused; nothing is written."""
    for arguments, why in (
        ([], "2 places to fill, and nothing to put there"),
        (["--at", "V1-51=card.png"], "there is nothing to fill at V1-51"),
        (["--at", "V1-50"], "is not REF=FILE"),
        (["--generator", "snow"], "there is no generator 'snow'"),
        (["--with", "no.png"], "no.png is no file"),
    ):
        assert main(["timeline", "fill", "cut.otio", *arguments, "-o", "new.otio"]) == 2
        assert why in capsys.readouterr().err
    assert not (cut / "new.otio").exists()


def test_nothing_is_written_over_by_chance(cut: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The input only with --in-place, another file only with --force; and a failure leaves both as they were."""
    (cut / "out.xml").write_text("mine")
    for arguments, why in (
        (["cut.otio", "cut.otio"], "is the input itself"),
        (["cut.otio", "out.xml"], "out.xml is there already"),
        (["cut.otio"], "where does it go?"),
        (["cut.otio", "x.otio", "--in-place"], "--in-place writes over FILE"),
        (["cut.otio", "x.edl", "--flavour", "resolve"], "is one of .otio"),
        (["cut.otio", "x.ale"], "is read, and not written"),
        (["cut.otio", "no/x.otio"], "is no folder"),
    ):
        assert main(["timeline", "convert", *arguments]) == 2
        assert why in capsys.readouterr().err
    assert (cut / "out.xml").read_text() == "mine"
    assert main(["timeline", "convert", "cut.otio", "out.xml", "--force"]) == 0
    assert read(cut / "out.xml").name == "Cut 1"
    assert sorted(os.listdir(cut)) == ["A.mov", "card.png", "cut.otio", "out.xml"]


def test_convert_says_exactly_what_is_lost(cut: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a format does not keep is on stderr, and in JSON; a format that keeps all says so."""
    timeline = read(cut / "cut.otio")
    timeline.tracks.markers.append(schema.Marker("Act 1", span(0, 1, RATE)))
    timeline.to_json_file(str(cut / "marked.otio"))
    assert main(["timeline", "convert", "marked.otio", "cut.edl"]) == 0
    told = capsys.readouterr().err
    assert "edl does not keep timeline markers: 1 of 1 lost or changed: 0 Act 1" in told
    assert main(["timeline", "convert", "marked.otio", "same.otio"]) == 0
    assert "Wrote same.otio; nothing is lost." in capsys.readouterr().err
    report = _json(capsys, "convert", "marked.otio", "cut.fcpxml")
    assert {one["aspect"]: one["kept"] for one in report["losses"]} == {"timeline markers": 0}


def test_a_bundle_gives_its_media_back(cut: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is there goes into the bundle, what is not is named; unpacked, the film is a file again."""
    assert main(["timeline", "convert", "cut.otio", "cut.otioz"]) == 0
    assert "B: /gone/B.mov is not there, so it is not in the bundle" in capsys.readouterr().err
    report = _json(capsys, "inspect", "cut.otioz")
    assert [one["media"]["how"] for one in report["clips"]] == ["bundle", "missing"]
    assert main(["timeline", "convert", "cut.otioz", "loose.otio"]) == 0
    assert "a media file stay" in capsys.readouterr().err.replace("stays", "stay")
    assert main(["timeline", "convert", "cut.otioz", "new.otio", "--media", "unpacked"]) == 0
    assert (cut / "unpacked" / "A.mov").read_bytes() == b"x"
    assert main(["timeline", "fill", "cut.otioz", "--with", "card.png", "-o", "full.otioz"]) == 0
    assert [one["media"]["how"] for one in _json(capsys, "inspect", "full.otioz")["clips"]] == ["bundle"] * 3


def test_markers_are_added_listed_given_out_and_removed(cut: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Subtitles become markers; an EDL and a table are written beside; removal takes ours and no other."""
    (cut / "cut.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nHello\n")
    assert main(["timeline", "markers", "cut.otio", "--srt", "cut.srt", "-o", "m.otio"]) == 0
    assert "1 marker added, 0 removed." in capsys.readouterr().out
    assert main(["timeline", "markers", "m.otio"]) == 0
    assert "01:00:01:00 25     timeline cyan   Hello      ours" in capsys.readouterr().out
    assert main(["timeline", "markers", "m.otio", "--edl", "m.edl", "--csv", "m.csv"]) == 0
    assert " |C:ResolveColorCyan |M:Hello |D:25" in (cut / "m.edl").read_text()
    assert "Hello" in (cut / "m.csv").read_text("utf-8-sig")
    assert main(["timeline", "markers", "m.otio", "--edl", "m.edl"]) == 2
    assert main(["timeline", "markers", "m.otio", "--remove", "--in-place"]) == 0
    assert _json(capsys, "markers", "m.otio")["markers"] == []
    assert main(["timeline", "markers", "cut.otio", "--accepted", "-o", "x.otio"]) == 2
    assert "there is no project here" in capsys.readouterr().err


def test_a_broken_file_says_its_line(cut: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The error has the code that scripts look for, the line, and what to do; the exit code is 1."""
    (cut / "bad.edl").write_text("TITLE: x\n001 nonsense\n")
    assert main(["timeline", "inspect", "bad.edl"]) == 1
    assert "bad.edl: line 2: is no event" in capsys.readouterr().err
    assert _json(capsys, "inspect", "bad.edl")["error"]["code"] == "timeline"
    assert main(["timeline", "inspect", "no.otio"]) == 1
    assert "no.otio: is not there" in capsys.readouterr().err


def test_an_edl_is_read_at_the_rate_that_is_said(cut: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a rate it is guessed, and said; with one nothing is guessed."""
    main(["timeline", "convert", "cut.otio", "cut.edl"])
    capsys.readouterr()
    assert main(["timeline", "inspect", "cut.edl"]) == 0
    assert "is a guess from its frame numbers" in capsys.readouterr().err
    assert _json(capsys, "inspect", "cut.edl", "--rate", "25")["notes"] == []
    assert main(["timeline", "inspect", "cut.edl", "--rate", "1/0"]) == 2
    assert "is no frame rate" in capsys.readouterr().err
