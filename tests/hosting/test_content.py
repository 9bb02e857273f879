"""What a command brings, made of what was accepted and without what was left out."""

from __future__ import annotations

import json

import pytest
from callboard.hosting.content import PART, content_of, parts
from callboard.hosting.verbs import known_of
from callboard_schemas import Captions, Cue, Gap, Placeholder, Proposal, Provenance, Result, Tag, Tags, Translation, Use
from hypothesis import given
from hypothesis import strategies as st
from msgspec import json as written

ZERO = "sha256:" + "0" * 64


def made(body: Result, without: tuple[str, ...] = (), by: str = "zoe") -> Proposal:
    """Make an accepted proposal of a result."""
    return Proposal(
        id="p-0",
        run="r",
        job="j",
        kind="analyse",
        result="tags",
        state="accepted",
        confidence=1,
        provenance=Provenance(plugin="x", version="1", kind="analyse"),
        body=body,
        decided_by=by,
        without=without,
    )


CUES = (
    Cue(id=1, start=0.0, end=1.0, lines=("<i>Both lines</i>", "<i>italics &amp; more</i>"), confidence=1, styled=True),
    Cue(id=2, start=1.0, end=2.5, lines=("<i>one</i> word", "\x1b[31m<b>", ""), confidence=1, align=8, speaker="Ann"),
    Cue(id=3, start=3.0, end=4.0, lines=("left out",), confidence=1),
)


def test_cues_come_as_plain_text() -> None:
    """Markup becomes a flag where it holds for the whole cue; control characters go, what was left out stays out."""
    content = content_of(made(Captions(language="en", cues=CUES, confidence=1), ("3",)), "subtitles.write")
    assert content.language == "en"
    assert [(cue.id, cue.text, cue.italic, cue.align, cue.speaker) for cue in content.cues] == [
        (1, "Both lines\nitalics & more", True, 2, ""),
        (2, "<i>one</i> word\n<b>", False, 8, "Ann"),
    ]


def test_markers_say_the_cue_in_one_line() -> None:
    """A marker has the text on one line, cut where it is long, with all of it in its note."""
    long = Cue(id=4, start=5.0, end=6.0, lines=("word " * 60,), confidence=1)
    translation = Translation(source_language="en", language="es", cues=(CUES[0], long), confidence=1)
    first, second = content_of(made(translation), "markers.write").markers
    assert (first.start, first.duration, first.name) == (0.0, 1.0, "Both lines italics & more")
    assert len(second.name) <= 120
    assert second.name.endswith("…")
    assert second.note == ("word " * 60).strip()


def test_tags_come_without_those_left_out() -> None:
    """A tag that was left out is in neither the tags nor the description; who accepted them is their author."""
    items = tuple(Tag(label=label, score=1, method="m") for label in ("Harbour", "Boat", "Harbour"))
    tags = Tags(items=items, confidence=1, description="It shows a harbour. A boat sails.")
    content = content_of(made(tags, ("Boat",)), "tags.write")
    assert (content.tags, content.description, content.author) == (("Harbour",), "It shows a harbour.", "zoe")
    about = content_of(made(tags, by="policy"), "description.write")
    assert (about.tags, about.description, about.author) == ((), "It shows a harbour. A boat sails.", "")


def test_a_placeholder_comes_with_its_gap() -> None:
    """Its file is an absolute path, with the digest of what is in it."""
    body = Placeholder(shot="SH1", generator="g", file="/f/s.png", digest=ZERO, confidence=1)
    gap = Gap(ref="g", start=0, duration=1)
    content = content_of(made(body), "placeholder.insert", gap=gap)
    assert (content.file, content.digest, content.gap) == ("/f/s.png", ZERO, gap)


@given(st.text(max_size=200))
def test_a_text_in_parts_is_whole_again(text: str) -> None:
    """Parts put together are the text; no part is longer than it may be, however it is cut."""
    whole = written.encode([text] * 400)
    cut = parts(whole)
    assert "".join(cut).encode() == whole
    assert all(len(part.encode()) <= PART for part in cut)
    assert json.loads("".join(cut)) == [text] * 400


@pytest.mark.parametrize("char", ['"', "\\", "ü", "漢", "😀", "\x07"])
def test_a_part_fits_into_a_message_whatever_is_in_it(char: str) -> None:
    """A part that is written into an answer again, with every quote escaped, is under 64 KiB."""
    for part in parts(written.encode(char * 60_000)):
        assert len(written.encode({"value": {"part": 1, "parts": 2, "text": part}})) < 60 * 1024


def test_nothing_is_one_part() -> None:
    """An empty text has one part, so that it can be asked for."""
    assert list(parts(b"")) == [""]


def test_what_is_known_of_many_short_uses_fits_into_the_answer() -> None:
    """Where the digests of a page's uses do not fit, the answer says how many it leaves out."""
    uses = [Use(ref=str(number), path="/a") for number in range(2000)]
    answer = known_of(uses, [ZERO] * 2000)
    assert len(written.encode({"value": answer})) < 64 * 1024
    assert len(answer["known"]) + answer["left_out"] == 2000
    assert known_of(uses[:2], [ZERO, ""]) == {"known": {"0": ZERO, "1": ""}}
