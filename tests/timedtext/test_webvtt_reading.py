"""WebVTT as the standard has it, and as it is found."""

from __future__ import annotations

import pytest
from callboard.errors import SubtitleError
from callboard.timedtext.document import Document
from callboard.timedtext.files import read, write
from msgspec.structs import replace

WHOLE = """WEBVTT - The film
Kind: captions
Language: de
X-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:0

STYLE
::cue { color: red }

REGION
id:fred
width:40%

NOTE by nobody
in two lines

1
00:01.000 --> 00:02.000 align:start position:10% line:0
<v.loud Zo&euml;>Hello &lt;you&gt; &amp; <i>me</i></v>

intro
01:00:00.000 --> 01:00:01.000
<c.yellow>Colour</c> and <b>bold</b>
<lang es>hola</lang>

100:00:00.000 --> 100:00:02.000 line:50%
<ruby>base<rt>note</rt></ruby> <00:00:01.500>late
"""


def vtt(text: str) -> Document:
    """Read WebVTT."""
    return read(text.encode(), "wild.vtt")


def test_the_whole_standard_is_read() -> None:
    """Header, voices, classes, languages, entities, settings and short times; what has no place is noted."""
    found = vtt(WHOLE)
    assert (found.title, found.language) == ("The film", "de")
    first, second, third = found.cues
    assert (first.start, first.end, first.speaker) == (1.0, 2.0, "Zoë")
    assert (first.lines, first.styled) == (("Hello &lt;you&gt; &amp; <i>me</i>",), True)
    assert (first.settings, first.align) == ("align:start position:10% line:0", 7)
    assert second.lines == ("Colour and <b>bold</b>", "hola")
    assert (third.start, third.align, third.lines) == (360000.0, 5, ("basenote late",))
    noted: dict[int, str] = {}
    for note in found.notes:
        noted[note.line] = noted.get(note.line, "") + note.text
    for line, words in {
        4: "in the header",
        6: "style sheet",
        9: "region",
        13: "comment",
        18: "class",
        20: "the name is left out",
        21: "only a part is in 'es'",
        22: "c.yellow",
        26: "time of a word",
    }.items():
        assert words in noted[line], line


def test_settings_are_written_as_they_were_read() -> None:
    """A document that is read and written again has the same settings, text and voices."""
    again = write(vtt(WHOLE), "vtt").decode()
    assert "00:00:01.000 --> 00:00:02.000 align:start position:10% line:0\n" in again
    assert "<v Zoë>Hello &lt;you&gt; &amp; <i>me</i>\n" in again
    assert read(again.encode(), "again.vtt").cues[0] == vtt(WHOLE).cues[0]


def test_a_cue_that_was_moved_since_gets_new_settings() -> None:
    """Settings that were read do not outlive another position; settings that no file could hold are left out."""
    made = vtt(WHOLE)
    low = replace(made, cues=(replace(made.cues[0], align=1),))
    assert b" --> 00:00:02.000 align:left position:0%\n" in write(low, "vtt")
    odd = replace(made, cues=(replace(made.cues[0], settings="line:0\n--> colour:red region:fred", align=None),))
    assert b" --> 00:00:02.000 line:0\n" in write(odd, "vtt")


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("00:01.000 --> 00:02.000\nx\n", 1, "does not begin with WEBVTT"),
        ("WEBVTT\n00:01.000 --> 00:02.000\nx\n", 2, "no blank line after the header"),
        ("WEBVTT\n\n00:01,000 --> 00:02.000\nx\n", 3, "before milliseconds"),
        ("WEBVTT\n\n00:01.000 --> 00:02.000 colour:red\nx\n", 3, "no cue setting"),
        ("WEBVTT\n\n00:01.000 --> 00:02.000\nx\n\nlost\n", 6, "of no cue"),
        ("WEBVTT\n\n00:01.000 --> 00:02.000\n<blink>x</blink>\n", 4, "tag is left out"),
        ("WEBVTT\n\n00:01.000 --> 00:02.000\n<v A>x</v> y\n", 3, "only a part"),
        ("WEBVTT\n\nNOTE hi\n7\n00:01.000 --> 00:02.000\nx\n", 3, "left out: NOTE hi"),
    ],
)
def test_what_is_odd_is_read_and_noted(text: str, line: int, said: str) -> None:
    """One cue comes out of each, with a note that names the line."""
    found = vtt(text)
    assert [(cue.start, cue.end, "x" in cue.lines[0]) for cue in found.cues] == [(1.0, 2.0, True)]
    assert any(note.line == line and said in note.text for note in found.notes), found.notes


def test_two_voices_in_a_cue_keep_their_names() -> None:
    """A cue has one speaker; where two speak, each name stands before its words."""
    found = vtt("WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ann>Hi.</v>\n<v Bob>Ho.</v>\n")
    assert found.cues[0].speaker is None
    assert found.cues[0].lines == ("Ann: Hi.", "Bob: Ho.")
    assert len(found.notes) == 2


def test_times_that_cannot_be_read_name_their_line() -> None:
    """A cue is never taken for text."""
    with pytest.raises(SubtitleError, match=r"wild\.vtt:3: times"):
        vtt("WEBVTT\n\n00:01.0x0 --> 00:02.000\nx\n")
    with pytest.raises(SubtitleError, match=r"wild\.vtt:3: times"):
        vtt("WEBVTT\n\nNOTE 00:01.000 --> 00:02.000\nx\n")


def test_notes_that_begin_like_keywords_are_text_inside_a_cue() -> None:
    """NOTE and STYLE count only at the start of a block."""
    found = vtt("WEBVTT\n\n00:01.000 --> 00:02.000\nNOTE this\nSTYLE\n")
    assert found.cues[0].lines == ("NOTE this", "STYLE")
    assert found.notes == ()
