"""``callboard captions check`` and ``profiles``: findings with lines, exit codes, mended files, and lists of shots."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import av
import numpy as np
import pytest
from callboard.cli import main
from callboard.errors import MediaError, SubtitleError
from callboard.timedtext.rate import parse_rate
from callboard.timedtext.shotlist import read_shots

GOOD = "1\n00:00:01,000 --> 00:00:03,000\nAre you coming?\n\n2\n00:00:03,080 --> 00:00:05,000\nIn a minute.\n"
BAD = (
    "1\r\n00:00:00,000 --> 00:00:00,480\r\nYes.\r\n\r\n"
    "2\r\n00:00:02,013 --> 00:00:04,000\r\nI went to the\r\nhouse\r\nof John.\r\n\r\n"
    "3\r\n00:00:04,200 --> 00:00:20,000\r\nNo.\r\n"
)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def put(name: str, text: str) -> Path:
    """Write a file into the current folder."""
    path = Path(name)
    path.write_bytes(text.encode())
    return path


def checked(*arguments: str) -> int:
    """Run ``callboard captions check``."""
    return main(["captions", "check", *arguments])


def test_a_good_file_passes(capsys: pytest.CaptureFixture[str]) -> None:
    """No finding is exit code 0, and one line that says by what it was checked."""
    put("film.en.srt", GOOD)
    assert checked("film.en.srt", "--profile", "netflix", "--rate", "25") == 0
    assert capsys.readouterr().out == "film.en.srt: 0 errors and 0 warnings in 2 cues (netflix, en, 25 fps)\n"


def test_findings_name_file_line_cue_time_and_rule(capsys: pytest.CaptureFixture[str]) -> None:
    """A breach is one line that an editor and a script can read, and an error is exit code 1."""
    put("film.en.srt", BAD)
    assert checked("film.en.srt", "--profile", "netflix", "--rate", "25") == 1
    lines = capsys.readouterr().out.splitlines()
    wanted = "film.en.srt:2 cue 1 00:00:00.000 error shortest: is on the screen for 0.480 s, shortest is 0.833 s"
    assert wanted in lines
    assert "film.en.srt:6 cue 2 00:00:02.013 error lines: 3 lines, at most 2" in lines
    assert "film.en.srt:6 cue 2 00:00:02.013 warning line-break: line 1 ends in 'the'" in lines
    assert any(line.startswith("film.en.srt:12 cue 3 00:00:04.200 error longest") for line in lines)


def test_an_encoding_is_taken_at_its_word(capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be guessed is said with the option that helps, and the option reads and mends such a file."""
    text = "1\n00:00:01,000 --> 00:00:03,000\nОво је ђак.\n"
    Path("film.sr.srt").write_bytes(text.encode("cp1251"))  # of which Windows-1252 has no ђ
    assert checked("film.sr.srt") == 1
    assert "--encoding cp1251" in capsys.readouterr().err
    assert checked("film.sr.srt", "--encoding", "cp1251", "--fix", "-o", "new.sr.srt") == 0
    assert "Ово је ђак." in Path("new.sr.srt").read_text("utf-8")
    put("film.doc", "nothing")
    capsys.readouterr()
    assert checked("film.doc") == 1
    assert "Known are srt, vtt, ttml, ass, stl, json." in capsys.readouterr().err


def test_warnings_alone_pass_unless_strict(capsys: pytest.CaptureFixture[str]) -> None:
    """A warning is told and passes; ``--strict`` lets it fail."""
    put("film.en.srt", "1\n00:00:01,000 --> 00:00:03,000\nI went to the\nhouse.\n")
    assert checked("film.en.srt") == 0
    assert "warning line-break" in capsys.readouterr().out
    assert checked("film.en.srt", "--strict") == 1


def test_without_a_rate_frames_are_not_looked_at(capsys: pytest.CaptureFixture[str]) -> None:
    """A file that says no rate is checked without one, and that is said."""
    put("film.srt", GOOD)
    assert checked("film.srt", "--profile", "netflix") == 0
    assert "--rate gives it" in capsys.readouterr().out


def test_json_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    """With ``--json`` stdout is one document with everything that was found."""
    put("film.en.srt", BAD)
    put("broken.srt", "1\n00:00:xx\nHello\n")
    assert checked("film.en.srt", "broken.srt", "--json", "--rate", "25") == 1
    first, second = json.loads(capsys.readouterr().out)["files"]
    assert (first["language"], first["rate"], first["cues"], first["format"]) == ("en", "25", 3, "srt")
    assert {"rule", "severity", "message", "line", "cue", "time", "value", "limit"} <= set(first["violations"][0])
    assert first["summary"]["lines"] == 1
    assert second["problem"]


def test_an_unreadable_file_does_not_stop_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is no subtitles counts as an error; the next one is checked all the same."""
    put("broken.srt", "\0\1\2 not subtitles")
    put("film.srt", GOOD)
    assert checked("broken.srt", "film.srt") == 1
    told = capsys.readouterr()
    assert "film.srt: 0 errors" in told.out
    assert "broken.srt" in told.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["film.srt", "--profile", "netflux"], "netflix"),
        (["film.srt", "--rate", "fast"], "--rate"),
        (["film.srt", "-o", "new.srt"], "--fix"),
        (["film.srt", "--in-place"], "--fix"),
        (["film.srt", "--fix", "-o", "new.srt", "--in-place"], "one of them"),
        (["film.srt", "film.srt", "--fix", "-o", "new.srt"], "one at a time"),
        (["film.srt", "--fix", "-o", "film.srt"], "there already"),
        (["film.srt", "--fix", "-o", "new.doc"], "no format"),
        (["none.srt"], "none.srt"),
    ],
)
def test_wrong_usage_is_exit_code_2(arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be meant is refused before anything is read or written."""
    put("film.srt", GOOD)
    assert checked(*arguments) == 2
    assert told in capsys.readouterr().err
    assert sorted(path.name for path in Path().iterdir()) == ["film.srt"]


def test_fix_alone_only_says_what_it_would_do(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a place to write, mends are shown and nothing is written."""
    path = put("film.en.srt", BAD)
    assert checked("film.en.srt", "--fix", "--rate", "25", "--profile", "netflix") == 1
    told = capsys.readouterr().out
    assert "cue 1 mended shortest: 0.000 --> 0.840 Yes." in told
    assert "cue 2 mended" in told
    assert "Nothing was written" in told
    assert path.read_bytes() == BAD.encode()


def test_fix_writes_a_new_file(capsys: pytest.CaptureFixture[str]) -> None:
    """With ``-o`` the mended cues are in the new file, in the format that its name says."""
    put("film.en.srt", BAD)
    assert checked("film.en.srt", "--fix", "--rate", "25", "--profile", "netflix", "-o", "new.vtt") == 1
    assert "Wrote new.vtt" in capsys.readouterr().out
    written = Path("new.vtt").read_text(encoding="utf-8")
    assert written.startswith("WEBVTT")
    assert "00:00.840" in written
    assert "I went to the house of John." in written
    assert Path("film.en.srt").read_bytes() == BAD.encode()


def test_fix_in_place_keeps_what_was_there() -> None:
    """In place, the file's old bytes and rights stay in a backup that is never written over."""
    path = put("film.en.srt", BAD)
    path.chmod(0o640)
    assert checked("film.en.srt", "--fix", "--in-place", "--rate", "25", "--profile", "netflix") == 1
    assert Path("film.en.srt.bak").read_bytes() == BAD.encode()
    assert "00:00:00,840" in path.read_text(encoding="utf-8")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    put("film.en.srt", BAD)
    assert checked("film.en.srt", "--fix", "--in-place", "--rate", "25", "--profile", "netflix") == 1
    assert sorted(one.name for one in Path().iterdir()) == ["film.en.srt", "film.en.srt.bak", "film.en.srt.bak1"]
    mended = path.read_bytes()
    assert checked("film.en.srt", "--fix", "--in-place", "--rate", "25", "--profile", "netflix") == 1
    assert path.read_bytes() == mended
    assert not Path("film.en.srt.bak2").exists()


def test_a_format_that_would_lose_its_styles_is_not_written_over(capsys: pytest.CaptureFixture[str]) -> None:
    """ASS is not rewritten in place, because its styles would be gone; nor is any file beside it."""
    put("film.en.srt", BAD)
    checked("film.en.srt", "--fix", "-o", "film.ass")
    before = {path.name: path.read_bytes() for path in Path().iterdir()}
    assert checked("film.en.srt", "film.ass", "--fix", "--in-place", "--rate", "25") == 2
    assert "styles" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in Path().iterdir()} == before


def test_profiles_are_listed_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """Profiles are listed with their numbers, the project's among them, and one is shown for all its languages."""
    put("callboard.toml", "")
    Path("profiles").mkdir()
    put("profiles/house.toml", 'extends = "bbc"\nline_length = 30\n')
    assert main(["captions", "profiles"]) == 0
    listed = capsys.readouterr().out
    assert {"bbc", "house", "netflix", "web"} <= {line.split()[0] for line in listed.splitlines()}
    assert main(["captions", "profiles", "netflix", "--json"]) == 0
    rows = {row["language"]: row for row in json.loads(capsys.readouterr().out)["profiles"]}
    assert (rows["ja"]["line_length"], rows["en"]["reading_speed"], rows[""]["reading_speed"]) == (13, 20, 17)
    put("film.srt", GOOD)
    assert checked("film.srt", "--profile", "house", "--json") == 0
    assert json.loads(capsys.readouterr().out)["files"][0]["profile"] == "house"
    assert main(["captions", "profiles", "hause"]) == 2
    assert "house" in capsys.readouterr().err


def test_shots_come_from_a_list(capsys: pytest.CaptureFixture[str]) -> None:
    """A list of shot changes lets cues be told that start or end just off one."""
    put("film.en.srt", GOOD)
    put("shots.txt", "# cuts\n0\n3.2 main title\n")
    assert checked("film.en.srt", "--profile", "netflix", "--rate", "25", "--shots", "shots.txt") == 0
    told = capsys.readouterr().out
    assert "cue 1 00:00:01.000 warning shot-end: ends 5 frames before a shot change" in told
    assert "cue 2 00:00:03.080 warning shot-start: starts 3 frames before a shot change" in told


@pytest.mark.parametrize(
    ("name", "text", "times"),
    [
        ("a.txt", "1.5\n3\n", (1.5, 3.0)),
        ("a.csv", "00:00:03.250,x\n00:01:00,y\n", (3.25, 60.0)),
        ("a.csv", "3;x\n1;y\n", (1.0, 3.0)),
        ("a.json", "[3, 1.25]", (1.25, 3.0)),
        ("a.txt", "00:00:01:05\n00:00:02:00\n", (1.2, 2.0)),
        ("a.txt", "\ufeff2\n\n", (2.0,)),
        ("a.txt", "", ()),
    ],
)
def test_lists_of_shots_are_read(name: str, text: str, times: tuple[float, ...]) -> None:
    """Seconds, clock times, timecode and JSON are read, in order of time."""
    assert read_shots(put(name, text), parse_rate("25")).times == pytest.approx(times)


@pytest.mark.parametrize(("text", "line"), [("1\nsoon\n", 2), ("00:00:01:05\n", 1), ("[1,", 0)])
def test_a_list_that_is_wrong_names_the_line(text: str, line: int) -> None:
    """What is no time is refused with its line; timecode without a rate is no time."""
    with pytest.raises(SubtitleError) as refused:
        read_shots(put("a.txt", text))
    assert refused.value.line == line


def test_shots_rate_and_duration_come_from_the_film(capsys: pytest.CaptureFixture[str]) -> None:
    """The film itself gives its cuts, its frame rate and its length."""
    with av.open("film.mp4", "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height = 64, 48
        for number in range(100):
            picture = np.zeros((48, 64, 3), np.uint8)
            picture[:, : 20 + number % 4] = 250
            if number >= 60:
                picture[24:] = (20, 40, 220)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    shots = read_shots(Path("film.mp4"))
    assert shots.times == pytest.approx((2.4,))
    assert shots.duration == pytest.approx(4.0)
    assert str(shots.rate) == "25"
    put("film.en.srt", GOOD)
    assert checked("film.en.srt", "--profile", "netflix", "--shots", "film.mp4") == 1
    told = capsys.readouterr().out
    assert "past-end: ends 1.000 s after the media" in told
    assert "25 fps" in told
    with pytest.raises(MediaError):
        read_shots(put("noise.mp4", "no film"))
