"""The ``Context`` that a hook is handed, in a plugin process, in the test harness and in a notebook."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from callboard_schemas import Asset, Parameters

from callboard.errors import Blocked, JobError, MediaError
from callboard.media import SEQUENCE_RATE
from callboard.plugin.reach import named, reached
from callboard.runtime import Ticket
from callboard.runtime.tickets import NOBODY

if TYPE_CHECKING:
    from callboard.context import Media, Runtime
    from callboard.glossary import Glossary
    from callboard.vocabulary import Vocabulary

KEPT_VARIABLE = "CALLBOARD_KEPT"
"""Environment variable by which a plugin's process knows where plugins keep files, each in a folder by its id."""
OUTPUT_VARIABLE = "CALLBOARD_OUTPUT"
"""The same for the folder of the media that plugins make."""
PROGRESS_EVERY = 0.1
"""Seconds between two words on progress; a person reads no faster, and a bar needs no more."""


class Cancelled(BaseException):
    """The job was cancelled while a plain function worked on it; raised where it next asks for something.

    Not an ``Exception``, so that a plugin's own ``except Exception`` lets it pass.
    """


class Surroundings:
    """What the jobs of one process share: the runtime client, and how media is opened."""

    def __init__(
        self, runtime_address: str = "", shm_folder: Path | None = None, runtime: Runtime | None = None
    ) -> None:
        self._address = runtime_address
        self._shm = shm_folder
        self._runtime = runtime
        self._lock = threading.Lock()

    def runtime(self) -> Runtime:
        """Give the process's runtime client, made on first use."""
        with self._lock:
            if self._runtime is None:
                if not self._address or self._shm is None:
                    raise Blocked(
                        "no model runtime is running", "Start the board with 'callboard up', or 'callboard run'."
                    )
                from callboard.runtime.client import RuntimeClient

                self._runtime = RuntimeClient(self._address, self._shm)
            return self._runtime

    def close(self) -> None:
        """Close the connection to the runtime."""
        with self._lock:
            runtime, self._runtime = self._runtime, None
        close = getattr(runtime, "close", None)
        if close is not None and self._address:
            close()

    def open_media(
        self, path: Path, asset: Asset | None, rate: float = SEQUENCE_RATE
    ) -> contextlib.AbstractContextManager[Media]:
        """Open media in a process that may die."""
        from callboard.media.client import open_media

        if self._shm is None:
            raise Blocked("there is no folder for shared memory")
        return open_media(path, asset, shm_folder=self._shm, rate=rate)


class JobContext:
    """The context of one job. ``close`` gives back the media it opened."""

    def __init__(
        self,
        *,
        parameters: Parameters,
        path: Path | None,
        asset: Asset | None,
        log: logging.Logger,
        surroundings: Surroundings,
        on_progress: Callable[[float, str], None] | None = None,
        vocabulary: Path | Vocabulary | None = None,
        glossary: Path | Glossary | None = None,
        models: Mapping[str, str] | None = None,
        ticket: Ticket = NOBODY,
        folder: Path | None = None,
        output: Path | None = None,
        roots: Mapping[str, Path] | None = None,
        project: Path | None = None,
    ) -> None:
        self._ticket = ticket
        self._models = models or {}
        self._folder, self._output = folder, output
        self._roots, self._project = roots or {}, project
        self._parameters, self._path, self._asset, self._log = parameters, path, asset, log
        self._vocabulary, self._glossary = vocabulary, glossary
        self._surroundings = surroundings
        self._on_progress = on_progress
        self._said = 0.0
        self._opened = contextlib.ExitStack()
        self._media: Media | None = None
        self._lock = threading.Lock()
        self.cancelled = threading.Event()

    @property
    def parameters(self) -> Parameters:
        """The plugin's parameters."""
        return self._parameters

    @property
    def models(self) -> Mapping[str, str]:
        """Digests of the model packs that the job was made for, by name."""
        return self._models

    @property
    def path(self) -> Path | None:
        """Where the asset is on this machine, to be read only."""
        return self._path

    @property
    def folder(self) -> Path | None:
        """Where the plugin may keep files of its own."""
        return self._folder

    @property
    def project(self) -> Path | None:
        """The project's folder."""
        return self._project

    @property
    def output(self) -> Path | None:
        """Where the plugin puts media that it makes."""
        return self._output

    @property
    def vocabulary(self) -> Vocabulary | None:
        """The project's own words: given, or read from the compiled file that the job names."""
        if not isinstance(self._vocabulary, Path):
            return self._vocabulary
        from callboard.vocabulary import read_compiled

        return read_compiled(self._vocabulary)

    @property
    def glossary(self) -> Glossary | None:
        """Names and terms of the film: given, or read from the compiled file that the job names."""
        if not isinstance(self._glossary, Path):
            return self._glossary
        from callboard.glossary import read_compiled

        return read_compiled(self._glossary)

    @property
    def log(self) -> logging.Logger:
        """A logger whose lines reach the supervisor."""
        return self._log

    @property
    def media(self) -> Media:
        """The asset of this job, opened on first use."""
        self._go_on()
        with self._lock:
            if self._media is None:
                if self._path is None:
                    raise JobError(
                        "this event has no media", "Ask for context.media only where the event has an asset."
                    )
                self._media = self._opened.enter_context(self._surroundings.open_media(self._path, self._asset))
            return self._media

    @property
    def runtime(self) -> Runtime:
        """The models."""
        self._go_on()
        runtime = self._surroundings.runtime()
        bound = getattr(runtime, "bound", None)  # a runtime that a test made may know nothing of tickets
        return runtime if bound is None else bound(self._ticket)

    @property
    def roots(self) -> Mapping[str, Path]:
        """The watched folders by their names."""
        return self._roots

    def reach(self, asset: Asset) -> Path | None:
        """Say where another asset is on this machine; ``None`` where it is in none of the watched folders."""
        self._go_on()
        return reached(self._roots, asset)

    def named(self, path: str) -> Path | None:
        """Say where a file is that a brief names; ``None`` where it is not in the project."""
        self._go_on()
        return named(self._project, self._roots, path)

    def open(self, asset: Asset, rate: float = SEQUENCE_RATE) -> Media:
        """Open another asset of the project; it is closed with the job."""
        path = self.reach(asset)
        if path is None:
            raise MediaError(asset.place.path, "is in none of the watched folders", "Is its drive there?")
        with self._lock:
            return self._opened.enter_context(self._surroundings.open_media(path, asset, rate))

    def progress(self, fraction: float, note: str = "") -> None:
        """Say how far the job is, 0 to 1; words that come too soon after the last are left out."""
        self._go_on()
        now = time.monotonic()
        if self._on_progress is None or (now - self._said < PROGRESS_EVERY and fraction < 1.0):
            return
        self._said = now
        self._on_progress(min(max(float(fraction), 0.0), 1.0), str(note)[:200])

    def close(self) -> None:
        """Give back what the job opened."""
        with self._lock:
            self._media = None
            self._opened.close()

    def _go_on(self) -> None:
        if self.cancelled.is_set():
            raise Cancelled


def kept_folder(plugin: str) -> Path | None:
    """Say where a plugin may keep files, in a process that was told; ``None`` elsewhere."""
    named = os.environ.get(KEPT_VARIABLE)
    return Path(named) / plugin if named else None


def output_folder() -> Path | None:
    """Say where plugins put media that they make, in a process that was told; ``None`` elsewhere."""
    named = os.environ.get(OUTPUT_VARIABLE)
    return Path(named) if named else None


def local_path(encoded: str | None) -> Path | None:
    """Give the path that a job names, with any bytes that the file system has in it."""
    from callboard_schemas import decode_path

    return Path(os.fsdecode(decode_path(encoded))) if encoded else None


__all__ = [
    "KEPT_VARIABLE",
    "OUTPUT_VARIABLE",
    "Cancelled",
    "JobContext",
    "Surroundings",
    "kept_folder",
    "local_path",
    "output_folder",
]
