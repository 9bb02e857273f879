"""Glossaries are changed without losing a comment, exchanged as CSV, and looked at from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from callboard.cli.app import run as command
from callboard.errors import GlossaryError
from callboard.glossary import Glossary, Term, parse
from callboard.glossary.editing import with_terms
from callboard.glossary.reading import named_terms, spelling
from callboard.glossary.tables import as_csv, from_csv
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

FILE = """\
# The ferry film

synopsis = "A ferry."  # short

[banned]
en = ["boat"]  # she is a ferry

[[term]]
text = "Siobhan"   # the mate
variants = [
  "Shivon",  # heard once
]

# places
[[term]]
text = "Nakamura Station"
language = "en"
[term.translations]
de = "Bahnhof Nakamura"  # as on the map
"""


def test_terms_are_put_in_and_comments_stay() -> None:
    """Every line of the file is there after new terms, variants and translations went in."""
    after, notes = with_terms(
        FILE,
        [
            Term(text="Siobhan", variants=("Chivon", "shivon"), sounds_like=("shift on",), keep=True),
            Term(text="nakamura station", language="en", translations={"de": "Nakamura", "fr": "gare Nakamura"}),
            Term(text="Brakkon", language="en", note="a dog"),
        ],
    )
    lines = after.splitlines()
    assert [line for line in FILE.splitlines() if line not in lines] == []
    siobhan, station, brakkon = parse(after).term
    assert (siobhan.variants, siobhan.sounds_like, siobhan.keep) == (("Shivon", "Chivon"), ("shift on",), True)
    assert station.translations == {"de": "Bahnhof Nakamura", "fr": "gare Nakamura"}
    assert brakkon == Term(text="Brakkon", language="en", note="a dog", id="brakkon")
    assert [note for note in notes if "'Nakamura'" in note]
    assert with_terms(after, [siobhan, brakkon])[0] == after


def test_what_follows_the_terms_keeps_its_distance() -> None:
    """A new term goes between the last and what follows, whose blank lines and comments stay before it."""
    head, tail = '[[term]]\ntext = "A"\n', '\n# never said\n\n[banned]\nen = ["boat"]\n'
    for last in ("", '\n[term.translations]\nde = "B"\n'):
        after, _ = with_terms(head + last + tail, [Term(text="B"), Term(text="C")])
        assert after == f'{head}{last}\n[[term]]\ntext = "B"\n\n[[term]]\ntext = "C"\n{tail}'


def test_a_change_that_contradicts_the_file_is_refused() -> None:
    """A spelling that belongs to another term is an error that says so, and line ends are kept as they were."""
    with pytest.raises(GlossaryError, match="'Shivon' is already written 'Siobhan'"):
        with_terms(FILE, [Term(text="Chevron", variants=("Shivon",))])
    after, _ = with_terms(FILE.replace("\n", "\r\n"), [Term(text="Brakkon")])
    assert after.count("\n") == after.count("\r\n") > FILE.count("\n")
    assert parse(with_terms("", [Term(text="Brakkon")])[0]).term[0].id == "brakkon"


WORD = st.text(st.characters(codec="utf-8", categories=("L", "N")), min_size=1, max_size=12)
TERMS = st.lists(
    st.builds(
        Term,
        text=WORD,
        language=st.sampled_from([None, "en", "pt-BR"]),
        variants=st.lists(WORD, max_size=2).map(tuple),
        sounds_like=st.lists(WORD, max_size=2).map(tuple),
        keep=st.booleans(),
        case=st.booleans(),
        note=st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=12).map(str.strip),
    ),
    max_size=4,
)


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(TERMS)
def test_what_is_put_in_is_read_again(terms: list[Term]) -> None:
    """Any terms that fit together are in the file afterwards as they were given; others leave an error."""
    try:
        after, _ = with_terms(FILE, terms)
    except GlossaryError:
        return
    held: dict[str, set[str]] = {}
    for one in parse(after).term:
        held.setdefault(spelling(one.text), set()).update(map(spelling, (one.text, *one.variants, *one.sounds_like)))
    for term in terms:
        assert {spelling(word) for word in (*term.variants, *term.sounds_like)} <= held[spelling(term.text)]


@given(TERMS)
def test_a_table_is_read_as_it_was_written(terms: list[Term]) -> None:
    """A glossary written as CSV and read again has the same terms."""
    glossary = Glossary(term=named_terms(terms))
    assert from_csv(as_csv(glossary)) == glossary.term


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ("word,keep\nSiobhan,\n", "line 1: there is no column 'text'"),
        ("text,colour\nSiobhan,red\n", "line 1: unknown column 'colour'"),
        ("text;keep\nSiobhan;true\nBrakkon;maybe\n", "line 3: keep is 'maybe'"),
        ("text,language\nSiobhan,5\n", "line 2: Expected `str` matching regex"),
    ],
)
def test_a_wrong_table_is_refused_with_its_line(table: str, problem: str) -> None:
    """Unknown columns and wrong cells are errors with the line."""
    with pytest.raises(GlossaryError, match=problem.replace("?", ".")):
        from_csv(table, "table.csv")


def test_spreadsheets_are_understood() -> None:
    """Semicolons part columns too, languages are written as usual, and blank rows count for nothing."""
    (term,) = from_csv("\ufeffText\tvariants\ttranslation_pt_br\n\nSiobhan\tShivon; Chivon\tSiobhan\n")
    assert term == Term(text="Siobhan", variants=("Shivon", "Chivon"), translations={"pt-BR": "Siobhan"})


def test_the_glossary_from_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Check, list, import and export work on the project's file; what is not there or broken is said with the line."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "callboard.toml").write_text("")
    assert command(["glossary", "list"]) == 2
    assert "glossary.toml" in capsys.readouterr().err
    (tmp_path / "table.csv").write_text("text,variants,translation_de\nSiobhan,Shivon,\nferry,,Fähre\n")
    assert command(["glossary", "import", "table.csv", "--yes"]) == 0
    assert command(["glossary", "check"]) == 0
    assert "2 terms" in capsys.readouterr().out
    assert command(["glossary", "list", "fähre", "--json"]) == 0
    assert [term["text"] for term in json.loads(capsys.readouterr().out)["term"]] == ["ferry"]
    assert command(["glossary", "export", "-o", "out.csv"]) == 0
    assert from_csv((tmp_path / "out.csv").read_text()) == parse((tmp_path / "glossary.toml").read_text()).term
    assert command(["glossary", "export", "-o", "out.csv"]) == 2
    with (tmp_path / "glossary.toml").open("a") as file:
        file.write('[[term]]\ntext = "Chevron"\nvariants = ["shivon"]\n')
    capsys.readouterr()
    assert command(["glossary", "check"]) == 2
    assert "line 10: term 'Chevron': 'shivon' is already written 'Siobhan'" in capsys.readouterr().err
