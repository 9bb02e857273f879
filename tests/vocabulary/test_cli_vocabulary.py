"""``callboard vocabulary`` as a person uses it."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from callboard.cli.app import run
from callboard.vocabulary import load

WORDS = '# ours\n[[concepts]]\nid = "beach"\nlabel = "beach"\nsynonyms = ["seaside"]\n'


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a project folder, and stand in it."""
    (tmp_path / "callboard.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_list_becomes_a_vocabulary(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Imported to stdout it is TOML; with -o a new file, which a second import does not write over."""
    (project / "words.txt").write_text("Places\n\tbeach\n\t\t{seaside}\n")
    assert run(["vocabulary", "import", "words.txt"]) == 0
    assert 'label = "beach"\nparent = "places"\nsynonyms = ["seaside"]' in capsys.readouterr().out
    assert run(["vocabulary", "import", "words.txt", "-o", "vocabulary.toml"]) == 0
    before = (project / "vocabulary.toml").read_text()
    assert run(["vocabulary", "import", "words.txt", "-o", "vocabulary.toml"]) == 2
    assert "is there already" in capsys.readouterr().err
    assert (project / "vocabulary.toml").read_text() == before
    assert run(["vocabulary", "export", "--format", "keywords"]) == 0
    assert capsys.readouterr().out == "Places\n\tbeach\n\t\t{seaside}\n"


def test_merging_shows_what_changes(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A merge shows the difference and asks: answered no, the file stays; yes, it has the words and its comments."""
    (project / "vocabulary.toml").write_text(WORDS)
    (project / "words.csv").write_text("label,synonyms\nBeach,sands\ndog,\n")
    for answer, code in (("n\n", 0), ("", 130)):
        monkeypatch.setattr("sys.stdin", io.StringIO(answer))
        assert run(["vocabulary", "import", "words.csv", "--merge"]) == code
    assert (project / "vocabulary.toml").read_text() == WORDS
    assert run(["vocabulary", "import", "words.csv", "--merge", "--yes"]) == 0
    told = capsys.readouterr().err
    assert '+synonyms = ["seaside", "sands"]' in told
    after = (project / "vocabulary.toml").read_text()
    assert after.startswith("# ours\n")
    assert [one.id for one in load(project / "vocabulary.toml").concepts] == ["beach", "dog"]
    assert run(["vocabulary", "import", "words.csv", "--merge", "--yes"]) == 0
    assert "Nothing in" in capsys.readouterr().err
    assert (project / "vocabulary.toml").read_text() == after


def test_it_is_shown_and_checked(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The tree, one concept by any of its words, a word that is none, and what is wrong with its line."""
    assert run(["vocabulary"]) == 2
    assert "callboard vocabulary import" in capsys.readouterr().err
    (project / "vocabulary.toml").write_text(WORDS + 'threshold = 0.4\nnote = "[sea]"\n')
    assert run(["vocabulary"]) == 0
    assert capsys.readouterr().out.startswith("beach seaside\n1 concept, ")
    assert run(["vocabulary", "show", "SEASIDE"]) == 0
    assert capsys.readouterr().out == "beach beach\n  synonyms: seaside\n  threshold: 0.4\n  note: [sea]\n"
    assert run(["vocabulary", "show", "lake"]) == 2
    assert run(["vocabulary", "check"]) == 0
    (project / "vocabulary.toml").write_text(WORDS + 'parent = "gone"\n')
    capsys.readouterr()
    assert run(["vocabulary", "check", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["problems"] == ["line 6: concept 'beach': no concept has the id of its parent, 'gone'"]
