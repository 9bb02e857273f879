"""``callboard up`` and what people do beside it: review over the bus, ask, explain, plan, and stop it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from callboard.bus.binary import find_binary
from callboard.codec import encode, make
from callboard.testing import TmpPlugin, make_asset
from callboard.testing.ports import reserved_port
from callboard_schemas import MediaSettled

pytestmark = pytest.mark.broker

SAY = """
    from callboard import hookimpl, JobError, Tag, Tags

    @hookimpl
    def callboard_handle(event, asset, context):
        text = context.path.read_bytes().decode()
        if text == "BAD":
            raise JobError("cannot make sense of it", "Try another file.")
        return Tags(items=(Tag(label=text, score=0.9, method="say"),), confidence=0.9)
"""
SETTINGS = """
allow_plugins = ["say"]
workers = 1
policy.analyse = "ask"
[[watch]]
path = "footage"
quiet = 0.2
[plugins.caption]
enabled = false
[plugins.autotag]
enabled = false
"""


SOON = 60.0


class Up:
    """A real ``callboard up``, heard line by line."""

    def __init__(self, project: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "callboard", "up", *arguments],
            cwd=project,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )

    def hear(self, words: str) -> str:
        """Wait for the line that holds *words*."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if words in line:
                return line
        raise AssertionError(f"never said {words!r}: {self.process.stderr.read() if self.process.stderr else ''}")

    def connects(self, project: Path) -> bool:
        """Wait until the board's answer to ``status`` comes back over the bus."""
        ends = time.monotonic() + SOON
        while time.monotonic() < ends:
            if (told("status", cwd=project)["live"] or {}).get("connected"):
                return True
        return False

    def stop(self, number: int = signal.SIGINT) -> tuple[int, str]:
        """Stop it; exit code, and the rest of what it said."""
        self.process.send_signal(number)
        try:
            out, err = self.process.communicate(timeout=SOON)
        finally:
            self.process.kill()
            self.process.communicate()
        assert "Traceback" not in err
        return self.process.returncode, out

    def broker(self) -> list[int]:
        """Give the process ids of its broker."""
        found = []
        for child in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess):  # a plugin's process may end meanwhile
                if "nats" in child.name():
                    found.append(child.pid)
        return found


@pytest.fixture
def project(tmp_path: Path, tmp_plugin: TmpPlugin) -> Path:
    """Give a project with one plugin that tags a file with its own text, and asks for every proposal."""
    tmp_plugin("say", SAY)
    folder = tmp_path / "project"
    (folder / "footage").mkdir(parents=True)
    (folder / "callboard.toml").write_text(SETTINGS)
    return folder


@pytest.fixture
def up(project: Path) -> Iterator[Up]:
    """Give a board that is ready, and end it whatever happens."""
    board = Up(project)
    try:
        board.hear("Ready in")
        yield board
    finally:
        if board.process.poll() is None:
            board.stop()


def callboard(*arguments: object, cwd: Path) -> tuple[int, str, str]:
    """Run the real command line; exit code, stdout, stderr."""
    done = subprocess.run(
        [sys.executable, "-m", "callboard", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def told(*arguments: object, cwd: Path) -> Any:
    """Run with ``--json`` and read stdout as one document."""
    return json.loads(callboard(*arguments, "--json", cwd=cwd)[1])


def drop(project: Path, name: str, text: str) -> Path:
    """Put a clip into the watch folder as a copy does that renames at its end."""
    (project / "part").write_text(text)
    return (project / "part").rename(project / "footage" / name)


def test_review_beside_a_board(project: Path, up: Up) -> None:
    """Proposals that a running board made are accepted, rejected and taken back over the bus."""
    drop(project, "one.mp4", "sunset")
    assert "proposed 1 tag: sunset" in up.hear("one.mp4")
    (proposal,) = told("inbox", cwd=project)["proposals"]
    accepted = told("accept", proposal["id"], cwd=project)
    assert accepted["changed"] == [proposal["id"]]
    assert told("undo", accepted["run"], cwd=project)["changed"] == [proposal["id"]]
    assert told("reject", "--all", cwd=project)["changed"] == [proposal["id"]]
    assert told("inbox", cwd=project)["proposals"] == []
    code, _, err = callboard("accept", "nothing", cwd=project)
    assert (code, "no proposal 'nothing'" in err) == (2, True)


def test_status_with_and_without_a_board(project: Path, up: Up) -> None:
    """Status tells of the board while it runs, and of the catalog when it does not."""
    beside = told("status", cwd=project)
    assert beside["board"].startswith(f"callboard up, process {up.process.pid}")
    assert beside["live"]["connected"]
    assert beside["live"]["roots"][0]["state"] == "online"
    assert "watching footage" in callboard("status", cwd=project)[1].replace(str(project) + "/", "")
    up.stop()
    after = told("status", cwd=project)
    assert (after["board"], after["live"]) == ("", None)


def test_what_is_held_says_why(project: Path, up: Up) -> None:
    """While jobs are held, status, explain and the board itself say why; events that caused no job are no runs."""
    for length in ("nonsense", "0m", "10"):
        code, _, err = callboard("runtime", "pause", "--for", length, cwd=project)
        assert (code, f"{length!r} is no length of time; say 90s, 30m or 2h." in err) == (2, True)
    assert told("runtime", "pause", "--for", "30m", cwd=project) == {"paused": True, "seconds": 1800.0}
    assert "held: paused by hand; 'callboard runtime resume' goes on" in up.hear("held")
    drop(project, "one.mp4", "sunset")
    ends = time.monotonic() + SOON
    while told("status", cwd=project)["jobs"] != {"queued": 1} and time.monotonic() < ends:
        time.sleep(0.1)
    said = callboard("status", cwd=project)[1]
    assert "jobs     1 queued (held: paused by hand; 'callboard runtime resume' goes on)" in said
    assert said.count("media.settled") == 1
    said = callboard("explain", "footage/one.mp4", cwd=project)[1]
    assert "say 1.0.0: queued; held: paused by hand; 'callboard runtime resume' goes on" in said
    said = callboard("runtime", cwd=project)[1]
    assert "held    1 job: paused by hand" in said
    assert "makes way: paused by hand" in said
    assert told("runtime", "status", cwd=project)["held_jobs"] == 1
    assert callboard("runtime", "resume", cwd=project)[:2] == (0, "Going on.\n")
    up.hear("back at work")
    up.hear("one.mp4")
    assert "held" not in callboard("explain", "footage/one.mp4", cwd=project)[1]
    assert told("runtime", "resume", cwd=project) == {"paused": False}


def test_the_last_runs_are_those_that_did_something(project: Path, up: Up) -> None:
    """What an application says of its renders and scenes is no run; jobs, decisions and undo are."""
    drop(project, "one.mp4", "sunset")
    up.hear("one.mp4")
    accepted = told("accept", "--all", cwd=project)["run"]
    data = sqlite3.connect(project / ".callboard" / "catalog.sqlite")
    up.stop()
    for number in range(9):
        row = (f"e{number}", "host.render.started", time.time(), "done")
        data.execute("INSERT INTO runs(id, trigger, started, state) VALUES(?,?,?,?)", row)
    data.commit()
    data.close()
    runs = told("status", cwd=project)["runs"]
    assert [run["trigger"] for run in runs] == ["accept", "media.settled"]
    assert runs[0]["id"] == accepted


def test_without_a_board_the_runtime_is_not_asked(project: Path) -> None:
    """Where no board runs, the commands of the runtime say so and how to start one."""
    for arguments in (["runtime"], ["runtime", "pause"], ["runtime", "resume"]):
        code, _, err = callboard(*arguments, cwd=project)
        assert (code, "no board is running here" in err, "callboard up" in err) == (1, True, True)


def test_a_file_of_no_project_is_shown_by_its_whole_path(project: Path, tmp_path: Path) -> None:
    """The inbox names media outside every watched folder as the shell does; search does from any folder."""
    (tmp_path / "elsewhere").mkdir()
    outside, inside = tmp_path / "elsewhere" / "one.mp4", project / "footage" / "two.mp4"
    outside.write_text("sunset")
    inside.write_text("harbour")
    assert callboard("run", "--plugin", "say", outside, inside, cwd=project)[0] == 0
    said = callboard("inbox", cwd=project)[1]
    assert f" {outside} " in said
    assert " two.mp4 " in said
    for word, path in (("sunset", outside), ("harbour", inside)):
        assert told("search", word, cwd=project / "footage")["hits"][0]["path"] == str(path)


def test_a_busy_project_says_who_owns_it(project: Path, up: Up) -> None:
    """A second board is refused by name, without a scratch to the first one and its broker; so is a one-shot run."""
    clip = drop(project, "one.mp4", "sunset")
    up.hear("one.mp4")
    broker = up.broker()
    for arguments in (["up"], ["run", clip]):
        code, _, err = callboard(*arguments, cwd=project)
        assert code == 1
        assert f"callboard up, process {up.process.pid}" in err
    assert len(broker) == 1
    assert up.broker() == broker
    assert told("status", cwd=project)["live"]["connected"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_a_board_cleanly(project: Path, up: Up, number: int) -> None:
    """A signal stops a board with exit code 0, leaves no process, and what it had done stays done."""
    drop(project, "one.mp4", "sunset")
    up.hear("one.mp4")
    children = psutil.Process(up.process.pid).children(recursive=True)
    code, out = up.stop(number)
    assert (code, out.splitlines()[-1]) == (0, "Stopped.")
    assert psutil.wait_procs(children, timeout=SOON)[1] == []
    again = Up(project)
    again.hear("Ready in")
    drop(project, "two.mp4", "harbour")
    again.hear("two.mp4")
    again.stop()
    assert told("status", cwd=project)["jobs"] == {"done": 2}


def test_explain_says_how_a_path_stands(project: Path, up: Up) -> None:
    """Explain tells a settled path from an ignored one, one of no known kind, one that failed and one never seen."""
    drop(project, "one.mp4", "sunset")
    up.hear("one.mp4")
    drop(project, "bad.mp4", "BAD")
    up.hear("cannot make sense of it (Try another file.)")
    (project / "footage" / "notes.docx").write_text("x")
    (project / "footage" / ".hidden.mp4").write_text("x")
    settled = told("explain", "footage/one.mp4", cwd=project)
    assert settled["now"].startswith("settled")
    assert settled["jobs"][0]["state"] == "done"
    assert {"seen", "settled"} <= {note["state"] for note in settled["notes"]}
    failed = told("explain", "footage/bad.mp4", cwd=project)["jobs"][0]
    assert failed["failure"]["message"] == "cannot make sense of it"
    up.stop()
    for name, words in ((".hidden.mp4", "ignored by"), ("notes.docx", "extension"), ("none.mp4", "not there")):
        code, out, _ = callboard("explain", f"footage/{name}", cwd=project)
        assert code == 0
        assert words in out
        assert len(out.splitlines()) < 24


def test_a_board_on_a_server_that_its_command_line_names(project: Path, tmp_path: Path) -> None:
    """``up --nats`` waits for a server that is away; other commands then find the board through the same server."""
    with reserved_port() as port:
        board = Up(project, "--nats", f"nats://127.0.0.1:{port}")
        board.hear("The broker does not answer yet")
        command = [find_binary(), "-js", "-a", "127.0.0.1", "-p", str(port), "-sd", str(tmp_path / "store")]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
            try:
                drop(project, "one.mp4", "sunset")
                board.hear("one.mp4")
                assert board.connects(project)
                assert len(told("accept", "--all", cwd=project)["changed"]) == 1
                assert board.stop()[0] == 0
            finally:
                server.terminate()
    assert not (project / ".callboard" / "broker.json").exists()


def test_plan_does_nothing(project: Path) -> None:
    """Plan names the plugin and the sidecars, and leaves catalog and folder as they are."""
    clip = project / "footage" / "one.mp4"
    clip.write_text("sunset")
    asset = make_asset(clip)
    (project / "event.json").write_bytes(encode(make("media.settled", MediaSettled(asset=asset), source="test")))
    before = sorted(path.name for path in project.rglob("*"))
    planned = told("plan", "event.json", cwd=project)
    assert [job["plugin"] for job in planned["jobs"]] == ["say"]
    assert planned["jobs"][0]["state"] == "new"
    assert str(clip) + ".xmp" in planned["jobs"][0]["writes"]
    code, out, _ = callboard("plan", "event.json", cwd=project)
    assert (code, "Nothing was done." in out) == (0, True)
    assert sorted(path.name for path in project.rglob("*")) == before
    assert "wrote" not in callboard("explain", clip, cwd=project)[1]
