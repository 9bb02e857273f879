"""Which files are Callboard's own output, or a person's version of it: neither is ever taken for something new."""

from __future__ import annotations

import sqlite3

from callboard_schemas import Captions, Translation

from callboard.beside import media_beside, read_name
from callboard.catalog import journal, proposals
from callboard.catalog.ledger import is_ours
from callboard.following import Following
from callboard.sources.kinds import kind_of


def is_output(conn: sqlite3.Connection, following: Following, path: bytes) -> bool:
    """Say whether an absolute path is a sidecar of ours, or what a person made of one.

    A subtitle file beside media that has accepted cues in its language stands for them, whoever wrote it last.
    """
    if is_ours(conn, path):
        return True
    if kind_of(path) != "subtitles":
        return False
    language = read_name(path).language
    return bool(language) and any(_says(conn, following, media, language) for media in media_beside(path))


def _says(conn: sqlite3.Connection, following: Following, media: bytes, language: str) -> bool:
    for root, folder in following.roots.items():
        inside = folder.rstrip(b"/") + b"/"
        seen = journal.place(conn, root, media[len(inside) :]) if media.startswith(inside) else None
        if seen is not None:
            made = [one for one in proposals.of_digest(conn, seen.digest) if one.state == "accepted"]
            bodies = [one.body for one in made if isinstance(one.body, Captions | Translation) and one.body.cues]
            if any(body.language.partition("-")[0] == language.partition("-")[0] for body in bodies):
                return True
    return False


__all__ = ["is_output"]
