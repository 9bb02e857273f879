"""What people correct becomes their own captions, suggestions for the glossary, and material to measure with."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from callboard.bus import CONTROL
from callboard.bus.memory import MemoryBus
from callboard.catalog import Catalog, outbox, proposals
from callboard.cli.app import run as command
from callboard.config import Project, Settings
from callboard.control import Answer, Order
from callboard.daemon import Daemon
from callboard.glossary import load
from callboard.glossary.changes import changes, corrected, suggestions
from callboard.oneshot import OneShot
from callboard.testing import write_plugin
from callboard.timedtext.document import Document
from callboard_schemas import Captions, Cue, Repair, Word
from msgspec.structs import replace

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
SAID = {
    "scene4.mp4": "We met shift on today.\nThen Total Deckberg came.\nI saw shift on again.\nShe will shift on Monday.",
    "scene5.mp4": "The bracken left.\nNobody said why.\nHave you seen bracken?",
    "scene6.mp4": "The storm is near.\nA storm saw Shivon.",
}
RIGHT = {
    "scene4.mp4": {"shift on today": "Siobhan today", "Total Deckberg": "Torvald Ekberg", "shift on ag": "Siobhan ag"},
    "scene5.mp4": {"The bracken": "The Brakkon", "seen bracken": "seen Brakkon"},
    "scene6.mp4": {"The storm is": "The harbor was", "Shivon": "Siobhan"},
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Give a project where the captions of two files are accepted and written, and those of one were corrected."""
    folder = tmp_path_factory.mktemp("corrections")
    write_plugin(folder / "site", "say", SAY, results=["captions"], kind="transform")
    (folder / "media").mkdir()
    for name, text in SAID.items():
        (folder / "media" / name).write_text(text)
    (folder / "callboard.toml").write_text('allow_plugins = ["say"]\n')
    project = Project(folder=folder, data=folder / ".callboard", settings=Settings(allow_plugins=("say",)))
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder / "site"))
        patch.setenv("PYTHONPATH", str(folder / "site"), prepend=os.pathsep)
        importlib.invalidate_caches()
        asyncio.run(OneShot(project, [folder / "media"], plugins=("say",), acceptance="all").execute())
        patch.chdir(folder)
        write_right(project, "scene4.mp4", "mine.srt")
        assert command(["captions", "correct", standing(project, "say", "scene4.mp4")[0], "mine.srt"]) == 0
        yield project
    sys.modules.pop("say", None)


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    """Run a command and read the document that it prints."""
    capsys.readouterr()
    assert command([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def standing(project: Project, plugin: str, media: str, state: str = "accepted") -> tuple[str, Captions]:
    """Give id and captions of the only proposal of a plugin for a file in a state."""
    with Catalog(project.data) as catalog:
        idents = catalog.read(lambda conn: [row[0] for row in conn.execute("SELECT id FROM proposals")])
        made = [catalog.read(partial(proposals.get, ident=ident)) for ident in idents]
    ((ident, body),) = [
        (one.id, one.body)
        for one in made
        if one is not None
        and (one.provenance.plugin, one.state) == (plugin, state)
        and isinstance(one.body, Captions)
        and len(one.body.cues) == len(SAID[media].splitlines())
    ]
    return ident, body


def write_right(project: Project, media: str, name: str) -> Path:
    """Write the sidecar of a file, corrected, under another name or its own."""
    text = (project.folder / "media" / media).with_suffix(".en.srt").read_text("utf-8")
    for old, new in RIGHT[media].items():
        assert old in text
        text = text.replace(old, new)
    path = project.folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_corrected_file_takes_the_place_of_the_machines(project: Project) -> None:
    """The person's version stands, with the evidence that still holds, and is written."""
    _, before = standing(project, "say", "scene4.mp4", "superseded")
    _, after = standing(project, "person", "scene4.mp4")
    assert [cue.id for cue in after.cues] == [1, 2, 3, 4]
    assert after.cues[3] == replace(before.cues[3], flags=())
    assert [word.text for word in after.cues[1].words] == ["Then", "Torvald", "Ekberg", "came."]
    assert after.cues[0].words == ()
    assert {cue.speaker for cue in after.cues} == {"A"}
    assert "Siobhan today" in (project.folder / "media" / "scene4.en.vtt").read_text("utf-8")


def test_corrections_become_terms_with_one_command(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """Suggestions come with count and place; promoted, they keep the file's comments, and are not suggested again."""
    (project.folder / "glossary.toml").write_text('# our names\n[[term]]\ntext = "Torvald Ekberg"  # the captain\n')
    found = [one for one in told(capsys, "glossary", "suggest")["suggestions"] if "scene4" in one["where"][0]]
    assert [(one["old"], one["new"], one["count"]) for one in found] == [
        ("shift on", "Siobhan", 2),
        ("Total Deckberg", "Torvald Ekberg", 1),
    ]
    assert found[0]["where"] == ["scene4.mp4 at 0:00.0", "scene4.mp4 at 0:04.0"]
    assert command(["glossary", "promote", "siobhan", "torvald ekberg"]) == 0
    text = (project.folder / "glossary.toml").read_text("utf-8")
    assert text.startswith('# our names\n[[term]]\ntext = "Torvald Ekberg"  # the captain\n')
    ekberg, siobhan = load(project.folder / "glossary.toml").term
    assert (ekberg.variants, ekberg.sounds_like) == (("Total Deckberg",), ())
    assert (siobhan.variants, siobhan.sounds_like) == ((), ("shift on",))  # "shift on Monday" is right as it stands
    assert not [one for one in told(capsys, "glossary", "suggest")["suggestions"] if "scene4" in one["where"][0]]
    assert command(["glossary", "promote", "Nobody"]) == 2
    assert (project.folder / "glossary.toml").read_text("utf-8") == text


def test_corrections_are_kept_as_material(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """An export refers to the media and has what was heard and what is right, as measuring wants it."""
    (one,) = told(capsys, "captions", "corrections", "--export", "set")["corrections"]
    folder = project.folder / "set"
    assert (folder / one["media"]).resolve() == (project.folder / "media" / "scene4.mp4").resolve()
    assert "shift on today" in (folder / one["heard"]).read_text("utf-8")
    assert "Siobhan today" in (folder / one["right"]).read_text("utf-8")
    # what measuring looks for: media, and beside it subtitles of the same name with a language
    names = {path.name for path in folder.iterdir()}
    assert names == {one["media"], one["heard"], one["right"], "corrections.json"}
    assert one["right"] == f"{Path(one['media']).stem}.en.srt"


def test_a_wrong_file_changes_nothing(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """A file in another language, without a change, without cues or of no format is refused, and says why."""
    ident, before = standing(project, "say", "scene5.mp4")
    sidecar = (project.folder / "media" / "scene5.en.srt").read_text("utf-8")
    for name, text, why in (
        ("mine.de.srt", "1\n00:00:00,000 --> 00:00:01,500\nHallo\n", "is in de"),
        ("same.srt", sidecar, "says what"),
        ("mine.vtt", "WEBVTT\n\n", "no cues"),
        ("other.srt", "nothing", "other.srt"),
    ):
        (project.folder / name).write_text(text, encoding="utf-8")
        capsys.readouterr()
        assert command(["captions", "correct", ident, name]) != 0
        assert why in capsys.readouterr().err
    assert command(["captions", "correct", ident]) == 2
    assert standing(project, "say", "scene5.mp4") == (ident, before)


def test_an_edited_sidecar_is_a_correction(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """What somebody changed in a sidecar is listed and suggested from, can be made their version, and taken back."""
    ident, before = standing(project, "say", "scene5.mp4")
    sidecar = write_right(project, "scene5.mp4", "media/scene5.en.srt")
    *_, one = told(capsys, "captions", "corrections")["corrections"]
    assert (one["media"], one["proposal"], one["file"]) == ("scene5.mp4", ident, str(sidecar))
    assert [change["new"] for change in one["changes"]] == ["Brakkon", "Brakkon"]
    assert "Brakkon" in {one["new"] for one in told(capsys, "glossary", "suggest")["suggestions"]}
    decided = told(capsys, "captions", "correct", ident)
    assert standing(project, "person", "scene5.mp4")[1].cues[0].lines == ("The Brakkon left.",)
    assert "The Brakkon" in sidecar.read_text("utf-8")
    assert "The Brakkon" in sidecar.with_suffix(".vtt").read_text("utf-8")
    assert len(told(capsys, "captions", "corrections")["corrections"]) == 2
    told(capsys, "undo", decided["run"])
    assert standing(project, "say", "scene5.mp4") == (ident, before)
    assert "The bracken" in sidecar.with_suffix(".vtt").read_text("utf-8")


async def test_a_running_board_takes_corrections(project: Project) -> None:
    """A board that runs reads the file, accepts it, writes the sidecars, and says what is wrong with another."""
    ident, before = standing(project, "person", "scene4.mp4")
    text = (project.folder / "mine.srt").read_text("utf-8")
    path = project.folder / "again.srt"
    path.write_text(text.replace("Monday", "Tuesday"), encoding="utf-8")
    async with MemoryBus() as bus:
        daemon = Daemon(project, bus)
        serving = asyncio.create_task(daemon.serve())
        await asyncio.wait_for(daemon.ready.wait(), 60)

        async def correct(file: Path) -> Answer:
            order = Order(ids=(ident,), path=str(file), by="ada")
            return msgspec.json.decode(
                await bus.request(f"{CONTROL}.correct", msgspec.json.encode(order), timeout=60), type=Answer
            )

        gone = await correct(project.folder / "gone.srt")
        assert (gone.code, "gone.srt" in gone.message) == ("usage", True)
        assert (await correct(path)).code == ""
        async with asyncio.timeout(60):
            while daemon.board.catalog.read(lambda conn: outbox.syncs(conn, 1)):
                await asyncio.sleep(0.02)
        daemon.stopping.set()
        await serving
    assert "Tuesday" in (project.folder / "media" / "scene4.en.vtt").read_text("utf-8")
    _, after = standing(project, "person", "scene4.mp4")
    assert [cue.lines for cue in after.cues[:3]] == [cue.lines for cue in before.cues[:3]]
    assert after.cues[3].lines == ("She will shift on Tuesday.",)


def test_a_rewording_never_becomes_a_spelling(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """What was reworded is marked and refused with the reason; taken anyway, it is a hint and rewrites nothing."""
    right = write_right(project, "scene6.mp4", "6.srt")
    told(capsys, "captions", "correct", "media/scene6.mp4", str(right))
    plain = told(capsys, "glossary", "suggest")["suggestions"]
    every = told(capsys, "glossary", "suggest", "--all")["suggestions"]
    assert every[: len(plain)] == plain  # a number means the same in both
    assert [one for one in plain if one["rewording"]] == []
    (storm,) = [one for one in every if one["old"].startswith("storm")]
    assert "neither sound nor look alike" in storm["rewording"]
    assert command(["glossary", "promote", storm["new"]]) == 2
    error = capsys.readouterr().err
    assert "reworded" in error
    assert "--anyway" in error
    assert command(["glossary", "promote", str(every.index(storm) + 1)]) == 2
    assert command(["glossary", "promote", storm["new"], "--anyway"]) == 0
    (term,) = [one for one in load(project.folder / "glossary.toml").term if one.text == storm["new"]]
    assert (term.variants, term.sounds_like) == ((), (storm["old"],))


def test_captions_are_meant_by_the_path_of_their_media(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """The path of media finds what stands in a language, as the export does; another language is refused by name."""
    path = str(project.folder / "media" / "scene5.en.srt")
    for arguments, why in (
        (["media/scene5.mp4", path, "--language", "fr"], "There are en."),
        (["media/none.mp4", path], "none.mp4"),
        (["media/scene4.mp4"], "no file written"),
    ):
        capsys.readouterr()
        assert command(["captions", "correct", *arguments]) != 0
        assert why in capsys.readouterr().err
    decided = told(capsys, "captions", "correct", "media/scene5.mp4", "--language", "en-GB")
    assert standing(project, "person", "scene5.mp4")[0] == decided["changed"][0]


def test_a_word_of_accepted_captions_is_no_misheard_one() -> None:
    """One word that stands elsewhere as it should is reworded, however alike; a name split into words is misheard."""
    before = [cue(1, 0, "We took the boat"), cue(2, 2, "and shift on came"), cue(3, 4, "with nakamora")]
    after = [cue(1, 0, "We took the vote"), cue(2, 2, "and Siobhan came"), cue(3, 4, "with Nakamura")]
    found = [("film", "en", one) for one in changes(before, after)]
    known = frozenset({"boat", "shift", "on"})
    told = {one.new: bool(one.rewording) for one in suggestions(found, known)}
    assert told == {"vote": True, "Siobhan": False, "Nakamura": False}
    assert not any(one.rewording for one in suggestions(found))


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
