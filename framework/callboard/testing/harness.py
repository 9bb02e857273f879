"""Runs a plugin in this process, on a real file, with the context that a plugin process would give it."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import importlib
import logging
import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import msgspec
from callboard_schemas import (
    AnyResult,
    Asset,
    Envelope,
    Failure,
    Job,
    Manifest,
    MediaKind,
    MediaSettled,
    Parameters,
    Place,
    encode_path,
)

from callboard.errors import CallboardError, ModelMissing
from callboard.manifests import FILE_NAME, load_manifest, resolve_parameters
from callboard.packs import find_packs, locate

if TYPE_CHECKING:
    from callboard.context import Runtime
    from callboard.glossary import Glossary
    from callboard.vocabulary import Vocabulary

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


def _digests(manifest: Manifest) -> dict[str, str]:
    """Give the digests of the packs that *manifest* names and that are here."""
    packs = find_packs()
    found = {}
    tasked = (name for name, pack in packs.items() if pack.task in manifest.optional_tasks)
    for name in (*manifest.models, *manifest.optional_models, *tasked):
        with contextlib.suppress(ModelMissing, KeyError):
            locate(packs[name])
            found[name] = packs[name].digest
    return found


class PluginHarness:
    """Runs plugins in this process, with the context that a plugin process would give them."""

    def __init__(
        self,
        shm_folder: Path,
        runtime: Runtime | None = None,
        *,
        roots: Mapping[str, Path] | None = None,
        output: Path | None = None,
    ) -> None:
        self.runtime = runtime
        """Where models come from: ``callboard.runtime.local.LocalRuntime()`` runs them in this process."""
        self.progress: list[tuple[float, str]] = []
        """What the last run said of its progress, unthrottled words left out."""
        self.roots: Mapping[str, Path] = roots or {}
        """Watched folders by their names, in which ``context.reach`` and ``context.open`` find other assets."""
        self.output = output if output is not None else shm_folder.parent / "placeholders"
        """Where plugins put media that they make."""
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
        vocabulary: Vocabulary | None = None,
        glossary: Glossary | None = None,
    ) -> list[AnyResult]:
        """Let *plugin* (a package or its name) answer one event, by default that *path* settled.

        Args:
            plugin: The package, or its import name; its ``manifest.toml`` is read.
            path: A media file.
            parameters: In place of the manifest's defaults; checked.
            event: In place of ``media.settled``.
            asset: In place of one made from *path*; needed for an image sequence.
            runtime: In place of the harness's.
            vocabulary: The project's own words, as ``callboard.vocabulary.parse`` gives them.
            glossary: Its names and terms, as ``callboard.glossary.parse`` gives them.

        Raises:
            HookFailed: the plugin failed; ``failure`` says how.
            UsageError: a parameter is unknown or does not fit.
            ManifestError: the manifest is wrong.
        """
        return asyncio.run(
            self.arun(
                plugin,
                path,
                parameters=parameters,
                event=event,
                asset=asset,
                runtime=runtime,
                vocabulary=vocabulary,
                glossary=glossary,
            )
        )

    async def arun(
        self,
        plugin: str | ModuleType,
        path: Path | None = None,
        *,
        parameters: Mapping[str, Any] | None = None,
        event: Envelope | None = None,
        asset: Asset | None = None,
        runtime: Runtime | None = None,
        vocabulary: Vocabulary | None = None,
        glossary: Glossary | None = None,
    ) -> list[AnyResult]:
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
            vocabulary=vocabulary,
            glossary=glossary,
            models=_digests(manifest),
            folder=self._shm.parent / "plugins" / manifest.id,
            output=self.output,
            roots=self.roots,
            project=self.output.parent,
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


__all__ = ["HookFailed", "PluginHarness", "make_asset", "make_event", "make_job"]
