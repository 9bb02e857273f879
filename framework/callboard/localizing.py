"""``callboard localize``: asks for translations of accepted captions, of descriptions, or of subtitle files."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from callboard_schemas import Asset, MediaSettled, Parameters, Request, TranslationRequested, decode_path
from msgspec import Struct
from msgspec.structs import replace

from callboard.board import Board
from callboard.config import Project
from callboard.errors import MessageRefused, UsageError
from callboard.notes import LARGEST, texts
from callboard.oneshot import OneShot, Watcher
from callboard.onward import filled
from callboard.policy import Acceptance
from callboard.sources.facts import Found


class Wanted(Struct, frozen=True, kw_only=True):
    """What is asked for."""

    languages: tuple[str, ...]
    source: str | None = None
    """BCP 47, where the files do not say it or say it wrongly."""
    texts: bool = False
    """The description and the tag names instead of the captions."""
    notes: bool = False
    """Lists of marker notes instead of media."""
    parameters: Parameters = {}
    by: str = ""

    def request(self, asset: Asset) -> TranslationRequested:
        """Ask for it of one asset."""
        what: tuple[Literal["captions", "description", "labels"], ...] = (
            ("description", "labels") if self.texts else ("captions",)
        )
        return TranslationRequested(
            asset=asset,
            by=self.by or None,
            languages=self.languages,
            parameters=self.parameters,
            source_language=self.source,
            what=what,
        )


class Localizing(OneShot):
    """Has files translated and waits for the results.

    Args:
        project: Settings and data folder.
        paths: Media whose captions or tags were accepted, subtitle files, and folders.
        wanted: What is asked for.
        acceptance: What is accepted without a person.
        watcher: Hears of the course.
    """

    def __init__(
        self,
        project: Project,
        paths: Sequence[Path],
        wanted: Wanted,
        *,
        acceptance: Acceptance = "none",
        watcher: Watcher | None = None,
    ) -> None:
        super().__init__(project, paths, acceptance=acceptance, watcher=watcher)
        self._wanted = wanted

    def _subtitles(self, board: Board) -> Callable[[bytes], bool]:
        """Take every subtitle file that is named; of a folder those that are not our own."""
        named = {str(path.absolute()).encode("utf-8", "surrogateescape") for path in self._paths}
        theirs = super()._subtitles(board)
        return lambda path: path in named or theirs(path)

    def _collect(self, board: Board) -> list[Found]:
        if not self._wanted.notes:
            return super()._collect(board)
        return [Found(path=os.path.abspath(os.fsencode(path)), kind="other") for path in self._paths]

    def _event(self, asset: Asset) -> tuple[str, MediaSettled | Request]:
        request = self._wanted.request(asset)
        assert self.board is not None
        if self._wanted.notes:
            path = self.board.following.media(asset.place.root, decode_path(asset.place.path)) or b""
            with open(path, "rb") as file:
                labels = texts(file.read(LARGEST + 1), os.fsdecode(os.path.basename(path)))
            return "translation.requested", replace(request, what=("labels",), labels=labels)
        try:
            self.board.catalog.read(lambda conn: filled(conn, request))
        except MessageRefused:
            raise nothing_accepted(asset, texts=self._wanted.texts) from None
        return "translation.requested", request


def nothing_accepted(asset: Asset, *, texts: bool) -> UsageError:
    """Say that there is nothing to translate yet, and what brings it."""
    what = "no description and no tags were" if texts else "no captions were"
    return UsageError(
        f"{asset.place.path}: {what} accepted yet, so there is nothing to translate",
        "Begin with 'callboard run', and accept what waits in 'callboard inbox'.",
    )


__all__ = ["Localizing", "Wanted", "nothing_accepted"]
