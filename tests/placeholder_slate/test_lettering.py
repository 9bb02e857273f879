"""Letters: the fonts that come with the plugin, scripts that run from the right, and lines that keep their width."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from callboard.errors import JobError
from callboard_placeholder.lettering import LEAST, Letters, cut, fit, letters_for, wrap
from callboard_placeholder.lettering.letters import clean, visual
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

SAMPLES = {
    "Latin": "Æther Žižek ŵ ệ",
    "Greek": "Ωψ",
    "Cyrillic": "Жщї",
    "Hebrew": "אבגש",
    "Arabic": "ابتسم",
    "Persian": "گچپژ",
    "Devanagari": "कखि",
    "Thai": "กขค",
    "Georgian": "აბ",
    "Amharic": "አማ",
    "Simplified Chinese": "山水简体",
    "Traditional Chinese": "繁體龍",
    "Japanese": "ひらカタ漢",
    "Korean": "한국어",
    "signs": "→•…—“”°×½",
}


def drawn(letters: Letters, text: str, size: int = 40) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """Draw a line."""
    picture = Image.new("L", (max(letters.width(text, size), 1), size * 2))
    letters.draw(picture, (0, round(size * 1.3)), text, size, 255, "regular")
    return np.asarray(picture)


@pytest.mark.parametrize("script", SAMPLES)
def test_scripts_have_their_letters(script: str) -> None:
    """No square stands for a letter of the scripts that most films are written in."""
    letters = Letters()
    assert drawn(letters, SAMPLES[script]).any()
    assert letters.lacking == set()


def test_what_no_font_has_is_told() -> None:
    """A square stands for a character that no font has, and a note names it."""
    letters = Letters()
    drawn(letters, "a 😀")
    assert letters.lacking == {"😀"}
    assert any("😀" in note and "font" in note for note in letters.notes())


def test_text_from_the_right_is_seen_from_the_right() -> None:
    """Letters come in the order in which they are seen, joined in Arabic, with brackets turned and numbers not."""
    assert visual("אנה (צילום 12)") == "(12 םוליצ) הנא"
    assert visual("a (b)") == "a (b)"
    assert visual("SH010 אנה (x)") == "SH010 הנא (x)"
    joined = visual("سلام")
    assert joined == "ﻡﻼﺳ"


def test_lines_of_a_paragraph_run_its_way() -> None:
    """A line that begins with Latin letters still runs from the right in a paragraph that does."""
    letters = Letters()
    lines = wrap(letters, "אנה רואה SH020 עוזבת", 30, letters.width("SH020 עוזבת", 30) + 4).lines
    assert [line.strip("\u200f") for line in lines] == ["אנה רואה", "SH020 עוזבת"]
    assert visual(lines[1]) == "תבזוע SH020"
    assert visual("SH020 עוזבת") == "SH020 תבזוע"


@given(
    text=st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Co")), max_size=80),
    size=st.sampled_from([9, 20, 40]),
    width=st.integers(60, 400),
)
def test_lines_keep_their_width(text: str, size: int, width: int) -> None:
    """Whatever is written, no line is wider than its room, unless one letter alone is."""
    letters = Letters()
    done = wrap(letters, text, size, width, 3)
    assert len(done.lines) <= 3
    for line in done.lines:
        assert letters.width(line, size) <= width + 2 or len(clean(line).strip("\u200f")) <= 1


def test_what_is_cut_ends_with_an_ellipsis() -> None:
    """A line is made smaller down to its least size, and only then cut; the cut is told."""
    letters = Letters()
    smaller = fit(letters, "A name of some length", 40, 300)
    assert not smaller.cut
    assert LEAST < smaller.size < 40
    short = fit(letters, "A name of some length", 40, 60)
    assert short.cut
    assert short.size == LEAST
    assert short.lines[0].endswith("…")
    assert letters.width(short.lines[0], short.size) <= 60
    assert cut(letters, "fits", 20, 400) == "fits"


def test_words_stay_whole_where_they_can() -> None:
    """Lines end between words; between characters only in scripts without spaces, and never before a full stop."""
    letters = Letters()
    assert wrap(letters, "one two three", 20, letters.width("one two", 20) + 2).lines == ("one two", "three")
    lines = wrap(letters, "船が自分を置いて。出ていく", 20, 20 * 7 + 10).lines
    assert len(lines) == 2
    assert not lines[1].startswith("。")


def test_small_letters_keep_their_spaces() -> None:
    """At the least size, words stand apart: between two letters with a space there is a column without ink."""
    rows = drawn(Letters(), "l l", LEAST)
    ink = rows.max(axis=0) > 40
    assert ink.any()
    first, last = np.flatnonzero(ink)[[0, -1]]
    assert (~ink[first:last]).sum() >= 1


def test_a_font_of_ones_own_comes_first(tmp_path: Path) -> None:
    """The project's font draws what it has, its digest is told, and what is no font is refused by name."""
    from importlib.resources import files

    source = files("weblate_fonts") / "static/weblate_fonts/source-code/ttf/SourceCodePro-Black.ttf"
    own = tmp_path / "own.ttf"
    own.write_bytes(source.read_bytes())
    letters = letters_for({"font": str(own)})
    assert letters.versions()["font"].startswith("sha256:")
    assert letters.width("iiii", 40) == letters.width("MMMM", 40)
    assert (drawn(letters, "夜")).any()
    own.write_text("no font")
    with pytest.raises(JobError, match=r"own\.ttf"):
        letters_for({"font": str(own.rename(tmp_path / "other-own.ttf"))})
