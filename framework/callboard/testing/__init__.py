"""The harness plugin authors get, and that Callboard's own tests use. A pytest plugin: installed with Callboard.

Fixtures: ``plugin_harness`` runs a plugin in this process, ``tmp_plugin`` writes plugins that real discovery finds,
``callboard_project`` gives a project folder, ``samples`` the folder of sample media.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import MetadataPathFinder
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from callboard.config import FILE_NAME as SETTINGS_NAME
from callboard.discovery import Found
from callboard.testing.harness import HookFailed, PluginHarness, make_asset, make_event, make_job
from callboard.testing.sites import write_plugin

if TYPE_CHECKING:
    from callboard.worker import PluginPool


@pytest.fixture
def plugin_harness(tmp_path: Path) -> PluginHarness:
    """Run plugins in this process: ``plugin_harness.run(package, path)`` gives their results."""
    folder = tmp_path / "shm"
    folder.mkdir()
    return PluginHarness(folder)


PoolFactory = Callable[..., "PluginPool"]
"""``plugin_pool(*found, **options) -> PluginPool``."""
TmpPlugin = Callable[..., Found]
"""``tmp_plugin(id, code, manifest="", **manifest_keys) -> Found``."""


@pytest.fixture
def tmp_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TmpPlugin]:
    """Write plugins that discovery finds, also in child processes: ``tmp_plugin("shout", code)`` gives a ``Found``."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", str(site), prepend=os.pathsep)
    packages: list[str] = []

    def make(plugin: str, code: str = "", manifest: str | None = None, **keys: object) -> Found:
        from callboard.discovery import discover

        packages.append(write_plugin(site, plugin, code, manifest, **keys))
        importlib.invalidate_caches()
        MetadataPathFinder().invalidate_caches()  # Python 3.11 leaves it: two plugins may come in one tick of a clock
        return next(found for found in discover(allow=[plugin]) if found.id == plugin)

    yield make
    for name in [name for name in sys.modules if name.partition(".")[0] in packages]:
        del sys.modules[name]


@pytest.fixture
def plugin_pool(tmp_path: Path) -> PoolFactory:
    """Run plugins in real processes, for tests that are ``async``; options as of ``PluginPool``."""

    def make(*plugins: Found, **options: Any) -> PluginPool:
        from callboard.worker import PluginPool

        shm = tmp_path / "pool-shm"
        shm.mkdir(exist_ok=True)
        given = {"run_folder": tmp_path / "run", "runtime_address": "", "shm_folder": shm, "workers": 8, **options}
        return PluginPool(plugins, **given)

    return make


@pytest.fixture
def callboard_project(tmp_path: Path) -> Path:
    """Give a project folder of its own with a settings file that changes nothing."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / SETTINGS_NAME).write_text("", encoding="utf-8")
    return folder


@pytest.fixture
def samples(pytestconfig: pytest.Config) -> Path:
    """Give the folder of sample media."""
    return pytestconfig.rootpath / "tests" / "media"


__all__ = [
    "HookFailed",
    "PluginHarness",
    "PoolFactory",
    "TmpPlugin",
    "callboard_project",
    "make_asset",
    "make_event",
    "make_job",
    "plugin_harness",
    "plugin_pool",
    "samples",
    "tmp_plugin",
    "write_plugin",
]
