"""One question to a project's catalog: words, a picture, or both; and what could not be asked, in words."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from callboard.catalog import prints, texts
from callboard.config import Project
from callboard.errors import MediaError, MissingExtra, ModelMissing
from callboard.search import Hit
from callboard.search.fuse import fuse
from callboard.search.text import find, suggest

if TYPE_CHECKING:
    import numpy as np

    from callboard.packs import Pack

_SIDE = 1280  # pixels of the longest side of a picture that is asked for: what the catalog's prints are made of

_BRING = (
    "To find pictures by what they show, add a CLIP model: 'callboard models add-hub --recommended' names some, and "
    "what it says next brings one."
)
NO_MODEL = f"Searching names, tags, speech, on-screen text and descriptions. {_BRING}"
ONLY_COPIES = f"Searching copies and pictures with the same layout. {_BRING}"


class Answer(Struct, frozen=True, kw_only=True):
    """What was found, best first."""

    hits: list[Hit]
    notes: tuple[str, ...] = ()
    """What could not be searched, and what would help."""
    suggestions: tuple[str, ...] = ()
    """Words of the catalog that may have been meant."""


def ask(
    project: Project, conn: sqlite3.Connection, query: str, like: Path | None = None, *, kind: str = "", limit: int = 20
) -> Answer:
    """Search a project's catalog.

    Args:
        project: Whose catalog it is.
        conn: Its catalog, to read.
        query: Words; may be empty where *like* is given.
        like: A picture to find others by; decoded in a process of its own.
        kind: Only media of this kind; empty for all.
        limit: Most assets to give.

    Raises:
        MediaError: *like* cannot be read.
        MissingExtra: *like* needs a library that is not installed.
    """
    notes: list[str] = []
    rankings: list[list[Hit]] = []
    if query:
        rankings.append(find(conn, query, kind=kind, limit=limit))
        rankings += _by_meaning(project, conn, query, notes, kind, limit)
    if like is not None:
        rankings += _by_picture(project, conn, like, notes, kind, limit)
    if query and like is not None:
        notes = [note for note in notes if note != ONLY_COPIES]
    left = texts.left(conn)
    if left:
        notes.append(f"{left} of the catalog's files are still being indexed: 'callboard up' goes on with it.")
    hits = fuse(*rankings, limit=limit)
    return Answer(hits=hits, notes=tuple(notes), suggestions=() if hits else tuple(suggest(conn, query)))


def _by_meaning(
    project: Project, conn: sqlite3.Connection, query: str, notes: list[str], kind: str, limit: int
) -> list[list[Hit]]:
    """Find pictures that show what the words say; where that cannot be, a note says why."""
    pair = _pair(project, conn, notes, NO_MODEL)
    if pair is None:
        return []
    try:
        from callboard.embed import TextEmbedder
        from callboard.runtime.local import LocalRuntime
        from callboard.search.pictures import near

        with LocalRuntime(project.settings.runtime) as runtime:
            embedder = TextEmbedder(runtime, pair[1])
            vector = embedder.embed([query])[0]
        return [near(conn, embedder.space, vector, data=project.data, kind=kind, limit=limit)]
    except ImportError as error:
        notes.append(f"Pictures were not searched: {error.name} is not installed; pip install 'callboard[media,cpu]'.")
    except ModelMissing as error:
        notes.append(f"Pictures were not searched: {error.message}. {error.hint}")
    return []


def _by_picture(
    project: Project, conn: sqlite3.Connection, like: Path, notes: list[str], kind: str, limit: int
) -> list[list[Hit]]:
    """Find copies of a picture, and pictures that show the like."""
    try:
        from callboard.search.phash import phash
        from callboard.search.pictures import copies, near

        pixels = _decoded(like)
    except ImportError as error:
        raise MissingExtra("searching by a picture", error.name or "a library") from None
    hashed = phash(pixels)
    rankings = [copies(conn, hashed, kind=kind, limit=limit)] if hashed else []
    if hashed is None:
        notes.append(f"{like.name} has no shapes to compare it by: it is black, or of one colour.")
    pair = _pair(project, conn, notes, ONLY_COPIES)
    if pair is not None:
        from callboard.embed import ImageEmbedder
        from callboard.runtime.local import LocalRuntime

        try:
            with LocalRuntime(project.settings.runtime) as runtime:
                embedder = ImageEmbedder(runtime, pair[0])
                vector = embedder.embed([pixels])[0]
            rankings.append(near(conn, embedder.space, vector, data=project.data, kind=kind, limit=limit))
        except ModelMissing as error:
            notes.append(f"Only copies were searched: {error.message}. {error.hint}")
    return rankings


def _decoded(path: Path) -> np.ndarray[Any, Any]:
    """Decode a picture, or the first of a film, in a process that may die.

    Raises:
        MediaError: it cannot be read.
    """
    from callboard.media.client import open_media
    from callboard.shm import make_folder

    folder = make_folder()
    try:
        with open_media(path, shm_folder=folder) as media:
            frame = next(iter(media.frames(max_side=_SIDE, limit=1)), None)
            if frame is None:
                raise MediaError(path.name, "has no picture", "Give a still or a film.")
            return frame.pixels.copy()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _pair(project: Project, conn: sqlite3.Connection, notes: list[str], none: str) -> tuple[Pack, Pack] | None:
    """Find a model that is here and that pictures were looked at with; *none* is the note where there is no model."""
    from callboard.embed import find_pair, find_pairs, space_of
    from callboard.packs import packs_of

    packs = packs_of(project.settings.runtime)
    there = prints.spaces(conn)
    used = {name: pair for name, pair in find_pairs(packs).items() if space_of(pair[0]) in there}
    pair = _first(packs, used)
    if pair is not None:
        return pair
    if find_pair(packs) is not None:
        notes.append("No picture was looked at with the model that is here; 'callboard run' on the files does it.")
    elif used:
        notes.append(f"The model that pictures were looked at with is not here: 'callboard models pull {min(used)}'.")
    else:
        notes.append(none)
    return None


def _first(packs: Mapping[str, Pack], used: Mapping[str, tuple[Pack, Pack]]) -> tuple[Pack, Pack] | None:
    from callboard.embed import find_pair

    return find_pair({pack.name: pack for pair in used.values() for pack in pair if pack.name in packs})


__all__ = ["NO_MODEL", "ONLY_COPIES", "Answer", "ask"]
