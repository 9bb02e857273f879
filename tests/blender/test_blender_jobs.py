"""Jobs in a Blender without a window: commands from a file, into a copy or in place."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
JOBS = HERE.parents[1] / "hosts" / "callboard_blender" / "jobs.py"
# Only the very first call waits for the wheels to be fetched.
pytestmark = pytest.mark.timeout(900)

LIBRARY = """
import sys, bpy
bpy.ops.wm.read_factory_settings(use_empty=True)
tree = bpy.data.objects.new("Tree", bpy.data.meshes.new("tree"))
bpy.context.scene.collection.objects.link(tree)
tree.asset_mark()
bpy.data.objects.new("Stone", bpy.data.meshes.new("stone")).asset_mark()
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[1])
"""


@pytest.fixture(scope="module")
def python() -> str:
    """Give a Python with Blender in it."""
    return subprocess.check_output([HERE.parent / "bpy.sh", "4.5"], text=True, timeout=850).strip()


@pytest.fixture
def library(python: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give an asset library with two assets, and a Blender that nobody has set up."""
    monkeypatch.setenv("BLENDER_USER_RESOURCES", str(tmp_path / "user"))
    path = tmp_path / "library.blend"
    subprocess.run([python, "-I", "-c", LIBRARY, path], check=True, capture_output=True, timeout=200)
    return path


def job(python: str, *arguments: object) -> tuple[int, Any]:
    """Run a job as Blender does, with its own arguments before ours; its exit code, and what it printed."""
    command = [python, "-I", JOBS, "-b", "--", *arguments]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=200)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    assert lines or done.returncode == 2, (done.returncode, done.stdout, done.stderr)
    return done.returncode, json.loads(lines[-1]) if lines else done.stderr


def commands(folder: Path, *given: dict[str, Any]) -> Path:
    """Write commands into a file."""
    path = folder / "commands.json"
    path.write_text(json.dumps([{"id": "c1", "host": "-", "proposal": "p1", **one} for one in given]))
    return path


def uses(python: str, path: Path) -> dict[str, dict[str, Any]]:
    """List what a file holds, by name."""
    code, told = job(python, "uses", path)
    assert code == 0, told
    assert told["project"] == str(path)
    return {use["name"]: use for use in told["uses"]}


def tags(python: str, path: Path) -> list[str]:
    """Read the tree's tags."""
    shown = subprocess.check_output([python, "-I", HERE / "bpy_reopen.py", path], text=True, timeout=200)
    found: list[str] = json.loads(shown.partition("SEEN ")[2].splitlines()[0])[0]["assets"]["Tree"]["tags"]
    return found


def test_a_library_is_tagged_into_a_copy(python: str, library: Path, tmp_path: Path) -> None:
    """Tags go into a copy beside the library, which stays byte for byte as it was; in place they go into itself."""
    known = uses(python, library)
    assert set(known) == {"Tree", "Stone"}
    before = library.read_bytes()
    given = commands(tmp_path, {"verb": "tags.write", "use": known["Tree"], "content": {"tags": ["oak", "green"]}})
    code, told = job(python, "apply", library, given)
    copy = tmp_path / "library.callboard.blend"
    assert (code, told["file"]) == (0, str(copy))
    assert told["receipts"] == [
        {"command": "c1", "state": "applied", "landed": ["oak", "green"], "missing": [], "note": ""}
    ]
    assert library.read_bytes() == before
    assert tags(python, copy) == ["green", "oak"]
    assert job(python, "apply", library, given, "--in-place")[0] == 0
    assert tags(python, library) == ["green", "oak"]


def test_what_does_not_land_is_told(python: str, library: Path, tmp_path: Path) -> None:
    """Files outside the named folders, unknown verbs and lost assets are refused, nothing is saved, the code is 1."""
    gap = {"ref": "gap-1", "start": 0.0, "duration": 1.0}
    given = commands(
        tmp_path,
        {"verb": "placeholder.insert", "content": {"gap": gap, "file": "/etc/hostname"}},
        {"verb": "shell.run", "content": {}},
        {"verb": "tags.write", "use": {"ref": "asset-0"}, "content": {"tags": ["oak"]}},
    )
    code, told = job(python, "apply", library, given, "--root", tmp_path)
    assert code == 1
    assert [one["state"] for one in told["receipts"]] == ["refused", "refused", "failed"]
    assert "/etc/hostname is in no folder" in told["receipts"][0]["note"]
    assert not (tmp_path / "library.callboard.blend").exists()


def test_a_file_that_is_none(python: str, tmp_path: Path) -> None:
    """A file that Blender cannot open ends with code 2 and Blender's own reason."""
    (tmp_path / "not.blend").write_text("no")
    code, said = job(python, "uses", tmp_path / "not.blend")
    assert code == 2
    assert "not.blend" in said


def test_a_board_that_is_not_there(python: str, library: Path, tmp_path: Path) -> None:
    """Without a board a job ends when its time is up, says why, and writes nothing."""
    code, told = job(python, "serve", library, "--project", tmp_path, "--idle", "0.5")
    assert code == 1
    assert (told["applied"], bool(told["problem"])) == (0, True)
    assert not (tmp_path / "library.callboard.blend").exists()
