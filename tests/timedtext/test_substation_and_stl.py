"""ASS with its codes and styles, and EBU STL from bytes that are made here."""

from __future__ import annotations

import struct

import pytest
from callboard.errors import SubtitleError, UsageError
from callboard.timedtext.document import Document
from callboard.timedtext.files import read, write
from callboard.timedtext.rate import Rate, parse_rate
from callboard_schemas import Cue

STYLES = (
    "[Script Info]\nTitle: Film\nScriptType: v4.00+\n\n[V4+ Styles]\n"
    "Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic,"
    " Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR,"
    " MarginV, Encoding\n"
    "Style: Default,Arial,20,&H00FFFFFF,&H000000FF,&H00000000,&H00000000,0,0,0,0,100,100,0,0,1,2,2,2,10,10,10,1\n"
    "Style: Top,Arial,20,&H00FFFFFF,&H000000FF,&H00000000,&H00000000,0,-1,0,0,100,100,0,0,1,2,2,8,10,10,10,1\n\n"
    "[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
)


def ass(*events: str) -> Document:
    """Read a script with these events; the first is in line 12."""
    return read((STYLES + "\n".join(events) + "\n").encode(), "wild.ass")


def test_codes_styles_names_and_positions_are_read() -> None:
    """Italics of a style and of a code, line breaks, an escaped brace, a name, a position, hard spaces."""
    found = ass(
        r"Dialogue: 0,0:00:01.00,0:00:02.50,Top,Zoë,0,0,0,,one\N{\i0}two{\r}, three",
        r"Dialogue: 0,0:00:03.00,0:00:04.00,Default,,0,0,0,,{\an9\fad(1,2)}{\b700}a{\b0} \{b\} {\a6}c\hd",
        r"Dialogue: 0,0:00:05.00,0:00:06.00,Nowhere,,0,0,0,,plain {note} text & <i>",
    )
    assert [(cue.lines, cue.styled, cue.align, cue.speaker) for cue in found.cues] == [
        (("<i>one</i>", "two<i>, three</i>"), True, 8, "Zoë"),
        (("<b>a</b> {b} c\xa0d",), True, 9, None),
        (("plain  text & <i>",), False, None, None),
    ]
    assert found.title == "Film"
    assert [(note.line, note.text.split(":")[0]) for note in found.notes] == [(13, r"'\\fad(1,2)'"), (14, "'note'")]


def test_what_shows_no_text_is_noted() -> None:
    """Comments and drawings are no captions."""
    found = ass(
        "Comment: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,to do",
        r"Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,{\p1}m 0 0 l 100 0{\p0}",
        "Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,x",
    )
    assert [cue.lines for cue in found.cues] == [("x",)]
    assert [(note.line, note.text.split(":")[0]) for note in found.notes if "a " in note.text[:3]] == [
        (12, "a comment"),
        (13, "a cue without text"),
        (13, "a drawing"),
    ]


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ("Dialogue: 0,0:00:01.00,0:00:02.00,Default", "without ten columns"),
        ("Dialogue: 0,0:00:xx.00,0:00:02.00,Default,,0,0,0,,x", "without times"),
        ("what is this", "no event"),
    ],
)
def test_an_event_that_cannot_be_read_names_its_line(event: str, said: str) -> None:
    """pysubs2 leaves such lines out or fails without a line."""
    with pytest.raises(SubtitleError, match=said) as caught:
        ass("Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,x", event)
    assert caught.value.line == 13


def test_columns_in_another_order_are_refused() -> None:
    """pysubs2 does not look at the order that the file gives."""
    with pytest.raises(SubtitleError, match="another order") as caught:
        read(STYLES.replace("Start, End", "End, Start").encode(), "wild.ass")
    assert caught.value.line == 11


def test_a_style_that_cannot_be_read_names_its_line() -> None:
    """A colour that is none is found among the styles."""
    with pytest.raises(SubtitleError, match="cannot be read as SubStation") as caught:
        read(STYLES.replace("Style: Top,Arial,20,&H00", "Style: Top,Arial,20,&Hxx").encode(), "wild.ass")
    assert caught.value.line == 8


def test_ten_hours_do_not_fit() -> None:
    """ASS has one digit of hours; a later cue is an error and not a wrong time."""
    cue = Cue(id=7, start=36000, end=36001, lines=("x",), confidence=1.0)
    with pytest.raises(SubtitleError, match="cue 7 lies past ten hours"):
        write(Document(cues=(cue,)), "ass")


def stl(
    blocks: list[tuple[str, str, bytes]], *, code: bytes = b"STL25.01", start: bytes = b"00000000", **fields: int
) -> bytes:
    """Make an EBU STL file: a header of 1024 bytes, and blocks of 128 with times as ``HH:MM:SS:FF``."""
    count = b"%05d" % len(blocks)
    header = b"850" + code + b"1" + b"00" + b"09" + b"A film".ljust(32) + b" " * 176
    header += b"261122261122" + b"00" + count + count + b"001" + b"40" + b"23" + b"1" + start + start + b"11GBR"
    header = header.ljust(1024, b" ")
    out = [header]
    for number, (begin, end, text) in enumerate(blocks, start=1):
        times = [int(part) for time in (begin, end) for part in time.split(":")]
        row = struct.pack(
            "<BHBBBBBBBBBBBBB", 0, number, 0xFF, 0, *times, fields.get("row", 20), 2, fields.get("comment", 0)
        )
        out.append(row + text.ljust(112, b"\x8f"))
    return b"".join(out)


def test_stl_is_read_with_its_start_its_language_and_its_codes() -> None:
    """Times count from the programme's start; italics, accents of ISO 6937 and line breaks are read."""
    data = stl(
        [
            ("10:00:01:00", "10:00:03:12", b"Caf\xc2e \x80now\x81\x8atwo"),
            ("10:00:03:12", "10:00:05:00", b"& <last>"),
        ],
        start=b"10000000",
    )
    found = read(data, "a.stl")
    assert [(cue.start, cue.end, cue.lines) for cue in found.cues] == [
        (1.0, 3.48, ("Café <i>now</i>", "two")),
        (3.48, 5.0, ("& <last>",)),
    ]
    assert (found.language, found.start, found.title, found.rate) == ("en", "10:00:00:00", "A film", Rate(25))
    assert read(stl([("00:00:01:00", "00:00:02:00", b"x")], row=2), "a.stl").cues[0].align == 8


@pytest.mark.parametrize(("rate", "expected"), [("29.97", 1802), ("29.97df", 1800), (None, 1800)])
def test_stl_at_thirty_frames_counts_as_told(rate: str | None, expected: int) -> None:
    """The format does not say whether numbers are dropped: the rate that is given decides, else drop frame, noted."""
    data = stl([("00:01:00:02", "00:01:05:00", b"x")], code=b"STL30.01")
    found = read(data, "a.stl", rate=parse_rate(rate) if rate else None)
    assert found.rate is not None
    assert found.rate.frame_at(found.cues[0].start) == expected
    assert any("drop frame" in note.text for note in found.notes) == (rate is None)


def test_a_number_that_drop_frame_leaves_out_shows_that_none_are() -> None:
    """01:00:00 exists only where numbers are not dropped."""
    found = read(stl([("00:01:00:00", "00:01:05:00", b"x")], code=b"STL30.01"), "a.stl")
    assert found.rate == Rate(30000, 1001)
    assert found.cues[0].start == pytest.approx(1800 * 1001 / 30000)


@pytest.mark.parametrize(
    ("begin", "end", "said"),
    [
        ("00:00:02:00", "00:00:01:00", "subtitle 1 ends before it starts"),
        ("00:00:01:25", "00:00:02:00", "frames past 24"),
        ("00:99:00:00", "00:99:02:00", "no timecode"),
    ],
)
def test_stl_times_that_are_none_name_the_subtitle(begin: str, end: str, said: str) -> None:
    """The library would leave such subtitles out with a line in a log."""
    with pytest.raises(SubtitleError, match=said):
        read(stl([(begin, end, b"x")]), "a.stl")


def test_stl_codes_of_italics_take_no_room_and_those_of_teletext_a_space() -> None:
    """Words are neither joined nor parted where italics begin and end."""
    text = b"a \x80b\x81, c\x80d\x81 e\x8a\x0d\x0b\x0bf\x07  g\x0a\x0a"
    found = read(stl([("00:00:01:00", "00:00:02:00", text)]), "a.stl")
    assert found.cues[0].lines == ("a <i>b</i>, c<i>d</i> e", "f g")


def test_stl_lines_that_are_added_become_cues() -> None:
    """A cumulative set is read as what is on the screen at each time."""
    rows = [("00:00:01:00", "00:00:05:00", b"one"), ("00:00:03:00", "00:00:05:00", b"two")]
    data = bytearray(stl(rows))
    data[1024 + 4], data[1024 + 128 + 4] = 1, 3
    found = read(bytes(data), "a.stl")
    assert [(cue.start, cue.end, cue.lines) for cue in found.cues] == [(1.0, 3.0, ("one",)), (3.0, 5.0, ("one", "two"))]


def test_stl_comments_and_a_broken_end_are_noted() -> None:
    """Translators' comments are no subtitles; half a block is none either."""
    data = stl([("00:00:01:00", "00:00:02:00", b"note to self")], comment=1)
    found = read(data + b"\0" * 50, "a.stl")
    assert found.cues == ()
    assert len(found.notes) == 2


def test_stl_is_read_only_and_says_so() -> None:
    """No maintained library writes it."""
    with pytest.raises(UsageError, match="read only"):
        write(Document(cues=()), "stl")
    with pytest.raises(UsageError, match="no format"):
        write(Document(cues=()), "doc")
