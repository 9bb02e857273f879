"""What ``callboard exchange`` works on: the proposal that a sheet is made of, its source, and where it goes back to."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from callboard_schemas import (
    Asset,
    Captions,
    CaptionsAccepted,
    Cue,
    Envelope,
    Proposal,
    Translation,
    TranslationRequested,
    decode_path,
)
from msgspec import Struct
from msgspec.structs import replace

from callboard.catalog import jobs, journal, proposals
from callboard.cuewise import kept_cues
from callboard.errors import UsageError
from callboard.exchange.merge import Merged, merge
from callboard.exchange.sheets import Sheet, of_captions, of_translation
from callboard.following import Following


class Lent(Struct, frozen=True, kw_only=True):
    """A sheet, and what it was made of."""

    sheet: Sheet
    base: Translation
    asset: Asset
    made: Proposal

    def merged(self, back: Sheet, name: str) -> Merged:
        """Merge what came back.

        Raises:
            ExchangeError: it does not belong here.
        """
        return merge(self.sheet, self.base, back, name)


def lend(conn: sqlite3.Connection, following: Following, ident: str, language: str = "") -> Lent:
    """Make a sheet of a proposal.

    Args:
        conn: The catalog.
        following: Knows where subtitle files are.
        ident: Of a translation; of captions, where *language* says what they are to be put into.
        language: BCP 47.

    Raises:
        UsageError: there is no such proposal, it holds no texts, or no language is given for captions.
    """
    made = proposals.get(conn, ident)
    asset = None if made is None else _asset(conn, made)
    if made is None or asset is None:
        raise UsageError(f"no proposal {ident!r}", "'callboard inbox' shows what waits, with the ids.")
    name = os.fsdecode(os.path.basename(decode_path(asset.place.path)))
    body = made.body
    if isinstance(body, Captions):
        if not language:
            raise UsageError(f"{made.id} has captions in {body.language}", "Say into which language: --to es.")
        captions = replace(body, cues=kept_cues(body.cues, made.without))
        sheet = of_captions(captions, language, made.id, name)
        return Lent(sheet=sheet, base=_untranslated(captions, language), asset=asset, made=made)
    if not isinstance(body, Translation):
        raise UsageError(f"{made.id} has {made.result}, not captions", "'callboard inbox' shows what else there is.")
    if language and language.lower() != body.language.lower():
        hint = f"'callboard localize {name} --to {language}' makes another."
        raise UsageError(f"{made.id} is in {body.language}, not {language}", hint)
    body = replace(body, cues=kept_cues(body.cues, made.without))
    cues, described = source_of(conn, following, made, asset)
    sheet = of_translation(body, cues, made.id, name, described)
    return Lent(sheet=sheet, base=body, asset=asset, made=made)


def _untranslated(captions: Captions, language: str) -> Translation:
    return Translation(
        source_language=captions.language,
        language=language,
        cues=captions.cues,
        confidence=1.0,
        method="person",
        profile=captions.profile,
        rate=captions.rate,
    )


def _asset(conn: sqlite3.Connection, made: Proposal) -> Asset | None:
    row = jobs.get(conn, made.job)
    if row is None:
        return None
    return journal.asset_now(conn, row.digest, row.subject)


def source_of(
    conn: sqlite3.Connection, following: Following, made: Proposal, asset: Asset
) -> tuple[Sequence[Cue], str]:
    """Give the cues, and the description, that a translation was made of; none where they cannot be found any more.

    They are in the event that its job answered. A person's translation stands in for another, with the same ids; a
    subtitle file is read again.
    """
    for one in (made, *_before(conn, made, asset.digest)):
        row = jobs.get(conn, one.job)
        envelope = None if row is None else journal.envelope(conn, row.event)
        found = _of_event(envelope) if envelope is not None else None
        if found is not None:
            return found
    path = following.media(asset.place.root, decode_path(asset.place.path))
    if asset.kind == "subtitles" and path is not None and os.path.exists(path):
        from callboard.timedtext.files import read_file

        return read_file(Path(os.fsdecode(path))).cues, ""
    return (), ""


def _before(conn: sqlite3.Connection, made: Proposal, digest: str) -> list[Proposal]:
    if made.provenance.plugin != proposals.PERSON:
        return []
    found = [one for one in proposals.of_digest(conn, digest) if one.result == made.result and one.id != made.id]
    same = [one for one in found if getattr(one.body, "language", "") == getattr(made.body, "language", "")]
    after = made.provenance.parameters.get("after")
    return [one for one in same if one.id == after] + same


def _of_event(envelope: Envelope) -> tuple[Sequence[Cue], str] | None:
    if envelope.type == "captions.accepted":
        return msgspec.json.decode(envelope.data, type=CaptionsAccepted).captions.cues, ""
    if envelope.type == "translation.requested":
        asked = msgspec.json.decode(envelope.data, type=TranslationRequested)
        if asked.captions is not None or asked.description:
            return (asked.captions.cues if asked.captions is not None else ()), asked.description
    return None


def source_texts(conn: sqlite3.Connection, following: Following, made: Proposal) -> Mapping[int, str]:
    """Give what each cue of a translation was made of, on one line, by cue id; nothing for another proposal."""
    asset = _asset(conn, made)
    if asset is None or not isinstance(made.body, Translation):
        return {}
    cues, _ = source_of(conn, following, made, asset)
    return {cue.id: " / ".join(cue.lines) for cue in cues}


def find(conn: sqlite3.Connection, following: Following, path: bytes, language: str) -> str:
    """Find what a person means by a path: the translation of that asset that is accepted or waits.

    Args:
        conn: The catalog.
        following: Knows the roots.
        path: Absolute.
        language: BCP 47; empty where there is one translation only.

    Raises:
        UsageError: nothing is known of the path, or it is not clear which translation is meant.
    """
    name = os.fsdecode(path)
    digests = {
        seen.digest
        for root, folder in following.roots.items()
        if path.startswith(inside := folder.rstrip(b"/") + b"/")
        and (seen := journal.place(conn, root, path[len(inside) :])) is not None
    }
    made = [one for digest in digests for one in proposals.of_digest(conn, digest)]
    standing = [one for one in made if one.state in ("accepted", "proposed")]
    translated = [one for one in standing if isinstance(one.body, Translation)]
    meant = [one for one in translated if not language or getattr(one.body, "language", "") == language]
    languages = sorted({one.body.language for one in meant if isinstance(one.body, Translation)})
    if len(languages) > 1:
        raise UsageError(f"{name} is translated into {', '.join(languages)}", f"Say which: --to {languages[0]}.")
    captions = [one for one in standing if isinstance(one.body, Captions) and language and one.state == "accepted"]
    found = [one for one in meant if one.state == "accepted"] or meant or captions
    if not found:
        raise UsageError(
            f"nothing of {name} waits to be translated",
            "Give --to es for captions that were accepted, or begin with 'callboard localize'.",
        )
    return found[-1].id


__all__ = ["Lent", "find", "lend", "source_of", "source_texts"]
