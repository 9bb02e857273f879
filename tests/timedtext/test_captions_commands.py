"""``callboard captions convert`` and ``export``: files in, files out, and every loss and oddity told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from callboard.catalog import Catalog, journal, proposals
from callboard.cli import main
from callboard.sources.facts import Seen
from callboard.timedtext.files import read_file
from callboard_schemas import Captions, Cue, Decision, Provenance, Translation

SRT = b"1\r\n00:00:01,000 --> 00:00:02,000\r\n<i>Hi</i> there\r\n2\r\n0:0:3.5 -> 0:0:4,000\r\nx\r\n"
DIGEST = "sha256:" + "e" * 64


@pytest.fixture
def film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder of its own with an SRT file in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CALLBOARD_HOME", str(tmp_path / "home"))
    (tmp_path / "Film.en.srt").write_bytes(SRT)
    return tmp_path


def test_a_file_is_converted_on_stdout(film: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """The subtitles alone go to stdout; what was odd goes to stderr, with its line."""
    assert main(["captions", "convert", "Film.en.srt", "--to", "vtt"]) == 0
    out, err = capfdbinary.readouterr()
    assert out.startswith(b"WEBVTT\n\n1\n00:00:01.000 --> 00:00:02.000\n<i>Hi</i> there\n")
    assert b"Film.en.srt:4: no blank line before a cue" in err


def test_a_file_is_moved_and_written_under_another_name(film: Path) -> None:
    """The name of the output says the format; an offset is timecode, a time or seconds."""
    for number, (offset, start) in enumerate([("-00:00:00:10", 0.6), ("01:00:00.250", 3601.25), ("1.5", 2.5)]):
        arguments = ["Film.en.srt", "--rate", "25", "--offset", offset, "-o", f"{number}.ttml"]
        assert main(["captions", "convert", *arguments]) == 0
        found = read_file(film / f"{number}.ttml")
        assert found.cues[0].start == pytest.approx(start)
        assert (found.language, str(found.rate)) == ("en", "25")


def test_drop_frame_hours_are_taken_off_by_frames(film: Path) -> None:
    """An hour of 29.97 drop frame timecode is 107892 frames, not 3600 seconds."""
    (film / "a.srt").write_bytes(b"1\n01:00:00:00 --> 01:00:02:00\nx\n")
    assert main(["captions", "convert", "a.srt", "--rate", "29.97df", "--offset", "-01:00:00:00", "-o", "a.ttml"]) == 0
    assert b'begin="0f" end="60f"' in (film / "a.ttml").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["Film.en.srt"], 2, "in which format?"),
        (["Film.en.srt", "--to", "stl"], 2, "stl"),
        (["Film.en.srt", "--to", "vtt", "--rate", "fast"], 2, "'fast' is no frame rate"),
        (["Film.en.srt", "--to", "vtt", "--offset", "-00:00:05"], 2, "before the first frame"),
        (["Film.en.srt", "--to", "vtt", "--offset", "00:00:05:00"], 2, "give --rate"),
        (["Film.en.srt", "--to", "vtt", "-o", "Film.en.srt"], 2, "there already"),
        (["Film.en.srt", "--to", "vtt", "--json"], 2, "-o"),
        (["bad.srt", "--to", "vtt"], 1, "bad.srt:2: times that cannot be read"),
    ],
)
def test_what_cannot_be_done_is_said(
    film: Path, capfdbinary: pytest.CaptureFixture[bytes], arguments: list[str], code: int, words: str
) -> None:
    """The exit code and one line say what is wrong; no file is changed."""
    (film / "bad.srt").write_bytes(b"1\n00:00:xx --> 00:00:02,000\nx\n")
    assert main(["captions", "convert", *arguments]) == code
    assert words in capfdbinary.readouterr().err.decode()
    assert (film / "Film.en.srt").read_bytes() == SRT


def test_json_tells_everything(film: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """One document: formats, count, notes with lines, and what was lost."""
    (film / "v.vtt").write_bytes(b"WEBVTT\n\nNOTE hi\n\n00:01.000 --> 00:02.000\n<v Ann>Hi\n")
    assert main(["captions", "convert", "v.vtt", "-o", "v.srt", "--json"]) == 0
    told = json.loads(capfdbinary.readouterr().out)
    assert (told["from"], told["to"], told["cues"]) == ("vtt", "srt", 1)
    assert told["notes"] == [{"line": 3, "text": "a comment: left out: NOTE hi"}]
    assert told["lost"] == ["who speaks, in 1 of 1 cues"]


def cue(number: int, text: str) -> Cue:
    """Make a cue."""
    return Cue(id=number, start=float(number), end=number + 0.5, lines=(text,), confidence=0.9)


@pytest.fixture
def catalogued(film: Path) -> Path:
    """Give a folder with a film whose captions and Spanish translation wait in the catalog."""
    made = Provenance(plugin="caption", version="1.0.0", kind="analyse")
    seen = Seen(
        path=str(film / "clip.mov").encode().lstrip(b"/"),
        size=5, mtime_ns=1, ctime_ns=1, inode=1, device=1, digest=DIGEST, kind="video",
    )  # fmt: skip
    english = Captions(language="en", cues=(cue(1, "one"), cue(2, "two")), confidence=0.9)
    spanish = Translation(source_language="en", language="es", cues=(cue(1, "uno"),), confidence=0.9)
    with Catalog(film / "home" / "data") as catalog:
        catalog.write_sync(lambda conn: journal.put_place(conn, "local", seen))
        catalog.write_sync(lambda conn: proposals.add(conn, "cap-1", "j1", "r1", DIGEST, english, made))
        catalog.write_sync(lambda conn: proposals.add(conn, "tra-1", "j2", "r1", DIGEST, spanish, made))
    return film


def accept(folder: Path, name: str, *without: str) -> None:
    """Accept a proposal, without some cues."""
    decision = Decision(proposal=name, decision="accept", by="me", without=without)
    with Catalog(folder / "home" / "data") as catalog:
        catalog.write_sync(lambda conn: proposals.decide(conn, decision, "r2"))


def test_accepted_captions_are_exported(catalogued: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """By path or id, without the cues that a person left out, and only once they are accepted."""
    assert main(["captions", "export", "clip.mov", "--format", "srt"]) == 2
    assert b"callboard accept" in capfdbinary.readouterr().err
    accept(catalogued, "cap-1", "1")
    assert main(["captions", "export", "clip.mov", "--format", "srt"]) == 0
    assert capfdbinary.readouterr().out == b"1\n00:00:02,000 --> 00:00:02,500\ntwo\n"
    accept(catalogued, "tra-1")
    assert main(["captions", "export", "clip.mov", "--format", "srt"]) == 2
    assert b"en, es" in capfdbinary.readouterr().err
    assert main(["captions", "export", "clip.mov", "--format", "vtt", "--language", "es", "-o", "es.vtt"]) == 0
    assert b"uno" in (catalogued / "es.vtt").read_bytes()
    assert main(["captions", "export", "tra", "--format", "srt"]) == 0
    assert b"uno" in capfdbinary.readouterr().out


def test_what_has_no_captions_is_said(catalogued: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """Neither media nor an id; or no such language."""
    assert main(["captions", "export", "nothing.mov", "--format", "srt"]) == 2
    assert b"neither media that was processed nor a proposal" in capfdbinary.readouterr().err
    accept(catalogued, "cap-1")
    assert main(["captions", "export", "clip.mov", "--format", "srt", "--language", "de"]) == 2
    assert b"There are en" in capfdbinary.readouterr().err
