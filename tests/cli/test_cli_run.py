"""``callboard run`` as its users meet it: reports, failures, pipes, signals, and what comes after them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from callboard.catalog import view
from callboard.testing import TmpPlugin

SAY = """
    import time
    from callboard import hookimpl, JobError, Tag, Tags

    @hookimpl
    def callboard_handle(event, asset, context):
        text = context.path.read_bytes().decode()
        if text == "SLOW":
            with open(context.parameters["bell"], "w") as bell:
                bell.write("x")
            while not context.path.with_name("go").exists():
                time.sleep(0.05)
        if text == "BAD":
            raise JobError("cannot make sense of it", "Try another file.")
        facts = {"skipped": text.split("|")[1:]} if "|" in text else {}
        return Tags(items=(Tag(label=text, score=0.9, method="say"),), confidence=0.9, facts=facts)
"""
SETTINGS = """
allow_plugins = ["say"]
workers = 2
[plugins.caption]
enabled = false
[plugins.autotag]
enabled = false
"""


@pytest.fixture
def project(tmp_path: Path, tmp_plugin: TmpPlugin) -> Path:
    """Give a project whose only plugin tags a file with its own text, and rings a bell for a slow one."""
    bell = {"type": "string", "default": str(tmp_path / "bell"), "help": "A pipe to write to."}
    tmp_plugin("say", SAY, parameters={"bell": bell})
    os.mkfifo(tmp_path / "bell")
    folder = tmp_path / "project"
    (folder / "clips").mkdir(parents=True)
    (folder / "callboard.toml").write_text(SETTINGS)
    return folder


def start(*arguments: object, cwd: Path) -> subprocess.Popen[str]:
    """Start the real command line."""
    return subprocess.Popen(
        [sys.executable, "-m", "callboard", *map(str, arguments)],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def callboard(*arguments: object, cwd: Path) -> tuple[int, str, str]:
    """Run the real command line; exit code, stdout, stderr."""
    process = start(*arguments, cwd=cwd)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def told(*arguments: object, cwd: Path) -> tuple[int, dict[str, Any]]:
    """Run with ``--json``; exit code, and stdout as exactly one document."""
    code, out, _ = callboard(*arguments, "--json", cwd=cwd)
    return code, json.loads(out)


def everything(folder: Path) -> dict[str, bytes]:
    """Give each file below *folder* with its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_success_is_told_in_one_document(project: Path) -> None:
    """The report has the promised shape, the sidecars it names exist, and the exit code is 0."""
    (project / "clips" / "one.mp4").write_text("sunset")
    code, report = told("run", "clips", cwd=project)
    assert code == 0
    assert {"run", "assets", "totals"} <= set(report)
    (asset,) = report["assets"]
    assert {"path", "digest", "state", "jobs", "sidecars"} <= set(asset)
    assert (asset["path"], asset["state"]) == (str(project / "clips" / "one.mp4"), "done")
    assert asset["digest"].startswith("sha256:")
    (job,) = asset["jobs"]
    assert set(job) == {"plugin", "state", "cached", "seconds", "proposals", "failure"}
    assert (job["plugin"], job["state"], job["cached"], job["failure"]) == ("say", "done", False, None)
    assert job["proposals"][0]["body"]["items"][0]["label"] == "sunset"
    assert all(Path(path).is_file() for path in asset["sidecars"])
    assert len(asset["sidecars"]) == report["totals"]["sidecars"] == 2
    code, report = told("run", "clips", cwd=project)
    assert (code, report["assets"][0]["jobs"][0]["cached"]) == (0, True)


def test_every_sidecar_is_announced(project: Path) -> None:
    """Each sidecar that a run writes has a receipt of its own on the bus, and one more when it is taken back."""
    for name in ("one", "two", "three"):
        (project / "clips" / f"{name}.mp4").write_text(name)
    _, report = told("run", "clips", cwd=project)
    with view(project / ".callboard") as catalog:
        count = "SELECT count(*) FROM outbox WHERE subject LIKE 'cb.out.effect.receipt.%'"
        assert catalog.read(lambda conn: conn.execute(count).fetchone()[0]) == report["totals"]["sidecars"] == 6
    told("undo", report["run"], cwd=project)
    with view(project / ".callboard") as catalog:
        assert catalog.read(lambda conn: conn.execute(count).fetchone()[0]) == 12


def test_partial_failure_is_told_and_the_rest_is_done(project: Path) -> None:
    """A bad file, an empty one and a missing one fail by themselves; the good one is done; the exit code is 1."""
    (project / "clips" / "bad.mp4").write_text("BAD")
    (project / "clips" / "good.mp4").write_text("sunset")
    (project / "clips" / "empty.mp4").write_text("")
    names = [f"clips/{name}.mp4" for name in ("bad", "good", "empty", "missing")]
    code, report = told("run", *names, cwd=project)
    assert code == 1
    states = {Path(asset["path"]).stem: asset["state"] for asset in report["assets"]}
    assert states == {"bad": "failed", "good": "done", "empty": "failed", "missing": "failed"}
    bad = next(asset for asset in report["assets"] if asset["path"].endswith("bad.mp4"))
    assert bad["jobs"][0]["failure"]["code"] == "job"
    assert bad["jobs"][0]["failure"]["message"] == "cannot make sense of it"
    code, out, _ = callboard("run", *names, cwd=project)
    assert code == 1
    assert "cannot make sense of it (Try another file.)" in out


def test_what_was_left_out_is_told_by_reason(project: Path) -> None:
    """A line for each reason, with its command, what was left out most first; the same when nothing is left to do."""
    pull = "model 'net' is not here; callboard models pull net"
    (project / "clips" / "a.mp4").write_text(f"a|size: {pull}|cuts: it would take about 12 s|words: [c] is not here")
    (project / "clips" / "b.mp4").write_text(f"b|fades: {pull}|cuts: it would take about 7.5 s|size: {pull}")
    (project / "clips" / "c.mp4").write_text("sunset")
    expected = [
        f"say left out (2 files): size and fades: {pull}",
        "say left out (2 files): cuts: it would take about 12 s",
        "say left out (1 file): words: [c] is not here",
    ]
    for _ in ("now", "before"):
        _, out, _ = callboard("run", "clips/a.mp4", "clips/b.mp4", "clips/c.mp4", cwd=project)
        assert [line for line in out.splitlines() if " left out" in line] == expected
    _, report = told("run", "clips", cwd=project)
    assert report["left_out"][0] == {"plugin": "say", "parts": ["size", "fades"], "why": pull, "files": 2}
    assert [one["files"] for one in report["left_out"]] == [2, 2, 1]
    (project / "clips" / "d.mp4").write_text("d|one|two: y|three: z|four: z z")
    _, out, _ = callboard("run", "clips/d.mp4", cwd=project)
    assert [line for line in out.splitlines() if " left out" in line] == [
        "say left out: one",
        "say left out: two: y",
        "say left out: three: z; 1 reason more with --json",
    ]
    assert "left out" not in callboard("run", "clips/c.mp4", cwd=project)[1]


def test_a_pipe_gets_plain_whole_lines(project: Path) -> None:
    """In a pipe there is no colour, no cursor control, no trailing blank, and nothing is cut to a width."""
    long = "a very long name indeed " * 4
    (project / "clips" / f"{long}.mp4").write_text("sunset " * 8)
    code, out, err = callboard("run", "clips", cwd=project)
    assert code == 0
    assert "\x1b" not in out + err
    assert long in out
    assert all(line == line.rstrip() for line in out.splitlines())


def test_a_reader_that_leaves_is_no_error(project: Path) -> None:
    """``callboard run … | head -1`` ends quietly."""
    for number in range(40):
        (project / "clips" / f"{number}.mp4").write_text(f"{number}")
    done = subprocess.run(
        ["/bin/sh", "-c", '"$0" -m callboard run clips | head -1', sys.executable],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    assert done.stdout.startswith("file ")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("as_json", [True, False])
def test_a_signal_stops_a_run_which_can_be_resumed(project: Path, number: int, code: int, as_json: bool) -> None:
    """A signal ends a run with its own exit code; the next run does only what is left."""
    (project / "clips" / "a.mp4").write_text("sunset")
    (project / "clips" / "b.mp4").write_text("SLOW")
    told("run", "clips/a.mp4", cwd=project)
    process = start("run", "clips", *(["--json"] if as_json else []), cwd=project)
    with open(project.parent / "bell") as bell:  # opens once the plugin works on the slow file
        assert bell.read() == "x"
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert "Traceback" not in err
    if as_json:
        assert json.loads(out)["error"]["code"] == "interrupted"
    (project / "clips" / "go").touch()
    rest = start("run", "clips", "--json", cwd=project)
    with open(project.parent / "bell") as bell:
        bell.read()
    report = json.loads(rest.communicate(timeout=60)[0])
    assert {Path(one["path"]).name: one["jobs"][0]["cached"] for one in report["assets"]} == {
        "a.mp4": True,
        "b.mp4": False,
    }
    assert rest.returncode == 0


def test_undo_restores_the_folder(project: Path) -> None:
    """Undo takes back every byte that a run wrote, and the proposals wait again."""
    (project / "clips" / "one.mp4").write_text("sunset")
    (project / "clips" / "two.mp4").write_text("harbour")
    before = everything(project / "clips")
    _, report = told("run", "clips", cwd=project)
    assert len(everything(project / "clips")) == 6
    code, undone = told("undo", report["run"], cwd=project)
    assert code == 0
    assert len(undone["changed"]) == 2
    assert everything(project / "clips") == before
    assert len(told("inbox", cwd=project)[1]["proposals"]) == 2


def test_review_without_a_board(project: Path) -> None:
    """Without a board proposals are listed, accepted by the start of an id, and rejected all at once."""
    (project / "clips" / "one.mp4").write_text("sunset")
    (project / "clips" / "two.mp4").write_text("harbour")
    told("run", "clips", "--accept", "none", cwd=project)
    first, _second = told("inbox", cwd=project)[1]["proposals"]
    assert len(everything(project / "clips")) == 2
    assert told("accept", first["id"][:8], cwd=project)[1]["changed"] == [first["id"]]
    assert len(everything(project / "clips")) == 4
    assert told("reject", "--all", "--reason", "no", cwd=project)[0] == 0
    assert told("inbox", cwd=project)[1]["proposals"] == []
    assert callboard("accept", "--all", cwd=project)[1] == "Nothing waits for you.\n"


def test_dead_letters_are_listed_shown_and_replayed(project: Path) -> None:
    """What failed for good is kept with its reason, and gets all its tries back when asked."""
    clip = project / "clips" / "bad.mp4"
    clip.write_text("BAD")
    told("run", "clips", cwd=project)
    (letter,) = told("dead", cwd=project)[1]["dead"]
    assert (letter["code"], letter["path"]) == ("job", str(clip))
    code, out, _ = callboard("dead", "show", letter["id"], cwd=project)
    assert code == 0
    assert "cannot make sense of it" in out
    assert told("dead", "replay", letter["id"], cwd=project)[1]["changed"] == [letter["id"]]
    assert told("dead", cwd=project)[1]["dead"] == []
    assert told("run", "clips", cwd=project)[0] == 1
    assert len(told("dead", cwd=project)[1]["dead"]) == 1


def test_hostile_names_are_shown_and_never_sent(project: Path) -> None:
    """Names with a newline, an escape sequence, a percent sign and bytes that are no text do no harm."""
    names = [
        b"new\nline.mp4",
        b"\x1b[31mred.mp4",
        b"50%25.mp4",
        b"bad\xff.mp4",
        b"-dash.mp4",
        "Zoë 🎬 \"q'.mp4".encode(),
    ]
    for name in names:
        (project / "clips" / os.fsdecode(name)).write_text(f"text {len(name)}")
    code, report = told("run", "clips", cwd=project)
    assert code == 0
    assert report["totals"]["done"] == len(names)
    code, out, err = callboard("run", "clips", cwd=project)
    assert code == 0
    assert "\x1b" not in out + err
    for shown in ("new\\nline.mp4", "\\x1b[31mred.mp4", "50%25.mp4", "bad\\xff.mp4", "-dash.mp4", "Zoë 🎬"):
        assert shown in out
    for command in (["inbox"], ["status"], ["explain", project / "clips" / "new\nline.mp4"]):
        assert callboard(*command, cwd=project)[0] == 0
        assert told(*command, cwd=project)[0] == 0
