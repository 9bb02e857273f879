"""A vocabulary file is read, checked with the concept and the line of each problem, and found by any of its words."""

from __future__ import annotations

import msgspec
import pytest
from callboard.errors import VocabularyError
from callboard.vocabulary import Vocabulary, fold, parse

GOOD = """
# The studio's words.
language = "de"
never = ["Girl", "stock footage"]

[[concepts]]
id = "place"
label = "Place"
category = true

[[concepts]]
id = "beach"   # by the sea
label = "beach"
parent = "place"
synonyms = ["seaside", "Plage", "sea  shore"]
prompts = ["a photo of a beach"]
threshold = 0.4
thresholds = {clip = 0.3}
[concepts.languages.de]
label = "Strand"
synonyms = ["Meeresstrand"]
[concepts.languages.ja]
label = "ビーチ"

[[concepts]]
id = "cafe"
label = "Café"
parent = "place"
note = "Indoors and out; a restaurant is not one."
"""


def problems(text: str) -> tuple[str, ...]:
    """Give what is wrong with a file."""
    with pytest.raises(VocabularyError) as caught:
        parse(text, "words.toml")
    assert str(caught.value).startswith("words.toml: ")
    return caught.value.problems


@pytest.mark.parametrize(
    ("text", "ident"),
    [
        ("BEACH", "beach"),
        ("  sea shore ", "beach"),
        ("strand", "beach"),
        ("ビーチ", "beach"),
        ("ﾋﾞｰﾁ", "beach"),
        ("cafe", "cafe"),
        ("CAFÉ", "cafe"),
        ("Cafe\u0301", "cafe"),
        ("ヒーチ", None),
        ("restaurant", None),
        ("", None),
    ],
)
def test_a_concept_is_found_by_any_of_its_words(text: str, ident: str | None) -> None:
    """Case, accents, width and blanks do not matter; a mark that makes another Japanese letter does."""
    found = parse(GOOD).find(text)
    assert (found.id if found else None) == ident


def test_labels_are_of_the_language_that_is_written() -> None:
    """A concept's label and path are in the vocabulary's language, and fall back on the plain label."""
    vocabulary = parse(GOOD)
    assert vocabulary.label("beach") == "Strand"
    assert vocabulary.label("cafe") == "Café"
    assert vocabulary.path("beach") == ("Place",)
    assert vocabulary.path("place") == ()
    assert parse(GOOD.replace('"de"', '"en"', 1)).label("beach") == "beach"


def test_a_threshold_of_the_method_comes_first() -> None:
    """A concept's threshold for one method goes before that for all, and none leaves it to the method."""
    vocabulary = parse(GOOD)
    assert vocabulary.threshold("beach", "clip") == 0.3
    assert vocabulary.threshold("beach", "pp-ocr") == 0.4
    assert vocabulary.threshold("cafe", "clip") is None


def test_the_digest_is_of_what_is_said() -> None:
    """Comments and layout leave the digest as it is; a word, a prompt or a threshold changes it; JSON keeps it."""
    vocabulary = parse(GOOD)
    assert parse(GOOD.replace("# by the sea", "")).digest == vocabulary.digest
    for old, new in (("0.3", "0.31"), ("seaside", "shore"), ("a photo", "a picture"), ("stock footage", "stock")):
        assert parse(GOOD.replace(old, new)).digest != vocabulary.digest
    again = msgspec.json.decode(msgspec.json.encode(vocabulary, order="deterministic"), type=Vocabulary)
    assert again.digest == vocabulary.digest


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (('id = "cafe"', 'id = "beach"'), "line 26: concept 'beach': its id is there twice, first on line 11"),
        (('label = "Café"', 'label = "SEASIDE"'), "line 27: concept 'cafe': 'SEASIDE' already means 'beach'"),
        (('label = "Café"', 'label = "meeresstrand"'), "line 27: concept 'cafe': 'meeresstrand' already means 'beach'"),
        (('note = "Ind', 'threshold = 2\nnote = "Ind'), "line 25: concept 'cafe': Expected `float` <= 1.0"),
        (
            ('"Café"\nparent = "place"', '"Café"\nparent = "plaice"'),
            "line 28: concept 'cafe': no concept has the id of its parent, 'plaice'",
        ),
        (
            ('id = "place"', 'id = "place"\nparent = "cafe"'),
            "line 6: concept 'place': it is above itself: place < cafe < place",
        ),
        (('label = "Café"', 'label = " "'), "line 27: concept 'cafe': an empty word"),
        (('label = "Café"', 'label = ""'), "line 25: concept 'cafe': Expected `str` of length >= 1 - at `$.label`"),
        (('label = "Café"', 'label = "girl"'), "line 25: concept 'cafe': its label is among the words never to use"),
        (("note =", "nota ="), "line 25: concept 'cafe': Object contains unknown field `nota`"),
        (("never =", "nevre ="), "unknown key 'nevre'"),
        (('language = "de"', "language = 5"), "Expected `str`, got `int` - at `$.language`"),
    ],
)
def test_a_problem_names_its_concept_and_its_line(change: tuple[str, str], told: str) -> None:
    """What is wrong is told with the concept and the line in the file, once."""
    text = GOOD.replace(*change)
    assert text != GOOD
    found = problems(text)
    assert [one for one in found if one.startswith(told)] != [], found
    assert len(found) == 1


def test_all_problems_are_told_at_once() -> None:
    """A file with several faults names each of them, and says how many more there are."""
    text = "".join(f'[[concepts]]\nid = "c{n}"\nlabel = "c{n}"\nparent = "gone"\n' for n in range(12))
    with pytest.raises(VocabularyError) as caught:
        parse(text)
    assert len(caught.value.problems) == 12
    assert "… and 2 more" in str(caught.value)


def test_broken_toml_is_told_with_its_line() -> None:
    """A file that is no TOML says on which line."""
    assert "(at line 2, column 16)" in problems('language = "en"\nlanguage = "de"\n')[0]


def test_headers_in_strings_are_no_concepts() -> None:
    """Lines are counted right where a note or an array looks like a header."""
    text = (
        '[[concepts]]\nid = "a"\nlabel = "a"\nnote = """\n[[concepts]]\n"""\nsynonyms = [\n  "[[x]]", # [\n  "y",\n]\n'
        '[[concepts]]\nid = "b"\nlabel = "A"\n'
    )
    assert problems(text) == ("line 13: concept 'b': 'A' already means 'a'",)


@pytest.mark.parametrize(
    ("one", "other"),
    [("straße", "STRASSE"), ("İstanbul", "istanbul"), ("ﬁlm", "film"), ("е́лка", "елка"), ("Åre", "are")],
)
def test_words_are_compared_as_people_mean_them(one: str, other: str) -> None:
    """Folding makes variants of a word equal, and changes nothing the second time."""
    assert fold(one) == fold(other)
    assert fold(fold(one)) == fold(one)
