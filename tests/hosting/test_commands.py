"""Commands: made with the decision, posted until their receipts, taken back when they hold no more."""

from __future__ import annotations

import sqlite3
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from callboard import codec
from callboard.catalog import dead, journal
from callboard.config import Hosts, PluginSettings, Project, Settings, Watch, make_project
from callboard.testing.applications import Served, served
from callboard_schemas import VERBS, Captions, Cue, HostEvent, Presence, Translation, Use
from msgspec.structs import replace

BLENDER = Presence(
    host="blender-1", application="blender", version="4.5", state="online", capabilities=VERBS, project="/p/film.blend"
)
KDENLIVE = replace(BLENDER, host="kdenlive-1", application="kdenlive", project="/p/film.kdenlive")
SAID = Captions(
    language="en",
    confidence=0.9,
    cues=tuple(
        Cue(id=number, start=number, end=number + 0.5, lines=(word,), confidence=0.9)
        for number, word in enumerate(("hello", "there"))
    ),
)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Give a project with one watched folder and no plugin: proposals are written by hand."""
    return make(tmp_path)


def make(folder: Path, hosts: Hosts | None = None) -> Project:
    """Make such a project."""
    (folder / "footage").mkdir()
    off = PluginSettings(enabled=False)
    settings = Settings(
        watch=(Watch(path="footage", quiet=0.1),),
        plugins={"caption": off, "autotag": off, "localize": off},
        hosts=hosts or Hosts(),
    )
    return make_project(folder, settings)


def use(path: Path | str, ref: str = "strip-1", **more: Any) -> Use:
    """Describe a strip of four seconds."""
    return Use(**{"ref": ref, "path": str(path), "revision": "r1", "duration": 4.0, **more})


async def captioned(board: Served, name: str = "a.mp4", said: Captions = SAID) -> tuple[Path, str]:
    """Give media in the watched folder, and the captions that wait for a decision."""
    path = board.footage / name
    path.write_text(name)
    await board.until(lambda: board.read(lambda conn: journal.place(conn, "footage", name.encode())))
    return path, await write(board, name, said)


async def write(board: Served, name: str, said: Captions | Translation) -> str:
    """Propose captions of what is known, or a translation."""
    seen = board.read(lambda conn: journal.place(conn, "footage", name.encode()))
    assert seen is not None
    asset, desk = seen.asset("footage"), board.daemon.board.desk
    done = await board.daemon.board.catalog.write(lambda conn: desk.write(conn, asset, said, "hand", accept=False))
    return done.changed[0]


async def test_a_command_waits_for_its_application(project: Project) -> None:
    """What is accepted while an application is away is posted at its next hello, and again until its receipt."""
    async with served(project) as board:
        clip, ident = await captioned(board)
        first = await board.application(BLENDER, use(clip))
        await first.present(state="offline")
        await board.until(lambda: not board.daemon.hosting.sessions.all())
        decided = board.daemon.board.desk
        await board.daemon.board.catalog.write(lambda conn: decided.decide_many(conn, [ident], "accept", "ann"))
        board.daemon.board.wake()
        again = await board.application(replace(BLENDER, host="blender-2"))
        command = await again.next("subtitles.write")
        assert command.host == "blender-2"
        assert (await again.hello())["commands"] == 1
        assert await again.next() == command
        assert await again.told("commands", {"host": "blender-2", "project": "/p/film.blend"}) == {"commands": 1}
        assert await again.next() == command
        assert first.commands.empty()
        await again.receipt(command)
        await board.until(lambda: board.states() == [("subtitles.write", "applied")])
        assert (await again.hello())["commands"] == 0
        assert again.commands.empty()


async def test_a_translation_is_told_from_captions(project: Project) -> None:
    """Both are subtitles; an application that shows but one language learns which of them are the translation."""
    async with served(project) as board:
        clip, ident = await captioned(board)
        other = await write(
            board, "a.mp4", Translation(source_language="en", language="es", cues=SAID.cues, confidence=1)
        )
        host = await board.application(KDENLIVE, use(clip))
        found = []
        for one in (ident, other):
            await host.decide(one)
            command = await host.next("subtitles.write")
            assert command.content is not None
            found.append((command.content.language, command.arguments))
            await host.receipt(command)
        assert found == [("en", {}), ("es", {"translation": True})]


async def test_a_command_survives_the_board(project: Project) -> None:
    """A board that was killed between acceptance and receipt posts the same command again, done once by its id."""
    async with served(project) as board:
        clip, ident = await captioned(board)
        blender = await board.application(BLENDER, use(clip))
        await blender.decide(ident)
        command = await blender.next("subtitles.write")
        blender.applied[command.id] = command  # and the receipt never came
    async with served(project) as board:
        later = await board.application(replace(BLENDER, host="blender-2"))
        same = await later.next("subtitles.write")
        assert same.id in blender.applied
        assert replace(same, host="blender-1") == command
        await later.receipt(same)
        await board.until(lambda: board.states() == [("subtitles.write", "applied")])
        assert (await later.hello())["commands"] == 0


async def test_a_rejection_takes_back_what_landed(project: Project) -> None:
    """Taken back is what may have landed, once; what was never posted is only withdrawn."""
    async with served(project) as board:
        clip, ident = await captioned(board)
        blender = await board.application(BLENDER, use(clip))
        kdenlive = await board.application(KDENLIVE, use(clip))
        await kdenlive.present(state="offline")
        await board.until(lambda: len(board.daemon.hosting.sessions.all()) == 1)
        await blender.decide(ident)
        await blender.receipt(await blender.next("subtitles.write"))
        await board.until(lambda: ("subtitles.write", "applied") in board.states())
        await blender.decide(ident, "reject")
        clear = await blender.next("clear")
        assert (clear.proposal, clear.use) == (ident, None)
        await blender.receipt(clear)
        await board.until(lambda: ("clear", "applied") in board.states())
        assert board.states() == [
            ("subtitles.write", "withdrawn"),
            ("subtitles.write", "withdrawn"),
            ("clear", "applied"),
        ]
        await blender.decide(ident)
        again = await blender.next("subtitles.write")
        assert again.id not in blender.applied


async def test_what_is_superseded_is_cleared_before_the_new_comes(project: Project) -> None:
    """A newer result's acceptance clears the older one's strips first."""
    async with served(project) as board:
        clip, first = await captioned(board)
        blender = await board.application(BLENDER, use(clip))
        await blender.decide(first)
        await blender.receipt(await blender.next("subtitles.write"))
        await board.until(lambda: board.states() == [("subtitles.write", "applied")])
        second = await write(board, clip.name, replace(SAID, cues=SAID.cues[:1]))
        await blender.decide(second)
        assert (await blender.next("clear")).proposal == first
        assert (await blender.next("subtitles.write")).proposal != first


async def test_two_applications_with_one_project_are_asked_apart(project: Project) -> None:
    """Each application gets what it takes; of two starts of one application the newest is asked."""
    resolve = replace(BLENDER, host="resolve-1", application="resolve", capabilities=("markers.write",))
    async with served(project) as board:
        clip, ident = await captioned(board)
        older = await board.application(BLENDER, use(clip))
        newer = await board.application(replace(BLENDER, host="blender-2"))
        other = await board.application(resolve, use(clip, "clip-9"))
        await newer.decide(ident)
        assert (await newer.next("subtitles.write")).host == "blender-2"
        marks = await other.next("markers.write")
        assert marks.content is not None
        assert [(one.start, one.name, one.duration) for one in marks.content.markers] == [
            (0, "hello", 0.5),
            (1, "there", 0.5),
        ]
        assert older.commands.empty()
        routes = {row.application: (row.route, row.why) for row in board.commands()}
        assert routes == {
            "blender": ("subtitles", "blender takes subtitles"),
            "resolve": ("markers", "resolve takes no subtitles here, but markers"),
        }
        await newer.present(state="offline")
        assert (await older.next("subtitles.write")).host == "blender-1"


async def test_an_application_that_can_do_less_is_told_where_the_result_is(project: Project) -> None:
    """Without subtitles and markers the route is the sidecar, without those a timeline; nothing is posted."""
    async with served(project) as board:
        clip, ident = await captioned(board)
        avid = await board.application(replace(BLENDER, application="avid", capabilities=("tags.write",)), use(clip))
        await avid.decide(ident)
        await board.until(lambda: board.states() == [("sidecar", "told")])
        assert "neither subtitles nor markers" in board.commands()[0].why
        assert avid.commands.empty()


async def test_an_application_that_learns_gets_the_better_route(project: Project) -> None:
    """What waits for an application that comes back with other capabilities is planned anew."""
    async with served(project) as board:
        clip, ident = await captioned(board)
        blender = await board.application(replace(BLENDER, capabilities=("markers.write", "clear")), use(clip))
        await blender.present(state="offline")
        await board.until(lambda: not board.daemon.hosting.sessions.all())
        await blender.decide(ident)
        await board.until(lambda: board.states() == [("markers.write", "pending")])
        await blender.hello(capabilities=("subtitles.write", "clear"))
        await blender.next("subtitles.write")
        assert board.states() == [("markers.write", "withdrawn"), ("subtitles.write", "pending")]


async def test_a_stale_or_failed_receipt_is_kept_and_shown(project: Project) -> None:
    """A receipt other than applied ends the posting, is kept with its reason, and gives way to a later one."""
    async with served(project) as board:
        clip, ident = await captioned(board)
        blender = await board.application(BLENDER, use(clip))
        await blender.decide(ident)
        command = await blender.next("subtitles.write")
        await blender.receipt(command, "stale", note="the strip was moved", missing=("all",))
        await board.until(lambda: board.states() == [("subtitles.write", "stale")])
        (row,) = board.commands()
        assert (row.note, row.is_missing) == ("the strip was moved", ("all",))
        assert (await blender.hello())["commands"] == 0
        await blender.receipt(command, landed=("hello",))
        await board.until(lambda: board.states() == [("subtitles.write", "applied")])


async def test_a_command_expires_only_where_the_settings_say_so(tmp_path: Path) -> None:
    """A command carries when it expires, and past that it is put aside, said so, and not posted."""
    async with served(make(tmp_path, Hosts(expire_days=2))) as board:
        clip, ident = await captioned(board)
        blender = await board.application(BLENDER, use(clip))
        await blender.decide(ident)
        command = await blender.next("subtitles.write")
        (row,) = board.commands()
        assert command.expires == pytest.approx(row.created + 2 * 86400, abs=3600)
        await board.daemon.board.catalog.write(lambda conn: conn.execute("UPDATE host_commands SET expires = 1"))
        assert (await blender.hello())["commands"] == 0
        await board.until(lambda: board.states() == [("subtitles.write", "expired")])
        assert blender.commands.empty()


async def test_an_undone_run_is_taken_back_in_applications_too(project: Project) -> None:
    """What a run had accepted goes from the applications with its sidecars, also where the project was copied."""
    async with served(project) as board:
        clip, ident = await captioned(board)
        blender = await board.application(BLENDER, use(clip))
        desk, catalog = board.daemon.board.desk, board.daemon.board.catalog
        decided = await catalog.write(lambda conn: desk.decide_many(conn, [ident], "accept", "ann"))
        board.daemon.board.wake()
        await blender.receipt(await blender.next("subtitles.write"))
        await board.until(lambda: board.states() == [("subtitles.write", "applied")])
        await blender.hello(project="/p/film_v002.blend")
        await blender.uses(use(clip))
        await catalog.write(lambda conn: desk.undo(conn, decided.run, "ann"))
        board.daemon.board.wake()
        clear = await blender.next("clear")
        assert (clear.proposal, clear.project) == (ident, "/p/film_v002.blend")
        await blender.hello(project="/p/film.blend")
        clear = await blender.next("clear")
        assert (clear.proposal, clear.project) == (ident, "/p/film.blend")


async def test_a_file_that_holds_something_else_now_gets_its_own_captions(project: Project) -> None:
    """Captions of new content take the place of those that the strip had of the content before."""
    async with served(project) as board:
        clip, first = await captioned(board)
        blender = await board.application(BLENDER, use(clip))
        await blender.decide(first)
        await blender.receipt(await blender.next("subtitles.write"))
        await board.until(lambda: board.states() == [("subtitles.write", "applied")])
        before = board.read(_digest)
        clip.write_text("something else")
        await board.until(lambda: board.read(_digest) != before)
        second = await write(board, "a.mp4", SAID)
        await blender.decide(second)
        assert (await blender.next("clear")).proposal == first
        assert (await blender.next("subtitles.write")).proposal == second


def _digest(conn: sqlite3.Connection) -> str:
    seen = journal.place(conn, "footage", b"a.mp4")
    return seen.digest if seen else ""


async def test_last_words_are_spoken_for_an_application_that_died(project: Project) -> None:
    """An application that says nothing any more is told of as gone, and what it did keeps nobody from working."""
    words: list[Presence] = []

    async def hear(_subject: str, body: bytes) -> None:
        data = codec.decode(body).data
        assert isinstance(data, Presence)
        words.append(data)

    async with served(project) as board:
        await board.bus.listen("cb.now.host.presence", hear)
        blender = await board.application(BLENDER)
        governor, sessions = board.daemon.governing.governor, board.daemon.hosting.sessions
        await blender.post("host.render.started", HostEvent(host="blender-1"))
        await board.until(lambda: governor.state()[0] == "pause")
        sessions.silence = 0.0
        await blender.present()
        await board.until(lambda: len(words) == 2)
        assert words == [BLENDER, replace(BLENDER, state="offline")]
        await board.until(lambda: governor.state()[0] == "")
        assert board.daemon.hosting.status() == []
        sessions.silence = 60.0
        await blender.present()
        await board.until(lambda: board.daemon.hosting.status())


LIES = [
    ({"host": "stranger-1"}, "no such application said hello"),
    ({"host": "kdenlive-1"}, "it was for blender, not for kdenlive"),
    ({"command": "c-0"}, "there is no such command"),
    ({"proposal": "other"}, "it was for the proposal"),
    ({"project": "/p/other.blend"}, "it was for the project /p/film.blend, not for /p/other.blend"),
]


async def test_a_host_that_lies_is_refused_and_changes_nothing(project: Project) -> None:
    """Receipts for what is another's, and decisions on what is not there, become dead letters with a reason."""
    async with served(project) as board:
        clip, ident = await captioned(board)
        blender = await board.application(BLENDER, use(clip))
        await board.application(KDENLIVE)
        await blender.decide(ident)
        command = await blender.next("subtitles.write")
        for number, (lie, _) in enumerate(LIES, 1):
            await blender.receipt(command, **lie)
            await board.until(partial(_buried, board, number))
        await blender.decide("no-such-proposal")
        await board.until(lambda: len(board.read(dead.listed)) == len(LIES) + 1)
        reasons = " | ".join(letter.reason for letter in board.read(dead.listed))
        assert [reason for _, reason in LIES if reason not in reasons] == []
        assert "there is no such proposal" in reasons
        assert board.states() == [("subtitles.write", "pending")]
        await blender.receipt(command)
        await board.until(lambda: board.states() == [("subtitles.write", "applied")])


def _buried(board: Served, number: int) -> bool:
    return len(board.read(dead.listed)) == number
