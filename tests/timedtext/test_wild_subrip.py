"""SubRip as it is found: every file is read with a note of each oddity, or refused with its line."""

from __future__ import annotations

import pytest
from callboard.errors import SubtitleError
from callboard.timedtext.document import Document
from callboard.timedtext.files import read
from callboard.timedtext.rate import parse_rate

PLAIN = "1\n00:00:01,000 --> 00:00:02,500\nHello\nthere\n\n2\n00:00:03,000 --> 00:00:04,000\nBye\n"


def srt(text: str | bytes, **options: object) -> Document:
    """Read SubRip."""
    return read(text if isinstance(text, bytes) else text.encode(), "wild.srt", **options)  # type: ignore[arg-type]  # options of read


def rows(document: Document) -> list[tuple[float, float, tuple[str, ...]]]:
    """Give times and lines."""
    return [(cue.start, cue.end, cue.lines) for cue in document.cues]


EXPECTED = [(1.0, 2.5, ("Hello", "there")), (3.0, 4.0, ("Bye",))]


@pytest.mark.parametrize(
    ("data", "line", "said"),
    [
        (PLAIN.encode(), 0, ""),
        (b"\xef\xbb\xbf" + PLAIN.encode(), 0, ""),
        (PLAIN.encode("utf-16"), 0, ""),
        (b"\xfe\xff" + PLAIN.encode("utf-16-be"), 0, ""),
        (PLAIN.encode("utf-16-le"), 0, "no byte order mark"),
        (PLAIN.encode("utf-16-be"), 0, "no byte order mark"),
        (PLAIN.replace("\n", "\r\n").encode(), 0, ""),
        (PLAIN.replace("\n", "\r").encode(), 0, ""),
        (PLAIN.replace("\n", "\r\r\n").encode(), 1, "CR CR LF"),
        (PLAIN.replace("\n\n", "\n").encode(), 5, "no blank line"),
        (PLAIN.replace("1\n", "", 1).replace("2\n00", "00").encode(), 1, "without a number"),
        (PLAIN.replace("2\n00:00:03", "7\n00:00:03").encode(), 0, ""),
        (PLAIN.replace("2\n00:00:03", "1\n00:00:03").encode(), 0, "counted from 1"),
        (PLAIN.replace(",", ".").encode(), 2, "before milliseconds"),
        (PLAIN.replace("02,500", "02,5").encode(), 2, "three digits"),
        (PLAIN.replace(" --> ", "-->").encode(), 0, ""),
        (PLAIN.replace("-->", "->").encode(), 2, "'->' between the times"),
        (PLAIN.replace("00:00:01,000", "0:0:1,000").encode(), 0, ""),
        (PLAIN.replace("00:00:01,000", "00:01,000").encode(), 2, "without hours"),
        (PLAIN.replace("00:00:01,000", "00 : 00 : 01 , 000").encode(), 0, ""),
        (PLAIN.replace("02,500", "02,500 X1:100 X2:200 Y1:10 Y2:20").encode(), 2, "coordinates"),
        (PLAIN.replace("02,500", "02,500 position:50%").encode(), 2, "after the times"),
        (PLAIN.replace("Hello\n", "Hello\n\n").encode(), 5, "after a blank line"),
        (PLAIN.replace("02,500\n", "02,500\n\n").encode(), 4, "between times and text"),
        (PLAIN.replace("Bye\n", "Bye").encode(), 0, ""),
        (PLAIN.replace("Hello", "<font color='#ff0000'>Hello</font>").encode(), 3, "tag is left out"),
        (PLAIN.replace("Hello", r"{\pos(10,20)}Hello").encode(), 3, "left out"),
        (PLAIN.replace("Hello\n", "Hello<br/>").encode(), 0, ""),
        (PLAIN.replace("Hello", "Hel\x00lo").encode(), 3, "zero bytes"),
        (PLAIN.encode() + bytes(300), 9, "zero bytes"),
        (("\n\n\n" + PLAIN).encode(), 0, ""),
        (("Subtitles by nobody\n\n" + PLAIN).encode(), 1, "before the first cue"),
        ((PLAIN + "\n3\n00:00:05,000 --> 00:00:06,000\n\n").encode(), 11, "without text"),
        ((PLAIN + "\n3\n00:00:05,000 --> 00:00:06,000\n<i></i>\n").encode(), 11, "without text"),
    ],
)
def test_odd_files_are_read(data: bytes, line: int, said: str) -> None:
    """Two cues come out of each, and the first note names the line; a file with nothing odd has no note."""
    found = srt(data)
    assert rows(found) == EXPECTED
    assert any(note.line == line and said in note.text for note in found.notes) if said else found.notes == ()


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("Just a letter.\nNothing else.\n", 1, "no times"),
        (PLAIN.replace("00:00:03,000 -->", "00:00:3x,000 -->"), 7, "cannot be read"),
        (PLAIN.replace("--> 00:00:04,000", "-->"), 7, "cannot be read"),
        (PLAIN.replace("00:00:03,000 --> 00:00:04,000", "00:00:03:12 --> 00:00:04:00"), 7, "no frame rate"),
        (
            PLAIN.replace("00:00:01,000 --> 00:00:02,500", "-00:00:02,000 --> -00:00:01,000"),
            2,
            "before the first frame",
        ),
        ("\n\n" + "x" * 70_000, 3, "70000 characters"),
        (PLAIN.replace("Hello", "a\0b\0c\0\0\0d"), 3, "not text"),
    ],
)
def test_what_cannot_be_read_names_its_line(text: str, line: int, said: str) -> None:
    """The error has the file, the line and the reason."""
    with pytest.raises(SubtitleError, match=said) as caught:
        srt(text)
    assert caught.value.line == line
    assert str(caught.value).startswith(f"wild.srt:{line}: ")


def test_old_western_files_are_read_with_a_note() -> None:
    """Bytes that are no UTF-8 are Windows-1252, and the note names the first such line."""
    found = srt(PLAIN.replace("there", "café – “yes”").encode("cp1252"))
    assert found.cues[0].lines == ("Hello", "café – “yes”")
    assert [note.line for note in found.notes] == [4]
    assert "Windows-1252" in found.notes[0].text


def test_another_encoding_can_be_said() -> None:
    """Cyrillic in Windows-1251 cannot be told from Western letters; a person can tell."""
    data = PLAIN.replace("Hello", "Привет").encode("cp1251")
    assert srt(data, encoding="cp1251").cues[0].lines == ("Привет", "there")
    with pytest.raises(SubtitleError, match="no encoding"):
        srt(data, encoding="klingon")
    with pytest.raises(SubtitleError, match=r"wild\.srt:3: is not ascii"):
        srt(data, encoding="ascii")


def test_what_no_guess_fits_is_refused_with_its_line() -> None:
    """A byte that neither UTF-8 nor Windows-1252 knows is not guessed at."""
    with pytest.raises(SubtitleError, match=r"wild\.srt:3: neither"):
        srt(PLAIN.replace("Hello", "H\x81llo").encode("latin-1"))


def test_italics_bold_underline_and_positions_are_kept() -> None:
    """HTML tags and ASS codes become markup; they may span lines and need not be closed."""
    found = srt(
        "1\n00:00:01,000 --> 00:00:02,000\n{\\an8}<I>one\ntwo</I> <b>three\n\n"
        "2\n00:00:02,000 --> 00:00:03,000\n{\\i1}a{\\i0} & <3 {\\a6}\n\n"
        "3\n00:00:03,000 --> 00:00:04,000\n1 < 2 & 3 > 2 &amp;\n"
    )
    assert [(cue.lines, cue.styled, cue.align) for cue in found.cues] == [
        (("<i>one", "two</i> <b>three</b>"), True, 8),
        (("<i>a</i> &amp; &lt;3",), True, 8),
        (("1 < 2 & 3 > 2 &amp;",), False, None),
    ]
    assert found.notes == ()


def test_overlapping_and_unordered_cues_are_kept_in_order() -> None:
    """Nothing is merged or cut; the notes name the lines."""
    found = srt(
        "1\n00:00:05,000 --> 00:00:09,000\nlate\n\n2\n00:00:01,000 --> 00:00:03,000\nearly\n\n"
        "3\n00:00:02,000 --> 00:00:04,000\nover\n"
    )
    assert rows(found) == [(1.0, 3.0, ("early",)), (2.0, 4.0, ("over",)), (5.0, 9.0, ("late",))]
    assert {(note.line, note.text.split(":")[0]) for note in found.notes} >= {
        (6, "starts before the cue above it"),
        (10, "overlaps the cue before it"),
    }


def test_ninety_nine_hours_and_more_are_times() -> None:
    """Archives count from odd clocks; what is past ten thousand hours is no time."""
    found = srt("1\n99:59:58,000 --> 99:59:59,999\nlast\n\n2\n100:00:00,000 --> 1000:00:00,000\nmore\n")
    assert rows(found) == [(359998.0, 359999.999, ("last",)), (360000.0, 3600000.0, ("more",))]
    with pytest.raises(SubtitleError, match="10000 hours") as caught:
        srt("1\n9999:59:59,000 --> 9999:99:59,999\nx\n")
    assert caught.value.line == 2


def test_a_cue_that_ends_before_it_starts_is_kept_and_noted() -> None:
    """Its words are not lost; it is shown as long as nothing, for the linter to find."""
    found = srt("1\n00:00:05,000 --> 00:00:04,000\nback\n")
    assert rows(found) == [(5.0, 5.0, ("back",))]
    assert [note.line for note in found.notes] == [2]


def test_frames_are_timecode_where_the_rate_is_known() -> None:
    """HH:MM:SS:FF at 29.97 drop frame is that frame; a number that is dropped names its line."""
    text = "1\n00:01:00:02 --> 00:01:01:00\nx\n"
    found = srt(text, rate=parse_rate("29.97df"))
    assert found.cues[0].start == pytest.approx(1800 * 1001 / 30000, abs=1e-9)
    with pytest.raises(SubtitleError, match="leaves out") as caught:
        srt(text.replace("00:02", "00:01"), rate=parse_rate("29.97df"))
    assert caught.value.line == 2


def test_a_number_in_the_text_stays_text() -> None:
    """A last line of digits before a blank line is words; the number of the next cue is not."""
    found = srt("1\n00:00:01,000 --> 00:00:02,000\nHow many?\n42\n\n2\n00:00:03,000 --> 00:00:04,000\n7\n")
    assert [cue.lines for cue in found.cues] == [("How many?", "42"), ("7",)]
    assert found.notes == ()


def test_a_blank_line_under_every_line_is_survived() -> None:
    """Double-spaced files, with a blank line between number, times and text, give their cues."""
    found = srt(PLAIN.replace("\n", "\n\n"))
    assert rows(found) == EXPECTED


def test_placeholders_and_opening_hours_are_text() -> None:
    """Braces without a backslash are no codes, and times of day no times of cues."""
    found = srt("1\n00:00:01,000 --> 00:00:02,000\n{i} of {b}\n10:30 – 11:45\n")
    assert found.cues[0].lines == ("{i} of {b}", "10:30 – 11:45")
    assert found.notes == ()


def test_a_film_that_begins_at_an_hour_of_timecode_is_noted() -> None:
    """Exports that count from 01:00:00:00 or 10:00:00:00 are common, and a player would show nothing."""
    found = srt("1\n10:00:01,000 --> 10:00:02,000\nx\n")
    assert found.cues[0].start == 36001.0
    assert [note.line for note in found.notes if "move them" in note.text] == [2]


def test_arrows_in_the_text_are_text() -> None:
    """An arrow without times beside it is what somebody said."""
    assert srt("1\n00:00:01,000 --> 00:00:02,000\nA --> B\n").cues[0].lines == ("A --> B",)


def test_a_bracketed_cue_describes_a_sound() -> None:
    """Square brackets around the whole text are the convention for the deaf and hard of hearing."""
    found = srt("1\n00:00:01,000 --> 00:00:02,000\n[door\nslams]\n\n2\n00:00:03,000 --> 00:00:04,000\n[softly] No.\n")
    assert [cue.kind for cue in found.cues] == ["sound", "speech"]


@pytest.mark.parametrize("name", ["Film.en.srt", "Film.en.sdh.srt", "Film.pt-BR.forced.srt", "Film.srt"])
def test_the_name_says_the_language(name: str) -> None:
    """Players' naming: flags between dots are no language."""
    expected = {"Film.srt": "", "Film.pt-BR.forced.srt": "pt-BR"}.get(name, "en")
    assert read(PLAIN.encode(), name).language == expected
    assert read(PLAIN.encode(), name, language="de").language == "de"
