"""A watch folder with languages: captions go on, subtitle files are media, and our own output starts nothing."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from callboard import codec
from callboard.beside import Named, read_name, theirs
from callboard.bus import INTAKE
from callboard.bus.memory import MemoryBus
from callboard.catalog import dead, jobs, journal, proposals
from callboard.cli.inbox import _waiting
from callboard.config import PluginSettings, Project, Settings, Watch, make_project
from callboard.daemon import Daemon
from callboard.testing import TmpPlugin
from callboard_schemas import Captions, Decision, Proposal, Translation, TranslationRequested

HERE = Path(__file__).parent
SRT = "1\n00:00:01,000 --> 00:00:02,500\nWho is there?\n"


def project(folder: Path, tmp_plugin: TmpPlugin, *languages: str) -> Project:
    """Make a project that watches a folder, captions what settles and translates into *languages*."""
    speaking, turning = ((HERE / name).read_text() for name in ("speaking.py", "turning.py"))
    tmp_plugin("speak", speaking, events=["media.settled"], results=["captions"], media=["video"])
    tmp_plugin("turn", turning, (HERE / "turning.toml").read_text().replace("LOG", str(folder / "calls")))
    (folder / "footage").mkdir()
    off = PluginSettings(enabled=False)
    plugins = {**dict.fromkeys(("caption", "autotag", "localize"), off)}
    plugins["turn"] = PluginSettings(parameters={"languages": list(languages)})
    watch = (Watch(path="footage", quiet=0.2),)
    return make_project(folder, Settings(watch=watch, allow_plugins=("speak", "turn"), plugins=plugins, workers=2))


class Up:
    """A daemon at work."""

    def __init__(self, daemon: Daemon, bus: MemoryBus) -> None:
        self.daemon, self.bus = daemon, bus
        self.footage = daemon.project.folder / "footage"

    def read(self, what: Callable[..., Any]) -> Any:
        """Read from the catalog."""
        return self.daemon.board.catalog.read(what)

    async def until(self, what: Callable[[], object]) -> None:
        """Wait until *what* holds, looking after every commit."""
        async with asyncio.timeout(60):
            while not what():
                await asyncio.sleep(0.02)

    async def rest(self) -> None:
        """Wait until nothing settles, runs or is to be written."""
        source = self.daemon.sources["footage"]

        def idle() -> bool:
            counts = self.read(jobs.counts)
            syncs = self.read(lambda conn: conn.execute("SELECT count(*) FROM syncs").fetchone()[0])
            return not source.busy and not syncs and not {"queued", "running"} & {k for k, n in counts.items() if n}

        rescans = source.rescans
        await self.until(idle)
        source.rescan("a test wants to be sure")
        await self.until(lambda: source.rescans > rescans and idle())

    def waiting(self) -> list[Proposal]:
        """Give what waits for a person."""
        return [made for made, _ in self.read(proposals.waiting)]

    def known(self) -> set[bytes]:
        """Give the files that were read."""
        return set(self.read(lambda conn: journal.known(conn, "footage")))

    def subtitles(self) -> set[str]:
        """Give the names of the SRT files in the folder."""
        return {name for name in os.listdir(self.footage) if name.endswith(".srt")}

    async def accept(self, ident: str) -> None:
        """Accept as a person on the command line does."""
        board = self.daemon.board
        await board.catalog.write(lambda conn: board.desk.decide_many(conn, [ident], "accept", "zoe"))
        board.wake()


@asynccontextmanager
async def up(made: Project) -> AsyncIterator[Up]:
    """Serve a project until the block ends."""
    async with MemoryBus() as bus:
        daemon = Daemon(made, bus)
        serving = asyncio.create_task(daemon.serve())
        ready = asyncio.create_task(daemon.ready.wait())
        await asyncio.wait([serving, ready], return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if serving.done():
            serving.result()
        try:
            yield Up(daemon, bus)
        finally:
            daemon.stopping.set()
            await serving


async def test_a_dropped_subtitle_file_is_translated(tmp_path: Path, tmp_plugin: TmpPlugin) -> None:
    """A file dropped into the folder gives a translation; what is written for it starts nothing, nor does an edit."""
    async with up(project(tmp_path, tmp_plugin, "es")) as board:
        (board.footage / "talk.en.sdh.srt").write_text(SRT)
        await board.until(board.waiting)
        (made,) = board.waiting()
        assert isinstance(made.body, Translation)
        assert made.body.cues[0].lines == ("ohW si ?ereht",)
        await board.accept(made.id)
        await board.until(lambda: "talk.es.srt" in board.subtitles())
        await board.rest()
        assert board.known() == {b"talk.en.sdh.srt"}
        assert (tmp_path / "calls").read_text().split() == ["media.settled"]


async def test_without_languages_nothing_is_read(tmp_path: Path, tmp_plugin: TmpPlugin) -> None:
    """With no language set, captions are accepted and said, no plugin is asked, and subtitle files are left alone."""
    async with up(project(tmp_path, tmp_plugin)) as board:
        (board.footage / "talk.srt").write_text(SRT)
        (board.footage / "film.mov").write_text("Good morning.")
        await board.until(lambda: "film.en.srt" in board.subtitles())
        await board.rest()
        assert board.known() == {b"film.mov"}
        assert not (tmp_path / "calls").exists()
        assert "nothing answers subtitle files" in board.daemon.explain("footage", b"talk.srt")
        said = board.read(lambda conn: conn.execute("SELECT count(*) FROM events WHERE type = 'captions.accepted'"))
        assert said.fetchone() == (1,)


async def test_captions_are_translated_as_they_are_accepted(tmp_path: Path, tmp_plugin: TmpPlugin) -> None:
    """Footage gives captions and a translation that waits; accepted, its file starts nothing, even when edited."""
    async with up(project(tmp_path, tmp_plugin, "es", "ca")) as board:
        (board.footage / "film.mov").write_text("Good morning.|How are you?")
        await board.until(lambda: len(board.waiting()) == 2)
        for made in board.waiting():
            await board.accept(made.id)
        await board.until(lambda: {"film.es.srt", "film.ca.srt"} <= board.subtitles())
        (board.footage / "film.es.srt").write_text(SRT)
        await board.rest()
        assert board.known() == {b"film.mov"}
        assert (tmp_path / "calls").read_text().split() == ["captions.accepted"]


async def test_a_persons_subtitles_count_as_captions(tmp_path: Path, tmp_plugin: TmpPlugin) -> None:
    """Beside a person's film.en.srt our English captions wait, and the inbox says why; theirs is translated."""
    async with up(project(tmp_path, tmp_plugin, "es")) as board:
        (board.footage / "film.en.srt").write_text(SRT)
        (board.footage / "film.mov").write_text("Good morning.")
        await board.until(lambda: len(board.waiting()) == 2)
        await board.rest()
        found = {made.result: made for made in board.waiting()}
        assert isinstance(found["captions"].body, Captions)
        assert board.subtitles() == {"film.en.srt"}
        listed = board.read(lambda conn: _waiting(conn, board.daemon.project))
        why = {one.proposal.result: one.beside for one in listed}
        assert why == {"captions": "film.en.srt", "translation": ""}
        await board.accept(found["translation"].id)
        await board.until(lambda: "film.es.srt" in board.subtitles())
        assert (board.footage / "film.en.srt").read_text() == SRT


async def test_a_request_on_the_bus_is_filled_in(tmp_path: Path, tmp_plugin: TmpPlugin) -> None:
    """A request that says languages alone gets the accepted captions; before there are any it is a dead letter."""
    async with up(project(tmp_path, tmp_plugin)) as board:
        (board.footage / "film.mov").write_text("Good morning!")
        await board.until(board.waiting)
        (made,) = board.waiting()
        ((path, seen),) = board.read(lambda conn: journal.known(conn, "footage")).items()
        asked = TranslationRequested(asset=seen.asset("footage"), languages=("ca",))
        for number in (1, 2):
            envelope = codec.make("translation.requested", asked, source="urn:test", id=f"ask-{number}")
            await board.bus.publish(f"{INTAKE}.translation.requested", codec.encode(envelope), msg_id=envelope.id)
            if number == 1:
                await board.until(lambda: board.read(dead.listed))
                (letter,) = board.read(dead.listed)
                assert "nothing to translate" in letter.reason
                await board.accept(made.id)
        await board.until(board.waiting)
        (translated,) = board.waiting()
        assert isinstance(translated.body, Translation)
        assert (translated.body.language, translated.body.cues[0].lines) == ("ca", ("dooG gninrom",))
        assert path == b"film.mov"


async def test_a_decision_on_the_bus_goes_on_too(tmp_path: Path, tmp_plugin: TmpPlugin) -> None:
    """A person's decision that comes as a message has the same consequences, cues left out among them."""
    async with up(project(tmp_path, tmp_plugin, "es")) as board:
        (board.footage / "film.mov").write_text("Good morning!|How are you?")
        await board.until(board.waiting)
        (made,) = board.waiting()
        decision = Decision(proposal=made.id, decision="accept", by="zoe", without=("1",))
        envelope = codec.make("review.decided", decision, source="urn:test")
        await board.bus.publish(f"{INTAKE}.review.decided", codec.encode(envelope), msg_id=envelope.id)
        await board.until(lambda: any(one.result == "translation" for one in board.waiting()))
        (translated,) = board.waiting()
        assert isinstance(translated.body, Translation)
        assert [cue.id for cue in translated.body.cues] == [2]
        await board.until(lambda: "film.en.srt" in board.subtitles())
        text = (board.footage / "film.en.srt").read_text()
        assert "How are you?" in text
        assert "morning" not in text


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (b"Film.en.srt", Named(b"Film", "en")),
        (b"Film.en.sdh.srt", Named(b"Film", "en", ("sdh",))),
        (b"Film.en.hi.srt", Named(b"Film", "en", ("hi",))),
        (b"Film.hi.srt", Named(b"Film", "hi")),
        (b"Film.forced.pt-br.srt", Named(b"Film.forced", "pt-BR")),
        (b"Film.zh_hans.default.vtt", Named(b"Film", "zh-Hans", ("default",))),
        (b"Film.spa.srt", Named(b"Film", "es")),
        (b"Film.final.v2.srt", Named(b"Film.final.v2", "")),
        (b"Film.srt", Named(b"Film", "")),
        (b"en.srt", Named(b"en", "")),
        (b"Film.mov.ca.srt", Named(b"Film.mov", "ca")),
        (b"\xffilm.en.srt", Named(b"\xffilm", "en")),
    ],
)
def test_names_say_the_language(name: bytes, said: Named) -> None:
    """The language stands between dots, flags beside it; Hindi and 'hearing impaired' are told apart."""
    assert read_name(name) == said


def test_whose_a_subtitle_file_is(tmp_path: Path) -> None:
    """A file named for the media is found by its language, a variety of it too; ours and other media's are not."""
    media = os.fsencode(tmp_path / "film.mov")
    for name in ("film.en-GB.srt", "film.es.srt", "film2.ca.srt", "film.mov.fr.vtt"):
        (tmp_path / name).write_text(SRT)
    mine = os.fsencode(tmp_path / "film.es.srt")
    assert theirs(media, "en", lambda path: path == mine) == os.fsencode(tmp_path / "film.en-GB.srt")
    assert theirs(media, "es", lambda path: path == mine) is None
    assert theirs(media, "ca", lambda path: path == mine) is None
    assert theirs(media, "fr-CA", lambda path: path == mine) == os.fsencode(tmp_path / "film.mov.fr.vtt")
    assert theirs(media, "de", lambda _path: False) is None
