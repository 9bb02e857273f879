"""The router: which plugins answer an event, and with which parameters. It does nothing, so ``plan`` asks it too."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from callboard_schemas import (
    Asset,
    CaptionsAccepted,
    Envelope,
    Manifest,
    MediaKind,
    MediaSettled,
    Parameters,
    PlaceholderRequested,
    Request,
    TranslationRequested,
)
from msgspec import Struct

from callboard import own_files
from callboard.catalog.jobs import Planned
from callboard.config import Settings
from callboard.discovery import Found, resolve_parameters
from callboard.errors import ModelMissing
from callboard.glossary import MODEL as GLOSSARY
from callboard.keys import digest_of, job_key
from callboard.onward import content
from callboard.packs import Pack, locate
from callboard.vocabulary import MODEL as VOCABULARY

_LOOK_AGAIN = 1.0  # seconds


class Router:
    """Matches events with the plugins that are enabled, and makes jobs of them.

    Args:
        plugins: What discovery found; broken and disallowed ones never match.
        settings: The project's settings: what is enabled, parameters, deadlines.
        packs: Model packs by name; their digests are part of a job's key.
        vocabulary: Gives the digest of the vocabulary in use, or nothing; part of the keys of plugins that ask for it.
        glossary: The same for the glossary.
        folder: The project's; files and profiles that the parameters name count from there.
    """

    def __init__(
        self,
        plugins: Sequence[Found],
        settings: Settings,
        packs: Mapping[str, Pack],
        vocabulary: Callable[[], str] = str,
        glossary: Callable[[], str] = str,
        *,
        folder: Path | None = None,
    ) -> None:
        self._folder = folder
        self._settings, self._packs, self._vocabulary, self._glossary = settings, packs, vocabulary, glossary
        self._looked: dict[str, tuple[float, bool]] = {}
        self._by_event: dict[str, list[Manifest]] = {}
        self._parameters: dict[str, Parameters] = {}
        for found in plugins:
            manifest = found.manifest
            own = settings.plugins.get(found.id)
            if manifest is None or not found.usable or (own is not None and not own.enabled):
                continue
            given = resolve_parameters(manifest, own.parameters if own else {})
            self._parameters[manifest.id] = own_files.told(manifest, given, folder)
            for event in manifest.events:
                self._by_event.setdefault(event, []).append(manifest)

    def route(self, envelope: Envelope, data: Struct) -> list[Planned]:
        """Give a job for each plugin that answers this event; none is a normal answer."""
        asset: Asset | None = getattr(data, "asset", None)
        only = data.plugins if isinstance(data, MediaSettled) else ()
        return [
            planned
            for manifest in self._by_event.get(envelope.type, ())
            if (not only or manifest.id in only) and self._answers(manifest, data, asset)
            for planned in self._plans(manifest, envelope, data, asset)
        ]

    def wants(self, kind: MediaKind) -> bool:
        """Say whether any plugin answers media of this kind when it settles; if none does, it need not be read."""
        return any(
            kind in manifest.media and not self._is_idle(manifest)
            for manifest in self._by_event.get("media.settled", ())
        )

    def _answers(self, manifest: Manifest, data: Struct, asset: Asset | None) -> bool:
        """Say whether a plugin answers this: texts of any media, and media itself of the kinds that it names."""
        if not isinstance(data, Request) and self._is_idle(manifest):
            return False
        of_texts = isinstance(data, CaptionsAccepted | TranslationRequested)
        return asset is None or of_texts or asset.kind in manifest.media

    def _is_idle(self, manifest: Manifest) -> bool:
        return any(not self._parameters[manifest.id][name] for name in manifest.idle_without)

    def _plans(self, manifest: Manifest, envelope: Envelope, data: Struct, asset: Asset | None) -> Iterator[Planned]:
        """Plan one job, or one for each value of the parameter that the manifest names."""
        parameters = self._parameters[manifest.id]
        if isinstance(data, Request | PlaceholderRequested) and data.parameters:
            known = own_files.asked(manifest, data.parameters)
            parameters = own_files.told(manifest, resolve_parameters(manifest, {**parameters, **known}), self._folder)
        if isinstance(data, CaptionsAccepted | TranslationRequested) and data.captions is not None:
            parameters = own_files.laid_out(manifest, parameters, data.captions.profile, self._folder)
        asked = getattr(data, manifest.each, ()) if manifest.each else ()
        values = list(dict.fromkeys(asked or parameters.get(manifest.each) or ()))  # type: ignore[arg-type]  # a list, as the manifest was checked for
        for value in values or (None,):
            given = parameters if value is None else {**parameters, manifest.each: [value]}
            yield self._plan(manifest, envelope, data, asset, given)

    def _plan(
        self, manifest: Manifest, envelope: Envelope, data: Struct, asset: Asset | None, parameters: Parameters
    ) -> Planned:
        models = {name: self._digest(name) for name in manifest.models}
        tasked = (name for name, pack in self._packs.items() if pack.task in manifest.optional_tasks)
        optional = dict.fromkeys((*manifest.optional_models, *tasked))
        models |= {name: self._packs[name].digest for name in optional if self._is_here(name)}
        if manifest.vocabulary and (words := self._vocabulary()):
            models[VOCABULARY] = words
        if manifest.glossary and (terms := self._glossary()):
            models[GLOSSARY] = terms
        models |= own_files.digests(manifest, parameters)
        own = self._settings.plugins.get(manifest.id)
        subject = _subject(asset, data, manifest.each) if asset else f"{envelope.source}#{envelope.id}"
        lasting = own_files.portable(manifest, parameters, self._folder)
        return Planned(
            key=job_key(manifest.id, manifest.version, lasting, models, subject),
            plugin=manifest.id,
            version=manifest.version,
            parameters=parameters,
            models=models,
            deadline=own.deadline if own and own.deadline else manifest.deadline,
            asset=asset,
        )

    def _is_here(self, name: str) -> bool:
        """Say whether an optional pack can be used; looked up once a second, however many files settle."""
        now = time.monotonic()
        looked, here = self._looked.get(name, (float("-inf"), False))
        if now - looked > _LOOK_AGAIN:
            here = name in self._packs and _ready(self._packs[name])
            self._looked[name] = (now, here)
        return here

    def _digest(self, name: str) -> str:
        pack = self._packs.get(name)
        return "unknown" if pack is None else pack.digest  # the runtime says what is missing; the job waits for it


def _subject(asset: Asset, data: Struct, each: str) -> str:
    """Say what a job is about: the media's content, and what else its answer is made of."""
    more: list[object] = []
    if isinstance(data, CaptionsAccepted):
        more = [content(data.captions)]
    elif isinstance(data, TranslationRequested):
        texts = content(data.captions) if data.captions is not None else None
        more = [
            () if each == "languages" else data.languages,
            texts,
            data.source_language,
            data.description,
            data.labels,
        ]
    elif isinstance(data, Request) and data.languages:
        more = [data.languages]
    return f"{asset.digest} {digest_of(more)}" if more else asset.digest


def _ready(pack: Pack) -> bool:
    try:
        locate(pack)
    except ModelMissing:
        return False
    return True
