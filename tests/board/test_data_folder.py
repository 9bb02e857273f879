"""Where the catalog may be."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from callboard import filesystems
from callboard.board import require_local
from callboard.config import find_project
from callboard.errors import CatalogError


def test_the_data_folder_may_be_elsewhere(tmp_path: Path) -> None:
    """With data set, the catalog is in that folder, counted from the project."""
    (tmp_path / "callboard.toml").write_text('data = "../local"\n')
    project = find_project(tmp_path)
    assert project is not None
    assert os.path.normpath(project.data) == str(tmp_path.parent / "local")


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs", "9p", "virtiofs"])
def test_network_file_systems_are_known(kind: str) -> None:
    """What another machine, or a program, answers for counts as remote; a FUSE block device does not."""
    assert filesystems.is_remote(kind)
    assert not filesystems.is_remote("fuseblk")
    assert not filesystems.is_remote("ext4")


def test_the_file_system_of_a_folder_is_that_of_its_innermost_mount() -> None:
    """A folder below a mount point is on that mount, not on the one around it."""
    mounts = {part.mountpoint: part.fstype for part in psutil.disk_partitions(all=True)}
    assert filesystems.kind_of("/proc/self") == mounts["/proc"].lower() == "proc"


def test_a_local_data_folder_is_taken(tmp_path: Path) -> None:
    """A folder on this machine's disk passes, also before it exists."""
    require_local(tmp_path / "not" / "yet")


def test_a_remote_data_folder_is_refused_with_the_setting_to_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A catalog on a share is refused, and the message names the setting."""
    share = SimpleNamespace(device="server:/show", mountpoint=str(tmp_path), fstype="nfs4", opts="rw")
    monkeypatch.setattr(psutil, "disk_partitions", lambda **_options: [share])
    with pytest.raises(CatalogError, match=r'is on a nfs4 file system.*\n.*data = "/local/folder"'):
        require_local(tmp_path / ".callboard")
