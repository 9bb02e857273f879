"""Each translated cue is checked, and its risk says which a person sees first."""

from __future__ import annotations

import pytest
from callboard.glossary import parse
from callboard_localize.checks import Checks, Pair, summed_up, trust
from callboard_localize.likeness import chrf
from callboard_localize.names import names_in
from callboard_localize.rudeness import changed, rude
from callboard_localize.terms import Terms
from callboard_localize.tongue import Tongues, script_of, share_in_script
from callboard_schemas import Cue

TONGUES = Tongues()
GLOSSARY = """
[[term]]
text = "harbour master"
language = "en"
[term.translations]
es = "capitán de puerto"
[[term]]
text = "Marlow"
keep = true
[banned]
es = ["gato"]
"""


def found(source: str, target: str, languages: tuple[str, str] = ("en", "es"), names: str = "") -> dict[str, bool]:
    """Give what the checks find in one cue, and whether it must not ship."""
    checks = Checks(Pair(Terms(*languages, parse(GLOSSARY)), frozenset(names.split())), TONGUES)
    cue = Cue(id=1, start=0.0, end=2.0, lines=(source,), confidence=1.0)
    return {one.text: one.fails for one in checks.findings(cue, (target,))}


@pytest.mark.parametrize(
    ("source", "target", "text", "fails"),
    [
        ("The harbour master left.", "El jefe del puerto se fue.",
         "glossary: 'harbour master' must be 'capitán de puerto'", True),
        ("Marlow is here.", "Marlo está aquí.", "glossary: 'Marlow' must be 'Marlow'", True),
        ("The cat sleeps here.", "El gato duerme aquí.", "banned word: 'gato'", True),
        ("The 3 of us", "Nosotros 4", "numbers differ", False),
        ("He lives far away from the city.", "Lejos.", "much shorter than its source", False),
        ("Where are you?", "¿Dónde está usted en este momento tan difícil?", "much longer than its source", False),
        ("I do not know where she is.", "I do not know where she is.", "not translated", True),
        ("I do not know where she is.", "We never knew the place where he lived.", "reads as en", False),
        ("Never again", "Никогда больше", "not in the script of es", True),
        ("My hotel", "my hotel", "the same as its source", False),
        ("You fucking idiot", "Usted es muy amable", "milder than its source", False),
        ("You are very kind", "Eres un hijo de puta", "ruder than its source", False),
        ("He was alone", "estaba solo y estaba solo y estaba solo", "repeats itself", False),
    ],
)  # fmt: skip
def test_a_fault_is_found(source: str, target: str, text: str, fails: bool) -> None:
    """Each kind of fault is named; those that must not ship fail the cue."""
    assert found(source, target).get(text) is fails


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("The harbour master left.", "El capitán de puerto se fue."),
        ("Marlow's house is big.", "La casa de Marlow es grande."),
        ("1,250 people came.", "Vinieron 1.250 personas."),
        ("OK", "OK"),
        ("Yes.", "Sí."),
        ("I love you.", "Te quiero."),
        ("London is far.", "Londres está lejos."),
    ],
)
def test_a_good_translation_is_left_alone(source: str, target: str) -> None:
    """What is right has nothing found in it."""
    assert found(source, target, names="London") == {}


def test_names_must_stay() -> None:
    """A name is a word with a capital inside a sentence and nowhere without one; where it is gone, that is said."""
    texts = ["I saw Peter today.", "Did Peter call?", "The Doctor came.", "A doctor!", "I think I know, Mr. Hyde."]
    assert names_in(texts, "en") == {"Peter", "Hyde"}
    assert names_in(["Der Hund und Peter"], "de") == frozenset()
    assert found("I left New York.", "Dejé Nueva York.", names="New York") == {}
    assert found("I saw Peter's boat.", "Vi el barco de Pedro.", names="Peter") == {"name 'Peter' is missing": False}
    assert found("I saw Peter today.", "Hoy vi a Pedro.", names="Peter") == {"name 'Peter' is missing": False}


def test_doubt_goes_on_from_the_source() -> None:
    """A cue that is in doubt where it was heard is in doubt where it is translated."""
    cue = Cue(id=1, start=0.0, end=1.0, lines=("Hello there",), confidence=0.4, flags=("low confidence",))
    texts = [one.text for one in Checks(Pair(Terms("en", "es")), TONGUES).findings(cue, ("Hola a todos",))]
    assert texts == ["its source is in doubt"]


def test_a_translation_back_is_compared() -> None:
    """A cue whose translation back has little of it is flagged, with how little."""
    cue = Cue(id=1, start=0.0, end=1.0, lines=("The boat leaves at dawn",), confidence=1.0)
    checks = Checks(Pair(Terms("en", "es")), TONGUES)
    assert checks.findings(cue, ("El barco sale al alba",), "The boat goes at dawn") == []
    [one] = checks.findings(cue, ("El barco sale al alba",), "Nobody knows why")
    assert one.text.startswith("its translation back is little like it (chrF 0.")


def test_risk_rises_with_each_link() -> None:
    """A text that went through several rule-based modes starts with more risk than one that went through one."""
    assert [trust("rules", links) for links in (1, 2, 3)] == [0.25, 0.35, 0.45]
    assert trust("neural") == 0.1


def test_risk_grows_with_each_finding() -> None:
    """No finding leaves the risk of the method; each adds to it, and none takes it past 1."""
    one = Checks(Pair(Terms("en", "es")), TONGUES).findings(
        Cue(id=1, start=0.0, end=1.0, lines=("The 3 of us",), confidence=1.0), ("Nosotros 4",)
    )
    assert summed_up([], 0.25) == 0.25
    assert 0.25 < summed_up(one, 0.25) < summed_up(one * 2, 0.25) < 1.0


@pytest.mark.parametrize(
    ("language", "script"),
    [("es", "Latin"), ("sr", "Cyrillic"), ("sr-Latn", "Latin"), ("zh-Hant", "Han"), ("ja", "Hiragana"), ("xx", "")],
)
def test_the_script_of_a_language(language: str, script: str) -> None:
    """A tag's own script counts, else that which the language is mostly written in."""
    assert script_of(language) == script


def test_japanese_is_written_in_three_scripts() -> None:
    """Kana, their length mark and Han are all Japanese; Latin letters are not."""
    assert share_in_script("東京タワーへ", "ja") == 1.0
    assert share_in_script("Tokyo Tower", "ja") == 0.0
    assert share_in_script("42", "ja") is None


def test_only_two_languages_are_told_apart() -> None:
    """A sentence reads as one of the pair; a word or two says nothing, nor does an unknown language."""
    assert (TONGUES.reads_as_source("Where are you going tonight?", "en", "es") or 0.0) > 0.95
    assert (TONGUES.reads_as_source("¿Adónde vas esta noche, amigo?", "en", "es") or 1.0) < 0.05
    assert TONGUES.reads_as_source("OK", "en", "es") is None
    assert TONGUES.reads_as_source("Where are you going tonight?", "en", "qaa") is None
    assert TONGUES.guess("Wo bist du heute Abend gewesen, mein Freund?")[0] == "de"


def test_chrf_is_that_of_its_paper() -> None:
    """Equal texts score 1, strangers 0; "abc" in "abcd" by hand: orders 1 to 3, precision 1, recall (3/4+2/3+1/2)/3."""
    assert chrf("same text", "same text") == 1.0
    assert chrf("xyz", "abc") == 0.0
    recall = (3 / 4 + 2 / 3 + 1 / 2) / 3
    assert chrf("abc", "abcd") == pytest.approx(5 * recall / (4 + recall))


def test_rudeness_needs_a_list() -> None:
    """Languages without a list of words say nothing about it."""
    assert rude("was zum Teufel", "de") is None
    assert changed("You fucking idiot", "en", "Sie sind nett", "de") == ""
    counted = rude("That bastard", "en-GB")
    assert counted is not None
    assert counted.perhaps == 1
