"""What can be found by words: one row per asset, in step with its places and proposals, searched with SQLite's FTS5.

Accepted and proposed results are in it; rejected, superseded and failed ones are not. The rows are made of the
places and proposals alone, so they can be made again at any time: see ``forget`` and ``catch_up``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Literal, NamedTuple

import msgspec
from callboard_schemas import Captions, Placeholder, Result, Tag, Tags, Translation

from callboard.cuewise import kept_cues
from callboard.tagwise import kept, kept_text

What = Literal["name", "tags", "about", "said", "screen"]
COLUMNS: tuple[What, ...] = ("name", "tags", "about", "said", "screen")
"""Where words are: the file's name and folders, tags, the description, speech, text in the picture."""

_NAME_PARTS = 4
"""Parts of a path that are searched, from its end: what is above says where the archive is, not what a file is."""
_AT_ONCE = 100
"""Assets of one ``catch_up``, so that other writes wait for some 50 ms at most."""


class Passage(NamedTuple):
    """A piece of text that was found in an asset, and where; times in seconds from the first frame."""

    what: What
    text: str
    start: float | None = None
    end: float | None = None
    frame: int | None = None
    score: float = 1.0
    state: str = "accepted"


def passages(conn: sqlite3.Connection, digest: str) -> Iterator[Passage]:
    """Give every piece of text of an asset that can be found."""
    for (path,) in conn.execute("SELECT path FROM places WHERE digest = ? AND state != 'gone'", (digest,)):
        parts = path.decode("utf-8", "replace").split("/")
        yield Passage("name", "/".join(parts[-_NAME_PARTS:]))
    rows = conn.execute(
        "SELECT body, state, without FROM proposals WHERE digest = ? AND state IN ('accepted', 'proposed')"
        " ORDER BY created, id",
        (digest,),
    )
    for body, state, without in rows:
        try:
            result = msgspec.json.decode(body, type=Result)
        except msgspec.MsgspecError:  # whoever opens the proposal is told that it is damaged
            continue
        if isinstance(result, Tags):
            left_out = msgspec.json.decode(without, type=tuple[str, ...])
            about = kept_text(result.description, left_out)
            result = msgspec.structs.replace(result, items=kept(result.items, left_out), description=about)
        elif isinstance(result, Captions | Translation):
            left_out = msgspec.json.decode(without, type=tuple[str, ...])
            result = msgspec.structs.replace(result, cues=kept_cues(result.cues, left_out))
        yield from _of(result, state)


def _of(result: Result, state: str) -> Iterator[Passage]:
    if isinstance(result, Tags):
        for tag in result.items:
            yield _tag(tag, state)
        if result.description:
            yield Passage("about", result.description, state=state)
    elif isinstance(result, Captions | Translation):
        for cue in result.cues:
            yield Passage("said", " ".join(cue.lines), cue.start, cue.end, None, cue.confidence, state)
    elif isinstance(result, Placeholder):
        yield Passage("about", f"{result.shot} {result.prompt}".strip(), state=state)


def _tag(tag: Tag, state: str) -> Passage:
    seen = tag.evidence[0] if tag.evidence else None
    where = (seen.start, seen.end, seen.frame) if seen else (None, None, None)
    if tag.group[:1] == ("text",):
        label = tag.label.removeprefix("text: ")
        read = seen.text if seen and seen.text and seen.text.casefold() != label.casefold() else ""
        return Passage("screen", f"{label} {read}".strip(), *where, tag.score, state)
    return Passage("tags", " / ".join((*tag.group, tag.label)), *where, tag.score, state)


def asset_id(conn: sqlite3.Connection, digest: str) -> int:
    """Give the number of an asset in the index, made at its first use."""
    conn.execute("INSERT INTO texts(digest) VALUES(?) ON CONFLICT(digest) DO NOTHING", (digest,))
    return int(conn.execute("SELECT id FROM texts WHERE digest = ?", (digest,)).fetchone()[0])


def refresh(conn: sqlite3.Connection, digest: str) -> None:
    """Bring an asset's row in step with its places and proposals."""
    if not digest:
        return
    found: dict[str, list[str]] = {column: [] for column in COLUMNS}
    for passage in passages(conn, digest):
        found[passage.what].append(passage.text)
    _write(conn, digest, tuple("\n".join(found[column]) for column in COLUMNS))


def refresh_proposal(conn: sqlite3.Connection, ident: str) -> None:
    """Bring the row of a proposal's asset in step."""
    row = conn.execute("SELECT digest FROM proposals WHERE id = ?", (ident,)).fetchone()
    if row is not None:
        refresh(conn, row[0])


def _write(conn: sqlite3.Connection, digest: str, now: tuple[str, ...]) -> None:
    ident = asset_id(conn, digest)
    before = conn.execute("SELECT name, tags, about, said, screen FROM texts WHERE id = ?", (ident,)).fetchone()
    if before == now:
        return
    if any(before):  # an external content table is told the old words when they go
        conn.execute(
            "INSERT INTO words(words, rowid, name, tags, about, said, screen) VALUES('delete',?,?,?,?,?,?)",
            (ident, *before),
        )
    conn.execute("UPDATE texts SET name = ?, tags = ?, about = ?, said = ?, screen = ? WHERE id = ?", (*now, ident))
    if any(now):
        conn.execute("INSERT INTO words(rowid, name, tags, about, said, screen) VALUES(?,?,?,?,?,?)", (ident, *now))


def forget(conn: sqlite3.Connection) -> None:
    """Have every asset indexed anew, by ``catch_up``."""
    conn.execute(
        "INSERT OR IGNORE INTO unindexed SELECT digest FROM places WHERE state != 'gone'"
        " UNION SELECT digest FROM proposals WHERE digest != ''"
    )


def catch_up(conn: sqlite3.Connection, most: int = _AT_ONCE) -> bool:
    """Index some of the assets that an older version left. Returns whether there are more."""
    waiting = [row[0] for row in conn.execute("SELECT digest FROM unindexed LIMIT ?", (most,))]
    for digest in waiting:
        refresh(conn, digest)
    conn.executemany("DELETE FROM unindexed WHERE digest = ?", [(digest,) for digest in waiting])
    return len(waiting) == most


def left(conn: sqlite3.Connection) -> int:
    """Say how many assets are not indexed yet."""
    return int(conn.execute("SELECT count(*) FROM unindexed").fetchone()[0])
