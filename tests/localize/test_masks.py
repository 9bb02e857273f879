"""What must survive a translation is masked, and comes back where it was, or the answer is refused."""

from __future__ import annotations

import re

import pytest
from callboard.glossary import parse
from callboard_localize.marks import Marks
from callboard_localize.masks import MarksBroken, Masker, shown
from callboard_localize.numerals import written_in
from callboard_localize.parts import put_together, taken_apart, turns
from callboard_localize.terms import Terms
from callboard_schemas import Cue
from hypothesis import given, settings
from hypothesis import strategies as st

QUICKLY = settings(deadline=None, max_examples=60)
FORMS = {
    "brackets": lambda number: f"⟦{number}⟧",
    "tag": lambda number: f'<x id="{number}"/>',
    "word": lambda number: f"XQ{number}XQ",
    "letters": lambda number: "Zq" + "".join(chr(97 + int(digit)) for digit in str(number)) + "qZ",
    "private": lambda number: chr(0xE000 + number),
}
PLAIN = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=40)
PIECES = st.sampled_from(
    ["{name}", "%s", "%(count)d", "https://a.example/b?c=d&e#f", "@ana", "#cut", "1,204.5 km", "$30", "50 %", "7:45",
     "B-52", "♪", "<br/>", "[", "]", "⟦3⟧", "XQ1XQ", "-5 °C", "3 °", "A&B"]
)  # fmt: skip
TEXTS = st.lists(st.one_of(PLAIN, PIECES, st.just(" ")), max_size=8).map("".join)


def masker(form: str = "brackets", source: str = "en", target: str = "en", glossary: str = "") -> Masker:
    """Make a masker with one form of marks."""
    return Masker(Marks(FORMS[form]), Terms(source, target, parse(glossary) if glossary else None))


def spaced(text: str) -> str:
    """Take out what a translation may change about white space."""
    return re.sub(r"(?<=\w) (?=[.,;:!?](\s|$))", "", " ".join(re.sub(r"[ \t\n]+", " ", text).split(" ")).strip())


@pytest.mark.parametrize("form", FORMS)
@QUICKLY
@given(text=TEXTS, first=st.integers(0, 400), guard=st.booleans())
def test_an_engine_that_changes_nothing_gives_the_text_back(form: str, text: str, first: int, guard: bool) -> None:
    """Whatever stands in a text, marks that look like ours too, it comes back as it was, white space aside."""
    one = masker(form)
    masked = one.mask([text], first=first, guard=guard)
    assert [number for _, _, number in one.marks.find(masked.text)] == list(masked.pieces)
    assert spaced(one.restore(masked.text, masked).texts[0]) == spaced(text)


@QUICKLY
@given(texts=st.lists(TEXTS, min_size=2, max_size=4))
def test_joined_texts_come_apart_where_they_were_joined(texts: list[str]) -> None:
    """The parts of a sentence that runs over cues come back one by one."""
    one = masker()
    masked = one.mask(texts, guard=True)
    assert [spaced(text) for text in one.restore(masked.text, masked).texts] == [spaced(text) for text in texts]


@QUICKLY
@given(texts=st.lists(PIECES.filter(lambda text: text != "A&B"), min_size=1, max_size=5))
def test_what_an_engine_is_given_holds_no_piece(texts: list[str]) -> None:
    """None of the pieces is in what an engine sees, and all of them are in what comes back."""
    one = masker()
    masked = one.mask([" and ".join(texts)])
    seen = "".join(part for part in re.split(r"⟦\d+⟧", masked.text))
    assert set(seen.split()) <= {"and"}
    assert one.restore(masked.text, masked).texts[0] == " and ".join(texts)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("⟦0⟧ a ⟦1⟧ ⟦3⟧", "'30' is lost"),
        ("⟦0⟧ a ⟦1⟧ ⟦2⟧", "its own mark is lost"),
        ("⟦0⟧ a ⟦1⟧ ⟦1⟧ ⟦2⟧ ⟦3⟧", "a mark is in it twice"),
        ("⟦0⟧ a ⟦1⟧ b ⟦2⟧ ⟦3⟧ ⟦4⟧", "a mark of another line is in it"),
        ("a ⟦0⟧ b ⟦1⟧ ⟦2⟧ ⟦3⟧", "its own mark is not at its beginning"),
        ("⟦0⟧ a ⟦1⟧ ⟦2⟧ ⟦3⟧ and more", "something stands after the mark at its end"),
    ],
)
def test_marks_that_came_back_wrong(answer: str, why: str) -> None:
    """A mark that is lost, doubled, foreign or misplaced is named."""
    one = masker()
    masked = one.mask(["one {name} or 30"], guard=True)
    assert masked.text == "⟦0⟧ one ⟦1⟧ or ⟦2⟧ ⟦3⟧"
    with pytest.raises(MarksBroken, match=re.escape(why)):
        one.restore(answer, masked)


def test_pieces_in_another_order_are_told() -> None:
    """Another order of pieces can be right, so it is taken, and said."""
    one = masker()
    masked = one.mask(["{a} of 30"])
    restored = one.restore("de ⟦1⟧ ⟦0⟧", masked)
    assert (restored.texts, restored.reordered) == (("de 30 {a}",), True)


@pytest.mark.parametrize("answer", ["⟦1⟧uno⟦0⟧ dos", "⟦0⟧⟦1⟧ uno dos"])
def test_markup_must_enclose_what_it_did(answer: str) -> None:
    """Tags that close before they open, or enclose nothing, are refused."""
    one = masker()
    masked = one.mask(["<i>one</i> two"], styled=True)
    with pytest.raises(MarksBroken, match="markup"):
        one.restore(answer, masked, styled=True)


def test_markup_keeps_its_spaces_and_escapes() -> None:
    """Tags stand where they did, without the spaces that engines put around marks; characters are escaped again."""
    one = masker()
    masked = one.mask(["Salt &amp; <i>pepper</i>, please"], styled=True)
    assert masked.text == "Salt & ⟦0⟧pepper⟦1⟧, please"
    restored = one.restore("Sal & ⟦ 0 ⟧ pimienta ⟦1⟧ , por favor", masked, styled=True)
    assert restored.texts == ("Sal &amp; <i>pimienta</i>, por favor",)


def test_terms_are_what_the_glossary_says() -> None:
    """A kept name and a required translation are put in by us, and not left to the engine."""
    glossary = '[[term]]\ntext = "Marlow"\nkeep = true\n[[term]]\ntext = "harbour master"\nlanguage = "en"\n'
    one = masker(target="es", glossary=glossary + '[term.translations]\nes = "capitán de puerto"\n')
    masked = one.mask(["Ask the harbour master about Marlow's boat"])
    assert masked.text == "Ask the ⟦0⟧ about ⟦1⟧'s boat"
    said = one.restore("Pregunte al ⟦0⟧ por el barco de ⟦1⟧", masked).texts[0]
    assert said == "Pregunte al capitán de puerto por el barco de Marlow"


@pytest.mark.parametrize(
    ("number", "source", "target", "written"),
    [
        ("1,250.5", "en", "es", "1.250,5"),
        ("3.5 km", "en", "de", "3,5 km"),
        ("1.250,5", "es", "en", "1,250.5"),
        ("12,500", "en", "fr", "12\u202f500"),
        ("12\u00a0500,5", "pl", "en", "12,500.5"),
        ("7:45", "en", "es", "7:45"),
        ("1.2.3", "en", "es", "1.2.3"),
        ("1,250.5", "en", "es-MX", "1,250.5"),
        ("1999", "en", "de", "1999"),
    ],
)
def test_numbers_are_written_as_the_language_does(number: str, source: str, target: str, written: str) -> None:
    """Separators are those of the target; times, versions and years stay."""
    assert written_in(number, source, target) == written


NUMBERS = st.from_regex(r"\A[0-9]{1,3}(,[0-9]{3}){0,3}(\.[0-9]{1,4})?\Z")


@QUICKLY
@given(number=NUMBERS, target=st.sampled_from(["es", "fr", "de-CH", "ru"]))
def test_no_digit_changes(number: str, target: str) -> None:
    """However a number is written, its digits are the same."""
    assert "".join(re.findall(r"\d", written_in(number, "en", target))) == "".join(re.findall(r"\d", number))


LINES = st.lists(
    st.sampled_from(
        ["Where is she?", "- In here.", "-Come!", "[door slams]", "(sighs) I know.", "<i>Never again</i>", "♪",
         "♪ la la ♪", ">> News", "{\\an8}Up there", "", "-5 degrees", "<i>- Who?", "A < B &amp; C</i>", "JOHN: What?"]
    ),
    max_size=3,
)  # fmt: skip


@QUICKLY
@given(lines=LINES, styled=st.booleans())
def test_a_cue_taken_apart_is_all_there(lines: list[str], styled: bool) -> None:
    """Whatever signs stand around what is said, all of a cue is in its parts."""
    cue = Cue(id=1, start=0.0, end=1.0, lines=tuple(lines), confidence=1.0, styled=styled)
    taken = taken_apart(cue, "en")
    assert [put_together(turn, [part.text for part in turn]) for turn in taken] == turns(lines, "en")


@pytest.mark.parametrize(
    ("lines", "spoken"),
    [
        (("- Hello there.", "- Hi!"), ["Hello there.", "Hi!"]),
        (("JOHN: Where are", "you now?"), ["Where are you now?"]),
        (("[door slams]",), ["door slams"]),
        (("(sighs) I know.",), ["sighs", "I know."]),
        (("♪ I love you ♪",), ["I love you"]),
        (("<i>It never", "ends</i>"), ["It never ends"]),
        (("{\\an8}>> Live from Rome",), ["Live from Rome"]),
        (("♪",), []),
        (("2001",), []),
    ],
)
def test_signs_are_never_given_to_an_engine(lines: tuple[str, ...], spoken: list[str]) -> None:
    """Dashes, names of speakers, brackets, notes and markup around a whole line are kept out of what is translated."""
    cue = Cue(id=1, start=0.0, end=1.0, lines=lines, confidence=1.0, styled="<i>" in "".join(lines))
    assert [part.text for turn in taken_apart(cue, "en") for part in turn if part.spoken] == spoken


def test_markup_is_not_shown() -> None:
    """Only styled lines hold markup; in others ``<i>`` is three characters."""
    assert shown("<i>a</i> &lt;b&gt;", styled=True) == "a <b>"
    assert shown("<i>a</i> &lt;", styled=False) == "<i>a</i> &lt;"
