"""The harness plugin authors get, and that Callboard's own tests use. A pytest plugin."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def callboard_project(tmp_path: Path) -> Path:
    """Give an empty project folder with a settings file that names no watch folder."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "callboard.toml").write_text("", encoding="utf-8")
    return folder


@pytest.fixture
def samples(pytestconfig: pytest.Config) -> Path:
    """Give the folder of sample media."""
    return pytestconfig.rootpath / "tests" / "media"
