"""SRT and WebVTT: exact words, exact times, nothing that a player would take for something else."""

from __future__ import annotations

import html
import re

import pysubs2
import pytest
from callboard.effects import plain
from callboard.effects.subtitles import JOINER, milliseconds, srt, unescape_srt, unguard, vtt
from callboard_schemas import Cue
from hypothesis import given, settings
from hypothesis import strategies as st


def cue(start: float, end: float, *lines: str, number: int = 1, speaker: str | None = None) -> Cue:
    """Make a cue."""
    return Cue(id=number, start=start, end=end, lines=lines, confidence=1.0, speaker=speaker)


def read_srt(data: bytes) -> list[tuple[int, int, str]]:
    """Read SRT with pysubs2, keeping every character."""
    subs = pysubs2.SSAFile.from_string(data.decode("utf-8"), format_="srt", keep_html_tags=True)
    return [(event.start, event.end, unguard(unescape_srt(event.text.replace("\\N", "\n")))) for event in subs]


def read_vtt(data: bytes) -> list[tuple[int, int, str]]:
    """Read WebVTT with pysubs2, then its entities as the standard says."""
    subs = pysubs2.SSAFile.from_string(data.decode("utf-8"), format_="vtt", keep_html_tags=True)
    return [(event.start, event.end, unguard(html.unescape(event.text.replace("\\N", "\n")))) for event in subs]


AWKWARD = [
    "a --> b",
    "00:00:01,000 --> 00:00:02,000",
    "00:00:01.000 --> 00:00:02.000",
    "<i>not italic</i>",
    "<script>alert(1)</script>",
    "<c.red>x</c>",
    "<00:00:01.000>karaoke",
    "1 < 2 & 3 > 2 &amp; &lt;",
    r"{\an8}top",
    r"{\pos(1,2)}{\p1}m 0 0 l 9 9{\p0}",
    r"back\slash",
    "{curly}",
    "NOTE a comment",
    "STYLE",
    "WEBVTT",
    "Zoë, 日本語, עברית, 🎬",
    "line - - > x",
    "'; DROP TABLE cues; --",
    "$(rm -rf /) `id` %s %n {0}",
    "drawtext=text='x':fontfile=/etc/passwd",
    "12",
    "a\u2060b",
]


@pytest.mark.parametrize("text", AWKWARD)
def test_awkward_text_comes_back_as_it_went_in(text: str) -> None:
    """What looks like syntax is text, in both formats, between cues that stay what they are."""
    cues = [cue(0, 1, "before", number=1), cue(1, 2, text, number=2), cue(3, 4, "after", number=3)]
    expected = [(0, 1000, "before"), (1000, 2000, text), (3000, 4000, "after")]
    assert read_srt(srt(cues)) == expected
    assert read_vtt(vtt(cues)) == expected


def test_no_player_finds_a_tag_or_an_override_in_our_srt() -> None:
    """A word joiner stands where formatting would begin."""
    data = srt([cue(0, 1, r"<i>a</i> {\an8} <font size=9> <!-- x --> b")]).decode()
    body = data.split("\n", 2)[2]
    assert not re.search(r"</?[A-Za-z!]|\{\\|-->", body)
    assert body.replace(JOINER, "").strip() == r"<i>a</i> {\an8} <font size=9> <!-- x --> b"


def test_our_vtt_holds_no_markup_but_its_own() -> None:
    """Every ampersand and angle of the text is an entity; only the voice span is markup."""
    data = vtt([cue(0, 1, "<b>&</b> -->", speaker="Z<o>ë & co")]).decode()
    assert data == (
        "WEBVTT\n\n1\n00:00:00.000 --> 00:00:01.000\n<v Z&lt;o&gt;ë &amp; co>&lt;b&gt;&amp;&lt;/b&gt; --&gt;\n"
    )


def test_terminal_sequences_control_characters_and_blank_lines_go() -> None:
    """What a terminal or a parser would obey is taken out; words stay."""
    text = "\x1b[31mred\x1b[0m\x07 \x1b]0;title\x07bell\x00 \x9b2Jx\ud800\n\n\r\n \u2028next\ttab\x85end\x7f"
    assert plain.lines(text) == ["red bell x\ufffd", "next tab", "end"]
    data = srt([cue(0, 1, text)])
    assert data == "1\n00:00:00,000 --> 00:00:01,000\nred bell x\ufffd\nnext tab\nend\n".encode()
    assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", data)


def test_times_round_half_up_and_never_to_nothing() -> None:
    """Milliseconds are those that the number reads as, and a cue lasts at least one."""
    assert [milliseconds(value) for value in (0, 0.0005, 1.0005, 2.6754999, 359999.9995, 1e-9)] == [
        0,
        1,
        1001,
        2675,
        360000000,
        0,
    ]
    data = srt([cue(360000.0, 360000.0001, "late")])
    assert data.startswith(b"1\n100:00:00,000 --> 100:00:00,001\nlate")


def test_cues_stand_in_order_and_blank_ones_are_left_out() -> None:
    """Numbers run from one without a gap."""
    cues = [cue(5, 6, "two", number=9), cue(1, 2, "one", number=4), cue(3, 4, " ", "\x07", number=5)]
    assert [text for _, _, text in read_srt(srt(cues))] == ["one", "two"]
    assert re.findall(rb"^\d+$", srt(cues), re.MULTILINE) == [b"1", b"2"]


TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20).filter(lambda text: JOINER not in text)
CUES = st.lists(
    st.builds(
        lambda start, length, lines: (start, start + length, tuple(lines)),
        st.floats(0, 90_000),
        st.floats(0, 30),
        st.lists(TEXT, min_size=1, max_size=3),
    ),
    max_size=6,
)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(found=CUES)
def test_any_cues_come_back_with_their_words_and_times(found: list[tuple[float, float, tuple[str, ...]]]) -> None:
    """Whatever is said and whenever, pysubs2 reads the same lines and the same milliseconds."""
    cues = [cue(start, end, *lines, number=number) for number, (start, end, lines) in enumerate(found)]
    expected = [
        (milliseconds(one.start), max(milliseconds(one.end), milliseconds(one.start) + 1), text)
        for one in sorted(cues, key=lambda one: (one.start, one.end, one.id))
        if (text := "\n".join(plain.lines("\n".join(one.lines))))
    ]
    assert read_srt(srt(cues)) == expected
    assert read_vtt(vtt(cues)) == expected
    for data in (srt(cues), vtt(cues)):
        assert not data.startswith(b"\xef\xbb\xbf")
        assert b"\r" not in data
