"""Line breaking: limits, words, shape and syntax in many languages, markup, dialogue, and text from right to left."""

from __future__ import annotations

import itertools
import re
import unicodedata

import pytest
from callboard.timedtext.breaking import break_costs, break_lines, fits, lines_fit
from callboard.timedtext.direction import embedded, is_right_to_left
from callboard.timedtext.phrases import phrases
from callboard.timedtext.pieces import pieces
from callboard.timedtext.profile import Profile, load
from callboard.timedtext.styled import Rich, balanced, plain
from callboard.timedtext.widths import width
from hypothesis import assume, given, settings
from hypothesis import strategies as st

WORDS = st.sampled_from(
    """the of and Mr. Smith John river, to going 25 km isn't. I that-which would — go! superlongwordofatongue""".split()  # noqa: SIM905 - reads better
)
TEXTS = st.lists(WORDS, min_size=1, max_size=10).map(" ".join)
HAN = st.text(st.sampled_from("我今日行く。、「」（）ーっァABC 12　は映画アニメ…—"), min_size=1, max_size=24)


def profile(length: int = 20, lines: int = 2, **more: object) -> Profile:
    """Make a profile that allows *lines* of *length*."""
    return Profile(line_length=length, lines=lines, **more)  # type: ignore[arg-type]  # whatever a test sets


def divisions(words: list[str], most: int) -> list[tuple[int, ...]]:
    """Every way of dividing words into at most so many lines, as the indices that begin a line."""
    counts = range(min(most, len(words)))
    return [cuts for count in counts for cuts in itertools.combinations(range(1, len(words)), count)]


def lined(words: list[str], cuts: tuple[int, ...]) -> tuple[str, ...]:
    """Give the lines of a division."""
    return tuple(" ".join(words[a:b]) for a, b in itertools.pairwise([0, *cuts, len(words)]))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(TEXTS, st.integers(8, 40), st.integers(1, 3), st.sampled_from(["en", "es", "de", ""]))
def test_the_division_is_the_best_there_is(text: str, length: int, lines: int, language: str) -> None:
    """Against every possible division: nothing over the limit if possible, then the fewest lines, then the cheapest."""
    assume(not text.startswith("—"))
    limits = profile(length, lines)
    turn = pieces([Rich(text)])
    words = [piece.text for piece in turn]
    costs = break_costs(turn, phrases(language))

    def merit(cuts: tuple[int, ...]) -> tuple[float, int, float]:
        made = lined(words, cuts)
        total = len(" ".join(words))
        count = len(made)
        if count == 1:
            return max(total - length, 0), 1, 0.0
        shape = sum(
            1.4 * abs(len(line) - total / count * (1 + 0.04 * (at - (count - 1) / 2))) / length
            for at, line in enumerate(made)
        )
        return sum(max(len(line) - length, 0) for line in made), count, shape + sum(costs[cut] for cut in cuts)

    every = divisions(words, lines)
    cuts = next(cuts for cuts in every if lined(words, cuts) == break_lines(text, limits, language))
    assert merit(cuts) == pytest.approx(min(map(merit, every)))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(TEXTS, st.integers(8, 44), st.integers(1, 4), st.sampled_from(["en", "fr", "it", "pt", "ca", "nl", "xx"]))
def test_words_stay_and_limits_hold(text: str, length: int, lines: int, language: str) -> None:
    """Words stay whole and in order, a break that keeps the limits is found if there is one, and breaking is stable."""
    limits = profile(length, lines)
    found = break_lines(text, limits, language)
    assert " ".join(found).split() == text.split()
    tied = [piece.text for piece in pieces([Rich(text)])]
    possible = any(
        all(len(" ".join(tied[a:b])) <= length for a, b in itertools.pairwise([0, *cuts, len(tied)]))
        for cuts in divisions(tied, lines)
    )
    assert fits(text, limits, language) == possible
    assert len(found) <= lines
    assert break_lines("\n".join(found), limits, language) == found


@settings(max_examples=150, deadline=None, derandomize=True)
@given(HAN, st.sampled_from(["ja", "zh-Hans", "zh-Hant"]))
def test_chinese_and_japanese_lines_keep_the_rules_of_typesetting(text: str, language: str) -> None:
    """No line begins with closing marks or small kana, none ends with an opening one, and no character is lost."""
    limits = profile(8, 3, width="half", language=language)
    found = break_lines(text, limits, language)
    assert re.sub(r"\s", "", "".join(found)) == re.sub(r"\s", "", text)
    for before, after in itertools.pairwise(found):
        if before + after in text:  # not where a space was
            assert after[0] not in "。、」）ーっァ…"
            assert before[-1] not in "「（"


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(["<i>", "</i>", "<b>", "</b>", "word", " ", "other", " ", "&amp;", "\n"]), max_size=24))
def test_markup_is_closed_on_every_line(parts: list[str]) -> None:
    """Each line has balanced tags, reads as without markup, and letters that were slanted stay so."""
    text = "".join(parts)
    found = break_lines(text, profile(12, 3), "en", styled=True)
    bare = break_lines(plain(text, styled=True), profile(12, 3), "en")
    assert all(balanced(line) for line in found)
    assert tuple(plain(line, styled=True) for line in found) == bare
    assert break_lines("\n".join(found), profile(12, 3), "en", styled=True) == found


@pytest.mark.parametrize(
    ("language", "lines"),
    [
        ("en", "I went down to the river / with my brother and Mr. Smith."),
        ("en", "He has been living in San Francisco / for 25 years now, I think."),
        ("en", "You know that I would never do such / a thing to you, John."),
        ("en", "The price went up. / It is now a hundred dollars a night."),
        ("es", "Me dijo que no quería volver / a la casa de su abuela en Madrid."),
        ("ca", "Em va dir que no volia tornar / a la casa de la seva àvia."),
        ("pt", "Ele disse que não queria voltar / para a casa da avó dele hoje."),
        ("fr", "Je ne savais pas que tu voulais partir / avec ta sœur demain !"),
        ("it", "Mi ha detto che non voleva tornare / nella casa di sua nonna."),
        ("de", "Ich habe dir doch gesagt, / dass wir nicht zu den Nachbarn gehen."),
        ("nl", "Hij zei dat hij niet meer terug wilde / naar het huis van oma."),
        ("ja", "昨日は友達と一緒に / 映画を見に行きました"),
        ("zh-Hans", "昨天我和朋友一起去看电影了， / 你应该去看看。"),
        ("ko", "어제 친구와 함께 영화를 / 보러 갔는데 정말 좋았어요"),
        ("th", "ถ้าฉันรู้ว่าเธอจะมา / ฉันคงไม่โทรไปหาเธอหรอกนะ"),
    ],
)
def test_lines_are_broken_where_people_would(language: str, lines: str) -> None:
    """Real sentences break before phrases and after punctuation, and never within a name or a measure."""
    limits = load("netflix", language)
    wanted = tuple(lines.split(" / "))
    joint = "" if language in ("ja", "zh-Hans") else " "
    assert break_lines(joint.join(wanted), limits) == wanted
    assert lines_fit(wanted, limits)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("-Are you coming?\n-In a minute.", ("-Are you coming?", "-In a minute.")),
        ("-Are you coming? -In a minute.", ("-Are you coming?", "-In a minute.")),
        ("- Yes.\n- No.", ("- Yes.", "- No.")),
        ("Hello.\n-Who is it?", ("Hello.", "-Who is it?")),
        ("[door opens]\n-Who is it?", ("[door opens]", "-Who is it?")),
        ("He was there\n– and he left.", ("He was there – and he left.",)),
        ("-5 degrees.", ("-5 degrees.",)),
        ("Go away", ("Go away",)),
        ("Go\naway", ("Go away",)),
        ("-I know --and you?", ("-I know --and you?",)),
        ("  ", ()),
        ("", ()),
    ],
)
def test_speakers_keep_their_lines(text: str, lines: tuple[str, ...]) -> None:
    """Two speakers are two lines however short; one speaker's short text is one."""
    assert break_lines(text, load("netflix", "en")) == lines


def test_a_third_line_is_shared_by_need() -> None:
    """Where two speak and three lines are allowed, the one who says more has two of them."""
    found = break_lines("-No.\n-I will never go back to that house on the hill.", profile(30, 3), "en")
    assert found == ("-No.", "-I will never go back", "to that house on the hill.")


def test_more_speakers_than_lines_are_told_not_merged() -> None:
    """Three speakers stay three lines where two are allowed, and do not fit."""
    assert len(break_lines("-One.\n-Two.\n-Three.", profile(), "en")) == 3
    assert not fits("-One.\n-Two.\n-Three.", profile(), "en")


def test_marks_of_direction_begin_and_end_every_line() -> None:
    """Hebrew that begins with an embedding mark has it on each of its lines."""
    text = embedded("אני לא יודע למה אתה שואל אותי את השאלה הזאת עכשיו, תגיד לי.")
    found = break_lines(text, load("netflix", "he"))
    assert len(found) == 2
    assert all(line[0] == "\u202b" and line[-1] == "\u202c" for line in found)
    assert embedded(found[0]) == found[0]
    assert "".join(line.strip("\u202b\u202c") + " " for line in found).strip() == text.strip("\u202b\u202c")


@pytest.mark.parametrize(
    ("tag", "right_to_left"),
    [("ar", True), ("he-IL", True), ("fa_AF", True), ("en", False), ("az-Arab", True), ("ur-Latn", False), ("", False)],
)
def test_direction_is_told_by_language_and_script(tag: str, right_to_left: bool) -> None:
    """A script in the tag goes before what the language is usually written in."""
    assert is_right_to_left(tag) is right_to_left


@pytest.mark.parametrize(
    ("text", "language", "kind", "expected"),
    [
        ("hello", "en", "characters", 5),
        ("e\u0301te\u0301", "fr", "characters", 3),
        ("ฉันรู้", "th", "characters", 3),
        ("\u202bשלום\u202c", "he", "characters", 4),
        ("今日は", "ja", "half", 3),
        ("A1 b", "ja", "half", 2),
        ("ｱｲｳ", "ja", "half", 1.5),
        ("か\u3099", "ja", "half", 1),
        ("…", "ja", "half", 1),
        ("…", "ko", "half", 0.5),
        ("안녕, A", "ko", "half", 3.5),
        (unicodedata.normalize("NFD", "안녕"), "ko", "half", 2),
        ("　", "ja", "half", 1),
        ("é", "ja", "half", 0.5),
    ],
)
def test_width_counts_what_takes_place(text: str, language: str, kind: str, expected: float) -> None:
    """Marks over letters count nothing, East Asian widths are those of Unicode, markup is not counted."""
    limits = profile(40, width=kind, language=language)
    assert width(text, limits) == expected
    assert width(f"<i>{text}</i>&amp;", limits, styled=True) == expected + (0.5 if kind == "half" else 1)


def test_spaces_count_only_where_they_do() -> None:
    """A profile may leave spaces out of the count."""
    assert width("a b  c", profile(count_spaces=False)) == 3
    assert width("é b", profile(count_spaces=False)) == 2


def test_unstyled_text_keeps_its_signs() -> None:
    """Text that is not styled keeps ``<`` and ``&`` as they are, and counts them."""
    assert break_lines("AT&T <3 you", profile(), "en") == ("AT&T <3 you",)
    assert width("<i>&amp;", profile()) == 8


def test_a_book_in_one_cue_is_divided_all_the_same() -> None:
    """A cue of thousands of words, or of speakers, neither hangs nor loses any."""
    book = "word " * 5000
    assert " ".join(break_lines(book, profile(40, 4), "en")).split() == book.split()
    assert len(break_lines("-No.\n" * 500, profile(40, 4), "en")) == 500
    assert len("".join(break_lines("映" * 5000, profile(16, 2, width="half"), "ja"))) == 5000
    styled = break_lines("<i>a</i> b &amp; " * 2000, profile(40, 2), "en", styled=True)
    assert all(balanced(line) for line in styled)
