"""The vocabulary of a project at work: a changed file is noticed, each version is kept for the jobs that name it."""

from __future__ import annotations

import contextlib
import logging
import threading
from functools import lru_cache
from pathlib import Path

import msgspec
from msgspec import Struct

from callboard.errors import Blocked, VocabularyError
from callboard.vocabulary.concepts import Vocabulary
from callboard.vocabulary.reading import load
from callboard.vocabulary.writing import keep

log = logging.getLogger(__name__)

FOLDER = "vocabulary"
"""In a project's data folder: ``<digest>.json`` for each vocabulary that jobs were made for."""
_CURRENT = "current"
"""Holds the digest of the last file that was whole."""


class Standing(Struct, frozen=True, kw_only=True):
    """How a project's vocabulary stands."""

    file: str
    digest: str = ""
    """Of the vocabulary in use; empty when there is none."""
    concepts: int = 0
    problem: str = ""
    """Why the file is not the one in use."""


class Shelf:
    """Gives the vocabulary that new jobs are made for. A file that is broken changes nothing until it is mended.

    Args:
        file: ``vocabulary.toml``; ``None`` or one that is not there means that there is no vocabulary.
        folder: Where compiled vocabularies are kept.
    """

    def __init__(self, file: Path | None, folder: Path) -> None:
        self._file, self._folder = file, folder
        self._seen: tuple[int, int, int] | None = None
        self._now: Vocabulary | None = None
        self.problem = ""
        self._turn = threading.Lock()

    def current(self) -> Vocabulary | None:
        """Give the vocabulary as its file is now, or as it last was whole; ``None`` when there is none. Any thread."""
        with self._turn:
            self._look()
            return self._now

    def digest(self) -> str:
        """Give the digest of the current vocabulary; empty when there is none."""
        now = self.current()
        return "" if now is None else now.digest

    def standing(self) -> Standing:
        """Say how it stands."""
        now = self.current()
        return Standing(
            file=str(self._file or ""),
            digest=now.digest if now else "",
            concepts=len(now.concepts) if now else 0,
            problem=self.problem,
        )

    def require(self) -> None:
        """Look for the first time, where somebody waits.

        Raises:
            VocabularyError: the file is broken.
        """
        self.current()
        if self.problem and self._file is not None:
            load(self._file)

    def path(self, digest: str) -> Path:
        """Say where a compiled vocabulary is kept."""
        return self._folder / f"{digest}.json"

    def _look(self) -> None:
        mark = _mark(self._file)
        if mark == self._seen and (mark is None or self._now is not None or self.problem):
            return
        self._seen = mark
        if self._file is None or mark is None:
            self._now, self.problem = None, ""
            return
        try:
            self._take(load(self._file))
        except (VocabularyError, OSError) as error:
            self.problem = error.message if isinstance(error, VocabularyError) else str(error)
            self._now = self._now or self._last()
            kept = f"the one before stays in use ({self._now.digest[:12]})" if self._now else "no vocabulary is in use"
            log.error("%s; %s", self.problem, kept)  # noqa: TRY400 - the message says it all

    def _take(self, fresh: Vocabulary) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        if not self.path(fresh.digest).exists():
            keep(self.path(fresh.digest), msgspec.json.encode(fresh, order="deterministic"))
        keep(self._folder / _CURRENT, fresh.digest.encode())
        if self._now is not None and self._now.digest != fresh.digest:
            log.info("the vocabulary changed: %d concepts, %s", len(fresh.concepts), fresh.digest[:12])
        self._now, self.problem = fresh, ""

    def _last(self) -> Vocabulary | None:
        with contextlib.suppress(OSError, Blocked):
            return read_compiled(self.path((self._folder / _CURRENT).read_text("ascii").strip()))
        return None


@lru_cache(maxsize=4)
def read_compiled(path: Path) -> Vocabulary:
    """Read a compiled vocabulary, which is named for its digest.

    Raises:
        Blocked: it is not there, or not what its name says.
    """
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Vocabulary)
    except (OSError, msgspec.MsgspecError) as error:
        raise _lost(path, str(error)) from None
    if found.digest != path.stem:
        raise _lost(path, "it is not what its name says")
    return found


def _lost(path: Path, problem: str) -> Blocked:
    hint = "Ask for the file again with 'callboard run': its job is then made for the vocabulary of today."
    return Blocked(f"the vocabulary that this job was made for cannot be read: {path}: {problem}", hint)


def _mark(file: Path | None) -> tuple[int, int, int] | None:
    """Give what changes when a file is written; ``None`` when it is not there."""
    if file is None:
        return None
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


__all__ = ["FOLDER", "Shelf", "Standing", "read_compiled"]
