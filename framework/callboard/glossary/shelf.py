"""The glossary of a project at work: a changed file is noticed, each version is kept for the jobs that name it."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from callboard import shelf
from callboard.glossary.reading import load
from callboard.glossary.terms import MODEL, Glossary

FOLDER = "glossary"
"""In a project's data folder: ``<digest>.json`` for each glossary that jobs were made for."""
SORT = shelf.Sort(name=MODEL, type=Glossary, load=load)


class Standing(Struct, frozen=True, kw_only=True):
    """How a project's glossary stands."""

    file: str
    digest: str = ""
    """Of the glossary in use; empty when there is none."""
    terms: int = 0
    problem: str = ""
    """Why the file is not the one in use."""


class Shelf(shelf.Shelf[Glossary]):
    """Gives the glossary that new jobs are made for. A file that is broken changes nothing until it is mended.

    Args:
        file: ``glossary.toml``; ``None`` or one that is not there means that there is no glossary.
        folder: Where compiled glossaries are kept.
    """

    def __init__(self, file: Path | None, folder: Path) -> None:
        super().__init__(SORT, file, folder)

    def standing(self) -> Standing:
        """Say how it stands."""
        now = self.current()
        return Standing(
            file=str(self.file or ""),
            digest=now.digest if now else "",
            terms=len(now.term) if now else 0,
            problem=self.problem,
        )


def read_compiled(path: Path) -> Glossary:
    """Read a compiled glossary, which is named for its digest.

    Raises:
        Blocked: it is not there, or not what its name says.
    """
    return shelf.read_compiled(SORT, path)


__all__ = ["FOLDER", "Shelf", "Standing", "read_compiled"]
