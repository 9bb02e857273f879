"""The shots before and behind a missing one, as the catalog knows them: labels, colours, and where to look."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Literal

from callboard_schemas import Asset, Gap, Neighbour, Proposal, Tag, Tags

from callboard.catalog import journal, proposals
from callboard.catalog.hosts import Used
from callboard.colour_names import COLOURS
from callboard.tagwise import kept

MOST_TAGS = 24
MOST_COLOURS = 5
_TOUCH = 1.5
"""Frames that may lie between two shots that touch: applications round their times."""
_NEAR = 0.5
"""Seconds from a time to a passage that still tells of it."""
_LEFT_OUT = frozenset(("editing", "quality", "safety", "sound", "technical", "text"))
"""Groups of labels that say nothing of what a shot next to it should look like."""
_COLOUR = re.compile(r"([a-z ]+) (\d+)%")


def neighbour_of(
    conn: sqlite3.Connection,
    asset: Asset | str,
    side: Literal["before", "after"],
    name: str = "",
    time: float = 0.0,
) -> Neighbour:
    """Describe a neighbour by what was accepted of it, else by what is proposed.

    Args:
        conn: The catalog, inside a transaction.
        asset: The media, or its digest.
        side: On which side of the missing shot.
        name: What the timeline calls it.
        time: Seconds into its media of the frame that touches the missing shot.

    Returns:
        Without an asset where nothing is known of the digest.
    """
    digest = asset if isinstance(asset, str) else asset.digest
    known = journal.asset_now(conn, digest, None if isinstance(asset, str) else asset)
    told = [one for one in proposals.of_digest(conn, digest) if isinstance(one.body, Tags)]
    standing = [one for state in ("accepted", "proposed") for one in told if one.state == state]
    tags = tuple(dict.fromkeys(tag.label for one in standing for tag in _telling(one, time)))[:MOST_TAGS]
    palette = next((found for one in standing if (found := _palette(one))), ())
    return Neighbour(side=side, name=name, asset=known, time=max(time, 0.0), tags=tags, palette=palette)


def beside(conn: sqlite3.Connection, uses: Sequence[Used], gap: Gap) -> tuple[Neighbour, ...]:
    """Find the shots that touch a gap among the uses of a project; one side, both, or none.

    Args:
        conn: The catalog, inside a transaction.
        uses: Of the project whose gap it is.
        gap: Where a shot is missing.
    """
    room, end = _TOUCH / gap.rate, gap.start + gap.duration
    found: list[Neighbour] = []
    ends = [(abs(one.use.start + one.use.duration - gap.start), one) for one in uses]
    starts = [(abs(one.use.start - end), one) for one in uses]
    half = 0.5 / gap.rate  # the middle of a frame: times that were rounded still name the same frame
    sides: tuple[tuple[Literal["before", "after"], list[tuple[float, Used]]], ...] = (
        ("before", ends),
        ("after", starts),
    )
    for side, near in sides:
        touching = sorted((away, at) for at, (away, one) in enumerate(near) if away <= room and _shows(conn, one))
        if touching:
            one = near[touching[0][1]][1]
            into = one.use.duration - half if side == "before" else half
            time = one.use.source_in + into * one.use.speed
            found.append(neighbour_of(conn, one.digest, side, one.use.name, max(time, 0.0)))
    return tuple(found)


def _shows(conn: sqlite3.Connection, used: Used) -> bool:
    """Whether a use is of a picture that is known."""
    if not used.digest or used.use.duration <= 0:
        return False
    asset = journal.asset_now(conn, used.digest, None)
    return asset is not None and asset.kind in ("video", "image", "sequence")


def _telling(proposal: Proposal, time: float) -> Iterator[Tag]:
    """Give the tags that stand, and hold at a time; the surest first."""
    assert isinstance(proposal.body, Tags)
    items = [tag for tag in kept(proposal.body.items, proposal.without) if not _LEFT_OUT & set(tag.group)]
    if proposal.state != "accepted":
        items = [tag for tag in items if tag.threshold is None or tag.score >= tag.threshold]
    yield from sorted((tag for tag in items if _holds(tag, time)), key=lambda tag: -tag.score)


def _holds(tag: Tag, time: float) -> bool:
    spans = [(seen.start, seen.end) for seen in tag.evidence if seen.start is not None and seen.end is not None]
    return not spans or any(start - _NEAR <= time <= end + _NEAR for start, end in spans)


def _palette(proposal: Proposal) -> tuple[str, ...]:
    """Give the main colours by the names that were measured: ``blue 41%``."""
    assert isinstance(proposal.body, Tags)
    named = proposal.body.facts.get("colours")
    found = [_COLOUR.fullmatch(each) for each in named] if isinstance(named, list) else []
    return tuple(COLOURS[hit[1]] for hit in found if hit is not None and hit[1] in COLOURS)[:MOST_COLOURS]


__all__ = ["MOST_COLOURS", "MOST_TAGS", "beside", "neighbour_of"]
