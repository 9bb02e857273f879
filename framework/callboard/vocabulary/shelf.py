"""The vocabulary of a project at work: a changed file is noticed, each version is kept for the jobs that name it."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from callboard import shelf
from callboard.vocabulary.concepts import MODEL, Vocabulary
from callboard.vocabulary.reading import load

FOLDER = "vocabulary"
"""In a project's data folder: ``<digest>.json`` for each vocabulary that jobs were made for."""
SORT = shelf.Sort(name=MODEL, type=Vocabulary, load=load)


class Standing(Struct, frozen=True, kw_only=True):
    """How a project's vocabulary stands."""

    file: str
    digest: str = ""
    """Of the vocabulary in use; empty when there is none."""
    concepts: int = 0
    problem: str = ""
    """Why the file is not the one in use."""


class Shelf(shelf.Shelf[Vocabulary]):
    """Gives the vocabulary that new jobs are made for. A file that is broken changes nothing until it is mended.

    Args:
        file: ``vocabulary.toml``; ``None`` or one that is not there means that there is no vocabulary.
        folder: Where compiled vocabularies are kept.
    """

    def __init__(self, file: Path | None, folder: Path) -> None:
        super().__init__(SORT, file, folder)

    def standing(self) -> Standing:
        """Say how it stands."""
        now = self.current()
        return Standing(
            file=str(self.file or ""),
            digest=now.digest if now else "",
            concepts=len(now.concepts) if now else 0,
            problem=self.problem,
        )


def read_compiled(path: Path) -> Vocabulary:
    """Read a compiled vocabulary, which is named for its digest.

    Raises:
        Blocked: it is not there, or not what its name says.
    """
    return shelf.read_compiled(SORT, path)


__all__ = ["FOLDER", "Shelf", "Standing", "read_compiled"]
