"""What people said of single tags: every tag that a person accepted or rejected, and words they wrote in sidecars."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

import msgspec
from callboard_schemas import Result, Tag, Tags

NOT_PEOPLE = ("policy", "command line")
"""Who accepts without looking at single tags."""


class Verdict(NamedTuple):
    """One tag of one asset, and whether a person wants it; ``None``: nobody said so."""

    digest: str
    tag: Tag
    wanted: bool | None


def verdicts(conn: sqlite3.Connection) -> Iterator[Verdict]:
    """Give every tag that was proposed, oldest proposal first, with the newest decision of a person on it."""
    told = _decisions(conn)
    rows = conn.execute("SELECT id, digest, body FROM proposals WHERE result = 'tags' ORDER BY created, id")
    for ident, digest, body in rows:
        try:
            result = msgspec.json.decode(body, type=Result)
        except msgspec.MsgspecError:  # whoever opens the proposal is told that it is damaged
            continue
        decision, without = told.get(ident, ("", frozenset()))
        for tag in result.items if isinstance(result, Tags) else ():
            wanted = None if not decision else decision == "accept" and tag.label not in without
            yield Verdict(digest, tag, wanted)


def _decisions(conn: sqlite3.Connection) -> dict[str, tuple[str, frozenset[str]]]:
    """Give each proposal's newest decision of a person; one that was reopened since has none."""
    told: dict[str, tuple[str, frozenset[str]]] = {}
    for proposal, decision, by, without in conn.execute(
        "SELECT proposal, decision, by, without FROM decisions ORDER BY seq"
    ):
        if decision == "reopen":
            told.pop(proposal, None)
        elif by not in NOT_PEOPLE:
            told[proposal] = (decision, frozenset(msgspec.json.decode(without, type=tuple[str, ...])))
    return told


def xmp_files(conn: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    """Give each asset's digest with the path of an XMP file that we wrote into."""
    for digest, path in conn.execute("SELECT asset, path FROM sidecars WHERE role = 'xmp' ORDER BY path"):
        yield digest, os.fsdecode(path)


__all__ = ["NOT_PEOPLE", "Verdict", "verdicts", "xmp_files"]
