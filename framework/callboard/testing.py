"""The harness plugin authors get, and that Callboard's own tests use. A pytest plugin: installed with Callboard.

Fixtures: ``plugin_harness`` runs a plugin in this process, ``tmp_plugin`` writes plugins that real discovery finds,
``callboard_project`` gives a project folder, ``samples`` the folder of sample media.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import logging
import os
import sys
import textwrap
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from callboard_schemas import (
    Asset,
    Envelope,
    Failure,
    Job,
    MediaKind,
    MediaSettled,
    Parameters,
    Place,
    Result,
    encode_path,
)

from callboard.config import FILE_NAME as SETTINGS_NAME
from callboard.discovery import Found
from callboard.errors import CallboardError
from callboard.manifests import FILE_NAME, load_manifest, resolve_parameters

if TYPE_CHECKING:
    from callboard.context import Runtime
    from callboard.worker import PluginPool

_KINDS: dict[str, MediaKind] = {
    **dict.fromkeys((".mov", ".mp4", ".mkv", ".webm", ".avi", ".mxf", ".mts", ".mpg"), "video"),
    **dict.fromkeys((".wav", ".mp3", ".flac", ".aac", ".m4a", ".ogg", ".opus", ".aiff"), "audio"),
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".gif", ".exr", ".dpx"), "image"),
}


class HookFailed(CallboardError):
    """A plugin failed in the harness; ``failure`` is what the board would have recorded."""

    code = "hook-failed"

    def __init__(self, failure: Failure) -> None:
        self.failure = failure
        super().__init__(f"{failure.code} ({failure.cause}): {failure.message}\n{failure.detail}", failure.hint)


def make_asset(path: Path, kind: MediaKind | None = None) -> Asset:
    """Describe a file as a source would: digest of every byte, size, kind by its suffix."""
    data = path.read_bytes()
    return Asset(
        digest=f"sha256:{hashlib.sha256(data).hexdigest()}",
        place=Place(root="footage", path=encode_path(os.fsencode(path.name))),
        kind=kind or _KINDS.get(path.suffix.lower(), "other"),
        size=len(data),
        mtime_ns=path.stat().st_mtime_ns,
    )


def make_event(asset: Asset | None = None, kind: str = "media.settled", data: object = None) -> Envelope:
    """Make an envelope around *data*; without it, one that says *asset* settled."""
    if data is None and asset is not None:
        data = MediaSettled(asset=asset) if kind == "media.settled" else {"asset": asset}
    identity = uuid.uuid4().hex
    return Envelope(
        specversion="1.0",
        id=identity,
        source="urn:callboard:test",
        type=kind,
        datacontenttype="application/json",
        correlationid=identity,
        data=msgspec.Raw(msgspec.json.encode(data)),
    )


def make_job(
    plugin: str,
    path: Path | None = None,
    *,
    parameters: Parameters | None = None,
    deadline: float = 30.0,
    event: Envelope | None = None,
) -> Job:
    """Make a job with a key of its own, as the router would for *path*."""
    asset = make_asset(path) if path is not None else None
    return Job(
        key=uuid.uuid4().hex + uuid.uuid4().hex,
        plugin=plugin,
        event=msgspec.Raw(msgspec.json.encode(event or make_event(asset))),
        asset=asset,
        path=encode_path(os.fsencode(path.absolute())) if path is not None else None,
        parameters=parameters or {},
        deadline=deadline,
    )


class PluginHarness:
    """Runs plugins in this process, with the context that a plugin process would give them."""

    def __init__(self, shm_folder: Path, runtime: Runtime | None = None) -> None:
        self.runtime = runtime
        """Where models come from: ``callboard.runtime.local.LocalRuntime()`` runs them in this process."""
        self.progress: list[tuple[float, str]] = []
        """What the last run said of its progress, unthrottled words left out."""
        self._shm = shm_folder

    def run(
        self,
        plugin: str | ModuleType,
        path: Path | None = None,
        *,
        parameters: Mapping[str, Any] | None = None,
        event: Envelope | None = None,
        asset: Asset | None = None,
        runtime: Runtime | None = None,
    ) -> list[Result]:
        """Let *plugin* (a package or its name) answer one event, by default that *path* settled.

        Args:
            plugin: The package, or its import name; its ``manifest.toml`` is read.
            path: A media file.
            parameters: In place of the manifest's defaults; checked.
            event: In place of ``media.settled``.
            asset: In place of one made from *path*; needed for an image sequence.
            runtime: In place of the harness's.

        Raises:
            HookFailed: the plugin failed; ``failure`` says how.
            UsageError: a parameter is unknown or does not fit.
            ManifestError: the manifest is wrong.
        """
        return asyncio.run(self.arun(plugin, path, parameters=parameters, event=event, asset=asset, runtime=runtime))

    async def arun(
        self,
        plugin: str | ModuleType,
        path: Path | None = None,
        *,
        parameters: Mapping[str, Any] | None = None,
        event: Envelope | None = None,
        asset: Asset | None = None,
        runtime: Runtime | None = None,
    ) -> list[Result]:
        """Do ``run`` inside a running event loop."""
        from callboard.plugin.calls import PluginBroken, Plugins
        from callboard.plugin.context import JobContext, Surroundings

        module = importlib.import_module(plugin) if isinstance(plugin, str) else plugin
        manifest = load_manifest(Path(str(module.__file__)).parent / FILE_NAME)
        asset = asset or (make_asset(path) if path is not None else None)
        self.progress = []
        context = JobContext(
            parameters=resolve_parameters(manifest, parameters or {}),
            path=path,
            asset=asset,
            log=logging.getLogger(f"callboard.plugin.{manifest.id}"),
            surroundings=Surroundings(shm_folder=self._shm, runtime=runtime or self.runtime),
            on_progress=lambda fraction, note: self.progress.append((fraction, note)),
        )
        plugins = Plugins()
        try:
            await plugins.load(manifest, module, context)
            answer = await plugins.handle(manifest.id, event or make_event(asset), asset, context)
            await plugins.teardown(lambda _: context, 10.0)
        except PluginBroken as broken:
            raise HookFailed(broken.failure) from None
        finally:
            await asyncio.to_thread(context.close)
        if isinstance(answer, Failure):
            raise HookFailed(answer)
        return list(answer)


@pytest.fixture
def plugin_harness(tmp_path: Path) -> PluginHarness:
    """Run plugins in this process: ``plugin_harness.run(package, path)`` gives their results."""
    folder = tmp_path / "shm"
    folder.mkdir()
    return PluginHarness(folder)


_MANIFEST = """\
id = "{id}"
name = "{id}"
version = "1.0.0"
kind = "analyse"
summary = "A plugin of a test."
license = "Apache-2.0"
events = ["media.settled"]
results = ["tags"]
"""

PoolFactory = Callable[..., "PluginPool"]
"""``plugin_pool(*found, **options) -> PluginPool``."""
TmpPlugin = Callable[..., Found]
"""``tmp_plugin(id, code, manifest="", **manifest_keys) -> Found``."""


def write_plugin(site: Path, plugin: str, code: str, manifest: str | None = None, **keys: object) -> str:
    """Write a plugin into *site* as if it were installed there.

    Args:
        site: A folder on ``sys.path``.
        plugin: The id; the package has the same name with underscores.
        code: The package's ``__init__.py``; its indentation is taken off.
        manifest: The whole manifest, in place of a small valid one.
        keys: Further keys of the manifest, or others for its keys.

    Returns:
        The package's name.
    """
    package = plugin.replace("-", "_")
    folder = site / package
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(textwrap.dedent(code), encoding="utf-8")
    if manifest is None:
        lines = [line for line in _MANIFEST.format(id=plugin).splitlines() if line.split(" = ")[0] not in keys]
        lines += [f"{key} = {_toml(value)}" for key, value in keys.items()]
        manifest = "\n".join(lines) + "\n"
    (folder / FILE_NAME).write_text(manifest, encoding="utf-8")
    info = site / f"{package}-1.0.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {plugin}\nVersion: 1.0.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[callboard.plugins]\n{plugin} = {package}\n", encoding="utf-8")
    return package


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + "}"
    return msgspec.json.encode(value).decode("utf-8")


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
