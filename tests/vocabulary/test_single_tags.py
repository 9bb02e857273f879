"""A person accepts a proposal without some of its tags; the rest is written, told, found, and taken back."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest
from callboard.board import Board
from callboard.bus.memory import MemoryBus
from callboard.catalog import FILE_NAME, decisions, migrations, proposals
from callboard.cli.app import run as command
from callboard.cli.project import me
from callboard.config import Policy, Project, Settings
from callboard.errors import MessageRefused, UsageError
from callboard.oneshot import OneShot
from callboard.tagwise import kept_text, meant
from callboard.testing import TmpPlugin
from callboard_schemas import Captions, Cue, Decision, Proposal, Provenance

SAY = """
    from callboard import hookimpl, Tag, Tags

    @hookimpl
    def callboard_handle(event, asset, context):
        words = context.path.read_text().split(",")
        tags = tuple(Tag(label=word, score=0.9, method="say", group=("things",), concept=word[:2]) for word in words)
        return Tags(items=tags, confidence=0.9, description="By day. On a beach, people walk.")
"""
DIGEST = "sha256:" + "0" * 64
SETTINGS = 'allow_plugins = ["say"]\npolicy.analyse = "ask"\n'


@pytest.fixture
async def project(tmp_path: Path, tmp_plugin: TmpPlugin, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Give a project where the tags of one file wait for a person."""
    tmp_plugin("say", SAY)
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "one.mp4").write_text("Beach,night,crowd")
    (tmp_path / "callboard.toml").write_text(SETTINGS)
    settings = Settings(allow_plugins=("say",), policy=Policy(analyse="ask"))
    project = Project(folder=tmp_path, data=tmp_path / ".callboard", settings=settings)
    await OneShot(project, [tmp_path / "media"], plugins=("say",)).execute()
    monkeypatch.chdir(tmp_path)
    return project


@pytest.fixture
async def board(project: Project) -> AsyncIterator[Board]:
    """Give the project's board, at rest."""
    async with MemoryBus() as bus, Board(project, bus, command="test") as board:
        yield board


def the_one(conn: sqlite3.Connection) -> Proposal:
    """Give the only proposal."""
    (row,) = conn.execute("SELECT id FROM proposals").fetchall()
    made = proposals.get(conn, row[0])
    assert made is not None
    return made


def subjects(project: Project) -> tuple[list[str], str]:
    """Give the keywords and the description of the XMP sidecar, read by the standard library."""
    tree = ElementTree.parse(str(project.folder / "media" / "one.mp4.xmp"))
    dc, li = "{http://purl.org/dc/elements/1.1/}", "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}li"
    found, about = (
        [item.text or "" for item in tree.iterfind(f".//{dc}{name}//{li}")] for name in ("subject", "description")
    )
    return found, next(iter(about), "")


def json_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> object:
    """Run a command and read what it tells."""
    capsys.readouterr()
    assert command([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_rest_is_accepted_and_written(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """Accepted without two tags, the sidecar has the third; explain says what was left out; undo brings all back."""
    waiting = json_of(capsys, "inbox")
    assert isinstance(waiting, dict)
    ident = waiting["proposals"][0]["id"]
    decided = json_of(capsys, "accept", ident, "--without", "BEACH", "--without", "ni")
    assert isinstance(decided, dict)
    assert subjects(project) == (["crowd"], "By day.")
    document = json.loads((project.folder / "media" / "one.mp4.callboard.json").read_text())
    assert document["proposals"][0]["without"] == ["Beach", "night"]
    told = json_of(capsys, "explain", "media/one.mp4")
    assert isinstance(told, dict)
    made = told["jobs"][0]["proposals"][0]
    assert (made["state"], made["without"], made["summary"]) == ("accepted", ["Beach", "night"], "1 tag: crowd")
    assert command(["explain", "media/one.mp4"]) == 0
    assert "without Beach, night: 1 tag: crowd" in capsys.readouterr().out
    assert command(["inbox", ident]) == 0
    assert "(left out) Beach" in capsys.readouterr().out
    json_of(capsys, "undo", decided["run"])
    assert not (project.folder / "media" / "one.mp4.xmp").exists()
    again = json_of(capsys, "inbox", ident)
    assert isinstance(again, dict)
    assert (again["state"], again.get("without")) == ("proposed", None)


def test_a_tag_is_rejected_out_of_what_was_accepted(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """Rejecting a tag takes it out of an accepted proposal, a second one adds to it; undo goes back one step."""
    waiting = json_of(capsys, "inbox")
    assert isinstance(waiting, dict)
    ident = waiting["proposals"][0]["id"]
    assert command(["reject", ident, "--tag", "crowd"]) == 2
    assert f"callboard accept {ident} --without TAG" in capsys.readouterr().err
    first = json_of(capsys, "accept", ident)
    assert command(["reject", ident, "--tag", "crowd"]) == 0
    assert "Took 'crowd' out of 1 proposal." in capsys.readouterr().out
    assert subjects(project)[0] == ["Beach", "night"]
    second = json_of(capsys, "reject", ident, "--tag", "Beach")
    assert subjects(project)[0] == ["night"]
    assert isinstance(first, dict)
    assert isinstance(second, dict)
    json_of(capsys, "undo", second["run"])
    assert subjects(project)[0] == ["Beach", "night"]
    json_of(capsys, "undo", second["run"])
    assert subjects(project)[0] == ["Beach", "night"]
    json_of(capsys, "accept", ident)
    assert subjects(project)[0] == ["Beach", "night", "crowd"]


def test_an_unknown_word_changes_nothing(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """A word that no tag has is an error that lists the tags; leaving out all of them is one too."""
    waiting = json_of(capsys, "inbox")
    assert isinstance(waiting, dict)
    ident = waiting["proposals"][0]["id"]
    assert command(["accept", ident, "--without", "bench"]) == 2
    assert "The tags are: Beach, night, crowd." in capsys.readouterr().err
    assert (
        command(["accept", ident, *(word for tag in ("beach", "night", "crowd") for word in ("--without", tag))]) == 2
    )
    assert "nothing would be left" in capsys.readouterr().err
    assert json_of(capsys, "inbox") == waiting


async def test_undo_of_the_first_acceptance_takes_all_back(board: Board) -> None:
    """After one run accepted everything and a second left a tag out, undoing both in turn leaves a waiting proposal."""
    desk = board.desk

    def work(conn: sqlite3.Connection) -> list[tuple[str, tuple[str, ...]]]:
        ident = the_one(conn).id
        one = desk.decide_many(conn, [ident], "accept", "ann")
        two = desk.decide_many(conn, [ident], "accept", "ann", tags=["night"])
        states = [(the_one(conn).state, the_one(conn).without)]
        for run in (two.run, one.run, two.run):
            desk.undo(conn, run, "ann")
            states.append((the_one(conn).state, the_one(conn).without))
        return [(str(state), without) for state, without in states]

    accepted: tuple[str, tuple[str, ...]] = ("accepted", ())
    waits: tuple[str, tuple[str, ...]] = ("proposed", ())
    assert await board.catalog.write(work) == [("accepted", ("night",)), accepted, waits, waits]


def test_undo_says_what_it_leaves_and_why(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """What somebody decided on since the run stays, and undo names who, and how to reject it all the same."""
    waiting = json_of(capsys, "inbox")
    assert isinstance(waiting, dict)
    ident = waiting["proposals"][0]["id"]
    first = json_of(capsys, "accept", ident)
    assert command(["reject", ident, "--tag", "crowd"]) == 0
    assert isinstance(first, dict)
    told = json_of(capsys, "undo", first["run"])
    assert isinstance(told, dict)
    assert (told["changed"], [one["id"] for one in told["stays"]]) == ([], [ident])
    assert command(["undo", first["run"]]) == 0
    said = capsys.readouterr().out
    assert f"1 stays as {me()} decided since; reject it by hand: callboard reject {ident}" in said
    assert command(["reject", ident]) == 0
    capsys.readouterr()
    assert command(["undo", first["run"]]) == 0
    assert "stays" not in capsys.readouterr().out


async def test_undo_brings_back_what_stood_before_as_it_stood(board: Board) -> None:
    """What a run superseded is accepted again without the same tags, and its own run can still be taken back."""

    def work(conn: sqlite3.Connection) -> list[tuple[str, tuple[str, ...]]]:
        old = the_one(conn)
        assert old.body is not None
        one = board.desk.decide_many(conn, [old.id], "accept", "ann", tags=["night"])
        proposals.add(conn, "newer", "another", "r", DIGEST, old.body, old.provenance)
        conn.execute("UPDATE proposals SET digest = (SELECT digest FROM proposals WHERE id = ?)", (old.id,))
        two = board.desk.decide_many(conn, ["newer"], "accept", "ann")
        states = []
        for run in (two.run, one.run):
            assert board.desk.undo(conn, run, "ann").stays == ()
            made = proposals.get(conn, old.id)
            assert made is not None
            states.append((str(made.state), made.without))
        return states

    assert await board.catalog.write(work) == [("accepted", ("night",)), ("proposed", ())]


async def test_the_chain_covers_single_tags(board: Board) -> None:
    """A left out tag that was edited in the catalog breaks the chain of decisions; each decision is told on the bus."""

    def work(conn: sqlite3.Connection) -> int | None:
        board.desk.decide_many(conn, [the_one(conn).id], "accept", "ann", tags=["night"])
        board.desk.decide_many(conn, [the_one(conn).id], "accept", "ann", tags=["crowd"])
        return decisions.broken_link(conn)

    assert await board.catalog.write(work) is None
    told = board.catalog.read(
        lambda conn: conn.execute(
            "SELECT body FROM outbox WHERE subject LIKE '%proposal.changed%' ORDER BY seq"
        ).fetchall()
    )
    bodies = [msgspec.json.decode(row[0])["data"] for row in told]
    assert [body["without"] for body in bodies] == [["night"], ["crowd"]]
    with sqlite3.connect(board.catalog.path, timeout=60) as conn:
        conn.execute("UPDATE decisions SET without = '[]' WHERE seq = 1")
    conn.close()
    assert board.catalog.read(decisions.broken_link) == 1


async def test_a_decision_on_the_bus_names_tags_as_people_do(board: Board) -> None:
    """A decision as a message leaves tags out by label or concept; one that names no tag is refused."""

    def work(conn: sqlite3.Connection) -> tuple[str, ...]:
        made = the_one(conn)
        with pytest.raises(MessageRefused, match="no tag 'bench'"):
            board.desk.hear(conn, Decision(proposal=made.id, decision="accept", by="tool", without=("bench",)), "")
        assert the_one(conn).state == "proposed"
        board.desk.hear(conn, Decision(proposal=made.id, decision="accept", by="tool", without=("NIGHT", "Be")), "")
        return the_one(conn).without

    assert await board.catalog.write(work) == ("Beach", "night")


def test_an_older_catalog_keeps_its_chain(tmp_path: Path) -> None:
    """Decisions that were made before single tags could be left out still follow from each other."""
    with sqlite3.connect(tmp_path / FILE_NAME) as conn:
        migrations.migrate(conn, migrations.STEPS[:2])
        last = ""
        for seq in (1, 2):
            told = {"proposal": "p", "decision": "accept", "by": "ann", "reason": f"r{seq}"}
            chain = hashlib.sha256(msgspec.json.encode([last, told, float(seq)])).hexdigest()
            conn.execute("INSERT INTO decisions VALUES(?,?,?,?,?,?,?)", (seq, *told.values(), float(seq), chain))
            last = chain
        conn.commit()
        migrations.migrate(conn)
        assert decisions.broken_link(conn) is None
    conn.close()


@pytest.mark.parametrize(
    ("without", "left"),
    [
        ((), "By day. On a beach, people walk; dogs run."),
        (("Beach",), "By day. dogs run."),
        (("each",), "By day. On a beach, people walk; dogs run."),
        (("day", "DOGS"), "On a beach, people walk;"),
    ],
)
def test_a_description_says_nothing_of_what_was_left_out(without: tuple[str, ...], left: str) -> None:
    """Sentences that name a left out tag go, others stay."""
    assert kept_text("By day. On a beach, people walk; dogs run.", without) == left


async def test_several_proposals_share_the_words(board: Board) -> None:
    """A word must name a tag of at least one of the proposals, and is left out where it is."""

    def work(conn: sqlite3.Connection) -> None:
        made = the_one(conn)
        other = msgspec.structs.replace(made, id="other")
        with pytest.raises(UsageError, match="no tag 'x' in"):
            meant([made, other], ["night", "x"])
        assert meant([made, other], ["night"]) == {made.id: ("night",), "other": ("night",)}

    await board.catalog.write(work)


def test_captions_have_no_tags_to_leave_out() -> None:
    """Whoever names a tag of captions is told that these are captions, and what can be done with them."""
    cue = Cue(id=1, start=0.0, end=1.0, lines=("x",), confidence=1.0)
    captions = Proposal(
        id="c-0",
        run="r",
        job="c",
        kind="transform",
        result="captions",
        state="proposed",
        confidence=1.0,
        provenance=Provenance(plugin="caption", version="1.0.0", kind="transform"),
        body=Captions(language="en", cues=(cue,), confidence=1.0),
    )
    with pytest.raises(UsageError, match="c-0 has captions and no tags") as told:
        meant([captions], ["nosuch"])
    assert "callboard reject c-0" in told.value.hint
