"""Real shots that arrive for placeholders: told of, weighed, proposed, accepted, and taken back, by a whole board."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from callboard import codec
from callboard.bus import INTAKE
from callboard.catalog import proposals, standins
from callboard.config import PluginSettings, Policy, Settings, Shots, Watch, make_project
from callboard.shots.trail import trail
from callboard.testing import TmpPlugin, countedclips
from callboard.testing.applications import Served, served
from callboard_schemas import PlaceholderRequested, Proposal, Swap

STANDS_IN = """
    import hashlib, json
    from pathlib import Path
    from callboard import Placeholder, hookimpl

    @hookimpl
    def callboard_handle(event, context):
        asked = json.loads(bytes(event.data))
        folder = context.output / asked["shot"]
        folder.mkdir(parents=True, exist_ok=True)
        made = []
        for version in range(1, asked.get("versions", 1) + 1):
            path = folder / f"{asked['shot']}_PLACEHOLDER_v{version:03d}_slate.mov"
            path.write_bytes(f"{asked['shot']} {version} {asked.get('timeline')}".encode())
            made.append(Placeholder(
                shot=asked["shot"], generator="slate", file=str(path), confidence=1.0, version=version,
                versions=asked.get("versions", 1), rate=asked.get("counted", ""), frames=asked.get("frames", 0),
                width=asked["width"], height=asked["height"], start=asked.get("start", ""),
                timeline=asked.get("timeline", ""), ref=asked.get("ref", ""),
                digest="sha256:" + hashlib.sha256(path.read_bytes()).hexdigest(),
            ))
        return made
"""
ASKED = PlaceholderRequested(
    shot="SH010", frames=48, counted="24", width=countedclips.WIDTH, height=countedclips.HEIGHT, timeline="cut.otio"
)


class Stage:
    """A board with one plugin that makes placeholders, and what a person does there."""

    def __init__(self, board: Served) -> None:
        self.board, self.desk = board, board.daemon.board.desk

    async def placeholder(self, asked: PlaceholderRequested = ASKED, *, accept: int = 1) -> str:
        """Ask for a placeholder and accept one version; gives its id."""
        before = set(self.ids())
        envelope = codec.make("placeholder.requested", asked, source="urn:test")
        await self.board.bus.publish(f"{INTAKE}.placeholder.requested", codec.encode(envelope), msg_id=envelope.id)
        await self.board.until(lambda: len(set(self.ids()) - before) >= asked.versions)
        ident = sorted(set(self.ids()) - before)[accept - 1]
        await self.decide(ident)
        return ident

    async def decide(self, ident: str, verb: Any = "accept", reason: str = "") -> None:
        """Decide as a person on the command line does."""
        await self.board.daemon.board.catalog.write(
            lambda conn: self.desk.decide_many(conn, [ident], verb, "zoe", reason)
        )
        self.board.daemon.board.wake()

    async def undo(self, ident: str) -> None:
        """Undo the run in which something was accepted."""
        run = self.board.read(
            lambda conn: conn.execute("SELECT decided_run FROM proposals WHERE id = ?", (ident,)).fetchone()[0]
        )
        await self.board.daemon.board.catalog.write(lambda conn: self.desk.undo(conn, run, "zoe"))
        self.board.daemon.board.wake()

    async def swap(self, number: int = 1) -> Proposal:
        """Wait for the swap that was proposed as the so-manieth, and is there still."""
        await self.board.until(lambda: len(self.swaps()) >= number)
        return self.swaps()[number - 1]

    def swaps(self) -> list[Proposal]:
        """Give the swaps that did not give way to newer words of the same, the oldest first."""
        return self.board.read(_swaps)

    def state(self, ident: str) -> str:
        """Give the state of a proposal."""
        made = self.board.read(lambda conn: proposals.get(conn, ident))
        assert made is not None
        return made.state

    def ids(self) -> list[str]:
        """Give the ids of all placeholders."""
        return [one.id for one in self.board.read(_placeholders)]

    def film(self, name: str, frames: int = 48, rate: Any = 24, **more: Any) -> Path:
        """Put a film into the watched folder, whole at once."""
        number = int(hashlib.sha256(name.encode()).hexdigest()[:2], 16)
        aside = self.board.footage.with_name("aside")
        aside.mkdir(exist_ok=True)
        return countedclips.write(aside / name, number, frames, rate, **more).rename(self.board.footage / name)


def _swaps(conn: sqlite3.Connection) -> list[Proposal]:
    rows = conn.execute(
        "SELECT id FROM proposals WHERE result = 'swap' AND reason NOT LIKE 'replaced by%' ORDER BY created, id"
    )
    return [made for (ident,) in rows if (made := proposals.get(conn, ident)) is not None]


def _placeholders(conn: sqlite3.Connection) -> list[standins.Stand]:
    return standins.placeholders(conn, "proposed", "accepted", "rejected", "superseded")


def body(made: Proposal) -> Swap:
    """Give what a swap says."""
    assert isinstance(made.body, Swap)
    return made.body


@pytest.fixture
def make(tmp_path: Path, tmp_plugin: TmpPlugin) -> Any:
    """Give a function that serves a project whose only plugin makes placeholders of a few bytes."""
    tmp_plugin("stands-in", STANDS_IN, events=["placeholder.requested"], kind="generate", results=["placeholder"])
    off = PluginSettings(enabled=False)

    @asynccontextmanager
    async def stage(**more: Any) -> AsyncIterator[Stage]:
        (tmp_path / "footage").mkdir(exist_ok=True)
        settings = Settings(
            watch=(Watch(path="footage", quiet=0.2),),
            allow_plugins=("stands-in",),
            plugins=dict.fromkeys(("caption", "autotag", "localize", "placeholder"), off),
            workers=1,
            **more,
        )
        async with served(make_project(tmp_path, settings)) as board:
            yield Stage(board)

    return stage


async def test_a_shot_of_the_right_length_is_proposed_without_a_question(make: Any) -> None:
    """The shot's name brings it, its facts are read, and accepting it puts the placeholder aside; undo puts it back."""
    async with make() as stage:
        stood = await stage.placeholder()
        stage.film("sh010_comp_v003.mov", timecode="10:00:00:00")
        made = await stage.swap()
        swap = body(made)
        assert (made.state, made.kind, made.confidence, swap.questions) == ("proposed", "transform", 1.0, ())
        assert (swap.shot, swap.placeholder, swap.version, swap.by) == ("SH010", stood, 3, "name")
        assert (swap.frames, swap.rate, swap.first, swap.handles) == (48, "24", "10:00:00:00", (0, 0))
        said = stage.board.read(
            lambda conn: conn.execute("SELECT body FROM events WHERE type = 'shot.arrived'").fetchall()
        )
        (envelope,) = [msgspec.json.decode(text) for (text,) in said]
        assert envelope["data"]["placeholder"] == stood
        assert (envelope["hops"], bool(envelope["causationid"])) == (1, True)
        assert made.run == envelope["correlationid"]
        await stage.decide(made.id, reason="approved in dailies")
        assert (stage.state(stood), stage.state(made.id)) == ("superseded", "accepted")
        await stage.undo(made.id)
        assert (stage.state(stood), stage.state(made.id)) == ("accepted", "proposed")
        steps = stage.board.read(lambda conn: trail(conn, "sh010"))
        assert [(step.decision, step.result, step.by) for step in steps] == [
            ("accept", "placeholder", "zoe"),
            ("accept", "swap", "zoe"),
            ("reopen", "swap", "zoe"),
            ("accept", "placeholder", "zoe"),
        ]
        assert (steps[1].reason, steps[1].version) == ("approved in dailies", 3)
        assert steps[1].was.endswith("SH010_PLACEHOLDER_v001_slate.mov")


async def test_a_policy_may_accept_what_raises_no_question(make: Any) -> None:
    """With transforms accepted from their threshold on, a plain swap is accepted alone, one with a question is not."""
    async with make(policy=Policy(transform="threshold")) as stage:
        first = await stage.placeholder()
        second = await stage.placeholder(msgspec.structs.replace(ASKED, shot="SH020"))
        stage.film("SH010.mov")
        stage.film("SH020.mov", frames=40)
        await stage.board.until(lambda: stage.state(first) == "superseded")
        await stage.swap(2)
        states = {body(one).shot: (one.state, one.decided_by) for one in stage.swaps()}
        assert states == {"SH010": ("accepted", "policy"), "SH020": ("proposed", "")}
        assert stage.state(second) == "accepted"


@pytest.mark.parametrize(
    ("film", "said"),
    [
        ({"frames": 40}, "it has 40 frames, and 48 are needed: it is 8 shorter"),
        ({"rate": 25}, "it runs at 25 frames a second, and the timeline at 24"),
        ({"size": (96, 64)}, "it is 96 x 64, and 192 x 108 was asked for"),
        ({"frames": 53}, "it is 5 frames longer than the 48 that are shown, and nothing says where it begins"),
    ],
)
async def test_what_is_not_as_it_was_asked_for_is_a_question(make: Any, film: dict[str, Any], said: str) -> None:
    """Another length, rate or size makes the board ask; it takes no other for granted."""
    async with make() as stage:
        await stage.placeholder()
        stage.film("SH010.mov", **film)
        made = await stage.swap()
        assert made.confidence == 0.5
        assert any(question.startswith(said) for question in body(made).questions), body(made).questions


async def test_handles_are_known_by_timecode_or_by_the_projects_own(make: Any) -> None:
    """A longer shot raises no question where its timecode, or the project's handles, say where it begins."""
    async with make(shots=Shots(handles=8)) as stage:
        await stage.placeholder()
        await stage.placeholder(msgspec.structs.replace(ASKED, shot="SH020", start="01:00:10:00"))
        stage.film("SH010.mov", frames=64)
        stage.film("SH020.mov", frames=70, timecode="01:00:09:12")
        await stage.swap(2)
        found = {body(one).shot: (body(one).handles, body(one).questions) for one in stage.swaps()}
        assert found == {"SH010": ((8, 8), ()), "SH020": ((12, 10), ())}


async def test_two_that_arrive_for_one_shot_are_both_a_question(make: Any) -> None:
    """Both name the other; accepting one puts the other aside, undoing that proposes it again, rejecting clears it."""
    async with make() as stage:
        stood = await stage.placeholder()
        stage.film("SH010_v001.mov")
        await stage.swap()
        stage.film("SH010_v002.mov")
        await stage.swap(2)
        await stage.board.until(lambda: all(body(one).questions for one in stage.swaps()))
        old, new = sorted(stage.swaps(), key=lambda one: body(one).version or 0)
        assert "SH010_v002.mov" in body(old).questions[0]
        assert "SH010_v001.mov" in body(new).questions[0]
        await stage.decide(new.id)
        assert [stage.state(ident) for ident in (old.id, new.id, stood)] == ["superseded", "accepted", "superseded"]
        await stage.undo(new.id)
        assert [stage.state(ident) for ident in (old.id, new.id, stood)] == ["proposed", "proposed", "accepted"]
        await stage.decide(old.id, "reject")
        await stage.board.until(
            lambda: [body(one).questions for one in stage.swaps() if one.state == "proposed"] == [()]
        )


async def test_a_lower_version_than_the_one_in_place_is_a_question(make: Any) -> None:
    """Once a version took the place, a higher one comes without a question, and a lower one with it."""
    async with make() as stage:
        stood = await stage.placeholder()
        stage.film("SH010_v002.mov")
        first = await stage.swap()
        await stage.decide(first.id)
        stage.film("SH010_v003.mov")
        await stage.swap(2)
        higher = next(one for one in stage.swaps() if body(one).version == 3)
        assert body(higher).questions == ()
        await stage.decide(higher.id)
        assert stage.state(first.id) == "superseded"
        stage.film("SH010_v001.mov")
        await stage.swap(3)
        lower = next(one for one in stage.swaps() if body(one).version == 1)
        assert body(lower).questions == ("it is version 1, and version 3 took this place before",)
        await stage.undo(higher.id)
        assert [stage.state(one) for one in (first.id, higher.id, stood)] == ["accepted", "proposed", "superseded"]


async def test_a_shot_is_known_by_its_reel_and_timecode(make: Any) -> None:
    """Media of another name is told of where its reel and timecode are those of the missing shot, and no other."""
    async with make() as stage:
        asked = msgspec.structs.replace(ASKED, reel="A001C003", source="10:00:05:00")
        await stage.placeholder(asked)
        stage.film("A001C004_1122.mov", frames=200, reel="A001C004", timecode="10:00:00:00")
        stage.film("A001C003_1122.mov", frames=200, reel="A001C003", timecode="10:00:00:00")
        made = await stage.swap()
        assert (body(made).by, body(made).path) == ("timecode", "A001C003_1122.mov")
        assert (body(made).handles, body(made).questions) == ((120, 32), ())


async def test_placeholders_for_two_timelines_do_not_fight(make: Any) -> None:
    """One placeholder of a shot holds for each timeline; the shot is proposed for each, and one leaves the other."""
    async with make() as stage:
        one = await stage.placeholder()
        two = await stage.placeholder(msgspec.structs.replace(ASKED, timeline="trailer.otio"))
        assert (stage.state(one), stage.state(two)) == ("accepted", "accepted")
        again = await stage.placeholder()
        assert [stage.state(ident) for ident in (one, two, again)] == ["superseded", "accepted", "accepted"]
        stage.film("SH010.mov")
        await stage.swap(2)
        first = next(made for made in stage.swaps() if body(made).placeholder == again)
        await stage.decide(first.id)
        assert [stage.state(ident) for ident in (two, again)] == ["accepted", "superseded"]
        other = next(made for made in stage.swaps() if body(made).placeholder == two)
        assert other.state == "proposed"


async def test_the_version_that_was_chosen_puts_the_others_aside(make: Any) -> None:
    """Accepting one of three versions puts its siblings aside with the reason kept; undo proposes all of them again."""
    async with make() as stage:
        chosen = await stage.placeholder(msgspec.structs.replace(ASKED, versions=3), accept=2)
        states = [stage.state(ident) for ident in stage.ids()]
        assert sorted(states) == ["accepted", "superseded", "superseded"]
        other = next(ident for ident in stage.ids() if ident != chosen)
        await stage.decide(other, reason="the light is better")
        assert (stage.state(chosen), stage.state(other)) == ("superseded", "accepted")
        kept = stage.board.read(lambda conn: proposals.get(conn, other))
        assert kept is not None
        assert kept.reason == "the light is better"
        await stage.undo(other)
        assert (stage.state(chosen), stage.state(other)) == ("accepted", "superseded")
        await stage.undo(chosen)
        assert {stage.state(ident) for ident in stage.ids()} == {"proposed"}


async def test_what_stands_in_never_arrives(make: Any) -> None:
    """Placeholders' own files, other shots, and shots that nothing stands in for cause nothing."""
    async with make() as stage:
        await stage.placeholder()
        for name in ("SH010_PLACEHOLDER_v001_slate.mov", "SH0100.mov", "SH020.mov"):
            stage.film(name)
        stage.film("SH010.mov")
        await stage.swap()
        assert [body(one).path for one in stage.swaps()] == ["SH010.mov"]


async def test_a_shot_that_came_while_a_placeholder_was_made_is_not_lost(make: Any) -> None:
    """Media that settles between the request and the acceptance is proposed once the placeholder holds."""
    async with make() as stage:
        envelope = codec.make("placeholder.requested", ASKED, source="urn:test")
        await stage.board.bus.publish(f"{INTAKE}.placeholder.requested", codec.encode(envelope), msg_id=envelope.id)
        await stage.board.until(stage.ids)
        stage.film("SH010.mov")
        await stage.board.until(lambda: stage.board.read(lambda conn: conn.execute("SELECT 1 FROM places").fetchone()))
        assert stage.swaps() == []
        await stage.decide(stage.ids()[0])
        assert (await stage.swap()).state == "proposed"
