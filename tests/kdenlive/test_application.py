"""The real Kdenlive, on a display and a bus of its own: it opens, shows, saves and reloads what we changed."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import av
import msgspec
import numpy as np
import pytest
from callboard.errors import HostError
from callboard_bridge import Bridge
from callboard_kdenlive import opened, saving, srt
from callboard_kdenlive.atonce import at_once
from callboard_kdenlive.ledger import NAME
from callboard_kdenlive.live import WINDOW, Live, Session, connected
from callboard_kdenlive.measure import measure
from callboard_kdenlive.outcome import Outcome
from callboard_kdenlive.patch import VERBS
from callboard_kdenlive.project import Project, media_of
from callboard_kdenlive.properties import prop
from callboard_kdenlive.serving import Served
from callboard_kdenlive.uses import open_gaps, uses
from callboard_schemas import Command, Content, HostCue, HostMarker, Use
from PIL import Image

START = 180.0
"""Seconds that a start may take; 5 were seen here on an idle machine, 14 on a busy one."""
SOON = 60.0
COLOURS = {"red": (200, 0, 0), "blue": (0, 0, 200), "new": (0, 200, 200), "other": (200, 200, 0), "more": (0, 0, 0)}
THEIRS = "1\n00:00:03,000 --> 00:00:03,400\n<b>A person's</b>\n"
PLAYHEAD = 95
"""The frame at which the project's playhead is: where no subtitle is."""
PROJECT = f"feature-{os.getpid()}.kdenlive"
"""Its name is all that Kdenlive says of a project: no two that run at once may share it."""


class Running(NamedTuple):
    """A Kdenlive that shows the project."""

    path: Path
    applied: dict[str, tuple[Command, Outcome]]
    """What was done while it was closed, by verb."""
    live: Live
    process: subprocess.Popen[bytes]

    @property
    def session(self) -> Session:
        """Ask what it shows now."""
        (session,) = self.live.sessions()
        return session

    def project(self) -> Project:
        """Read the project from disk."""
        return saving.read(str(self.path))[0]

    def save(self) -> None:
        """Save in the application, and wait until the file is written."""
        before = self.path.stat().st_mtime_ns
        action = f"{WINDOW}/actions/file_save"
        self.live._call(self.session.service, action, "org.qtproject.Qt.QAction", "trigger")
        until(lambda: self.path.stat().st_mtime_ns != before and not self.session.modified)

    def keep(self, name: str) -> Project:
        """Save until a clip that was added is in the file: while it loads another stands there. Gives the project."""

        def kept() -> bool:
            self.save()
            return name in [os.path.basename(media_of(self.project(), clip)) for clip in self.project().clips()]

        until(kept)
        return self.project()


def until(what: Callable[[], object], seconds: float = SOON) -> None:
    """Wait until *what* holds; what it asks may not answer yet."""
    end = time.monotonic() + seconds
    while True:
        with contextlib.suppress(Exception):
            if what():
                return
        assert time.monotonic() < end, f"not within {seconds:.0f} s"
        time.sleep(0.05)  # neither a file nor another process tells when it is ready


def moving(path: Path, colour: tuple[int, int, int]) -> None:
    """Write a clip of one colour, 75 frames."""
    picture = np.full((180, 320, 3), colour, np.uint8)
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for _ in range(75):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(stream.encode(None))


def find(project: Project, name: str) -> Use:
    """Find a use such as ``V1 red``."""
    where, _, media = name.partition(" ")
    return next(use for use in uses(project) if use.ref.startswith(f"{where}-") and Path(use.path).stem == media)


def do(path: Path, verb: str, content: Content | None = None, name: str = "", **more: Any) -> tuple[Command, Outcome]:
    """Apply a command to a project on disk."""
    use = find(saving.read(str(path))[0], name) if name else None
    command = Command(id=verb, host="h", verb=verb, proposal="p1", use=use, content=content, **more)
    return command, saving.patch(str(path), command, measure)


def changed(path: Path) -> dict[str, tuple[Command, Outcome]]:
    """Do one of everything at a closed project."""
    picture = str(path.parent / "standin.png")
    cues = (
        HostCue(id=1, start=0.0, end=0.5, text="Hello\nyou", italic=True),
        HostCue(id=2, start=0.6, end=1, text="né"),
    )
    gap = open_gaps(saving.read(str(path))[0])[0]
    marks = Content(markers=(HostMarker(start=1.0, name="face", colour="green"),))
    return {
        "tags": do(path, "tags.write", Content(tags=("tree", "夜")), "bin red"),
        "description": do(path, "description.write", Content(description="A wall."), "bin red"),
        "markers": do(path, "markers.write", marks, "bin red"),
        "guides": do(path, "markers.write", marks, "V1 blue", arguments={"as": "guides"}),
        "subtitles": do(path, "subtitles.write", Content(cues=cues), "V1 red"),
        "placeholder": do(path, "placeholder.insert", Content(gap=gap, file=picture)),
        "lost": for_lost(path),
    }


def for_lost(path: Path) -> tuple[Command, Outcome]:
    """Put a film at a use whose media is gone; then it comes back, for about what is gone Kdenlive asks a person."""
    film, red = path.with_name("SH010_PLACEHOLDER_v001.mp4"), path.with_name("red.mp4")
    shutil.copy(path.with_name("blue.mp4"), film)
    hidden = red.rename(red.with_suffix(".hidden"))
    use, content = find(saving.read(str(path))[0], "V2 red"), Content(file=str(film))
    command = Command(id="lost", host="h", verb="placeholder.insert", proposal="p2", use=use, content=content)
    outcome = saving.patch(str(path), command, measure)
    hidden.rename(red)
    return command, outcome


@pytest.fixture(scope="module")
def kdenlive(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Start Kdenlive once, with a project that we changed."""
    folder = tmp_path_factory.mktemp("kd")
    for name, colour in COLOURS.items():
        moving(folder / f"{name}.mp4", colour)
    Image.new("RGB", (320, 180), (0, 200, 0)).save(folder / "standin.png")
    path = folder / PROJECT
    text = (pytestconfig.rootpath / "tests" / "kdenlive" / "edit.kdenlive").read_text("utf-8")
    text = text.replace('position">0<', f'position">{PLAYHEAD}<')
    path.write_text(text.replace("@FOLDER@", str(folder)), "utf-8")
    Path(f"{path}.srt").write_text(THEIRS, "utf-8")
    applied = changed(path)
    with contextlib.ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
        patch.setattr("callboard_kdenlive.live._SECONDS", SOON)  # on a busy machine an answer takes longer than 2 s
        environment, address = surroundings(folder, stack)
        log = stack.enter_context((folder / "kdenlive.log").open("wb"))
        process = subprocess.Popen(["kdenlive", str(path)], env=environment, stdout=log, stderr=log)
        stack.callback(ended, process)
        live = stack.enter_context(connected(address))
        until(lambda: live.sessions()[0].shows(str(path)), START)
        yield Running(path, applied, live, process)


def surroundings(folder: Path, stack: contextlib.ExitStack) -> tuple[dict[str, str], str]:
    """Start a bus and a display; give the environment of an application on them, and the bus's address."""
    bus = [
        "dbus-daemon",
        "--session",
        "--nofork",
        "--nopidfile",
        "--print-address=1",
        f"--address=unix:path={folder}/bus",
    ]
    address = first_line(bus, stack)
    display = first_line(["Xvfb", "-displayfd", "1", "-screen", "0", "1600x1000x24", "-nolisten", "tcp"], stack)
    places = {}
    for variable in ("HOME", "XDG_RUNTIME_DIR", "TMPDIR"):  # a folder for temporary files holds Kdenlive's lock
        place = folder / variable.lower()
        place.mkdir(mode=0o700)
        places[variable] = str(place)
    clean = {name: os.environ[name] for name in ("PATH",)}
    more = {
        "DISPLAY": f":{display}",
        "DBUS_SESSION_BUS_ADDRESS": address,
        "QT_QPA_PLATFORM": "xcb",
        "LC_ALL": "C.UTF-8",
    }
    return {**clean, **places, **more}, address


def first_line(command: list[str], stack: contextlib.ExitStack) -> str:
    """Start a program that runs until the stack ends, and give the first line that it prints."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    stack.callback(ended, process)
    assert process.stdout is not None
    stack.callback(process.stdout.close)
    return process.stdout.readline().strip()


def ended(process: subprocess.Popen[Any]) -> None:
    """End a process, and wait for it."""
    process.kill()
    process.wait(SOON)


def there(running: Running, name: str) -> Outcome:
    """Read back what is there now of what was applied."""
    command, _ = running.applied[name]
    return saving.look_up(str(running.path), command)


def test_everything_of_ours_survives_a_save(kdenlive: Running) -> None:
    """Tags, markers, guides, subtitles and the stand-in are there as they landed, after Kdenlive wrote the project."""
    numbers = [prop(clip, "kdenlive:id") for clip in kdenlive.project().clips()]
    kdenlive.live.add_clip(kdenlive.session, str(kdenlive.path.with_name("new.mp4")))
    until(lambda: kdenlive.session.modified)
    project = kdenlive.keep("new.mp4")
    assert [prop(clip, "kdenlive:id") for clip in project.clips()][:3] != numbers  # it counts them anew
    for name, (_, landed) in kdenlive.applied.items():
        found = there(kdenlive, name)
        assert (name, found.landed, found.missing) == (name, [*landed.landed], [])
        assert found.landed
    assert [use.start for use in uses(project) if use.path.endswith("standin.png") and use.duration] == [1.2]
    lost = find(project, "V2 SH010_PLACEHOLDER_v001")
    assert (lost.start, lost.source_in, lost.duration) == (3.2, 0.0, 1.0)


def test_an_open_project_waits_until_it_is_closed(kdenlive: Running) -> None:
    """A command for a project that Kdenlive shows is kept, and the file stays as it is."""
    said: list[str] = []
    served = serve(kdenlive, said)
    before = kdenlive.path.read_bytes()
    served.take(order(kdenlive, "sky"))
    served.tick()
    assert said == [f"{PROJECT} is open in Kdenlive; 1 change(s) wait until it is closed"]
    assert served.waiting == 1
    assert kdenlive.path.read_bytes() == before
    served.bridge.close()


def test_a_project_without_unsaved_changes_can_be_loaded_again(kdenlive: Running) -> None:
    """With the setting, an open project is changed on disk and loaded again: what Kdenlive saves then has it."""
    served = serve(kdenlive, [], live_reload=True)
    kdenlive.live.add_clip(kdenlive.session, str(kdenlive.path.with_name("other.mp4")))
    until(lambda: kdenlive.session.modified)
    served.take(order(kdenlive, "sky"))
    served.tick()
    assert served.waiting == 1  # unsaved changes are a person's
    kdenlive.keep("other.mp4")
    served.take(order(kdenlive, "sky"))
    served.tick()
    assert served.waiting == 0
    until(lambda: kdenlive.session.shows(str(kdenlive.path)) and not kdenlive.session.modified)
    kdenlive.save()
    clip = next(clip for clip in kdenlive.project().clips() if media_of(kdenlive.project(), clip).endswith("red.mp4"))
    assert prop(clip, "kdenlive:callboard.tags") == "sky"
    assert prop(clip, "kdenlive:description") == "A wall.\nTags: sky"
    served.bridge.close()


def test_a_command_that_asks_for_no_more_is_done_in_the_open_project(
    kdenlive: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file comes into the bin at once, however late it is, and its place is said to be a person's to choose."""
    monkeypatch.setattr("callboard_kdenlive.atonce._SECONDS", 0.0)
    more = str(kdenlive.path.with_name("more.mp4"))
    command = Command(
        id="c",
        host="h",
        verb="placeholder.insert",
        proposal="p9",
        content=Content(file=more),
        arguments={"live": "bin"},
    )
    outcome = at_once(kdenlive.session, command)
    assert outcome is not None
    assert outcome.landed == ["more.mp4 in the bin"]
    assert outcome.missing == ["its place on the timeline: Kdenlive takes none over D-Bus; drag it there"]
    kdenlive.keep("more.mp4")
    assert at_once(kdenlive.session, msgspec.structs.replace(command, arguments={})) is None


def test_a_subtitle_at_the_playhead_is_added_and_another_there_is_not(kdenlive: Running) -> None:
    """One cue lands where the playhead is; the same again changes nothing, and is not said to have landed."""
    cues = (
        HostCue(id=1, start=0.0, end=1.0, text="Right here."),
        HostCue(id=2, start=2.0, end=3.0, text="Not this one."),
    )
    command = Command(
        id="c",
        host="h",
        verb="subtitles.write",
        proposal="p9",
        content=Content(cues=cues),
        arguments={"live": "playhead"},
    )
    first = at_once(kdenlive.session, command)
    assert first is not None
    assert first.landed == ["subtitle Right here. at the playhead"]
    assert first.missing == ["1 more subtitle(s): over D-Bus Kdenlive takes one, at the playhead"]
    kdenlive.save()
    (added,) = (b for b in srt.read(Path(f"{kdenlive.path}.srt").read_bytes(), "x") if b.text.strip() == "Right here.")
    assert added.start == PLAYHEAD / 25
    again = at_once(kdenlive.session, command)
    assert again is not None
    assert again.landed == []


def test_what_cannot_be_done_live_is_not_offered(kdenlive: Running) -> None:
    """Its own interface adds clips and subtitles at the playhead, and has nothing for guides, tags or places."""
    offered = kdenlive.live.methods(kdenlive.session)
    assert {"addProjectClip", "slotAddSubtitle"} <= set(offered)
    assert [name for name in offered if any(word in name.lower() for word in ("guide", "marker", "tag", "seek"))] == []


def test_after_it_is_closed_what_waited_is_done_and_a_clear_takes_only_ours(kdenlive: Running) -> None:
    """The first look after the end does what waits; a clear then leaves what people made, and nothing of ours."""
    said: list[str] = []
    served = serve(kdenlive, said)
    served.take(order(kdenlive, "car"))
    served.tick(now=1000.0)
    assert served.waiting == 1
    with contextlib.suppress(HostError):  # it may be gone before it answers
        kdenlive.live._call(kdenlive.session.service, WINDOW, "org.kde.kdenlive.MainWindow", "exitApp")
    until(lambda: kdenlive.process.poll() is not None)
    assert opened.look(str(kdenlive.path)).state == "closed"
    served.tick(now=2000.0)
    assert served.waiting == 0
    served.bridge.close()
    _, outcome = do(kdenlive.path, "clear")
    assert outcome.missing == []
    cleared = saving.patch(str(kdenlive.path), Command(id="c", host="h", verb="clear", proposal="p2"), measure)
    assert cleared.missing == []
    again = find(kdenlive.project(), "V2 red")
    assert (again.start, again.source_in, again.duration) == (3.2, 1.0, 1.0)
    text = kdenlive.path.read_text("utf-8")
    assert NAME not in text
    assert [one for one in ("standin.png", ">car<", "face", "夜", "A wall.") if one in text] == []
    assert "PLACEHOLDER" not in text
    assert [one for one in ("first smile", "act two", "kept for the trailer") if one not in text] == []
    side = Path(f"{kdenlive.path}.srt").read_text("utf-8")
    assert "<b>A person's</b>" in side
    assert "Hello" not in side


def serve(running: Running, said: list[str], **more: Any) -> Served:
    """Serve the project to a board that is away."""
    folder = running.path.parent / "show"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    bridge = Bridge.for_project(str(folder), "kdenlive", "22.12.3", VERBS)
    return Served(str(running.path), bridge, say=said.append, **more)


def order(running: Running, tag: str) -> dict[str, Any]:
    """Make a command as the bridge hands it over."""
    use = find(running.project(), "bin red")
    command = Command(id=tag, host="h", verb="tags.write", proposal="p1", use=use, content=Content(tags=(tag,)))
    return dict(msgspec.to_builtins(command))
