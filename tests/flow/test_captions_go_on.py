"""Accepted captions go on to the plugins that translate: in one run, by a person's decision, and taken back whole."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from pathlib import Path

import msgspec
import pytest
from callboard.board import Board
from callboard.bus.memory import MemoryBus
from callboard.catalog import jobs, journal, proposals, view
from callboard.cli.app import run as command
from callboard.config import Project, require_project
from callboard.oneshot import OneShot
from callboard.testing import TmpPlugin
from callboard_schemas import Captions, CaptionsAccepted, Decision, Proposal, Translation

HERE = Path(__file__).parent


def install(tmp_plugin: TmpPlugin, log: Path) -> None:
    """Install a plugin that captions and one that translates by turning words round."""
    speaking, turning = ((HERE / name).read_text() for name in ("speaking.py", "turning.py"))
    tmp_plugin("speak", speaking, events=["media.settled"], results=["captions"], media=["video"])
    tmp_plugin("turn", turning, (HERE / "turning.toml").read_text().replace("LOG", str(log)))


ALONE = """
allow_plugins = ["speak", "turn"]
workers = 2
plugins.caption.enabled = false
plugins.autotag.enabled = false
plugins.localize.enabled = false
plugins.turn.parameters.languages = ["es"]
"""
"""Settings in which these two plugins work alone."""


@pytest.fixture
def project(tmp_path: Path, tmp_plugin: TmpPlugin, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Give a project with a film, captioned in English and put into Spanish."""
    install(tmp_plugin, tmp_path / "calls")
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "film.mov").write_text("Good morning.|How are you today?")
    (tmp_path / "callboard.toml").write_text(ALONE)
    monkeypatch.chdir(tmp_path)
    return require_project(tmp_path)


def beside(project: Project) -> set[str]:
    """Give the names of the subtitle files beside the film."""
    return {path.name for path in (project.folder / "media").glob("*.srt")}


def waiting(project: Project) -> list[Proposal]:
    """Give what waits for a person."""
    with view(project.data) as catalog:
        return [made for made, _ in catalog.read(proposals.waiting)]


async def test_one_run_captions_and_translates(project: Project) -> None:
    """A run writes the captions, proposes their translation, and does nothing twice when it is run again."""
    film = project.folder / "media" / "film.mov"
    report = await OneShot(project, [film]).execute()
    (asset,) = report.assets
    assert [(job.plugin, job.state) for job in asset.jobs] == [("speak", "done"), ("turn", "done")]
    assert beside(project) == {"film.en.srt"}
    (made,) = waiting(project)
    assert isinstance(made.body, Translation)
    assert [cue.lines for cue in made.body.cues] == [("dooG .gninrom",), ("woH era uoy ?yadot",)]
    assert [(cue.id, cue.start, cue.end) for cue in made.body.cues] == [(1, 2.0, 3.5), (2, 4.0, 5.5)]
    again = await OneShot(project, [film]).execute()
    assert [(job.plugin, job.cached) for job in again.assets[0].jobs] == [("speak", True), ("turn", True)]
    assert (project.folder / "calls").read_text().split() == ["captions.accepted"]


async def test_undo_takes_captions_and_translation_back(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """A translation that a person accepted goes with the captions it was made of, when their run is undone."""
    report = await OneShot(project, [project.folder / "media" / "film.mov"]).execute()
    (made,) = waiting(project)
    async with MemoryBus() as bus, Board(project, bus, command="test") as board:
        decided = await board.catalog.write(lambda conn: board.desk.decide_many(conn, [made.id], "accept", "zoe"))
        assert decided.changed == (made.id,)
        while await board.scribe.drain():
            pass
        assert beside(project) == {"film.en.srt", "film.es.srt"}
        undone = await board.catalog.write(lambda conn: board.desk.undo(conn, report.run, "zoe"))
        while await board.scribe.drain():
            pass
    assert made.id in undone.changed
    assert len(undone.changed) == 2
    assert beside(project) == set()
    assert {one.id for one in waiting(project)} == set(undone.changed)


async def test_a_translation_ends_the_chain(project: Project) -> None:
    """Captions are said once, one hop from what they answer, in their run; a translation is not said at all."""
    report = await OneShot(project, [project.folder / "media" / "film.mov"], acceptance="all").execute()
    assert beside(project) == {"film.en.srt", "film.es.srt"}
    async with MemoryBus() as bus, Board(project, bus, command="test") as board:
        rows = board.catalog.read(
            lambda conn: conn.execute("SELECT seq FROM events WHERE type = 'captions.accepted'").fetchall()
        )
        ((seq,),) = rows
        said = board.catalog.read(lambda conn: journal.envelope(conn, seq))
        settled_by = board.catalog.read(lambda conn: journal.envelope(conn, seq - 1))
        assert said is not None
        assert settled_by is not None
        assert settled_by.type == "media.settled"
        assert (said.hops, said.causationid, said.correlationid) == (1, settled_by.id, report.run)
        data = msgspec.json.decode(said.data, type=CaptionsAccepted)
        assert (data.asset.kind, len(data.captions.cues), data.by) == ("video", 2, "command line")
        told = board.catalog.read(
            lambda conn: conn.execute("SELECT count(*) FROM outbox WHERE subject LIKE 'cb.out.captions.accepted.%'")
        ).fetchone()
        assert told == (1,)


async def test_captions_far_from_their_trigger_cause_no_more(project: Project) -> None:
    """Captions whose cause is as many hops from its trigger as there may be are accepted, and the chain ends."""
    await OneShot(project, [project.folder / "media" / "film.mov"], acceptance="none").execute()
    (made,) = waiting(project)
    async with MemoryBus() as bus, Board(project, bus, command="test") as board:

        def far(conn: sqlite3.Connection) -> int:
            row = jobs.get(conn, made.job)
            assert row is not None
            cause = journal.envelope(conn, row.event)
            assert cause is not None
            body = msgspec.json.encode(msgspec.structs.replace(cause, hops=16))
            return conn.execute("UPDATE events SET body = ? WHERE seq = ?", (body, row.event)).rowcount

        await board.catalog.write(far)
        decision = Decision(proposal=made.id, decision="accept", by="zoe")
        assert await board.catalog.write(lambda conn: board.desk.decide(conn, decision, "r"))
        assert "queued" not in board.catalog.read(jobs.counts)


async def test_a_cue_that_must_not_ship_waits(project: Project) -> None:
    """Captions with a failed cue wait for a person although they are sure enough, and nothing is translated yet."""
    film = project.folder / "media" / "film.mov"
    film.write_text("Good morning.|Thanks for watching!")
    report = await OneShot(project, [film]).execute()
    assert [job.plugin for job in report.assets[0].jobs] == ["speak"]
    (made,) = waiting(project)
    assert isinstance(made.body, Captions)
    assert made.body.cues[1].failed


def test_a_person_accepts_without_a_cue(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """A cue that is left out is in no sidecar, in no translation and not found; undo brings it back."""
    film = project.folder / "media" / "film.mov"
    film.write_text("Good morning.|Thanks for watching!|Goodbye.")
    asyncio.run(OneShot(project, [film]).execute())
    (made,) = waiting(project)
    assert command(["inbox", made.id]) == 0
    shown = capsys.readouterr().out.splitlines()
    first = next(line for line in shown if "0:00:04.000" in line)
    assert "Thanks for watching" in first
    assert "nobody seems to speak" in first
    assert shown.index(first) < next(at for at, line in enumerate(shown) if "0:00:06.000" in line)
    assert command(["accept", made.id, "--without-cue", "9"]) == 2
    assert "no cue 9" in capsys.readouterr().err
    assert command(["accept", made.id, "--without-cue", "2", "--json"]) == 0
    decided = json.loads(capsys.readouterr().out)
    text = (project.folder / "media" / "film.en.srt").read_text()
    assert "Thanks" not in text
    assert "Goodbye." in text
    (translated,) = waiting(project)
    assert isinstance(translated.body, Translation)
    assert [cue.id for cue in translated.body.cues] == [1, 3]
    assert command(["search", "watching", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["hits"] == []
    assert command(["inbox", made.id, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["without"] == ["2"]
    assert command(["reject", made.id, "--cue", "1", "--json"]) == 0
    rejected = json.loads(capsys.readouterr().out)
    assert "morning" not in (project.folder / "media" / "film.en.srt").read_text()
    assert [[cue.id for cue in one.body.cues] for one in waiting(project) if isinstance(one.body, Translation)] == [[3]]
    assert command(["undo", rejected["run"]]) == 0
    assert "morning" in (project.folder / "media" / "film.en.srt").read_text()
    assert waiting(project) == [translated]
    assert command(["undo", decided["run"]]) == 0
    assert beside(project) == set()


def test_accepting_captions_by_hand_translates_them(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """Where no board runs, 'callboard accept' does what the acceptance asks for, and says what waits now."""
    (project.folder / "callboard.toml").write_text(ALONE + 'policy.analyse = "ask"\n')
    project = require_project(project.folder)
    asyncio.run(OneShot(project, [project.folder / "media" / "film.mov"]).execute())
    (made,) = waiting(project)
    assert command(["accept", made.id]) == 0
    said = capsys.readouterr().out
    assert "2 cues, en to es (proposed)" in said
    assert [one.result for one in waiting(project)] == ["translation"]
