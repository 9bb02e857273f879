"""What ``callboard hosts`` is told of Kdenlive on this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from callboard.errors import MediaError
from callboard_kdenlive import opened
from callboard_kdenlive.measure import measure
from callboard_kdenlive.opened import LOCK
from callboard_kdenlive.package import package
from callboard_schemas import VERBS


def test_the_program_is_found_with_its_version() -> None:
    """The installed Kdenlive is known by its version, without starting it on a bus."""
    (found,) = package().installations()
    assert found.version.startswith("22.12")
    assert found.application == f"Kdenlive {found.version}"
    assert Path(found.program).name == "kdenlive"


def test_an_install_puts_nothing_into_kdenlive(tmp_path: Path) -> None:
    """The adapter lives outside: an install says how projects are served, an uninstall has nothing to do."""
    kdenlive = package()
    (where,) = kdenlive.installations()
    (step,) = kdenlive.install(where, tmp_path, dry_run=False)
    assert (step.what, step.target) == ("run", "callboard hosts run kdenlive FOLDER")
    assert kdenlive.uninstall(where, dry_run=False) == ()
    assert os.listdir(tmp_path) == []


def test_every_verb_is_offered() -> None:
    """A closed project takes all that a host can be asked for."""
    assert set(package().verbs) == set(VERBS)


def test_the_doctor_says_what_is_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Version and melt are well; that there is no bus, and a lock that a crash left, are said with what to do."""
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path}/none")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / LOCK).touch()
    alone(tmp_path / "proc", monkeypatch)
    (where,) = package().installations()
    found = package().doctor(where, None, record=None)
    said = {finding.what: finding for finding in found}
    assert said[f"Kdenlive {where.version} in {where.program}"].state == "ok"
    assert any(what.startswith("melt 7") and finding.state == "ok" for what, finding in said.items())
    trouble = [finding for finding in found if finding.state == "warning"]
    assert any("no session bus" in finding.what and finding.hint for finding in trouble)
    assert any(LOCK in finding.what and finding.hint for finding in trouble)


def alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """List no process but this one: a Kdenlive of another test may start or end at any time."""
    folder.mkdir()
    for name in (str(os.getpid()), "stat"):
        (folder / name).symlink_to(f"/proc/{name}")
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(folder))


def test_what_is_no_media_is_measured_without_harm(tmp_path: Path) -> None:
    """A broken file ends a process of its own, and is named."""
    path = tmp_path / "broken.mp4"
    path.write_bytes(b"\0" * 100)
    with pytest.raises(MediaError, match=r"broken\.mp4"):
        measure(str(path))


def test_importing_the_package_brings_no_engine_along() -> None:
    """Listing hosts loads neither a decoder nor a D-Bus library."""
    code = "import sys, json, callboard_kdenlive.package; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert {"av", "numpy", "jeepney", "nats"} & set(json.loads(done.stdout)) == set()


def test_a_kdenlive_that_has_ended_keeps_nobody_waiting(tmp_path: Path) -> None:
    """One that was there when processes were listed, and is gone when it is asked, has no project open."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    process = psutil.Process(child.pid)
    child.wait()
    assert opened._names_another(process, str(tmp_path / "cut.kdenlive"))
