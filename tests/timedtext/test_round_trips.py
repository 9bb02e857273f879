"""What one format is given comes back from it, by our readers and by others."""

from __future__ import annotations

import html
import re
from typing import Any, Literal
from xml.etree import ElementTree

import pysubs2
import pytest
from callboard.effects.subtitles import unescape_srt, unguard
from callboard.timedtext.document import Document, as_result, of_result
from callboard.timedtext.files import FORMATS, losses, read, write
from callboard.timedtext.formats.clock import milliseconds
from callboard.timedtext.formats.joiner import JOINER
from callboard.timedtext.markup import Run, marked, sound_lines, text_lines, tidy
from callboard.timedtext.rate import parse_rate
from callboard_schemas import Captions, Cue, Heard, Translation, Word
from hypothesis import given, settings
from hypothesis import strategies as st

RATES = ("23.976", "24", "25", "29.97", "29.97df", "30", "50", "59.94", "59.94df")
TIMED = [one.name for one in FORMATS.values() if one.reads and one.writes]
FORBIDDEN = JOINER + "\ufdd0\ufdd1\ufffd\uff0c"

texts = st.text(st.characters(codec="utf-8", exclude_characters=FORBIDDEN), min_size=1, max_size=16)
pieces = st.builds(Run, texts, st.sampled_from(["", "i", "b", "u", "bi", "iu", "biu"]))
spoken = st.lists(pieces, min_size=1, max_size=5).map(tidy).filter(bool)
names = st.text(st.characters(codec="utf-8", exclude_characters=FORBIDDEN + ";"), max_size=12).map(
    lambda text: " ".join(plain_name(text).split())
)


def plain_name(text: str) -> str:
    """Give a name without control characters, as writers clean it."""
    found = tidy([Run(text)])
    return " ".join("".join(run.text for run in line) for line in found)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """Make a document: frames of some rate, cues in order that may touch, styled text, speakers, positions."""
    rate = parse_rate(draw(st.sampled_from(RATES)))
    frame, cues = draw(st.integers(0, 800_000)), []
    for number in range(1, draw(st.integers(1, 5)) + 1):
        frame += draw(st.integers(0, 400))
        end = frame + draw(st.integers(2, 300))
        lines, styled = marked(draw(spoken))
        cues.append(
            Cue(
                id=number,
                start=rate.seconds(frame),
                end=rate.seconds(end),
                lines=lines,
                styled=styled,
                confidence=1.0,
                speaker=draw(names) or None,
                align=draw(st.sampled_from([None, 1, 3, 4, 5, 6, 7, 8, 9])),
                kind=draw(st.sampled_from(["speech", "speech", "sound"])),
            )
        )
        frame = end
    return Document(cues=tuple(cues), language="en", rate=rate)


def shown(document: Document, *, speakers: bool = True) -> list[object]:
    """Say what a document shows, whatever it was read from."""
    return [
        (
            document.rate.frame_at(cue.start) if document.rate else cue.start,
            document.rate.frame_at(cue.end) if document.rate else cue.end,
            sound_lines(cue),
            (cue.speaker or "") if speakers else "",
            cue.align if cue.align != 2 else None,
        )
        for cue in document.cues
    ]


@pytest.mark.parametrize("kind", TIMED)
@settings(max_examples=25, deadline=None, derandomize=True)
@given(made=documents())
def test_any_document_comes_back(kind: str, made: Document) -> None:
    """Frames, lines, italics, positions and speakers survive writing and reading, where the format has them."""
    back = read(write(made, kind), f"clip.{kind}", rate=made.rate)
    speakers = FORMATS[kind].speakers
    assert shown(back, speakers=speakers) == shown(made, speakers=speakers)


def heard_by_pysubs2(data: bytes, kind: str) -> list[tuple[int, int, str]]:
    """Read with pysubs2: milliseconds, and text without markup."""
    subs = pysubs2.SSAFile.from_string(
        data.decode("utf-8"), format_=kind, **({"keep_html_tags": True} if kind != "ass" else {})
    )
    found = []
    for event in subs:
        text = event.text if kind == "ass" else event.text.replace(r"\N", "\n")
        text = event.plaintext if kind == "ass" else re.sub(r"</?[biu]>|</?v[^>]*>|\{\\an\d\}", "", text)
        text = html.unescape(text) if kind == "vtt" else text
        found.append((event.start, event.end, text if kind == "ass" else unguard(unescape_srt(text))))
    return found


SAFE = st.text(st.characters(codec="utf-8", exclude_characters=FORBIDDEN + "<>{}\\&"), min_size=1, max_size=16)


@pytest.mark.parametrize("kind", ["srt", "vtt", "ass"])
@settings(max_examples=15, deadline=None, derandomize=True)
@given(made=documents(), text=SAFE)
def test_pysubs2_reads_the_same(kind: str, made: Document, text: str) -> None:
    """Another reader finds the same times and words; what only looks like markup is another test's matter."""
    cues = tuple(
        Cue(id=cue.id, start=cue.start, end=cue.end, lines=(f"a{text}b", "<i>c</i>"), styled=True, confidence=1.0)
        for cue in made.cues
    )
    data = write(Document(cues=cues, rate=made.rate), kind)
    words = "\n".join(text_lines(cues[0]))
    found = heard_by_pysubs2(data, kind)
    assert [text for _, _, text in found] == [words] * len(cues)
    step = 10 if kind == "ass" else 1
    for (start, end, _), cue in zip(found, cues, strict=True):
        assert abs(start - milliseconds(cue.start)) <= step / 2
        assert abs(end - milliseconds(cue.end)) <= step / 2
        assert made.rate is not None
        assert made.rate.frame_at(start / 1000) == made.rate.frame_at(cue.start)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(made=documents())
def test_ttconv_reads_the_same_frames(made: Document) -> None:
    """The reference reader of IMSC finds each cue at its frame, and each word."""
    from ttconv import model
    from ttconv.imsc.reader import to_model

    found: Any = to_model(ElementTree.ElementTree(ElementTree.fromstring(write(made, "ttml"))))
    paragraphs = [node for node in found.get_body().dfs_iterator() if isinstance(node, model.P)]
    assert made.rate is not None
    assert [(node.get_begin() or 0, node.get_end()) for node in paragraphs] == [
        (made.rate.frame_at(cue.start) / made.rate.fps, made.rate.frame_at(cue.end) / made.rate.fps)
        for cue in made.cues
    ]
    words = [[n.get_text() for n in node.dfs_iterator() if isinstance(n, model.Text)] for node in paragraphs]
    assert ["".join(one) for one in words] == [
        "".join(run.text for line in sound_lines(cue) for run in line) for cue in made.cues
    ]


@pytest.mark.parametrize(("kind", "muxed"), [("srt", "srt"), ("vtt", "webvtt"), ("ass", "ass")])
def test_ffmpeg_reads_the_same(kind: str, muxed: str, tmp_path: object) -> None:
    """FFmpeg's demuxers find every cue, its time and its words."""
    import io

    import av

    cues = tuple(
        Cue(
            id=n,
            start=n * 2.0,
            end=n * 2.0 + 1.5,
            lines=(f"Cue {n}", "<i>second</i> & last"),
            styled=True,
            confidence=1.0,
        )
        for n in range(1, 6)
    )
    with av.open(io.BytesIO(write(Document(cues=cues), kind)), "r", format=muxed) as file:
        packets = [packet for packet in file.demux() if packet.size]
        found = [
            (float((p.pts or 0) * p.time_base), float((p.duration or 0) * p.time_base), bytes(p).decode())
            for p in packets
        ]
    assert [(start, length) for start, length, _ in found] == [(cue.start, 1.5) for cue in cues]
    assert all(f"Cue {n}" in text and "second" in text for n, (_, _, text) in enumerate(found, start=1))


def test_json_loses_nothing_of_captions_and_translations() -> None:
    """Every field of a result comes back: words, evidence, flags, what was left out."""
    word = Word(text="Hi", start=1.0, end=1.2, confidence=0.4)
    cue = Cue(id=3, start=1.0, end=2.0, lines=("Hi",), confidence=0.4, words=(word,), flags=("quiet",), heard=Heard())
    captions = Captions(
        language="en", cues=(cue,), confidence=0.4, left_out=(cue,), profile="web", rate="29.97df", duration=9.0
    )
    translated = Translation(source_language="en", language="fr", cues=(cue,), confidence=0.4, labels={"a": "b"})
    for made in (captions, translated):
        assert as_result(read(write(of_result(made), "json"), "clip.json")) == made


def test_a_result_as_messages_hold_it_is_read() -> None:
    """Captions in a message's JSON are a document."""
    import msgspec

    made = Captions(language="en", cues=(), confidence=1.0)
    assert as_result(read(msgspec.json.encode(made), "clip.json")) == made


def test_a_transcript_has_paragraphs_by_speaker_and_pause() -> None:
    """A new speaker, two seconds of silence and a sound each begin a paragraph; lines become one."""
    rows: list[tuple[float, float, tuple[str, ...], str | None, Literal["speech", "sound"]]] = [
        (0.0, 1.0, ("One", "two."), "Ann", "speech"),
        (1.2, 2.0, ("Three.",), "Ann", "speech"),
        (2.1, 3.0, ("Four.",), "Bob", "speech"),
        (6.0, 7.0, ("<i>Five</i> &amp; six.",), "Bob", "speech"),
        (7.1, 8.0, ("door closes",), None, "sound"),
    ]
    cues = tuple(
        Cue(id=n, start=a, end=b, lines=lines, confidence=1.0, speaker=who, kind=kind, styled="<i>" in lines[0])
        for n, (a, b, lines, who, kind) in enumerate(rows)
    )
    assert write(Document(cues=cues, language="en"), "txt").decode() == (
        "Ann: One two. Three.\n\nBob: Four.\n\nBob: Five & six.\n\n[door closes]\n"
    )
    assert write(Document(cues=cues[:2], language="ja"), "txt").decode() == "Ann: Onetwo.Three.\n"


def test_what_a_format_cannot_hold_is_said() -> None:
    """SRT has no speakers, ASS no words; JSON has all."""
    word = Word(text="Hi", start=0.0, end=1.0, confidence=1.0)
    cue = Cue(id=1, start=0, end=1, lines=("Hi",), confidence=1.0, speaker="Ann", words=(word,), settings="line:3")
    made = Document(cues=(cue,))
    assert [what.split(",")[0] for what in losses(made, "srt")] == [
        "who speaks",
        "exact WebVTT settings",
        "the times of words",
    ]
    assert losses(made, "vtt") == ("the times of words",)
    assert losses(made, "json") == ()
