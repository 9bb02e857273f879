"""Takes a translator's file back: read, merged by cue id, and accepted as that person's, in one transaction."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from msgspec import Struct

from callboard.catalog import proposals
from callboard.desk import Desk
from callboard.errors import ExchangeError
from callboard.exchange import Sheet, table, xliff
from callboard.exchange.merge import Merged
from callboard.exchanging import lend
from callboard.following import Following


class Brought(Struct, frozen=True, kw_only=True):
    """What a file brought."""

    run: str
    """Empty where nothing was changed: then nothing is decided either."""
    proposal: str
    """What holds the texts now."""
    after: str
    """Id of what it takes the place of."""
    state: str
    language: str
    taken: tuple[str, ...]
    unchanged: tuple[str, ...]
    missing: tuple[str, ...]
    moved: tuple[str, ...]


def read_sheet(path: Path) -> Sheet:
    """Read XLIFF or CSV, by how the file begins.

    Raises:
        ExchangeError: it is neither, or cannot be read.
    """
    try:
        if path.stat().st_size > xliff.LARGEST:
            raise ExchangeError(path.name, f"is longer than {xliff.LARGEST // 2**20} MiB")
        data = path.read_bytes()
    except OSError as error:
        raise ExchangeError(path.name, f"cannot be read: {error.strerror}") from None
    head = data[:256].removeprefix(b"\xef\xbb\xbf").lstrip()
    return xliff.read(data, path.name) if head.startswith(b"<") else table.read(data, path.name)


def take_back(conn: sqlite3.Connection, desk: Desk, following: Following, path: Path, by: str) -> Brought:
    """Take a translator's file back.

    What it brings holds at once, unless a cue that it leaves as it was must not ship unseen: then it waits. A file in
    which nothing was changed says nothing about the translation: that stays as it was.

    Args:
        conn: The transaction.
        desk: Accepts it.
        following: Knows where subtitle files are.
        path: The file.
        by: Who brings it.

    Raises:
        ExchangeError: the file does not belong to a proposal of this project, or nothing of it can be taken.
    """
    back = read_sheet(path)
    if proposals.get(conn, back.proposal) is None:
        raise ExchangeError(
            path.name,
            f"belongs to {back.proposal or 'no proposal'}, which this project does not have",
            "Import it in the project that it was exported from.",
        )
    lent = lend(conn, following, back.proposal, back.language)
    merged = lent.merged(back, path.name)
    if not merged.taken:
        return _brought("", lent.made.id, lent.made.state, lent.made.id, merged)
    ready = not any(cue.failed for cue in merged.translation.cues)
    written = desk.write(
        conn,
        lent.asset,
        merged.translation,
        by,
        {"file": path.name, "after": lent.made.id, "by": by},
        accept=ready,
    )
    return _brought(written.run, written.changed[0], "accepted" if ready else "proposed", lent.made.id, merged)


def _brought(run: str, proposal: str, state: str, after: str, merged: Merged) -> Brought:
    return Brought(
        run=run,
        proposal=proposal,
        after=after,
        state=state,
        language=merged.translation.language,
        taken=merged.taken,
        unchanged=merged.unchanged,
        missing=merged.missing,
        moved=merged.moved,
    )


__all__ = ["Brought", "read_sheet", "take_back"]
