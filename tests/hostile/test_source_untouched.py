"""The system calls of a real run: source media is opened for reading only, and nothing beside it is opened at all."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SAMPLES = Path(__file__).parents[1] / "media"
CALLS = (
    "open,openat,openat2,creat,truncate,rename,renameat,renameat2,unlink,unlinkat,link,linkat,symlink,symlinkat,"
    "chmod,fchmodat,chown,lchown,fchownat,utimensat,utime,utimes,futimesat,setxattr,lsetxattr,removexattr,mknodat,"
    "connect,execve"
)
WRITES = ("O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND")

pytestmark = [pytest.mark.models, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """Run on a clip and a lure beside it; give the folder and the system calls of every process."""
    top = tmp_path_factory.mktemp("traced")
    folder = top / "footage"
    folder.mkdir()
    (folder / "take.mov").write_bytes((SAMPLES / "interview.mov").read_bytes())
    (folder / "sibling.bin").write_bytes((SAMPLES / "one_frame.mp4").read_bytes())
    (folder / "lure.mov").write_text("ffconcat version 1.0\nfile sibling.bin\n")
    trace = top / "trace"
    done = subprocess.run(
        ["strace", "-f", "-qq", "-y", "--seccomp-bpf", "-s", "4096", "-e", f"trace={CALLS}", "-o", str(trace),
         sys.executable, "-m", "callboard", "run", str(folder), "--json"],
        env={**os.environ, "CALLBOARD_HOME": str(top / "home")}, cwd=top, capture_output=True, timeout=500, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    states = {asset["path"].rpartition("/")[2]: asset["state"] for asset in json.loads(done.stdout)["assets"]}
    assert states == {"take.mov": "done", "lure.mov": "failed"}
    return folder, trace.read_text("utf-8", "replace").splitlines()


def on(lines: list[str], name: str) -> list[str]:
    """Give the calls whose own arguments name a file; what a started program is told of does not count."""
    named = re.compile(rf'[/"]{re.escape(name)}["<>]')
    return [line for line in lines if named.search(line) and " execve(" not in line and " resumed>" not in line]


def test_the_source_is_opened_to_read_only(traced: tuple[Path, list[str]]) -> None:
    """No process opens, renames, removes, truncates or re-dates a source file, whether its job succeeds or fails."""
    folder, lines = traced
    for name in ("take.mov", "lure.mov"):
        calls = on(lines, name)
        assert calls, "the trace must show the opens"
        assert all(re.search(r"\bopen(at|at2)?\(", call) for call in calls), calls
        assert not [call for call in calls if any(flag in call for flag in WRITES)]
    assert (folder / "take.mov").read_bytes() == (SAMPLES / "interview.mov").read_bytes()


def test_sidecars_are_the_only_files_written_beside_it(traced: tuple[Path, list[str]]) -> None:
    """Whatever is created in the folder of the media is a sidecar or the temporary file of one."""
    folder, lines = traced
    made = [line for line in lines if any(flag in line for flag in WRITES) and f"{folder}" in line]
    assert made, "sidecars were written"
    assert [line for line in made if '".cb.' not in line or '.tmp"' not in line] == []
    endings = (".xmp", ".json", ".srt", ".vtt")
    assert sorted(path.name for path in folder.iterdir() if path.suffix not in endings) == [
        "lure.mov", "sibling.bin", "take.mov",
    ]  # fmt: skip


def test_what_a_lure_names_is_never_opened(traced: tuple[Path, list[str]]) -> None:
    """Neither the file that a script names nor the network is reached by any process."""
    _, lines = traced
    assert on(lines, "sibling.bin") == []
    assert not [line for line in lines if "connect(" in line and "AF_INET" in line]
