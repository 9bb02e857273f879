"""However a file is broken, every word of it is in a cue, in a note, or the file is refused."""

from __future__ import annotations

import pytest
from callboard.errors import SubtitleError
from callboard.timedtext.files import read
from hypothesis import given, settings
from hypothesis import strategies as st

KINDS = ("number", "times", "text", "text", "blank", "styled", "note", "digits", "arrow", "entity")


def made(kind: str, number: int, point: str) -> tuple[str, str]:
    """Make a line of a kind, and the word in it that must not get lost."""
    word = f"word{number:03d}x"
    start, end = f"00:00:{number:02d}{point}000", f"00:00:{number + 1:02d}{point}500"
    lines = {
        "number": (str(number), ""),
        "times": (f"{start} --> {end}", ""),
        "text": (word, word),
        "blank": ("", ""),
        "styled": (f"<i>{word}", word),
        "note": (f"NOTE {word}", ""),
        "digits": (f"{number} {word}", word),
        "arrow": (f"{word} --> there", word),
        "entity": (f"a &amp; {word} < b", word),
    }
    return lines[kind]


@pytest.mark.parametrize(("name", "point"), [("a.srt", ","), ("a.vtt", ".")])
@settings(max_examples=150, deadline=None, derandomize=True)
@given(kinds=st.lists(st.sampled_from(KINDS), max_size=24), crlf=st.booleans())
def test_every_word_is_somewhere(name: str, point: str, kinds: list[str], crlf: bool) -> None:
    """Lines in any order, with or without numbers, blank lines and headers."""
    rows = [made(kind, number, point) for number, kind in enumerate(kinds, start=1)]
    text = ("\r\n" if crlf else "\n").join(line for line, _ in rows)
    try:
        found = read(text.encode(), name)
    except SubtitleError:
        return
    there = " ".join(line for cue in found.cues for line in cue.lines) + " ".join(note.text for note in found.notes)
    assert [word for _, word in rows if word and word not in there] == []
    assert sum(kind == "times" for kind in kinds) == len(found.cues) + sum(
        "without text" in n.text for n in found.notes
    )
