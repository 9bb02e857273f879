"""Files that a brief names: found in the project, and nowhere else on the machine."""

from __future__ import annotations

from pathlib import Path

import pytest
from callboard.plugin.reach import named


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Give a project with a picture in it and a secret beside it."""
    folder = tmp_path / "project"
    (folder / "art").mkdir(parents=True)
    (folder / "art" / "mood.png").write_bytes(b"picture")
    (tmp_path / "secret.png").write_bytes(b"secret")
    (tmp_path / "footage").mkdir()
    (tmp_path / "footage" / "still.png").write_bytes(b"still")
    return folder


def test_a_file_is_counted_from_the_projects_folder(project: Path) -> None:
    """A relative path, a whole path and a path in a watched folder are found."""
    roots = {"footage": project.parent / "footage"}
    assert named(project, roots, "art/mood.png") == (project / "art" / "mood.png").resolve()
    assert named(project, roots, str(project / "art" / "mood.png")) == (project / "art" / "mood.png").resolve()
    assert named(project, roots, "../footage/still.png") == (project.parent / "footage" / "still.png").resolve()


@pytest.mark.parametrize("path", ["../secret.png", "art/out.png", "art", "art/none.png", "", "a\0b", "/etc/passwd"])
def test_nothing_outside_is_found(project: Path, path: str) -> None:
    """A path that leads out, a link that does, a folder, and what is no path are not found."""
    (project / "art" / "out.png").symlink_to(project.parent / "secret.png")
    assert named(project, {}, path) is None


def test_without_a_project_only_watched_folders_count(project: Path) -> None:
    """A plugin that runs alone finds nothing."""
    assert named(None, {}, str(project / "art" / "mood.png")) is None
