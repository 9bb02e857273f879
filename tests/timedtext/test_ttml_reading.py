"""TTML: clocks, frames, ticks and timecode; inheritance; speakers; and what is refused."""

from __future__ import annotations

from fractions import Fraction

import pytest
from callboard.errors import SubtitleError
from callboard.timedtext.document import Document
from callboard.timedtext.files import read, write
from callboard.timedtext.rate import parse_rate

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<tt xmlns="http://www.w3.org/ns/ttml" xml:lang="en"'
    ' xmlns:ttp="http://www.w3.org/ns/ttml#parameter" xmlns:tts="http://www.w3.org/ns/ttml#styling"'
    ' xmlns:ttm="http://www.w3.org/ns/ttml#metadata" '
)


def ttml(attributes: str, body: str, head: str = "", **options: object) -> Document:
    """Read a document with these attributes of its root; its body begins in line 5."""
    text = f"{HEAD}{attributes}>\n<head>{head}</head>\n\n<body><div>\n{body}\n</div></body></tt>"
    return read(text.encode(), "wild.ttml", **options)  # type: ignore[arg-type]  # options of read


NTSC = 'ttp:frameRate="30" ttp:frameRateMultiplier="1000 1001"'


@pytest.mark.parametrize(
    ("attributes", "begin", "expected"),
    [
        ("", "01:00:01.5", Fraction(7203, 2)),
        ("", "90.25s", Fraction(361, 4)),
        ("", "1500ms", Fraction(3, 2)),
        ("", "1.5m", Fraction(90)),
        ("", "0.5h", Fraction(1800)),
        (NTSC, "900f", Fraction(900 * 1001, 30000)),
        ('ttp:frameRate="24" ttp:frameRateMultiplier="1000 1001"', "24f", Fraction(24 * 1001, 24000)),
        ('ttp:frameRate="24" ttp:frameRateMultiplier="1000:1001"', "24f", Fraction(24 * 1001, 24000)),
        ('ttp:frameRate="25"', "00:00:10:12", Fraction(262, 25)),
        ('ttp:tickRate="10000000"', "15000000t", Fraction(3, 2)),
        (NTSC, "00:01:00:00", Fraction(60)),
        (f'{NTSC} ttp:timeBase="smpte" ttp:dropMode="nonDrop"', "00:01:00:00", Fraction(1800 * 1001, 30000)),
        (f'{NTSC} ttp:timeBase="smpte" ttp:dropMode="dropNTSC"', "00:01:00:02", Fraction(1800 * 1001, 30000)),
        (f'{NTSC} ttp:timeBase="smpte" ttp:dropMode="dropNTSC"', "01:00:00;00", Fraction(107892 * 1001, 30000)),
    ],
)
def test_every_kind_of_time_is_exact(attributes: str, begin: str, expected: Fraction) -> None:
    """Each expression is the fraction of a second that the standard says."""
    found = ttml(attributes, f'<p begin="{begin}" dur="2s">x</p>')
    assert found.cues[0].start == float(expected)
    assert found.cues[0].end == pytest.approx(float(expected) + 2)


def test_frames_on_the_media_clock_are_not_timecode_and_that_is_said() -> None:
    """At fractional rates the two differ by 3.6 s an hour, so the reading is noted."""
    found = ttml(NTSC, '<p begin="01:00:00:00" end="01:00:02:00">x</p>')
    assert found.cues[0].start == 3600.0
    assert any("not as timecode" in note.text and note.line == 6 for note in found.notes)


def test_the_rate_that_is_given_counts_where_the_document_has_none() -> None:
    """Frames without a frame rate are 30 a second by the standard, and never silently."""
    body = '<p begin="00:00:01:12" end="00:00:02:00">x</p>'
    assert ttml("", body, rate=parse_rate("25")).cues[0].start == 1.48
    found = ttml("", body)
    assert found.cues[0].start == 1.4
    assert any("as the standard says" in note.text for note in found.notes)


def test_a_given_drop_frame_rate_decides_what_the_document_leaves_open() -> None:
    """SMPTE timecode at 29.97 that does not say its drop mode is read as told."""
    found = ttml(f'{NTSC} ttp:timeBase="smpte"', '<p begin="01:00:00:00" dur="1s">x</p>', rate=parse_rate("29.97df"))
    assert str(found.rate) == "29.97df"
    assert found.cues[0].start == pytest.approx(3599.9964)


def test_times_nest_and_run_one_after_the_other() -> None:
    """Times count from the parent; in a sequence from the end of the one before."""
    found = ttml(
        "",
        '<p begin="1s" end="2s">a</p></div><div begin="10s"><p begin="1s" end="3s">b</p>'
        '<p begin="1s"><span end="3s">nested</span></p></div>'
        '<div begin="20s" timeContainer="seq"><p dur="2s">c</p><p dur="3s">d</p>',
    )
    assert [(cue.start, cue.end, cue.lines[0]) for cue in found.cues] == [
        (1.0, 2.0, "a"),
        (11.0, 13.0, "b"),
        (11.0, 14.0, "nested"),
        (20.0, 22.0, "c"),
        (22.0, 25.0, "d"),
    ]


def test_words_with_their_own_times_become_cues() -> None:
    """A paragraph that builds up is read as what is on the screen at each time."""
    found = ttml("", '<p begin="1s" end="4s"><span>one</span><span begin="1s"> two</span></p>')
    assert [(cue.start, cue.end, cue.lines) for cue in found.cues] == [(1.0, 2.0, ("one",)), (2.0, 4.0, ("one two",))]
    assert any(note.line == 6 for note in found.notes)


STYLES = (
    '<styling><style xml:id="s" tts:fontStyle="italic"/></styling><layout>'
    '<region xml:id="top" tts:origin="10% 10%" tts:extent="80% 20%" tts:textAlign="center" tts:displayAlign="before"/>'
    '<region xml:id="low" tts:origin="10% 70%" tts:extent="80% 20%" tts:textAlign="end" tts:displayAlign="after"'
    ' tts:fontWeight="bold"/></layout>'
    '<ttm:agent xml:id="a" type="person"><ttm:name type="full">Zoë M.</ttm:name></ttm:agent>'
)


def test_styles_regions_and_speakers_are_resolved() -> None:
    """Italics by reference, bold from the region, underline of a span, alignment, agents, roles, languages."""
    found = ttml(
        "",
        '<p begin="1s" end="2s" region="top" style="s" ttm:agent="a">one<br/>'
        'two <span tts:fontStyle="normal">x</span></p>'
        '<p begin="3s" end="4s" region="low"><span tts:textDecoration="underline">u</span> &amp; b</p>'
        '<p begin="5s" end="6s" ttm:role="sound" xml:lang="fr">bruit</p>',
        head=STYLES,
    )
    first, second, third = found.cues
    assert (first.lines, first.align, first.speaker) == (("<i>one", "two </i>x"), 8, "Zoë M.")
    assert (second.lines, second.align) == (("<b><u>u</u> &amp; b</b>",), 3)
    assert (third.kind, third.language, third.align) == ("sound", "fr", None)
    assert found.notes == ()


def test_white_space_collapses_unless_it_is_preserved() -> None:
    """Line breaks of the XML are not line breaks on the screen."""
    found = ttml("", '<p begin="1s" end="2s">\n  one\n   two  </p><p begin="3s" end="4s" xml:space="preserve">a  b</p>')
    assert [cue.lines for cue in found.cues] == [("one two",), ("a  b",)]


def test_the_drafts_of_2006_are_read() -> None:
    """DFXP files have the namespaces of the draft."""
    text = (
        '<tt xmlns="http://www.w3.org/2006/10/ttaf1" xmlns:tts="http://www.w3.org/2006/10/ttaf1#style" xml:lang="en">'
        '<body><div><p begin="00:00:01.00" end="00:00:02.00">old</p></div></body></tt>'
    )
    found = read(text.encode(), "old.dfxp")
    assert [cue.lines for cue in found.cues] == [("old",)]
    assert "draft" in found.notes[0].text


@pytest.mark.parametrize(
    ("attributes", "body", "line", "said"),
    [
        ("", '<p begin="soon" end="2s">x</p>', 6, "'soon' is no time"),
        ("", '<p begin="00:61:00" end="2s">x</p>', 6, "is no time"),
        ('ttp:frameRate="25"', '<p begin="00:00:01:25" end="2s">x</p>', 6, "frames past 24"),
        (f'{NTSC} ttp:timeBase="smpte" ttp:dropMode="dropNTSC"', '<p begin="00:01:00:00">x</p>', 6, "leaves out"),
        ('ttp:frameRate="0"', "", 2, "no positive number"),
        ('ttp:frameRate="30" ttp:frameRateMultiplier="1 1001"', "", 2, "0.030 frames a second"),
        ('ttp:frameRate="30" ttp:frameRateMultiplier="1000 0"', "", 2, "no fraction"),
        ("", "<p begin='1s' end='2s'>x", 7, "is no XML"),
        ("", '<section><p begin="1s" end="2s">x</p></section>', 6, "stands where none may"),
    ],
)
def test_what_cannot_be_read_names_its_line(attributes: str, body: str, line: int, said: str) -> None:
    """The error has the file, the line and the reason."""
    with pytest.raises(SubtitleError, match=said) as caught:
        ttml(attributes, body)
    assert caught.value.line == line


def test_other_xml_is_not_ttml() -> None:
    """A feed that ends in .xml is refused by the name of its root."""
    with pytest.raises(SubtitleError, match="<rss> is not TTML"):
        read(b"<rss/>", "feed.xml")


def test_a_paragraph_that_lasts_no_time_is_kept() -> None:
    """The library leaves such ones out; here the words stay and the note says so."""
    found = ttml("", '<p begin="2s" end="2s">a</p>\n<p begin="5s" end="3s">b</p>\n<p begin="6s" dur="0s">c</p>')
    assert [(cue.start, cue.end, cue.lines[0]) for cue in found.cues] == [
        (2.0, 2.0, "a"),
        (5.0, 5.0, "b"),
        (6.0, 6.0, "c"),
    ]
    assert [note.line for note in found.notes] == [6, 7, 8]


def test_what_is_not_ttml_inside_and_outside_of_paragraphs_is_told() -> None:
    """HTML in a paragraph keeps its text; text beside paragraphs, and words of no time, are noted."""
    found = ttml(
        "",
        '<p begin="1s" end="2s">a <b>bold</b> <x:y xmlns:x="urn:x">and</x:y> c</p>\nstray\n'
        '<p begin="3s" end="4s">d <span begin="1s" end="0s">late</span></p>',
    )
    assert [cue.lines for cue in found.cues] == [("a bold and c",), ("d late",)]
    assert [(note.line, note.text.split(":")[0]) for note in found.notes] == [
        (5, "text outside of a paragraph"),
        (6, "<b> is not TTML"),
        (6, "<y> is not TTML"),
        (8, "words that end before they start"),
    ]


def test_a_cue_without_an_end_is_given_one_and_noted() -> None:
    """Nothing in TTML has to end."""
    found = ttml("", '<p begin="2s">a</p>')
    assert (found.cues[0].start, found.cues[0].end) == (2.0, 7.0)
    assert "without an end" in found.notes[0].text


def test_the_encoding_that_the_xml_declares_is_used() -> None:
    """Latin-1 is read as Latin-1, without a note."""
    text = f'{HEAD}><body><div><p begin="1s" end="2s">café</p></div></body></tt>'.replace("UTF-8", "ISO-8859-1")
    found = read(text.encode("latin-1"), "x.ttml")
    assert found.cues[0].lines == ("café",)
    assert found.notes == ()
    assert read(text.replace("ISO-8859-1", "utf-16").encode("utf-16"), "x.ttml").cues[0].lines == ("café",)


def test_what_we_write_says_that_it_is_imsc() -> None:
    """The profile, the rate with its multiplier, and frame counts in place of a clock."""
    found = ttml(NTSC, '<p begin="1000f" end="1030f">x</p>')
    text = write(found, "ttml").decode()
    assert 'ttp:contentProfiles="http://www.w3.org/ns/ttml/profile/imsc1.1/text"' in text
    assert 'ttp:frameRate="30" ttp:frameRateMultiplier="1000 1001"' in text
    assert 'begin="1000f" end="1030f"' in text
