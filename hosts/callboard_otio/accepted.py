"""What the project has accepted: tags, captions and placeholders, for the media that a timeline uses."""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from callboard.board import roots_of
from callboard.catalog import decisions, journal, proposals, standins, view
from callboard.config import Project
from callboard.following import LOCAL_ROOT
from callboard.shots.facts import rate_said
from callboard.timedtext.rate import Rate
from callboard_schemas import Captions, Placeholder, Proposal, Tags, Translation
from msgspec import Struct

from callboard_otio.swapping import Real


class Accepted(Struct, frozen=True, kw_only=True):
    """What was accepted for one media file."""

    tags: tuple[Proposal, ...] = ()
    captions: tuple[Proposal, ...] = ()
    """Captions and translations, one for each language; the newest counts."""


class Stand(Struct, frozen=True, kw_only=True):
    """A placeholder that was accepted, with its file."""

    proposal: Proposal
    body: Placeholder
    file: Path
    number: int = 0
    """Later ones have higher numbers."""


def roots(project: Project) -> list[Path]:
    """Give the folders that a project watches."""
    return [Path(os.fsdecode(folder)) for name, folder in roots_of(project).items() if name != LOCAL_ROOT]


def for_media(project: Project, files: Sequence[Path]) -> dict[Path, Accepted]:
    """Give what was accepted for each of *files*; those that the project does not know are left out.

    Raises:
        CatalogError: the catalog cannot be read.
    """
    if not project.data.is_dir():
        return {}
    known = roots_of(project)
    with view(project.data) as opened:
        return opened.read(lambda conn: {file: found for file in files if (found := _of(conn, known, file))})


def placeholders(project: Project) -> list[Stand]:
    """Give every placeholder that was accepted and whose file is there, the oldest first.

    Raises:
        CatalogError: the catalog cannot be read.
    """
    if not project.data.is_dir():
        return []
    folders = [project.folder, project.placeholders, *roots(project)]
    with view(project.data) as opened:
        made = opened.read(_placeholders)
    found: list[Stand] = []
    for proposal in made:
        body = proposal.body
        assert isinstance(body, Placeholder)
        file = next((one for folder in folders if (one := _inside(folder, body.file)) is not None), None)
        if file is not None:
            found.append(Stand(proposal=proposal, body=body, file=file, number=len(found)))
    return found


def shots(project: Project) -> list[Real]:
    """Give every real shot that was accepted in place of a placeholder, and whose media is there, the oldest first.

    Raises:
        CatalogError: the catalog cannot be read.
    """
    if not project.data.is_dir():
        return []
    known = roots_of(project)
    with view(project.data) as opened:
        return opened.read(lambda conn: list(_shots(conn, known)))


def _shots(conn: sqlite3.Connection, known: dict[str, bytes]) -> Iterator[Real]:
    for one in standins.swaps(conn, "accepted"):
        body = one.swap
        found = next(((root, seen) for root, seen in journal.places_of(conn, one.digest) if root in known), None)
        if body is None or found is None:
            continue
        (root, seen), last = found, decisions.last_decision(conn, one.id)
        told = conn.execute("SELECT at, by, reason FROM decisions WHERE seq = ?", (last,)).fetchone() or (0.0, "", "")
        rate, sequence = rate_said(body.rate), seen.sequence
        padding = re.search(r"%0(\d+)d", sequence.pattern) if sequence is not None else None
        yield Real(
            proposal=one.id,
            stood=frozenset(_stood(conn, one)),
            shot=body.shot,
            file=Path(os.fsdecode(known[root].rstrip(b"/") + b"/" + seen.path)),
            digest=body.digest,
            frames=body.frames,
            rate=rate,
            first=sequence.first if sequence is not None else _first(body.first, rate),
            head=body.handles[0] if body.handles else 0,
            padding=int(padding[1]) if padding else 0,
            version=body.version,
            when=datetime.fromtimestamp(told[0], UTC).isoformat(timespec="seconds"),
            by=told[1],
            reason=told[2],
        )


def _stood(conn: sqlite3.Connection, swap: standins.Stand) -> Iterator[str]:
    """Give the placeholders that are for a swap's place and do not hold any more."""
    where = standins.spot(conn, swap)
    for one in standins.placeholders(conn, "superseded"):
        if standins.spot(conn, one).meets(where):
            yield one.id


def _first(timecode: str, rate: Rate | None) -> int:
    with contextlib.suppress(ValueError):
        return rate.frame_of(timecode) if rate is not None and timecode else 0
    return 0


def _inside(folder: Path, name: str) -> Path | None:
    """Give a file of a folder, or nothing where the name leads out of it or to no file."""
    file = folder / name
    return file if file.is_file() and file.resolve().is_relative_to(folder.resolve()) else None


def _placeholders(conn: sqlite3.Connection) -> list[Proposal]:
    rows = conn.execute(
        "SELECT id FROM proposals WHERE state = 'accepted' AND result = 'placeholder' ORDER BY created, id"
    ).fetchall()
    read = (proposals.get(conn, row[0]) for row in rows)
    return [one for one in read if one is not None and isinstance(one.body, Placeholder)]


def _of(conn: sqlite3.Connection, known: dict[str, bytes], file: Path) -> Accepted | None:
    digest = _digest(conn, known, os.fsencode(file.absolute()))
    if not digest:
        return None
    stood = [one for one in proposals.of_digest(conn, digest) if one.state == "accepted"]
    spoken: dict[str, Proposal] = {}
    for one in stood:
        if isinstance(one.body, Captions | Translation) and one.body.cues:
            spoken[one.body.language] = one
    tags = tuple(one for one in stood if isinstance(one.body, Tags))
    return Accepted(tags=tags, captions=tuple(spoken.values())) if tags or spoken else None


def _digest(conn: sqlite3.Connection, known: dict[str, bytes], path: bytes) -> str:
    """Find the asset at a path, the way each root knows it: as it is written, and with its links followed."""
    for name, folder in known.items():
        for whole in dict.fromkeys((path, os.path.realpath(path))):
            base = folder.rstrip(b"/") + b"/"
            if whole.startswith(base):
                seen = journal.place(conn, name, whole[len(base) :])
                if seen is not None:
                    return seen.digest
    return ""


__all__ = ["Accepted", "Stand", "for_media", "placeholders", "roots", "shots"]
