"""'callboard localize' and 'callboard exchange' as users meet them: tables, subtitle files, translators' files."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from callboard import notes
from callboard.board import Board
from callboard.bus.memory import MemoryBus
from callboard.catalog import journal, proposals, view
from callboard.checkups import checkups
from callboard.cli.app import run as command
from callboard.config import PluginSettings, Project, require_project
from callboard.errors import ExchangeError
from callboard.exchange import sheets, table, xliff
from callboard.oneshot import OneShot
from callboard.testing import TmpPlugin
from callboard_schemas import Proposal, Tag, Tags, Translation
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  # compiled, and ships no stubs
from msgspec.structs import replace

HERE = Path(__file__).parent
ALONE = """
allow_plugins = ["speak", "turn"]
workers = 2
plugins.caption.enabled = false
plugins.autotag.enabled = false
plugins.localize.enabled = false
"""
SRT = """1
00:00:01,000 --> 00:00:02,500
Who is there?

2
00:00:03,000 --> 00:00:04,000
Nobody you know,
I am afraid.
"""


@pytest.fixture
def project(tmp_path: Path, tmp_plugin: TmpPlugin, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Give a project with a captioned film; nothing is translated unless somebody asks."""
    speaking, turning = ((HERE / name).read_text() for name in ("speaking.py", "turning.py"))
    tmp_plugin("speak", speaking, events=["media.settled"], results=["captions"], media=["video"])
    tmp_plugin("turn", turning, (HERE / "turning.toml").read_text().replace("LOG", str(tmp_path / "calls")))
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "film.mov").write_text("Good morning.|How are you today?|Goodbye.")
    (tmp_path / "callboard.toml").write_text(ALONE)
    monkeypatch.chdir(tmp_path)
    made = require_project(tmp_path)
    asyncio.run(OneShot(made, [tmp_path / "media"]).execute())
    return made


def every(project: Project, state: str = "proposed") -> list[Proposal]:
    """Give the translations in a state."""
    with view(project.data) as catalog:
        rows = catalog.read(lambda conn: conn.execute("SELECT id FROM proposals ORDER BY created, id").fetchall())
        made = [catalog.read(lambda conn, ident=ident: proposals.get(conn, ident)) for (ident,) in rows]  # type: ignore[misc]  # bound while the loop stands still
    return [one for one in made if one is not None and one.state == state and isinstance(one.body, Translation)]


def told(capsys: pytest.CaptureFixture[str], *arguments: object, code: int = 0) -> Any:
    """Run a command with ``--json`` and read what it tells."""
    capsys.readouterr()
    assert command([*map(str, arguments), "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_accepted_captions_are_translated_on_request(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """The riskiest cue is listed first with its source, the translation waits, and accepting it writes the file."""
    film = project.folder / "media" / "film.mov"
    assert (project.folder / "calls").exists() is False
    assert command(["localize", str(film), "--to", "es"]) == 0
    shown = capsys.readouterr().out
    lines = [line for line in shown.splitlines() if "0:00:" in line]
    assert [line.split()[0] for line in lines] == ["1", "2", "3"]
    assert "0.90" in lines[0]
    assert "Good morning." in lines[0]
    assert "dooG .gninrom" in lines[0]
    assert "0.10" in lines[2]
    (made,) = every(project)
    assert f"callboard accept {made.id}" in shown
    assert command(["accept", made.id]) == 0
    assert "00:00:02,000 --> 00:00:03,500\ndooG .gninrom" in (film.with_name("film.es.srt")).read_text()


def test_several_languages_and_yes(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """Each language is a translation of its own; --yes accepts them; asked again nothing is done again."""
    film = project.folder / "media" / "film.mov"
    report = told(capsys, "localize", film, "--to", "es,ca", "--yes")
    assert {path.name for path in film.parent.glob("*.srt")} == {"film.en.srt", "film.es.srt", "film.ca.srt"}
    assert report["totals"]["jobs"] == 1
    again = told(capsys, "localize", film, "--to", "es,ca", "--yes")
    assert again["totals"]["cached"] == 1
    assert (project.folder / "calls").read_text().split() == ["translation.requested"]


def test_nothing_accepted_is_said(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """A film whose captions nobody accepted is refused with what to do first, and a wrong language is named."""
    other = project.folder / "media" / "other.mov"
    other.write_text("Not captioned.")
    report = told(capsys, "localize", other, "--to", "es", code=1)
    failure = report["assets"][0]["failure"]
    assert "no captions were accepted yet" in failure["message"]
    assert "callboard run" in failure["hint"]
    assert command(["localize", str(other), "--to", "español"]) == 2


def test_a_subtitle_file_is_translated(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """A person's film.en.srt gives film.es.srt, and stays as it is."""
    theirs = project.folder / "media" / "talk.en.srt"
    theirs.write_text(SRT)
    told(capsys, "localize", theirs, "--to", "es", "--yes")
    assert "ohW si ?ereht" in theirs.with_name("talk.es.srt").read_text()
    assert theirs.read_text() == SRT


def test_a_description_and_tags_are_translated(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """--texts translates the description and the tag names, beside the captions' translation and not in its place."""
    film = project.folder / "media" / "film.mov"
    told(capsys, "localize", film, "--to", "es", "--yes")

    async def described() -> None:
        async with MemoryBus() as bus, Board(project, bus, command="test") as board:
            ((root, seen),) = board.catalog.read(
                lambda conn: [(root, seen) for root in ("local",) for seen in journal.known(conn, root).values()]
            )
            tags = Tags(items=(Tag(label="dog", score=1.0, method="zoe"),), confidence=1.0, description="A dog.")
            await board.catalog.write(lambda conn: board.desk.write(conn, seen.asset(root), tags, "zoe"))
            while await board.scribe.drain():
                pass

    asyncio.run(described())
    report = told(capsys, "localize", film, "--to", "es", "--texts", "--yes")
    (made,) = report["assets"][0]["jobs"][0]["proposals"]
    assert (made["body"]["description"], made["body"]["labels"]) == ("A .god", {"dog": "god"})
    assert made["body"]["cues"] == []
    assert film.with_name("film.es.srt").exists()
    assert '<rdf:li xml:lang="es">A .god</rdf:li>' in film.with_name("film.mov.xmp").read_text()
    assert command(["inbox", made["id"]]) == 0
    assert "description: A .god" in capsys.readouterr().out


def test_marker_notes_are_translated(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """A list of notes comes back beside the first, all but its notes as it was, and goes when it is undone."""
    file, text = project.folder / "notes.csv", "Frame;Note\n12;Cut here\n40;\n55;Cut here\n"
    file.write_text(text)
    report = told(capsys, "localize", file, "--notes", "--to", "es", "--yes")
    wrote = file.with_name("notes.es.csv")
    assert wrote.read_text().split() == ["Frame;Note", "12;tuC", "ereh", "40;", "55;tuC", "ereh"]
    assert file.read_text() == text
    assert command(["undo", report["run"]]) == 0
    assert not wrote.exists()
    file.write_text("Frame,Colour\n1,red\n")
    report = told(capsys, "localize", file, "--notes", "--to", "es", code=1)
    assert "no column for notes" in report["assets"][0]["failure"]["message"]


def test_lists_of_notes_in_json() -> None:
    """Objects and plain texts are read; all but the notes stays; what holds no notes is refused with a reason."""
    objects, plain = b'[{"at": 1.5, "comment": "Too dark"}]', b'["Too dark", "Too dark"]'
    assert notes.texts(objects, "a") == notes.texts(plain, "a") == ("Too dark",)
    assert json.loads(notes.replaced(objects, "a", {"Too dark": "Oscuro"})) == [{"at": 1.5, "comment": "Oscuro"}]
    assert json.loads(notes.replaced(plain, "a", {"Too dark": "Oscuro"})) == ["Oscuro", "Oscuro"]
    for bad in (b"", b"\xff", b"[1]", b'[{"x": 1}]', b"a,b\n1,2,3\n", b"[" * 100_000):
        with pytest.raises(ExchangeError):
            notes.texts(bad, "a")


def test_real_cues_through_apertium(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A subtitle file goes through the built-in plugin and Apertium: translated, every cue where it was."""
    (tmp_path / "callboard.toml").write_text("")
    (tmp_path / "talk.en.srt").write_text(SRT)
    monkeypatch.chdir(tmp_path)
    assert command(["localize", "talk.en.srt", "--to", "es", "--engine", "apertium", "--yes"]) == 0
    blocks = (tmp_path / "talk.es.srt").read_text().strip().split("\n\n")
    assert [block.splitlines()[1] for block in blocks] == [
        "00:00:01,000 --> 00:00:02,500",
        "00:00:03,000 --> 00:00:04,000",
    ]
    assert "allí" in blocks[0]


def edited(data: bytes, **texts: str) -> bytes:
    """Put texts into an XLIFF file by unit id, as a translator's tool does."""
    root = etree.fromstring(data)
    space = {"x": xliff.XLIFF}
    for ident, text in texts.items():
        segment = root.find(f".//x:unit[@id='{ident.strip('_')}']/x:segment", space)
        target = segment.find("x:target", space)
        if target is None:
            target = etree.SubElement(segment, f"{{{xliff.XLIFF}}}target")
        target.text = text
        segment.set("state", "final")
    return bytes(etree.tostring(root))


def test_a_translator_works_on_xliff(project: Project, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """What a translator wrote takes the place of the machine's, cue by cue; times stay; undo brings it back."""
    film = project.folder / "media" / "film.mov"
    told(capsys, "localize", film, "--to", "es")
    (machine,) = every(project)
    file = tmp_path / "film.xlf"
    told(capsys, "exchange", "export", machine.id, "-o", file)
    file.write_bytes(edited(file.read_bytes(), _1="Buenos días.", _2="¿Cómo está\nusted hoy?"))
    brought = told(capsys, "exchange", "import", file)
    assert (brought["taken"], brought["unchanged"], brought["state"]) == (["1", "2"], ["3"], "accepted")
    assert every(project) == []
    (person,) = every(project, "accepted")
    assert isinstance(person.body, Translation)
    assert isinstance(machine.body, Translation)
    assert (person.body.method, person.provenance.plugin) == ("person", "person")
    assert [(cue.id, cue.start, cue.end) for cue in person.body.cues] == [
        (cue.id, cue.start, cue.end) for cue in machine.body.cues
    ]
    text = film.with_name("film.es.srt").read_text()
    assert "Buenos días." in text
    assert "¿Cómo está\nusted hoy?" in text
    assert command(["undo", brought["run"]]) == 0
    assert not film.with_name("film.es.srt").exists()
    assert machine.id in {one.id for one in every(project)}


def test_an_untouched_file_accepts_nothing(
    project: Project, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A file that comes back as it went out leaves the machine's proposal waiting, and says so."""
    film = project.folder / "media" / "film.mov"
    told(capsys, "localize", film, "--to", "es")
    (machine,) = every(project)
    for form, file in (("xliff", tmp_path / "film.xlf"), ("csv", tmp_path / "film.csv")):
        told(capsys, "exchange", "export", machine.id, "--format", form, "-o", file)
        brought = told(capsys, "exchange", "import", file)
        assert (brought["taken"], brought["state"], brought["run"]) == ([], "proposed", "")
        assert (brought["proposal"], brought["unchanged"]) == (machine.id, ["1", "2", "3"])
    assert every(project) == [machine]
    assert command(["exchange", "import", str(tmp_path / "film.csv")]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert f"{machine.id} stays proposed" in out
    assert f"callboard accept {machine.id}" in out
    assert not film.with_name("film.es.srt").exists()


def test_the_doctor_knows_which_pairs_are_needed(project: Project) -> None:
    """Languages that are asked for and that no engine makes of what accepted captions are in are a problem each."""
    wanted = {"localize": PluginSettings(parameters={"languages": ["es", "ja"], "engine": "apertium"})}
    asking = replace(project, settings=replace(project.settings, plugins=wanted))
    told = [one for one in checkups(asking) if one.what == "translation"]
    assert [(one.level, "en to ja" in one.found) for one in told] == [("ok", False), ("problem", True)]


def test_foreign_and_doubled_ids_are_refused(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """A file with a cue that is not there, or one twice, is refused whole and named; nothing changes."""
    film = project.folder / "media" / "film.mov"
    told(capsys, "localize", film, "--to", "es")
    (machine,) = every(project)
    file = project.folder / "film.csv"
    told(capsys, "exchange", "export", machine.id, "--format", "csv", "-o", file)
    good = file.read_text("utf-8-sig")
    file.write_text(good.replace("\n3,", "\n9,"))
    error = told(capsys, "exchange", "import", file, code=1)["error"]
    assert "9" in error["message"]
    file.write_text(good.replace("\n3,", "\n2,"))
    assert "more than once" in told(capsys, "exchange", "import", file, code=1)["error"]["message"]
    assert every(project) == [machine]


def test_rows_out_of_order_and_missing_never_shift(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """Rows in another order, left out, emptied or of a changed source: each goes to its own cue or stays as it was."""
    film = project.folder / "media" / "film.mov"
    told(capsys, "localize", film, "--to", "es")
    file = project.folder / "film.csv"
    told(capsys, "exchange", "export", film, "--to", "es", "--format", "csv", "-o", file)
    rows = list(csv.DictReader(io.StringIO(file.read_text("utf-8-sig"))))
    rows = [rows[2] | {"target": "Adiós."}, rows[0] | {"source": "Good evening.", "target": "Buenas noches."}]
    out = io.StringIO()
    writer = csv.DictWriter(out, [str(column) for column in table.COLUMNS], delimiter=";")
    writer.writeheader()
    writer.writerows(rows)
    file.write_text(out.getvalue())
    brought = told(capsys, "exchange", "import", file)
    assert (brought["taken"], brought["missing"], brought["moved"]) == (["3"], ["2"], ["1"])
    (person,) = every(project, "accepted")
    assert isinstance(person.body, Translation)
    assert [cue.lines for cue in person.body.cues] == [("dooG .gninrom",), ("woH era uoy ?yadot",), ("Adiós.",)]


def test_captions_go_to_a_translator_without_a_machine(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """Accepted captions are exported empty; what comes back half done waits, its other cues marked."""
    film = project.folder / "media" / "film.mov"
    file = project.folder / "film.xlf"
    wrote = told(capsys, "exchange", "export", film, "--to", "ca", "-o", file)
    assert (wrote["texts"], wrote["untranslated"]) == (3, 3)
    file.write_bytes(edited(file.read_bytes(), _3="Adéu."))
    brought = told(capsys, "exchange", "import", file)
    assert (brought["state"], brought["missing"]) == ("proposed", ["1", "2"])
    (made,) = every(project)
    assert isinstance(made.body, Translation)
    assert [bool(cue.failed) for cue in made.body.cues] == [True, True, False]
    assert not film.with_name("film.ca.srt").exists()


def test_styles_and_signs_survive_both_formats() -> None:
    """Italics, line breaks, entities and cells that look like formulas come back as they went out."""
    rows = (
        sheets.Row(
            id="1",
            source="<b><i>Well</i></b> &amp; <i>good</i>, he said\n<u>plain</u>",
            target="<i>Bien</i>",
            styled=True,
            start=0.0,
            end=1.0,
        ),
        sheets.Row(id="2", source="=1+1 & <b>", target="-¿Sí?\n-No.", start=1.0, end=2.0, speaker="Ana"),
        sheets.Row(id="description", source="A dog.", target="Un perro."),
    )
    sheet = sheets.Sheet(proposal="p-0", name="a.mov", source_language="en", language="es", rows=rows)
    for module in (xliff, table):
        back = module.read(module.write(sheet), "file")
        assert (back.proposal, back.language) == ("p-0", "es")
        for was, now in zip(rows, back.rows, strict=True):
            assert now.id == was.id
            styled = was.styled if back.unmarked else now.styled
            assert sheets.lines_of(now.source, styled=styled) == sheets.lines_of(was.source, styled=was.styled)
            assert sheets.lines_of(now.target, styled=styled) == sheets.lines_of(was.target, styled=was.styled)
