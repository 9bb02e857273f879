"""Corrections: what people changed in captions and translations, in a file that they hand in or in one that we wrote.

A corrected file becomes the person's own proposal, which takes the place of what it corrects and names it in its
provenance.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from callboard_schemas import Asset, Captions, Proposal, Translation, decode_path
from msgspec import Struct
from msgspec.structs import replace

from callboard.beside import read_name
from callboard.catalog import jobs, journal, ledger, proposals
from callboard.catalog.proposals import PERSON
from callboard.cuewise import kept_cues
from callboard.desk import Decided, Desk, one_of
from callboard.effects.atomic import sha256
from callboard.effects.ledger import Written, version_of
from callboard.effects.subtitles import role_of
from callboard.errors import SubtitleError, UsageError
from callboard.glossary.changes import corrected
from callboard.timedtext.document import Document, Result
from callboard.timedtext.files import FORMATS, read, read_file

CORRECTS = "corrects"
"""The parameter, in a person's provenance, that names the proposal they corrected."""
_ROLES = {role_of(one.name) for one in FORMATS.values() if one.reads and one.writes}
_LARGEST = 64 * 1024 * 1024
"""Bytes of a subtitle file that is read again."""


class Correction(Struct, frozen=True, kw_only=True):
    """Captions or a translation before and after a person changed them."""

    asset: Asset
    media: bytes
    """Where the asset is: absolute where a file was edited, else inside its root."""
    proposal: str
    """What was corrected."""
    before: Result
    after: Result
    file: str = ""
    """The file that they edited; empty where it was handed in."""

    @property
    def name(self) -> str:
        """What people call the media."""
        return os.fsdecode(os.path.basename(self.media))


def hand_in(path: Path) -> Document:
    """Read a person's file.

    Raises:
        UsageError: it cannot be opened.
        SubtitleError: it cannot be read.
    """
    try:
        return read_file(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", "Give the path of a subtitle file.") from None


def correct(desk: Desk, conn: sqlite3.Connection, prefix: str, document: Document, by: str, name: str) -> Decided:
    """Accept a person's version of a proposal, as their own; what it corrects is superseded.

    Args:
        desk: Of the board.
        conn: The transaction.
        prefix: Of the proposal's id.
        document: What they hand in.
        by: Who.
        name: Of their file; kept in the provenance.

    Raises:
        UsageError: no such proposal, one without cues, a file in another language or without cues, or one that changes
            nothing.
    """
    ident = one_of(conn, prefix)
    made = proposals.get(conn, ident)
    row = jobs.get(conn, made.job) if made is not None else None
    if made is None or row is None or row.subject is None or not isinstance(made.body, Captions | Translation):
        what = made.result if made is not None else "nothing"
        raise UsageError(f"{ident} has {what} and no cues", "'callboard inbox' shows which proposals are captions.")
    before = replace(made.body, cues=kept_cues(made.body.cues, made.without))
    if document.language and _main(document.language) != _main(before.language):
        raise UsageError(
            f"{name} is in {document.language}, and {ident} in {before.language}",
            "Give the proposal in that language, or rename the file if its name is wrong.",
        )
    if not document.cues:
        raise UsageError(f"{name} has no cues", f"To have none, use 'callboard reject {ident}'.")
    after = corrected(before, document)
    if _told(after) == _told(before):
        raise UsageError(f"{name} says what {ident} says", f"To take it as it is, use 'callboard accept {ident}'.")
    asset = journal.asset_now(conn, row.digest, None) or row.subject
    return desk.write(conn, asset, after, by, {CORRECTS: ident, "file": name})


def _main(language: str) -> str:
    return language.partition("-")[0].lower()


def _told(result: Result) -> list[object]:
    return [
        (cue.start, cue.end, cue.lines, cue.styled, cue.align, cue.settings, cue.speaker, cue.kind)
        for cue in result.cues
    ]


def handed_in(conn: sqlite3.Connection) -> Iterator[Correction]:
    """Give the corrections that people handed in, oldest first; those that were taken back are left out."""
    rows = conn.execute(
        "SELECT id, digest FROM proposals WHERE plugin = ? AND state IN ('accepted', 'superseded')"
        " ORDER BY created, id",
        (PERSON,),
    ).fetchall()
    for ident, digest in rows:
        made = proposals.get(conn, ident)
        if made is None or not isinstance(made.body, Captions | Translation):
            continue
        first = proposals.get(conn, str(made.provenance.parameters.get(CORRECTS, "")))
        asset = _asset(conn, made, digest)
        if first is not None and asset is not None and isinstance(first.body, Captions | Translation):
            before = replace(first.body, cues=kept_cues(first.body.cues, first.without))
            after = replace(made.body, cues=kept_cues(made.body.cues, made.without))
            media = decode_path(asset.place.path)
            yield Correction(asset=asset, media=media, proposal=first.id, before=before, after=after)


def _asset(conn: sqlite3.Connection, made: Proposal, digest: str) -> Asset | None:
    row = jobs.get(conn, made.job)
    return journal.asset_now(conn, digest, row.subject if row else None)


class Wrote(Struct, frozen=True):
    """A subtitle file that we wrote, and what it was written of."""

    row: Written
    media: bytes
    asset: Asset
    made: Proposal
    body: Result


def wrote(conn: sqlite3.Connection) -> list[Wrote]:
    """Give the subtitle files that the ledger knows as ours, with the proposal that stands in their language."""
    found: list[Wrote] = []
    for row, media in ledger.of_roles(conn, _ROLES):
        language = _main(read_name(row.path).language)
        for made in proposals.of_digest(conn, row.asset):
            body = made.body
            if made.state != "accepted" or not isinstance(body, Captions | Translation):
                continue
            asset = _asset(conn, made, row.asset)
            if asset is not None and _main(body.language) == language:
                kept = replace(body, cues=kept_cues(body.cues, made.without))
                found.append(Wrote(row, media, asset, made, kept))
                break
    return found


def edited(files: list[Wrote]) -> Iterator[Correction]:
    """Give what people changed in files that we wrote; files that are gone, or can no longer be read, are left out."""
    for one in files:
        path = Path(os.fsdecode(one.row.path))
        try:
            data = path.read_bytes() if path.stat().st_size <= _LARGEST else b""
        except OSError:
            continue
        if not data or version_of(one.row, sha256(data)) is not None:
            continue
        try:
            after = corrected(one.body, read(data, path.name))
        except SubtitleError:
            continue
        if _told(after) != _told(one.body):
            yield Correction(
                asset=one.asset, media=one.media, proposal=one.made.id, before=one.body, after=after, file=str(path)
            )


__all__ = ["CORRECTS", "Correction", "Wrote", "correct", "edited", "hand_in", "handed_in", "wrote"]
