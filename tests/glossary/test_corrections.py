"""What people correct becomes their own captions, suggestions for the glossary, and material to measure with."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from callboard.catalog import Catalog, proposals
from callboard.cli.app import run as command
from callboard.config import Project, Settings
from callboard.glossary import load
from callboard.glossary.changes import changes, corrected
from callboard.oneshot import OneShot
from callboard.testing import TmpPlugin
from callboard.timedtext.document import Document
from callboard_schemas import Captions, Cue, Repair, Word

SAY = """
    from callboard import hookimpl, Captions, Cue, Word

    @hookimpl
    def callboard_handle(event, asset, context):
        cues = []
        for number, line in enumerate(context.path.read_text().splitlines()):
            words = tuple(
                Word(text=text, start=2.0 * number + at / 4, end=2.0 * number + at / 4 + 0.2, confidence=0.5)
                for at, text in enumerate(line.split())
            )
            cues.append(Cue(
                id=number + 1, start=2.0 * number, end=2.0 * number + 1.5, lines=(line,), confidence=0.5, words=words,
                flags=("low confidence",), speaker="A",
            ))
        return Captions(language="en", cues=tuple(cues), confidence=0.5, duration=60.0)
"""
SAID = "We met shift on today.\nThen Total Deckberg came.\nI saw shift on again.\nShe will shift on Monday."
RIGHT = {"shift on today": "Siobhan today", "Total Deckberg": "Torvald Ekberg", "shift on again": "Siobhan again"}


@pytest.fixture
async def project(tmp_path: Path, tmp_plugin: TmpPlugin, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Give a project where the captions of one file are accepted and written."""
    tmp_plugin("say", SAY, results=["captions"], kind="transform")
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "scene4.mp4").write_text(SAID)
    (tmp_path / "callboard.toml").write_text('allow_plugins = ["say"]\n')
    project = Project(folder=tmp_path, data=tmp_path / ".callboard", settings=Settings(allow_plugins=("say",)))
    await OneShot(project, [tmp_path / "media"], plugins=("say",), acceptance="all").execute()
    monkeypatch.chdir(tmp_path)
    return project


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    """Run a command and read the document that it prints."""
    capsys.readouterr()
    assert command([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def standing(project: Project) -> list[tuple[str, str, Captions]]:
    """Give id, plugin and captions of what is accepted."""
    with Catalog(project.data) as catalog:
        idents = catalog.read(lambda conn: [row[0] for row in conn.execute("SELECT id FROM proposals")])
        made = [catalog.read(partial(proposals.get, ident=ident)) for ident in idents]
    return [
        (one.id, one.provenance.plugin, one.body)
        for one in made
        if one is not None and one.state == "accepted" and isinstance(one.body, Captions)
    ]


def write_right(project: Project, name: str) -> Path:
    """Write the sidecar, corrected, under another name or its own."""
    sidecar = project.folder / "media" / "scene4.en.srt"
    text = sidecar.read_text("utf-8")
    for old, new in RIGHT.items():
        assert old in text
        text = text.replace(old, new)
    path = project.folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_corrected_file_takes_the_place_of_the_machines(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """The person's version stands with the evidence that still holds and is written; undo brings the machine's back."""
    ((ident, plugin, before),) = standing(project)
    assert plugin == "say"
    write_right(project, "mine.srt")
    decided = told(capsys, "captions", "correct", ident, "mine.srt")
    ((mine, by, after),) = standing(project)
    assert (by, decided["changed"]) == ("person", [mine])
    assert [cue.id for cue in after.cues] == [1, 2, 3, 4]
    assert after.cues[3] == type(after.cues[3])(
        **{**{name: getattr(before.cues[3], name) for name in before.cues[3].__struct_fields__}, "flags": ()}
    )
    assert [word.text for word in after.cues[1].words] == ["Then", "Torvald", "Ekberg", "came."]
    assert after.cues[0].words == ()
    assert {cue.speaker for cue in after.cues} == {"A"}
    assert "Siobhan today" in (project.folder / "media" / "scene4.en.vtt").read_text("utf-8")
    told(capsys, "undo", decided["run"])
    ((again, _, body),) = standing(project)
    assert (again, body) == (ident, before)
    assert "shift on today" in (project.folder / "media" / "scene4.en.srt").read_text("utf-8")


def test_corrections_become_terms_with_one_command(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """Suggestions come with count and place; promoted, they keep the file's comments, and are not suggested again."""
    ((ident, _, _),) = standing(project)
    (project.folder / "glossary.toml").write_text('# our names\n[[term]]\ntext = "Torvald Ekberg"  # the captain\n')
    write_right(project, "mine.srt")
    told(capsys, "captions", "correct", ident, "mine.srt")
    found = told(capsys, "glossary", "suggest")["suggestions"]
    assert [(one["old"], one["new"], one["count"]) for one in found] == [
        ("shift on", "Siobhan", 2),
        ("Total Deckberg", "Torvald Ekberg", 1),
    ]
    assert found[0]["where"] == ["scene4.mp4 at 0:00.0", "scene4.mp4 at 0:04.0"]
    assert command(["glossary", "promote", "siobhan", "2"]) == 0
    text = (project.folder / "glossary.toml").read_text("utf-8")
    assert text.startswith('# our names\n[[term]]\ntext = "Torvald Ekberg"  # the captain\n')
    glossary = load(project.folder / "glossary.toml")
    ekberg, siobhan = glossary.term
    assert (ekberg.variants, ekberg.sounds_like) == (("Total Deckberg",), ())
    assert (siobhan.variants, siobhan.sounds_like) == ((), ("shift on",))  # "shift on Monday" is right as it stands
    assert told(capsys, "glossary", "suggest") == {"suggestions": []}
    assert command(["glossary", "promote", "Nobody"]) == 2
    assert (project.folder / "glossary.toml").read_text("utf-8") == text


def test_an_edited_sidecar_is_a_correction(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """What somebody changed in a sidecar is listed, suggested from, and can be made their version."""
    ((ident, _, _),) = standing(project)
    assert told(capsys, "captions", "corrections") == {"corrections": []}
    sidecar = write_right(project, "media/scene4.en.srt")
    (one,) = told(capsys, "captions", "corrections")["corrections"]
    assert (one["media"], one["proposal"], one["file"]) == ("scene4.mp4", ident, str(sidecar))
    assert [change["new"] for change in one["changes"]] == ["Siobhan", "Torvald Ekberg", "Siobhan"]
    assert len(told(capsys, "glossary", "suggest")["suggestions"]) == 2
    told(capsys, "captions", "correct", ident)
    ((_, by, after),) = standing(project)
    assert (by, after.cues[0].lines) == ("person", ("We met Siobhan today.",))
    assert "Siobhan today" in sidecar.read_text("utf-8")
    assert len(told(capsys, "captions", "corrections")["corrections"]) == 1


def test_corrections_are_kept_as_material(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """An export refers to the media and has what was heard and what is right, as measuring wants it."""
    ((ident, _, _),) = standing(project)
    write_right(project, "mine.srt")
    told(capsys, "captions", "correct", ident, "mine.srt")
    (one,) = told(capsys, "captions", "corrections", "--export", "set")["corrections"]
    folder = project.folder / "set"
    assert (folder / one["media"]).resolve() == project.folder / "media" / "scene4.mp4"
    assert "shift on today" in (folder / one["heard"]).read_text("utf-8")
    assert "Siobhan today" in (folder / one["right"]).read_text("utf-8")
    # what measuring looks for: media, and beside it subtitles of the same name with a language
    names = {path.name for path in folder.iterdir()}
    assert names == {one["media"], one["heard"], one["right"], "corrections.json"}
    assert one["right"] == f"{Path(one['media']).stem}.en.srt"
    assert json.loads((folder / "corrections.json").read_text())["corrections"][0]["proposal"] == ident


def test_a_wrong_file_changes_nothing(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """A file in another language, without a change, without cues or of no format is refused, and says why."""
    before = standing(project)
    sidecar = (project.folder / "media" / "scene4.en.srt").read_text("utf-8")
    for name, text, why in (
        ("mine.de.srt", "1\n00:00:00,000 --> 00:00:01,500\nHallo\n", "is in de"),
        ("mine.srt", sidecar, "says what"),
        ("mine.vtt", "WEBVTT\n\n", "no cues"),
        ("other.srt", "nothing", "other.srt"),
    ):
        (project.folder / name).write_text(text, encoding="utf-8")
        capsys.readouterr()
        assert command(["captions", "correct", before[0][0], name]) != 0
        assert why in capsys.readouterr().err
    assert standing(project) == before


def cue(ident: int, start: float, text: str, **fields: Any) -> Cue:
    """Give a cue of a second."""
    return Cue(id=ident, start=start, end=start + 1, lines=tuple(text.split("|")), confidence=0.5, **fields)


def test_cues_are_known_by_their_time() -> None:
    """Cues that were split, joined, moved a little or put in keep the ids they can; rounded times are as before."""
    word = Word(text="One", start=0.0, end=0.5, confidence=0.5)
    repair = Repair(word=0, heard="Won", written="One", term="one", score=0.9)
    before = Captions(
        language="en",
        cues=(
            cue(1, 0.0333, "One.", words=(word,), repairs=(repair,), failed=("doubt",), align=8),
            cue(2, 2, "Two."),
            cue(5, 4, "Five."),
        ),
        confidence=0.5,
    )
    document = Document(cues=(cue(1, 0.033, "One."), cue(2, 2.4, "Too."), cue(3, 3.0, "New."), cue(4, 8, "Last.")))
    after = corrected(before, document)
    assert isinstance(after, Captions)
    assert [(one.id, one.start) for one in after.cues] == [(1, 0.0333), (2, 2.4), (6, 3.0), (7, 8)]
    first = after.cues[0]
    assert (first.words, first.repairs, first.failed, first.align) == ((word,), (repair,), (), 8)
    assert [change.new for change in changes(before.cues, after.cues)] == ["Too"]


def test_changes_are_of_words_not_of_lines() -> None:
    """Line breaks, punctuation and sentence starts are no changes; names' capitals and split words are."""
    before = [cue(1, 0, "we saw|torvald and shiv"), cue(2, 2, "on. then we left all of it be hind us again")]
    after = [cue(1, 0, "We saw torvald|and Siobhan."), cue(2, 2, "Then we left|all of it behind us, again")]
    assert [(one.old, one.new, one.cue) for one in changes(before, after)] == [
        ("shiv on", "Siobhan", 1),
        ("be hind", "behind", 2),
    ]
    named = [cue(1, 0, "We saw Torvald|and shiv"), before[1]]
    assert [(one.old, one.new) for one in changes(before, named)] == [("torvald", "Torvald")]
