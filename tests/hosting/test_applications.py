"""Applications and the board: hello, uses, decisions, commands and receipts, through a whole daemon."""

from __future__ import annotations

import sqlite3
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from callboard import __version__
from callboard.catalog import hosts, journal, proposals
from callboard.config import Hosts, PluginSettings, Policy, Project, Settings, Watch, make_project
from callboard.hosting.inbox import inbox
from callboard.testing import TmpPlugin
from callboard.testing.applications import Served, served
from callboard_schemas import VERBS, Gap, HostRequest, Presence, Use
from msgspec.structs import replace
from PIL import Image

# Says what stands in the file: captions of its words, or tags of them where it is asked for those.
SAYS = """
    from callboard import Captions, Cue, MediaError, Tag, Tags, hookimpl

    @hookimpl
    def callboard_handle(event, asset, context):
        words = context.path.read_text().split()
        if words[0] == "bad":
            raise MediaError(context.path.name, "holds bad words")
        if event.type == "tags.requested":
            tags = tuple(Tag(label=word, score=0.9, method="says") for word in dict.fromkeys(words))
            return Tags(items=tags, confidence=0.9, description=f"It shows {words[0]}.")
        cues = tuple(
            Cue(id=number, start=number, end=number + 0.5, lines=(f"<i>{word}</i>",), confidence=0.9, styled=True)
            for number, word in enumerate(words)
        )
        return Captions(language="en", cues=cues, confidence=0.9)
"""
EVENTS = ["media.settled", "captions.requested", "tags.requested"]

STANDS_IN = """
    import hashlib, json
    from pathlib import Path
    from callboard import Placeholder, hookimpl

    @hookimpl
    def callboard_handle(event, context):
        asked = json.loads(bytes(event.data))
        path = Path(context.parameters["folder"]) / "slate.png"
        path.write_bytes(b"slate of " + asked["shot"].encode())
        digest = "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
        return Placeholder(shot=asked["shot"], generator="slate", file=NAMED, confidence=1.0, digest=digest)
"""

ABSOLUTE, COUNTED = "str(path)", 'path.parent.name + "/" + path.name'
STANDS_IN, FROM_PROJECT = STANDS_IN.replace("NAMED", ABSOLUTE), STANDS_IN.replace("NAMED", COUNTED)

BLENDER = Presence(
    host="blender-1", application="blender", version="4.5", state="online", capabilities=VERBS, project="/p/film.blend"
)
KDENLIVE = replace(BLENDER, host="kdenlive-1", application="kdenlive", project="/p/film.kdenlive")


@pytest.fixture
def project(tmp_path: Path, tmp_plugin: TmpPlugin) -> Project:
    """Give a project with one watched folder and a plugin that writes captions of what settles."""
    tmp_plugin("says", SAYS, events=EVENTS, results=["captions", "tags"])
    return make(tmp_path, "says")


def make(folder: Path, *plugins: str, hosts: Hosts | None = None, **more: Any) -> Project:
    """Make a project with these plugins, none of which decides without a person."""
    (folder / "footage").mkdir(exist_ok=True)
    off = PluginSettings(enabled=False)
    settings = Settings(
        watch=(Watch(path="footage", quiet=0.2),),
        allow_plugins=plugins,
        plugins={"caption": off, "autotag": off, "localize": off, "placeholder": off},
        policy=Policy(analyse="ask"),
        workers=1,
        hosts=hosts or Hosts(),
        **more,
    )
    return make_project(folder, settings)


def use(path: Path | str, ref: str = "strip-1", **more: Any) -> Use:
    """Describe a strip of four seconds."""
    return Use(**{"ref": ref, "path": str(path), "revision": "r1", "duration": 4.0, **more})


def drop(board: Served, name: str = "a.mp4", text: str = "hello there") -> Path:
    """Put media into the watched folder."""
    path = board.footage / name
    path.write_text(text)
    return path


def request(what: Any, *uses: Use, host: str = "blender-1", **more: Any) -> HostRequest:
    """Ask for something."""
    return HostRequest(host=host, project="/p/film.blend", what=what, uses=uses, **more)


async def test_a_result_goes_into_the_project_that_uses_it(project: Project) -> None:
    """What a person in the application accepts comes back as a command, and its receipt ends it."""
    async with served(project) as board:
        clip = drop(board)
        (ident,) = await board.proposals()
        blender = await board.application(BLENDER)
        assert await blender.hello() == {"board": __version__, "project": project.folder.name, "commands": 0}
        known = await blender.uses(use(clip), use("/elsewhere/b.mp4", "strip-2"))
        assert known["strip-1"].startswith("sha256:")
        assert known["strip-2"] == ""
        (item,) = await blender.inbox()
        assert (item["id"], item["result"], item["refs"], item["name"]) == (ident, "captions", ["strip-1"], "a.mp4")
        assert item["text"] == "hello / there"
        await blender.decide(ident)
        command = await blender.next("subtitles.write")
        assert command.use is not None
        assert command.content is not None
        assert (command.proposal, command.use.ref, command.revision) == (ident, "strip-1", "r1")
        said = [(cue.start, cue.text, cue.italic) for cue in command.content.cues]
        assert said == [(0, "hello", True), (1, "there", True)]
        assert Path(command.content.file).read_text().startswith("1\n")
        await blender.receipt(command, landed=("hello", "there"))
        await board.until(lambda: board.states() == [("subtitles.write", "applied")])
        made = board.read(lambda conn: proposals.get(conn, ident))
        assert made is not None
        assert made.decided_by == "zoe in blender"
        assert await blender.inbox() == []
        notes = board.read(lambda conn: journal.notes(conn, "footage", b"a.mp4"))
        assert [(state, detail) for _, state, detail in notes if "blender" in state] == [
            ("blender applied", "subtitles.write in blender:/p/film.blend#strip-1: 2 landed")
        ]
        told = board.read(lambda conn: conn.execute("SELECT body FROM outbox WHERE subject LIKE '%effect%'").fetchall())
        assert [b"subtitles.write" in body for (body,) in told].count(True) == 1


async def test_media_that_settles_later_is_found_in_the_projects_that_use_it(project: Project) -> None:
    """A use told before its file was known is of that asset as soon as it settles, and also after it moved there."""
    async with served(project) as board:
        clip = board.footage / "a.mp4"
        blender = await board.application(BLENDER, use(clip), use(board.footage / "moved.mp4", "strip-2"))
        clip.write_text("hello there")
        (ident,) = await board.proposals()
        await board.until(lambda: board.read(lambda conn: _refs(conn)) == ["strip-1"])
        clip.rename(board.footage / "moved.mp4")
        await board.until(lambda: board.read(lambda conn: _refs(conn)) == ["strip-1", "strip-2"])
        await blender.decide(ident)
        command = await blender.next("subtitles.write")
        assert command.use is not None
        assert command.use.ref == "strip-1"  # both show the same at the same time


def _refs(conn: Any) -> list[str]:
    ((digest,),) = conn.execute("SELECT DISTINCT digest FROM places").fetchall()  # between two names it is at none
    return hosts.refs_of(conn, "blender", "/p/film.blend", digest)


async def test_what_was_accepted_before_comes_as_far_as_the_settings_say(tmp_path: Path, tmp_plugin: TmpPlugin) -> None:
    """A project that begins to use media gets its tags by itself, and its captions when it asks for them."""
    tmp_plugin("says", SAYS, events=EVENTS[:2], results=["captions", "tags"])
    tmp_plugin("tags", SAYS, events=EVENTS[2:], results=["captions", "tags"])
    async with served(make(tmp_path, "says", "tags")) as board:
        clip = drop(board)
        await board.proposals()
        blender = await board.application(BLENDER, use(clip))
        await blender.post("host.request", request("tags", use(clip)))
        for ident in await board.proposals(2):
            await blender.decide(ident)
        await board.until(lambda: len(board.states()) == 3)
        kdenlive = await board.application(KDENLIVE, use(clip))
        tags, about = await kdenlive.next("tags.write"), await kdenlive.next("description.write")
        assert tags.content is not None
        assert about.content is not None
        assert tags.content.tags == ("hello", "there")
        assert (about.content.description, about.content.author) == ("It shows hello.", "zoe in blender")
        asked = replace(request("captions", use(clip), host="kdenlive-1"), project="/p/film.kdenlive")
        await kdenlive.post("host.request", asked)
        await kdenlive.next("subtitles.write")


async def test_a_placeholder_goes_into_its_gap_and_gives_way_to_the_shot(tmp_path: Path, tmp_plugin: TmpPlugin) -> None:
    """A placeholder that was asked for comes with its file and gap; the real shot, once accepted, relinks it."""
    folder = {"type": "string", "default": str(tmp_path / "placeholders"), "help": "Where slates go."}
    keys = {"kind": "generate", "results": ["placeholder"], "parameters": {"folder": folder}}
    tmp_plugin("stands-in", STANDS_IN, events=["placeholder.requested"], **keys)
    (tmp_path / "placeholders").mkdir()
    async with served(make(tmp_path, "stands-in")) as board:
        blender = await board.application(BLENDER)
        gap = Gap(ref="gap-1", start=4.0, duration=2.0, shot="SH010", revision="g1")
        await blender.post("host.request", request("placeholder", gap=gap))
        (ident,) = await board.proposals()
        await board.until(lambda: board.read(lambda conn: hosts.waiting_for(conn, "blender", "/p/film.blend", "", 9)))
        (item,) = await blender.inbox()
        assert (item["id"], item["name"], item["kind"]) == (ident, "SH010", "generate")
        await blender.decide(ident)
        command = await blender.next("placeholder.insert")
        assert command.content is not None
        assert (command.content.gap, command.revision) == (gap, "g1")
        assert Path(command.content.file) == tmp_path / "placeholders" / "slate.png"
        await blender.receipt(command)
        await board.until(lambda: board.states() == [("placeholder.insert", "applied")])
        shot = drop(board, "sh010_v002.mov", "the shot")
        drop(board, "sh0100.mov", "another shot")
        _, swap = await board.proposals(2)
        (item,) = await blender.inbox()
        assert (item["id"], item["result"], item["name"]) == (swap, "swap", "sh010_v002.mov")
        assert any("cannot be read" in flag for flag in item["flags"])
        await blender.decide(swap)
        relink = await blender.next("relink")
        assert relink.content is not None
        assert (relink.proposal, relink.content.file) == (swap, str(shot))
        assert (relink.arguments, relink.content.gap) == ({"placeholder": ident}, gap)
        assert relink.content.digest is not None
        await blender.receipt(relink)
        await board.until(lambda: board.states()[-1] == ("relink", "applied"))
        assert len(board.states()) == 2
        await blender.decide(swap, "reject")
        cleared = await blender.next("clear")
        assert cleared.proposal == swap
        await blender.receipt(cleared)
        again = board.read(lambda conn: proposals.get(conn, ident))
        assert again is not None
        assert again.state == "accepted"
        assert [state for state in board.states() if state[0] == "placeholder.insert"] == [
            ("placeholder.insert", "applied")
        ]


async def test_what_stands_in_is_seen_in_the_panel(tmp_path: Path, tmp_plugin: TmpPlugin) -> None:
    """The inbox names a placeholder's film, gives its picture, knows its uses, and has nothing worked on in it."""
    folder = {"type": "string", "default": str(tmp_path / "placeholders"), "help": "Where slates go."}
    keys = {"kind": "generate", "results": ["placeholder"], "parameters": {"folder": folder}}
    drawn = FROM_PROJECT.replace(
        'path.write_bytes(b"slate of " + asked["shot"].encode())',
        'path.write_bytes(Path(context.parameters["folder"], "drawn.png").read_bytes())',
    )
    tmp_plugin("stands-in", drawn, events=["placeholder.requested"], **keys)
    (tmp_path / "placeholders").mkdir()
    Image.new("RGB", (64, 36), (200, 10, 10)).save(tmp_path / "placeholders" / "drawn.png")
    async with served(make(tmp_path, "stands-in")) as board:
        blender = await board.application(BLENDER)
        gap = Gap(ref="gap-1", start=4.0, duration=2.0, shot="SH010")
        await blender.post("host.request", request("placeholder", gap=gap))
        await board.proposals()
        await board.until(lambda: board.read(lambda conn: hosts.waiting_for(conn, "blender", "/p/film.blend", "", 9)))
        (item,) = await blender.inbox()
        slate = tmp_path / "placeholders" / "slate.png"
        assert (item["path"], item["digest"], item["text"]) == (str(slate), "", "placeholder for SH010 by slate")
        picture = await blender.told("thumbnail", {"path": item["path"], "width": 32})
        assert picture["jpeg"]
        known = await blender.uses(use(slate, "strip-9"))
        assert known["strip-9"].startswith("sha256:")
        await blender.post("host.request", request("captions", use(slate, "strip-9")))
        await board.until(lambda: board.read(refused))
        assert "stands in for a shot" in board.read(refused)[0]


def refused(conn: sqlite3.Connection) -> list[str]:
    """Give why requests were refused."""
    return [row[0] for row in conn.execute("SELECT reason FROM host_requests WHERE state = 'refused'")]


async def test_a_placeholder_outside_the_watched_folders_is_not_handed_over(
    tmp_path: Path, tmp_plugin: TmpPlugin
) -> None:
    """An application may touch files in the watched folders only, so no other file is named to it."""
    folder = {"type": "string", "default": str(tmp_path), "help": "Where slates go."}
    keys = {"kind": "generate", "results": ["placeholder"], "parameters": {"folder": folder}}
    tmp_plugin("stands-in", STANDS_IN, events=["placeholder.requested"], **keys)
    async with served(make(tmp_path, "stands-in")) as board:
        blender = await board.application(BLENDER)
        gap = Gap(ref="gap-1", start=4.0, duration=2.0, shot="SH010")
        await blender.post("host.request", request("placeholder", gap=gap))
        (ident,) = await board.proposals()
        await board.until(lambda: board.read(lambda conn: hosts.waiting_for(conn, "blender", "/p/film.blend", "", 9)))
        await blender.decide(ident)
        await board.until(lambda: board.states() == [("nowhere", "told")])
        assert "in none of the folders that applications may touch" in board.commands()[0].why
        assert blender.commands.empty()


async def test_a_request_for_what_nobody_saw_yet_identifies_it(project: Project) -> None:
    """Media in a watched folder that has not settled is identified when it is asked for, and asked for once."""
    slow = replace(project.settings.watch[0], quiet=3600.0)
    project = replace(project, settings=replace(project.settings, watch=(slow,)))
    async with served(project) as board:
        blender = await board.application(BLENDER)
        clip = drop(board)
        asked = request("captions", use(clip))
        for _ in range(2):
            await blender.post("host.request", asked, ident="the-same")
        (ident,) = await board.proposals()
        made = board.read(lambda conn: conn.execute("SELECT body FROM events WHERE type GLOB '*.requested'").fetchall())
        (envelope,) = [msgspec.json.decode(body) for (body,) in made]
        assert (envelope["causationid"], envelope["hops"]) == ("the-same", 1)
        (item,) = await blender.inbox()
        assert (item["id"], item["refs"]) == (ident, ["strip-1"])


async def test_a_request_that_cannot_be_met_is_refused_in_the_inbox(project: Project) -> None:
    """The application that asked is told why: outside the watched folders, no file, no media, or nobody answers."""
    async with served(project) as board:
        (board.footage / "notes.docx").write_text("notes")
        blender = await board.application(BLENDER)
        asked = [
            request("captions", use("/etc/passwd")),
            request("captions", use(board.footage / ".." / "callboard.toml")),
            request("captions", use(board.footage / "missing.mp4")),
            request("tags", use(board.footage / "notes.docx")),
            request("tags", use("", name="Shot")),
            request("placeholder", gap=Gap(ref="g", start=0, duration=1, shot="SH1")),
            request("translation", use(drop(board)), languages=("es",)),
        ]
        for number, one in enumerate(asked, 1):
            await blender.post("host.request", one)
            await board.until(partial(_refused, board, number))
        items = await blender.inbox()
        said = [item["text"] for item in reversed(items) if item["state"] == "refused"]
        assert len(said) == len(asked)
        assert said[0] == f"/etc/passwd is in none of the watched folders: {board.footage}"
        assert "callboard.toml is in none of the watched folders" in said[1]
        assert said[2].startswith("missing.mp4: cannot be read: No such file")
        assert said[3] == "notes.docx: has no extension of a media file"
        assert said[4] == "Shot has no file of its own"
        assert "no plugin here answers placeholder.requested" in said[5]
        assert "of a.mp4 was accepted yet: there is nothing to translate" in said[6]
        assert board.commands() == []


async def test_a_request_that_comes_to_nothing_says_so(project: Project) -> None:
    """What fails, and what somebody rejected before, is told in the inbox of the application that asked."""
    slow = replace(project.settings.watch[0], quiet=3600.0)
    project = replace(project, settings=replace(project.settings, watch=(slow,)))
    async with served(project) as board:
        blender = await board.application(BLENDER)
        good, bad = drop(board), drop(board, "bad.mp4", "bad words")
        await blender.post("host.request", request("captions", use(good)))
        (ident,) = await board.proposals()
        await blender.decide(ident, "reject")
        await board.until(lambda: board.read(lambda conn: _unmet(conn)) == [])
        for clip in (bad, good):
            await blender.post("host.request", request("captions", use(clip)))
        await board.until(lambda: len(board.read(lambda conn: _unmet(conn))) == 2)
        items = [(item["state"], item["name"], item["text"]) for item in await blender.inbox()]
        assert items == [
            ("failed", "a.mp4", "says did it before, and zoe in blender rejected it: 'callboard accept' takes it"),
            ("failed", "bad.mp4", "says failed: bad.mp4: holds bad words"),
        ]


def _unmet(conn: Any) -> list[Any]:
    page = inbox(conn, "blender", "/p/film.blend", "", 50)
    return list(page["items"])


def _refused(board: Served, count: int) -> bool:
    found = board.read(lambda conn: conn.execute("SELECT count(*) FROM host_requests WHERE state = 'refused'"))
    return bool(found.fetchone() == (count,))


async def test_a_request_of_an_application_that_did_not_say_hello_waits(project: Project) -> None:
    """A request that was kept while the board was away is met once its application says what it is."""
    async with served(project) as board:
        clip = drop(board)
        (ident,) = await board.proposals()
        from callboard.testing.applications import Application

        late = Application(board.bus, BLENDER)
        await late.post("host.request", request("captions", use(clip)))
        await board.until(lambda: board.read(lambda conn: conn.execute("SELECT 1 FROM host_requests").fetchone()))
        assert board.read(lambda conn: hosts.refs_of(conn, "blender", "/p/film.blend", _digest(conn))) == []
        await late.start()
        await late.hello()
        await board.until(lambda: board.read(lambda conn: hosts.uses_of(conn, _digest(conn))))
        (item,) = await late.inbox()
        assert item["id"] == ident


def _digest(conn: Any) -> str:
    ((digest,),) = conn.execute("SELECT digest FROM places").fetchall()
    return str(digest)
