"""Lists of other programs become vocabularies: every mending is told, and what is written can be read again."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest
from callboard.errors import UsageError, VocabularyError
from callboard.vocabulary import Concept, Vocabulary, Words, check, parse
from callboard.vocabulary.drafting import Drafted, merged
from callboard.vocabulary.editing import edited
from callboard.vocabulary.importing import from_csv, from_keywords, read_list
from callboard.vocabulary.writing import as_csv, as_keywords, as_toml
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

KEYWORDS = """\
[PEOPLE]
\tchild
\t\t{kid}
\t\t{Kind}
\t\tgirl
\twoman
ANIMALS
\tbirds
\t\tturkey
PLACES
\tTurkey
\t\t{Türkiye}
\t\t{kid}
{lost}
"""


def tree(drafted: Drafted) -> list[tuple[str, str, tuple[str, ...]]]:
    """Give each concept's path, label and synonyms."""
    found = drafted.vocabulary
    return [("/".join(found.path(one.id)), one.label, one.synonyms) for one in found.concepts]


def test_a_keyword_tree_is_read() -> None:
    """Indentation is hierarchy, braces are synonyms, brackets are categories; words that clash are told."""
    done = from_keywords(KEYWORDS).finish()
    assert tree(done) == [
        ("", "PEOPLE", ()),
        ("PEOPLE", "child", ("kid", "Kind")),
        ("PEOPLE/child", "girl", ()),
        ("PEOPLE", "woman", ()),
        ("", "ANIMALS", ()),
        ("ANIMALS", "birds", ()),
        ("ANIMALS/birds", "turkey", ()),
        ("", "PLACES", ()),
        ("PLACES", "Turkey (PLACES)", ("Türkiye",)),
    ]
    assert [one.id for one in done.vocabulary.concepts if one.category] == ["people"]
    assert [note for note in done.notes if not note.startswith("line")] == []
    assert [note.split(": ", 1)[0] for note in done.notes] == ["line 14", "line 11", "line 11"]
    assert done.notes[1] == "line 11: 'Turkey' is the label of 'turkey' too; this one is 'Turkey (PLACES)' now"
    assert list(check(done.vocabulary)) == []


@pytest.mark.parametrize(
    ("data", "guessed"),
    [
        (KEYWORDS.encode(), ""),
        (codecs.BOM_UTF8 + KEYWORDS.replace("\n", "\r\n").encode(), ""),
        (KEYWORDS.encode("utf-16"), ""),
        (codecs.BOM_UTF16_BE + KEYWORDS.encode("utf-16-be"), ""),
        (KEYWORDS.encode("utf-16-le"), "UTF-16-LE"),
        (KEYWORDS.encode("cp1252"), "Windows-1252"),
        (KEYWORDS.replace("\n", "\r").encode(), ""),
        (KEYWORDS.replace("\t", "    ").encode(), ""),
    ],
    ids=["utf-8", "bom-crlf", "utf-16", "utf-16-be", "utf-16-bare", "cp1252", "old-mac", "blanks"],
)
def test_a_keyword_file_is_read_however_it_was_saved(tmp_path: Path, data: bytes, guessed: str) -> None:
    """Encodings, byte order marks, line ends and blanks for tabs give one tree; a guess is told."""
    path = tmp_path / "keywords.txt"
    path.write_bytes(data)
    done = read_list(path)
    assert tree(done) == tree(from_keywords(KEYWORDS).finish())
    assert guessed in done.notes[0]


def test_a_table_is_read() -> None:
    """Columns are found by name, parents by label, languages and lists are taken, faults are told with their line."""
    text = (
        '\ufeffKeyword;Parent;Synonyms;Label (de);synonyms_de;Threshold;Colour;prompts;"scope note"\n'
        'Beach;Places;"seaside; shore";Strand;;0,4;red;"a photo of a beach|sand; sea";"no lakes"\n'
        "Places;;;;;;;;\n;;only synonyms;;;;;;\nDog;Gone;;;;high;;;\nCat;;;;;7;;;\nBEACH;;sands;;;;;;\n"
    )
    done = from_csv(text).finish()
    assert done.vocabulary.concepts[0] == Concept(
        id="beach",
        label="Beach",
        parent="places",
        synonyms=("seaside", "shore"),
        languages={"de": Words(label="Strand")},
        prompts=("a photo of a beach", "sand; sea"),
        threshold=0.4,
        note="no lakes",
    )
    assert [one.label for one in done.vocabulary.concepts] == ["Beach", "Places", "Dog", "BEACH (beach-2)"]
    told = "\n".join(done.notes)
    for words in (
        "line 1: column 'Colour' is not known; left out",
        "line 4: no label; left out",
        "line 5: 'Dog': threshold 'high' is not a number; left out",
        "line 6: 'Cat': Expected `float` <= 1.0",
        "line 5: 'dog': no concept 'Gone'; it stands at the top now",
        "line 7: 'BEACH' is the label of 'beach' too",
    ):
        assert words in told
    assert list(check(done.vocabulary)) == []


def test_circles_are_cut() -> None:
    """Concepts that are above each other in a table are set at the top, and told."""
    done = from_csv("id,label,parent\na,A,b\nb,B,c\nc,C,a\nd,D,d\n").finish()
    assert list(check(done.vocabulary)) == []
    assert len(done.notes) == 2


@pytest.mark.parametrize("text", ["", "\n\n", "id,parent\nx,y\n"])
def test_a_list_of_nothing_is_an_error(tmp_path: Path, text: str) -> None:
    """A file without a concept is an error, not an empty vocabulary."""
    path = tmp_path / "list.csv"
    path.write_text(text)
    with pytest.raises(UsageError, match="no concept in it"):
        read_list(path)


WORD = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)


@example([("¯", 0, False), ("sea", 0, False), ("¯", 1, True)])
@given(st.lists(st.tuples(WORD, st.integers(0, 3), st.booleans()), max_size=12))
def test_any_keyword_file_becomes_a_sound_vocabulary(lines: list[tuple[str, int, bool]]) -> None:
    """Whatever stands in a keyword file, its concepts can stand together, as TOML and as table too."""
    text = "\n".join("\t" * depth + (f"{{{word}}}" if synonym else word) for word, depth, synonym in lines)
    done = from_keywords(text).finish().vocabulary
    assert list(check(done)) == []
    assert parse(as_toml(done)) == done
    again = from_csv(as_csv(done)).finish()
    assert [(one.id, one.label, one.parent) for one in again.vocabulary.concepts] == [
        (one.id, one.label.strip(), one.parent) for one in done.concepts
    ]


FULL = Vocabulary(
    language="de",
    strict=True,
    never=('say "no"', "a\\b\x7f\n"),
    concepts=(
        Concept(id="top", label="Top", category=True),
        Concept(
            id="x",
            label="Ex",
            parent="top",
            synonyms=("why", "zed, he said"),
            languages={"de": Words(label="Icks", synonyms=("Üpsilon",)), "pt-BR": Words(synonyms=("xis",))},
            prompts=("a photo of x",),
            threshold=0.25,
            thresholds={"clip": 0.5, "pp-ocr": 1.0},
            analysers=("clip", "pp-ocr"),
            note="Two\nlines.",
        ),
    ),
)


def test_what_is_written_is_read_again() -> None:
    """TOML keeps everything, a table all but what it has no columns for, a keyword tree words and places."""
    assert parse(as_toml(FULL)) == FULL
    table = from_csv(as_csv(FULL)).finish()
    bare = [replace(one, thresholds={}) for one in FULL.concepts]
    assert [*table.vocabulary.concepts] == bare
    assert table.notes == ()
    assert as_keywords(FULL) == "[Top]\n\tIcks\n\t\t{Ex}\n\t\t{why}\n\t\t{zed, he said}\n\t\t{Üpsilon}\n\t\t{xis}\n"


MINE = """\
# Our words. Ask Ann before you change them.
language = "en"

[[concepts]]   # the sea
id = "beach"
synonyms = [
  "seaside", # of old
  "shore",
]
threshold = 0.4   # tuned by hand
label = "beach"
note = '''
[[concepts]]
'''
[concepts.languages.de]
label = "Strand"   # or Küste?

# -- animals --
[[concepts]]
id = "dog"
label = "dog"
"""


def test_a_person_s_file_keeps_its_comments() -> None:
    """Changed and added words leave every other line as it was, with the line ends that the file has."""
    mine = parse(MINE)
    new = Vocabulary(
        concepts=(
            Concept(id="strand", label="Beach", synonyms=("sands",), languages={"de": Words(synonyms=("Meer",))}),
            Concept(id="hound", label="hound", parent="strand", languages={"de": Words(label="Hund")}),
        )
    )
    wanted = merged(mine, new).vocabulary
    after = edited(MINE, wanted)
    assert parse(after) == wanted
    beach, dog, hound = wanted.concepts
    assert (beach.synonyms, beach.languages["de"]) == (
        ("seaside", "shore", "sands"),
        Words(label="Strand", synonyms=("Meer",)),
    )
    assert (hound.parent, dog.label) == ("beach", "dog")
    kept = [line for line in MINE.splitlines() if line not in after.splitlines()]
    assert kept == ["synonyms = [", '  "seaside", # of old', '  "shore",', "]"]
    assert edited(MINE.replace("\n", "\r\n"), wanted) == after.replace("\n", "\r\n")
    assert edited(MINE, mine) == MINE


def test_thresholds_are_set_in_place() -> None:
    """A threshold changes on its line and keeps its comment, a new one is added to its own concept."""
    mine = parse(MINE)
    beach, dog = mine.concepts
    wanted = replace(mine, concepts=(replace(beach, threshold=0.5), replace(dog, thresholds={"clip": 0.25})))
    after = edited(MINE, wanted)
    assert "threshold = 0.5   # tuned by hand\n" in after
    assert after.endswith('id = "dog"\nlabel = "dog"\nthresholds = {"clip" = 0.25}\n')
    assert "threshold =" not in edited(MINE, replace(mine, concepts=(replace(beach, threshold=None), dog)))


def test_a_layout_that_cannot_be_edited_is_left_alone() -> None:
    """Where the concepts are not in tables of their own, nothing is changed and the reason is told."""
    text = 'concepts = [{id = "a", label = "a"}]\n'
    wanted = replace(parse(text), concepts=(Concept(id="a", label="a", threshold=0.5),))
    with pytest.raises(VocabularyError, match="change it by hand"):
        edited(text, wanted)
