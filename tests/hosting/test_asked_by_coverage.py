"""Placeholders that coverage asked for from outside: into the gap of the project that it read, and out for the shot."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from callboard import codec
from callboard.bus import INTAKE
from callboard.catalog import hosts, standins
from callboard.config import PluginSettings, Project, Settings, Watch, make_project
from callboard.coverage import Look, cover, read_cut, reading
from callboard.coverage.requesting import Terms, requests, told
from callboard.coverage.standins import StandIns
from callboard.testing import TmpPlugin, countedclips
from callboard.testing.applications import Application, Served, served
from callboard_kdenlive import saving
from callboard_kdenlive.measure import measure
from callboard_kdenlive.mlt import melt
from callboard_schemas import VERBS, Command, PlaceholderRequested, Presence
from msgspec.structs import replace

STANDS_IN = """
    import hashlib, json
    from pathlib import Path
    from callboard import Placeholder, hookimpl

    @hookimpl
    def callboard_handle(event, context):
        asked = json.loads(bytes(event.data))
        path = Path(context.output) / "SH010_PLACEHOLDER_v001_slate.mov"
        digest = "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
        return Placeholder(
            shot=asked["shot"], generator="slate", file=f"placeholders/{path.name}", confidence=1.0, digest=digest,
            rate=asked["counted"], frames=asked["frames"], timeline=asked["timeline"], ref=asked["ref"],
        )
"""
RED, BLUE, STANDS, SHOT = 1, 2, 3, 4
GAP, FRAMES = 30, 40


@pytest.fixture
def project(tmp_path: Path, tmp_plugin: TmpPlugin) -> Project:
    """Give a project with a film that stands in, and a Kdenlive project with a gap of just that length."""
    tmp_plugin("stands-in", STANDS_IN, events=["placeholder.requested"], kind="generate", results=["placeholder"])
    for name in ("footage", "placeholders"):
        (tmp_path / name).mkdir()
    off = PluginSettings(enabled=False)
    settings = Settings(
        watch=(Watch(path="footage", quiet=0.1),),
        allow_plugins=("stands-in",),
        plugins=dict.fromkeys(("caption", "autotag", "localize", "placeholder"), off),
    )
    countedclips.write(tmp_path / "placeholders" / "SH010_PLACEHOLDER_v001_slate.mov", STANDS, FRAMES, 25)
    return make_project(tmp_path, settings)


@pytest.fixture
def edit(pytestconfig: pytest.Config, project: Project) -> Path:
    """Give the Kdenlive project, small enough to be rendered fast."""
    folder = project.folder / "edits"
    folder.mkdir()
    for film, name in ((RED, "red.mp4"), (BLUE, "blue.mp4")):
        countedclips.write(folder / name, film, 75, 25)
    text = (pytestconfig.rootpath / "tests" / "kdenlive" / "edit.kdenlive").read_text("utf-8")
    small = text.replace('width="1280" height="720"', f'width="{countedclips.WIDTH}" height="{countedclips.HEIGHT}"')
    path = folder / "edit.kdenlive"
    path.write_text(small.replace("@FOLDER@", str(folder)), "utf-8")
    return path


def kdenlive(path: Path) -> Presence:
    """Say what serves a Kdenlive project."""
    return Presence(
        host="kdenlive-1",
        application="kdenlive",
        version="22.12",
        state="online",
        capabilities=VERBS,
        project=str(path),
    )


def lacking(path: Path) -> tuple[PlaceholderRequested, ...]:
    """Give what coverage would ask for; the gap is called SH010."""
    with reading() as headers:
        found = cover(read_cut(path, Look(headers=headers)), headers, StandIns())
        cut = replace(found.cut, items=tuple(replace(one, shot="SH010") if one.gap else one for one in found.cut.items))
        return requests(replace(found, cut=cut), Terms(), headers)


async def accepted(board: Served, asked: PlaceholderRequested) -> str:
    """Ask from outside, and accept what was made; gives its id."""
    envelope = codec.make("placeholder.requested", asked, source="urn:test")
    await board.bus.publish(f"{INTAKE}.placeholder.requested", codec.encode(envelope), msg_id=envelope.id)
    (ident,) = await board.proposals()
    await decide(board, ident)
    return ident


async def decide(board: Served, ident: str, verb: Any = "accept") -> None:
    """Decide as a person on the command line does."""
    desk = board.daemon.board.desk
    await board.daemon.board.catalog.write(lambda conn: desk.decide_many(conn, [ident], verb, "zoe"))
    board.daemon.board.wake()


async def done(host: Application, command: Command, path: Path) -> list[tuple[int, int, int]]:
    """Do a command in the closed project; gives film, first frame and length of what melt shows in the gap."""
    outcome = saving.patch(str(path), command, measure)
    assert (outcome.refused, outcome.stale, outcome.missing) == ("", "", [])
    await host.receipt(command)
    out = path.with_suffix(".mkv")
    line = [melt(), str(path), f"out={GAP + FRAMES + 2}", "-consumer", f"avformat:{out}", "vcodec=mpeg4", "qscale=2"]
    # Without a display melt leaves out the transitions of Qt.
    bare = {name: value for name, value in os.environ.items() if name != "DISPLAY"}
    rest = ["g=1", "an=1", "real_time=-1"]
    subprocess.run([*line, *rest], check=True, timeout=60, capture_output=True, env=bare)
    runs = countedclips.runs(list(countedclips.seen(out)))
    return [(film, first, count) for place, film, first, count in runs if GAP <= place < GAP + FRAMES]


async def test_it_goes_into_the_gap_that_was_read_and_gives_way_to_the_shot(project: Project, edit: Path) -> None:
    """The host's own gap comes with the film; melt shows it there to the frame, then the shot, then it again."""
    (asked,) = lacking(edit)
    async with served(project) as board:
        host = await board.application(kdenlive(edit))
        ident = await accepted(board, asked)
        command = await host.next("placeholder.insert")
        assert command.content is not None
        assert command.content.gap is not None
        assert (command.content.gap.ref, command.content.gap.shot) == ("gap-30-40", "SH010")
        assert await done(host, command, edit) == [(STANDS, 0, FRAMES)]
        await board.until(lambda: board.states() == [("placeholder.insert", "applied")])
        countedclips.write(board.footage / "SH010_v001.mov", SHOT, FRAMES + 16, 25)
        _, swap = await board.proposals(2)
        await decide(board, swap)
        relink = await host.next("relink")
        assert relink.arguments == {"placeholder": ident}
        assert await done(host, relink, edit) == [(SHOT, 8, FRAMES)]
        await board.until(lambda: board.states()[-1] == ("relink", "applied"))
        await decide(board, swap, "reject")
        assert await done(host, await host.next("clear"), edit) == [(STANDS, 0, FRAMES)]


async def test_a_project_that_is_served_later_gets_it_then_and_once(project: Project, edit: Path) -> None:
    """An application that comes after the acceptance is asked at its hello, by a link's name too, and never again."""
    link = project.folder / "linked"
    link.symlink_to(edit.parent)
    (asked,) = lacking(link / edit.name)
    async with served(project) as board:
        await accepted(board, asked)
        other = await board.application(replace(kdenlive(edit.with_name("other.kdenlive")), host="kdenlive-2"))
        assert board.states() == []
        host = await board.application(kdenlive(edit))
        first = await host.next("placeholder.insert")
        await host.hello()
        assert (await host.next("placeholder.insert")).id == first.id
        await host.receipt(first)
        await board.until(lambda: board.states() == [("placeholder.insert", "applied")])
        await host.hello()
        assert board.states() == [("placeholder.insert", "applied")]
        assert other.commands.empty()


async def test_an_application_that_can_do_it_by_now_gets_it(project: Project, edit: Path) -> None:
    """While it takes no placeholders another route is said, once; at the hello with which it does, it is asked."""
    (asked,) = lacking(edit)
    async with served(project) as board:
        host = await board.application(replace(kdenlive(edit), capabilities=("relink",)))
        await accepted(board, asked)
        await host.hello()
        assert board.states() == [("timeline", "told")]
        await host.hello(capabilities=VERBS)
        await host.next("placeholder.insert")
        assert board.states() == [("timeline", "withdrawn"), ("placeholder.insert", "pending")]


async def test_a_clip_whose_media_is_gone_is_named_as_its_application_names_it(project: Project, edit: Path) -> None:
    """The application is asked to put the film at that very use; where nothing says which it is, that is said."""
    (edit.parent / "blue.mp4").unlink()
    asked = lacking(edit)
    clip = next(one for one in asked if one.gap is None)
    assert (clip.use and clip.use.name, clip.frames, clip.ref) == ("the blue one", FRAMES, "V1-70")
    with reading() as headers:
        cut = read_cut(edit, Look(headers=headers))
    assert told(cut, asked) == ()
    unnamed = replace(clip, use=None, shot="another", ref="V1-9")
    assert told(cut, (unnamed,)) == (
        "Kdenlive can give these no other file, so put in by hand what stands in for them: another",
    )
    async with served(project) as board:
        host = await board.application(kdenlive(edit))
        await accepted(board, clip)
        command = await host.next("placeholder.insert")
        film = project.folder / "placeholders" / "SH010_PLACEHOLDER_v001_slate.mov"
        assert clip.use is not None
        assert (command.use, command.revision) == (clip.use, clip.use.revision)
        assert (command.content and command.content.file, command.content and command.content.gap) == (str(film), None)
        outcome = saving.patch(str(edit), command, measure)
        assert (outcome.stale, outcome.landed) == ("", [f"stand-in {film.name} at 00:00:02.800 on V1"])
        await host.receipt(command)
        await board.until(lambda: board.states() == [("placeholder.insert", "applied")])
        envelope = codec.make("placeholder.requested", unnamed, source="urn:test")
        await board.bus.publish(f"{INTAKE}.placeholder.requested", codec.encode(envelope), msg_id=envelope.id)
        await decide(board, (await board.proposals(2))[1])
        await board.until(lambda: len(board.commands()) == 2)
        row = board.commands()[1]
        assert (row.route, row.state) == ("nowhere", "told")
        assert row.why == f"nothing says which clip of kdenlive V1-9 is; give it the file {film}"


async def test_it_waits_in_the_panel_of_the_project(project: Project, edit: Path) -> None:
    """Whoever has the project open can review what was asked for from outside."""
    (asked,) = lacking(edit)
    async with served(project) as board:
        host = await board.application(kdenlive(edit))
        envelope = codec.make("placeholder.requested", asked, source="urn:test")
        await board.bus.publish(f"{INTAKE}.placeholder.requested", codec.encode(envelope), msg_id=envelope.id)
        (ident,) = await board.proposals()
        (item,) = await host.inbox()
        assert (item["id"], item["name"]) == (ident, "SH010")
        waits = board.read(lambda conn: hosts.waiting_for(conn, "kdenlive", f"{edit}.other", "", 9))
        assert (waits, board.read(standins.for_projects)) == ([], [])
