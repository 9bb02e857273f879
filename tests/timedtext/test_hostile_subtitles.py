"""Subtitle files that were made to hurt: refused in a moment, with the line, and with no more memory than they are."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from callboard.errors import SubtitleError
from callboard.timedtext.files import FORMATS, read, read_file
from callboard.timedtext.formats import reading
from callboard.timedtext.formats.reading import LARGEST
from callboard_schemas import Cue
from hypothesis import given, settings
from hypothesis import strategies as st

LAUGHS = (
    '<?xml version="1.0"?>\n<!DOCTYPE tt [\n<!ENTITY a "ha">\n'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">\n' for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    + ']>\n<tt xmlns="http://www.w3.org/ns/ttml"><body><div><p begin="1s" end="2s">&i;</p></div></body></tt>'
)
TT = '<tt xmlns="http://www.w3.org/ns/ttml" xml:lang="en"><body><div>{}</div></body></tt>'


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.ttml", LAUGHS.encode(), "document type"),
        ("a.ttml", LAUGHS.replace('"1.0"', '"1.0" encoding="utf-16"').encode("utf-16"), "document type"),
        ("a.ttml", b'<!DOCTYPE tt SYSTEM "file:///etc/passwd"><tt/>', "document type"),
        ("a.ttml", TT.format("<div>" * 5000).encode(), "is no XML|deeper"),
        ("a.ttml", TT.format("<div>" * 60 + "</div>" * 60).encode(), "deeper"),
        ("a.ttml", TT.format('<p begin="' + "9" * 5000 + 's">x</p>').encode(), "is no time"),
        ("a.ttml", TT.format('<p begin="99999999999999999s" end="999999999999999999s">x</p>').encode(), "10000 hours"),
        ("a.srt", b"x" * (LARGEST + 1), "larger than 32 MiB"),
        ("a.srt", b"1" * 5_000_000, "5000000 characters"),
        ("a.vtt", b"WEBVTT\n\n" + b"<" * 5_000_000, "characters"),
        ("a.ass", b"[Events]\nDialogue: " + b"," * 5_000_000, "characters"),
        ("a.json", b"[" * 200_000, "no JSON"),
        (
            "a.json",
            b'{"schema":"callboard-subtitles-1","document":{"cues":[{"id":1,"start":-1,"end":2,"lines":[]}]}}',
            "JSON",
        ),
        ("a.json", b'{"schema":"other-1","document":{"cues":[]}}', "its schema is"),
        ("a.stl", b"\0" * 5000, "no EBU STL"),
        ("a.doc", b"\xd0\xcf\x11\xe0" * 100, "no format"),
    ],
)
def test_it_is_refused_at_once(name: str, data: bytes, said: str) -> None:
    """Each is refused at once, by the same typed error."""
    began = time.process_time()
    with pytest.raises(SubtitleError, match=said) as caught:
        read(data, name)
    assert str(caught.value).startswith(name)
    assert time.process_time() - began < 20  # where it goes wrong it takes hours


@pytest.mark.parametrize(
    "text", ["00:00:01,000 ", "1:", "00:00:00,0 --> ", "<i>", "{\\an8", "{\\i1}a{\\i0}", "{", "-->", "9" * 12 + ":"]
)
def test_long_lines_of_syntax_take_no_long_time(text: str) -> None:
    """No pattern looks back and forth over a line without end."""
    line = text * (60_000 // len(text))
    began = time.process_time()
    for name in ("a.srt", "a.vtt", "a.ass"):
        body = f"WEBVTT\n\n1\n00:00:01.000 --> 00:00:02.000\n{line}\n" if name == "a.vtt" else ""
        body = body or f"1\n00:00:01,000 --> 00:00:02,000\n{line}\n"
        body = f"[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,{line}\n" if name == "a.ass" else body
        try:
            read(body.encode(), name)
        except SubtitleError as error:
            if not error.line:
                raise
    assert time.process_time() - began < 20  # where it goes wrong it takes hours


def test_more_cues_than_any_film_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line of the first one too many is named; the limit is lowered, to be reached in a moment."""
    monkeypatch.setattr(reading, "MOST_CUES", 1000)
    data = b"00:00:01,000 --> 00:00:02,000\nx\n\n" * 1001
    with pytest.raises(SubtitleError, match="more than 1000 cues") as caught:
        read(data, "a.srt")
    assert caught.value.line == 3001


def test_a_huge_file_on_disk_is_not_read_whole(tmp_path: Path) -> None:
    """A gigabyte of zeros, sparse on disk, costs no gigabyte of memory."""
    path = tmp_path / "huge.srt"
    with path.open("wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(SubtitleError, match="larger than 32 MiB"):
        read_file(path)


@pytest.mark.parametrize("name", [f"a{one.endings[0]}" for one in FORMATS.values() if one.reads])
@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    pieces=st.lists(
        st.one_of(
            st.sampled_from(
                [
                    b"1\n", b"00:00:01,000 --> 00:00:02,000\n", b"WEBVTT\n", b"\n", b"-->", b"<i>", b"</i>", b"{\\an8}",
                    b"<v A>", b"&amp;", b"[Events]\n", b"Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,", b"NOTE\n",
                    b'<tt xmlns="http://www.w3.org/ns/ttml">', b"<body><div>", b'<p begin="1s" end="2s">', b"</p>",
                    b"</div></body></tt>", b"\xff\xfe", b"\xe9", b"{", b'"cues":[]', b"}", b"\0",
                ]
            ),
            st.binary(max_size=12),
        ),
        max_size=14,
    )
)  # fmt: skip
def test_any_bytes_are_cues_or_a_typed_error(name: str, pieces: list[bytes]) -> None:
    """Whatever the bytes, the answer is a document of valid cues or an error of ours."""
    try:
        found = read(b"".join(pieces), name)
    except SubtitleError as error:
        if not str(error).startswith(name):
            raise
        return
    assert all(isinstance(cue, Cue) and 0 <= cue.start <= cue.end for cue in found.cues)
    assert [cue.start for cue in found.cues] == sorted(cue.start for cue in found.cues)
