"""Blender with its window: the add-on as people install it, a real daemon, the panel, and what a person does there."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from callboard.testing import write_plugin
from callboard.testing.displays import display
from callboard_blender import build

pytestmark = [pytest.mark.broker, pytest.mark.timeout(600)]

# Cues whose times and doubts do not depend on the clip.
SAYS = """
    from callboard import Captions, Cue, hookimpl

    @hookimpl
    def callboard_handle(event, asset, context):
        said = (
            ("The ferry leaves at seven.", (), ()),
            ("Nobody told me about the fog.", ("somewhat unsure",), ()),
            ("We wait until it lifts.", (), ("hardly a voice here",)),
        )
        cues = tuple(
            Cue(id=n, start=n * 0.6, end=n * 0.6 + 0.5, lines=(text,), confidence=0.8, flags=flags, failed=failed)
            for n, (text, flags, failed) in enumerate(said)
        )
        return Captions(language="en", cues=cues, confidence=0.82, duration=2.0)
"""
SEES = """
    from callboard import Tag, Tags, hookimpl

    @hookimpl
    def callboard_handle(event, asset, context):
        tags = [Tag(label=label, score=score, method="sees") for label, score in (("harbour", 0.93), ("fog", 0.71))]
        return Tags(items=tuple(tags), confidence=0.8, description="A harbour in fog.")
"""
SETTINGS = """
allow_plugins = ["says", "sees"]
workers = 1
policy.analyse = "ask"
[[watch]]
path = "footage"
quiet = 0.2
[plugins.caption]
enabled = false
[plugins.autotag]
enabled = false
[plugins.localize]
enabled = false
"""
SEQUENCER = """
window().workspace = bpy.data.workspaces["Layout"]
for one in window().screen.areas:
    if one.type == "VIEW_3D":
        one.type = "SEQUENCE_EDITOR"
area()[0].spaces.active.show_region_ui = True
import callboard_addon.connection as connection
drawn = []
bpy.types.CALLBOARD_PT_sequencer_inbox.append(lambda self, context: drawn.append(context.area.type))
"""
MORE = """
import shutil
scene = window().scene
first = scene.sequence_editor.sequences_all["ferry"]
path = bpy.path.abspath(first.filepath).replace("ferry_sc010", "gulls_sc020")
with open(bpy.path.abspath(first.filepath), "rb") as source, open(path + ".part", "wb") as target:
    target.write(source.read() + b"\\0\\0\\0\\x08free")
import os
os.rename(path + ".part", path)
scene.sequence_editor.sequences.new_movie("second", path, 4, 100)
"""
"""Lets another clip land in the watched folder (the same picture in other bytes), and puts it on the timeline."""
SECONDS = 120.0
"""Any wait here ends far sooner, or something is broken."""


class Up:
    """A real ``callboard up`` that can be killed and started again."""

    def __init__(self, folder: Path, site: Path) -> None:
        self.folder = folder
        self._env = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(site)}
        self.start()

    def start(self) -> None:
        """Start it and wait until it is ready."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "callboard", "up"],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self._env,
        )
        assert self.process.stdout is not None
        heard = []
        for line in self.process.stdout:
            heard.append(line)
            if "Ready in" in line:
                return
        raise AssertionError("".join(heard))

    def until(self, good: Callable[[list[dict[str, Any]]], object]) -> list[dict[str, Any]]:
        """Wait until what the board says of the applications that are there is as it should be."""
        hosts: list[dict[str, Any]] | None = []
        ends = time.monotonic() + SECONDS
        while time.monotonic() < ends:
            asked = [sys.executable, "-m", "callboard", "status", "--json"]
            told = subprocess.run(asked, cwd=self.folder, capture_output=True, text=True, timeout=60, check=True)
            hosts = (json.loads(told.stdout)["live"] or {"hosts": None})["hosts"]
            if hosts is not None and good(hosts):
                return hosts
        raise AssertionError(hosts)

    def end(self, how: int) -> None:
        """Send a signal and wait for the end."""
        self.process.send_signal(how)
        try:
            self.process.communicate(timeout=SECONDS)
        finally:
            self.process.kill()
            self.process.communicate()

    def read(self, query: str) -> list[tuple[Any, ...]]:
        """Read the catalog."""
        with contextlib.closing(
            sqlite3.connect(f"file:{self.folder}/.callboard/catalog.sqlite?mode=ro", uri=True)
        ) as conn:
            return conn.execute(query).fetchall()

    def holds(self, query: str, good: Callable[[list[tuple[Any, ...]]], object]) -> list[tuple[Any, ...]]:
        """Wait until the catalog holds what it should: what the broker has taken is not in there at once."""
        ends = time.monotonic() + SECONDS
        while not good(rows := self.read(query)):
            assert time.monotonic() < ends, rows
            time.sleep(0.05)  # another process writes it
        return rows


class Gui:
    """A Blender with a window, told what to do over a socket."""

    def __init__(self, folder: Path, screen: str) -> None:
        self.folder = folder
        self.log = folder / "blender.log"
        with socket.create_server(("127.0.0.1", 0)) as door:
            env = {**os.environ, "GUI_PORT": str(door.getsockname()[1]), "DISPLAY": screen}
            for name in ("CONFIG", "SCRIPTS"):
                (folder / name.lower()).mkdir()
                env[f"BLENDER_USER_{name}"] = str(folder / name.lower())
            blender = ["blender", "--factory-startup", "--enable-event-simulate", "--window-geometry", "0", "0"]
            script = str(Path(__file__).with_name("gui_driver.py"))
            with self.log.open("wb") as log:
                self.process = subprocess.Popen(
                    [*blender, "1100", "800", "-P", script], stdout=log, stderr=subprocess.STDOUT, env=env
                )
            door.settimeout(SECONDS)
            try:
                self._link, _ = door.accept()
            except OSError:
                self._kill()
                raise
        self._link.settimeout(SECONDS)
        self._file = self._link.makefile("rb")

    def run(self, code: str) -> Any:
        """Run code in Blender; gives what it leaves in ``result``."""
        self._link.sendall(json.dumps(textwrap.dedent(code)).encode() + b"\n")
        said = json.loads(self._file.readline() or b'{"error": "Blender is gone"}')
        assert "error" not in said, said["error"] + self.log.read_text("utf-8", "replace")[-2000:]
        return said["result"]

    def ask(self, expression: str) -> Any:
        """Evaluate an expression in Blender."""
        return self.run(f"result = {expression}")

    def until(self, expression: str) -> Any:
        """Wait until an expression is true in Blender, asking it between its own events."""
        ends = time.monotonic() + SECONDS
        while time.monotonic() < ends:
            found = self.ask(expression)
            if found:
                return found
        said = self.run("link = connection.current(); result = [link.status, link.inbox.rows, list(link.done)]")
        raise AssertionError(f"never: {expression}; {said}; {self.log.read_text('utf-8', 'replace')[-3000:]}")

    def press(self, operator: str, **arguments: object) -> list[str]:
        """Press a button."""
        found: list[str] = self.ask(f"call({operator!r}, **{arguments!r})")
        return found

    def close(self) -> None:
        """End it."""
        self._file.close()
        self._link.close()  # the driver ends Blender when nobody talks to it any more
        try:
            self.process.wait(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            self._kill()

    def _kill(self) -> None:
        """End it, whatever it does."""
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with a Callboard project and a clip in its watched folder."""
    top = tmp_path_factory.mktemp("window")
    site, project = top / "site", top / "film"
    site.mkdir()
    write_plugin(site, "says", SAYS, events=["media.settled", "captions.requested"], results=["captions"])
    write_plugin(site, "sees", SEES, events=["tags.requested"], results=["tags"])
    (project / "footage").mkdir(parents=True)
    (project / "callboard.toml").write_text(SETTINGS)
    clip = ["-f", "lavfi", "-i", "testsrc2=s=320x180:r=24:d=2", "-pix_fmt", "yuv420p", "-c:v", "libx264"]
    target = project / "footage" / "ferry_sc010_take3.mp4"
    subprocess.run(["ffmpeg", "-v", "error", *clip, str(target)], check=True, timeout=60)
    return top


@pytest.fixture(scope="module")
def up(folder: Path) -> Iterator[Up]:
    """Give a board that is ready."""
    board = Up(folder / "film", folder / "site")
    yield board
    if board.process.poll() is None:
        board.end(signal.SIGINT)


@pytest.fixture(scope="module")
def screen() -> Iterator[str]:
    """Give a display for Blender's window."""
    with display(1100, 800) as name:
        yield name


@pytest.fixture(scope="module")
def gui(folder: Path, up: Up, screen: str) -> Iterator[Gui]:
    """Give a Blender with the add-on installed as people do, and a saved file with the clip on its timeline."""
    (path,) = [one for one in build.build(folder / "zips") if one.name == build.name("legacy")]
    (folder / "user").mkdir()
    blender = Gui(folder / "user", screen)
    (blender.folder / "config" / "callboard.json").write_text(json.dumps({"project": str(up.folder)}))
    try:
        blender.run(f"""
            bpy.context.preferences.view.show_splash = False
            bpy.ops.preferences.addon_install(filepath={str(path)!r})
            bpy.ops.preferences.addon_enable(module="callboard_addon")
        """)
        blender.run(SEQUENCER)
        blender.run(f"""
            scene = window().scene
            scene.frame_start, scene.frame_end, scene.render.fps = 1, 120, 24
            strips = scene.sequence_editor_create().sequences
            strip = strips.new_movie("ferry", {str(up.folder / "footage/ferry_sc010_take3.mp4")!r}, 2, 1)
            later = strips.new_movie("ferry again", {str(up.folder / "footage/ferry_sc010_take3.mp4")!r}, 2, 80)
            scene.render.resolution_x, scene.render.resolution_y = 320, 180
            bpy.ops.wm.save_as_mainfile(filepath={str(folder / "edit.blend")!r})
            with bpy.context.temp_override(window=window()):
                bpy.ops.ed.undo_push(message="As a person's own work ends")
        """)
        yield blender
    finally:
        blender.close()
    log = blender.log.read_text("utf-8", "replace")
    assert "Traceback" not in log, log[log.index("Traceback") :]


def test_the_panel_shows_what_waits(gui: Gui, folder: Path) -> None:
    """The sidebar tells that it is connected, and shows the clip's captions with a picture and what is in doubt."""
    gui.until("connection.current().online")
    gui.until("connection.current().inbox.rows")
    row = gui.ask("connection.current().inbox.rows[0]._asdict()")
    assert (row["name"], row["result"], row["open"]) == ("ferry_sc010_take3.mp4", "captions", True)
    assert row["line"] == "Captions, English · 82 %"
    assert row["flags"] == ["hardly a voice here", "somewhat unsure"]
    gui.until("connection.current().status.headline == 'Connected to film'")
    gui.run("connection.current().inbox.open(connection.current().inbox.rows[0].id)")
    assert gui.until("connection.current().inbox.summary") == "3 cues, 2 to look at"
    gui.until("__import__('callboard_addon.thumbnails').thumbnails.icon(connection.current().inbox.rows[0].picture)")
    show_tab(gui)
    shot = folder / "panel.png"
    gui.run(f"""
        with bpy.context.temp_override(window=window(), screen=window().screen):
            bpy.ops.screen.screenshot(filepath={str(shot)!r})
    """)
    assert shot.read_bytes().startswith(b"\x89PNG")


def show_tab(gui: Gui) -> None:
    """Click down the sidebar's tabs until ours is drawn; Blender 3.4 has no other way to choose one."""
    for down in (*range(110, 400, 12), *range(20, 110, 12)):
        if gui.ask("len(drawn)"):
            return
        gui.run(f"_, side = area(); click(side.x + side.width - 11, side.y + side.height - {down})")
        gui.run("bpy.ops.wm.redraw_timer(type='DRAW_WIN_SWAP', iterations=1)")
    raise AssertionError("our tab is not there")


def test_a_doubtful_cue_is_shown_on_the_timeline(gui: Gui) -> None:
    """Its button selects the strips of the clip alone and moves the playhead to where the cue is heard."""
    (ident,) = gui.until("[row.id for row in connection.current().inbox.rows]")
    assert gui.press("callboard.jump", proposal=ident, seconds=1.2) == ["FINISHED"]
    scene = "window().scene"
    assert gui.ask(f"{scene}.frame_current") == 1 + round(1.2 * 24)
    assert gui.ask(f"{scene}.sequence_editor.active_strip.name") == "ferry"
    assert gui.ask(f"sorted(s.name for s in {scene}.sequence_editor.sequences_all if s.select)") == [
        "ferry",
        "ferry again",
    ]


def test_accepting_puts_the_captions_in_place_in_one_step_of_undo(gui: Gui, up: Up) -> None:
    """Accept in the panel: captions lie over both uses of the clip, the panel says so, and one undo takes each back."""
    (ident,) = gui.until("[row.id for row in connection.current().inbox.rows]")
    assert gui.press("callboard.accept", proposal=ident) == ["FINISHED"]
    gui.until("len(connection.current().done) == 2")
    texts = "sorted(s.text for s in window().scene.sequence_editor.sequences_all if s.type == 'TEXT')"
    assert gui.ask(texts) == sorted(
        2 * ["Nobody told me about the fog.", "The ferry leaves at seven.", "We wait until it lifts."]
    )
    assert gui.ask("sorted(one.line for one in connection.current().done)") == [
        "In place: captions (3), ferry",
        "In place: captions (3), ferry again",
    ]
    gui.until("not connection.current().inbox.rows")
    gui.until("connection.current().strange == ''")  # it may have been told before its media settled
    up.holds("SELECT state FROM host_commands", lambda states: states == [("applied",), ("applied",)])
    gui.run("with bpy.context.temp_override(window=window()): bpy.ops.ed.undo()")
    gui.until(f"len({texts}) == 3")
    gui.run("with bpy.context.temp_override(window=window()): bpy.ops.ed.undo()")
    gui.until(f"len({texts}) == 0")


def test_what_is_asked_for_in_the_panel_reaches_the_board(gui: Gui, up: Up) -> None:
    """Tags of the selected strips, a placeholder for the gap at the playhead: both wait in the panel."""
    gui.run("for strip in window().scene.sequence_editor.sequences_all: strip.select = strip.name == 'ferry'")
    assert gui.press("callboard.request_tags") == ["FINISHED"]
    gui.run("window().scene.sequence_editor.active_strip = bpy.context.scene.sequence_editor.sequences_all['ferry']")
    gui.run("window().scene.frame_set(60)")
    assert gui.press("callboard.request_placeholder", shot="sc010_sh030", purpose="the ferry leaves") == ["FINISHED"]
    bodies = up.holds("SELECT body FROM events WHERE type = 'host.request'", lambda rows: len(rows) == 2)
    asked = [json.loads(body)["data"] for (body,) in bodies]
    tags, placeholder = sorted(asked, key=lambda one: one["what"], reverse=True)
    assert [use["name"] for use in tags["uses"]] == ["ferry"]
    gap = placeholder["gap"]
    assert (gap["start"] * 24, gap["duration"] * 24, gap["shot"]) == (
        pytest.approx(49),
        pytest.approx(31),
        "sc010_sh030",
    )
    row = gui.until("[row._asdict() for row in connection.current().inbox.rows if row.result == 'tags']")[0]
    assert row["text"] == "harbour, fog"
    made = gui.until("[row._asdict() for row in connection.current().inbox.rows if row.result == 'placeholder']")[0]
    assert made["text"] == "placeholder for sc010_sh030 by slate"
    assert Path(made["path"]).is_file()
    gui.run("window().scene.frame_set(10)")
    assert gui.press("callboard.request_placeholder", shot="x") == ["CANCELLED"]
    gui.run("for strip in window().scene.sequence_editor.sequences_all: strip.select = False")
    assert gui.press("callboard.request_captions") == ["POLL"]


def test_a_result_for_a_strip_that_was_changed_waits_for_a_person(gui: Gui) -> None:
    """What was made for another revision is applied once the person says so, without the cue that was left out."""
    gui.run(MORE)
    ident = gui.until("[row.id for row in connection.current().inbox.rows if row.result == 'captions']")[0]
    assert gui.press("callboard.look", proposal=ident) == ["FINISHED"]
    assert gui.until("connection.current().inbox.parts")[0][0] == "2"
    assert gui.press("callboard.leave_out", part="2") == ["FINISHED"]
    gui.run(f"""
        import time
        call("callboard.accept", proposal={ident!r})
        ends = time.monotonic() + 60
        while not connection.current().waiting_to_apply and time.monotonic() < ends:
            connection.current().bridge.poll()
            time.sleep(0.005)
        window().scene.sequence_editor.sequences_all["second"].frame_start += 12
    """)
    gui.until("connection.current().stale")
    line, more, command = gui.ask(
        "[(one.line, one.more, one.command) for one in connection.current().done if one.stale][0]"
    )
    assert line == "Waits for you: captions, second"
    assert more
    assert gui.press("callboard.apply_anyway", command=command) == ["FINISHED"]
    assert gui.ask("connection.current().done[0].line") == "In place: captions (2), second"
    assert gui.ask("connection.current().stale") == {}


def test_files_outside_the_watched_folders_are_told_of(gui: Gui, folder: Path) -> None:
    """Somebody who waits in vain for captions of a file on the desktop reads why."""
    clip = next((folder / "film" / "footage").glob("ferry*.mp4"))
    (folder / "desktop.mp4").write_bytes(clip.read_bytes())
    strips = "window().scene.sequence_editor.sequences"
    gui.run(f"{strips}.new_movie('desktop', {str(folder / 'desktop.mp4')!r}, 9, 1)")
    said = "1 of 3 files in this project: not in Callboard's watched folders"
    gui.until(f"connection.current().strange.startswith({said!r})")
    gui.run(f"{strips}.remove({strips}['desktop'])")
    gui.until("not connection.current().strange")


def test_the_session_survives_a_daemon_that_is_killed(gui: Gui, up: Up, folder: Path) -> None:
    """After kill -9 the panel says so; what happens meanwhile is told once when the daemon is back, at another port."""
    up.end(signal.SIGKILL)
    said = "[one.advice for one in [connection.current().status] if one.headline == 'Not connected to film']"
    assert "'callboard up'" in gui.until(said)[0]  # between two tries it says that it connects
    gui.run(f"bpy.ops.wm.save_as_mainfile(filepath={str(folder / 'edit.blend')!r})")
    saved = gui.until("connection.current().bridge.pending")
    assert saved >= 1
    query = "SELECT count(*) FROM events WHERE type = 'host.scene.saved'"
    ((before,),) = up.read(query)
    up.start()
    gui.until("connection.current().online and connection.current().bridge.pending == 0")
    up.holds(query, lambda rows: rows == [(before + 1,)])
    gui.until("connection.current().status.headline == 'Connected to film'")


def test_another_file_is_another_project(gui: Gui, up: Up, folder: Path) -> None:
    """The timer survives that another file is opened, and the board hears of it."""
    gui.run(f"""
        bpy.ops.wm.save_as_mainfile(filepath={str(folder / "other.blend")!r}, copy=True)
        bpy.ops.wm.open_mainfile(filepath={str(folder / "other.blend")!r}, load_ui=False)
    """)
    gui.until(f"connection.current()._project == {str(folder / 'other.blend')!r}")  # noticed at its next tick
    gui.until("connection.current().online and connection.current().telling.places")
    gui.until("connection.current().inbox.known")
    gui.until("connection.current().bridge.pending == 0")
    wanted = [(str(folder / "edit.blend"),), (str(folder / "other.blend"),)]
    up.holds("SELECT DISTINCT project FROM host_uses ORDER BY project", lambda rows: rows == wanted)


def test_a_render_in_the_window_is_told_and_left_alone(gui: Gui, up: Up, folder: Path) -> None:
    """Handlers run on another thread in a render; it ends well, both events come, and results wait until it is over."""
    ident = gui.until("connection.current().inbox.rows[0].id if connection.current().inbox.rows else ''")
    gui.run(f"""
        import threading
        scene = window().scene
        scene.frame_start, scene.frame_end = 1, 8
        scene.render.filepath = {str(folder / "frames" / "f_")!r}
        bpy.context.preferences.view.render_display_type = "NONE"
        on_main, waited, gate, before = set(), [], threading.Event(), len(connection.current().done)
        def hold(*_):
            on_main.add(threading.current_thread() is threading.main_thread())
            gate.wait(60)
        def look():
            link = connection.current()
            waited.append(link.waiting_to_apply if link.application.busy() else 0)
            if waited[-1]:
                gate.set()
            return None if gate.is_set() else 0.02
        bpy.app.handlers.render_pre.append(hold)
        bpy.app.timers.register(look)
        call("callboard.accept", proposal={ident!r})
        with bpy.context.temp_override(window=window()):
            bpy.ops.render.render("INVOKE_DEFAULT", animation=True)
    """)
    gui.until("gate.is_set() and not bpy.app.is_job_running('RENDER')")
    gui.run("bpy.app.handlers.render_pre.remove(hold)")
    assert (gui.ask("sorted(on_main)"), gui.ask("max(waited)") >= 1) == ([False], True)
    assert len(list((folder / "frames").iterdir())) == 8
    gui.until("len(connection.current().done) > before and connection.current().bridge.pending == 0")
    kinds = "SELECT type FROM events WHERE type LIKE 'host.render.%' ORDER BY seq"
    up.holds(kinds, lambda rows: rows == [("host.render.started",), ("host.render.ended",)])


def test_switching_the_add_on_off_and_on_again(gui: Gui, up: Up) -> None:
    """Switched off it leaves nothing behind in Blender; switched on it connects again."""
    gui.run("bpy.ops.preferences.addon_disable(module='callboard_addon')")
    assert gui.ask("connection.current() is None")
    assert gui.ask("[name for name in dir(bpy.types) if name.startswith('CALLBOARD_')]") == []
    gui.run("bpy.ops.preferences.addon_enable(module='callboard_addon')")
    gui.run("import callboard_addon.connection as connection")
    gui.until("connection.current().online")


def test_a_workplace_with_a_name_and_a_proper_end(gui: Gui, up: Up) -> None:
    """The name from the preferences is the host's; when Blender is closed, the board hears so at once."""
    gui.run("bpy.context.preferences.addons['callboard_addon'].preferences.host = 'Edit Room 1'")
    gui.until("connection.current().online and connection.current().bridge.host.startswith('Edit-Room-1-')")
    up.until(lambda hosts: [host["host"].rpartition("-")[0] for host in hosts] == ["Edit-Room-1"])
    gui.run("bpy.app.timers.register(lambda: bpy.ops.wm.quit_blender() and None, first_interval=0.1)")
    assert gui.process.wait(timeout=SECONDS) == 0
    assert up.until(lambda hosts: not hosts) == []
