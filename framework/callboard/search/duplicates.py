"""Copies in a catalog: the same bytes twice, stills that look alike, films that show the same. Nothing is deleted."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

from callboard.catalog import prints
from callboard.search.phash import NEAR, SPACE, count_bits
from callboard.search.sequence import APART, TRACK, Overlap, align, candidates, unpack

if TYPE_CHECKING:
    import numpy as np

_BLOCK = 256  # hashes compared with all others at a time
_LONGEST = 14_400  # moments of a track that are compared: an hour; of a longer film its first hour


class Member(Struct, frozen=True, kw_only=True):
    """One asset of a group, and what tells it from the others."""

    digest: str
    width: int = 0
    height: int = 0
    duration: float = 0.0
    """Seconds."""
    size: int = 0
    """Bytes."""
    best: bool = False
    """It has the most pixels, then the greatest length, then the most bytes of its group: likely the original."""
    overlap: Overlap | None = None
    """With the best of its group; for films."""
    bits: int | None = None
    """In which its hash differs from the best's; for stills."""


class Group(Struct, frozen=True, kw_only=True):
    """Assets that are copies of each other, the best first."""

    why: Literal["exact", "near", "film"]
    """The same bytes at several places, stills that look the same, or films that show the same."""
    members: tuple[Member, ...]


def exact(conn: sqlite3.Connection) -> list[Group]:
    """Find files that are at several places, byte for byte."""
    rows = conn.execute(
        "SELECT digest FROM places WHERE state != 'gone' GROUP BY digest HAVING count(*) > 1 ORDER BY digest"
    )
    return [Group(why="exact", members=(_member(conn, row[0]),)) for row in rows]


def near(conn: sqlite3.Connection, threshold: int = NEAR) -> list[Group]:
    """Find stills whose hashes differ in *threshold* bits at most."""
    import numpy as np

    rows = [row for row in prints.after(conn, SPACE) if row.start is None and len(row.vector) == 8]
    there = _present(conn, {row.asset for row in rows})
    rows = [row for row in rows if row.asset in there]
    hashes = np.frombuffer(b"".join(row.vector for row in rows), ">u8").astype(np.uint64)
    of_asset = {row.asset: int(value) for row, value in zip(rows, hashes.tolist(), strict=True)}
    groups = []
    for group in _joined((rows[a].asset, rows[b].asset) for a, b in _pairs(hashes, threshold)):
        members = _ranked(conn, [there[asset] for asset in group])
        number = {there[asset]: asset for asset in group}
        best = of_asset[number[members[0].digest]]
        groups.append(
            Group(
                why="near",
                members=tuple(
                    _with(member, bits=(of_asset[number[member.digest]] ^ best).bit_count()) for member in members
                ),
            )
        )
    return groups


def _pairs(hashes: np.ndarray[Any, Any], threshold: int) -> Iterator[tuple[int, int]]:
    """Give the pairs that are near enough; every hash is compared with every other."""
    import numpy as np

    for top in range(0, len(hashes), _BLOCK):
        rest = hashes[top:]
        block = count_bits(rest[:_BLOCK, None] ^ rest[None, :]) <= threshold
        for one, other in zip(*np.nonzero(block), strict=True):
            if other > one:
                yield int(top + one), int(top + other)


def films(conn: sqlite3.Connection, apart: int = APART) -> list[Group]:
    """Find films that show the same, in all or in part."""
    tracks = {row.asset: unpack(row.vector)[:_LONGEST] for row in prints.after(conn, TRACK)}
    there = _present(conn, set(tracks))
    tracks = {asset: track for asset, track in tracks.items() if asset in there}
    overlaps = {}
    for one, other in candidates(tracks):
        overlap = align(tracks[one], tracks[other], apart)
        if overlap is not None:
            overlaps[one, other] = overlap
    groups = []
    for group in _joined(overlaps):
        members = _ranked(conn, [there[asset] for asset in group])
        number = {there[asset]: asset for asset in group}
        best = number[members[0].digest]
        shown = [
            _with(member, overlap=align(tracks[best], tracks[number[member.digest]], apart)) for member in members[1:]
        ]
        groups.append(Group(why="film", members=(members[0], *shown)))
    return groups


def _joined(pairs: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Put pairs that share a member into one group."""
    leader: dict[int, int] = {}

    def find(one: int) -> int:
        while leader.setdefault(one, one) != one:
            leader[one] = one = leader[leader[one]]
        return one

    for one, other in pairs:
        leader[find(other)] = find(one)
    groups = defaultdict(list)
    for one in sorted(leader):
        groups[find(one)].append(one)
    return [group for group in groups.values() if len(group) > 1]


def _present(conn: sqlite3.Connection, assets: set[int]) -> dict[int, str]:
    """Give the digests of those assets that are still somewhere."""
    rows = conn.execute(
        "SELECT id, digest FROM texts t WHERE EXISTS"
        " (SELECT 1 FROM places p WHERE p.digest = t.digest AND p.state != 'gone')"
    )
    return {ident: digest for ident, digest in rows if ident in assets}


def _ranked(conn: sqlite3.Connection, digests: list[str]) -> list[Member]:
    def worth(member: Member) -> tuple[float, float, float]:
        return (member.width * member.height, round(member.duration), member.size)

    members = sorted((_member(conn, digest) for digest in digests), key=worth, reverse=True)
    return [_with(members[0], best=True), *members[1:]]


def _member(conn: sqlite3.Connection, digest: str) -> Member:
    size = conn.execute("SELECT max(size) FROM places WHERE digest = ?", (digest,)).fetchone()[0]
    facts: dict[str, Any] = {}
    for (body,) in conn.execute("SELECT body FROM proposals WHERE digest = ? AND result = 'tags'", (digest,)):
        facts |= json.loads(body).get("facts", {})
    return Member(
        digest=digest,
        width=int(facts.get("width", 0)),
        height=int(facts.get("height", 0)),
        duration=float(facts.get("duration_seconds", 0.0)),
        size=int(size or 0),
    )


def _with(member: Member, **changes: Any) -> Member:
    import msgspec

    return msgspec.structs.replace(member, **changes)


__all__ = ["Group", "Member", "exact", "films", "near"]
