"""Who stands beside what is missing: the shots before and behind it, and what the project's catalog knows of them."""

from __future__ import annotations

import bisect
import os
import sqlite3
from collections.abc import Sequence
from typing import Literal

from callboard_schemas import Neighbour

from callboard.board import roots_of
from callboard.briefs import neighbour_of
from callboard.catalog import journal, view
from callboard.config import Project
from callboard.coverage.cut import Item
from callboard.coverage.report import Coverage


class Neighbours:
    """Finds the shots around an item, as they are seen one after the other.

    Args:
        coverage: The cut.
        project: Whose catalog knows media; nothing is known of it without one.
    """

    def __init__(self, coverage: Coverage, project: Project | None) -> None:
        self._cut = coverage.cut
        by_ref = {one.ref: one for one in coverage.cut.items}
        row = [by_ref[one.ref] for one in coverage.picture if one.ref in by_ref] or list(coverage.cut.items)
        self._row = [one for one in row if one.state in ("real", "partial") and (one.how or one.numbered)]
        self._starts = [one.start for one in self._row]
        self._project = project
        self._digests: dict[str, str] = {}

    def items(self, item: Item) -> tuple[Item | None, Item | None]:
        """Give the nearest item before it and behind it that has media."""
        at = bisect.bisect_left(self._starts, item.start)
        before = next((one for one in reversed(self._row[max(at - 50, 0) : at]) if one.ref != item.ref), None)
        after = next((one for one in self._row[at : at + 50] if one.ref != item.ref and one.start >= item.end), None)
        return before, after

    def of(self, item: Item) -> Sequence[Neighbour]:
        """Describe them."""
        sides: tuple[Literal["before", "after"], ...] = ("before", "after")
        return [
            self._neighbour(side, one) for side, one in zip(sides, self.items(item), strict=True) if one is not None
        ]

    def _neighbour(self, side: Literal["before", "after"], item: Item) -> Neighbour:
        path = item.numbered.pattern if item.numbered is not None else item.media
        frame = max(item.head or 0, 0) + (max(item.source_frames, 1) - 1 if side == "before" else 0)
        time = (frame + 0.5) * self._cut.rate.frame  # its middle: times that were rounded still name the same frame
        name = (item.shot or item.name)[:256]
        if path not in self._digests:
            self._digests[path] = self._digest(os.fsencode(path))
        if not self._digests[path] or self._project is None:
            return Neighbour(side=side, name=name, time=time)
        with view(self._project.data) as catalog:
            return catalog.read(lambda conn: neighbour_of(conn, self._digests[path], side, name, time))

    def _digest(self, path: bytes) -> str:
        """Find the asset at a path, as it is written and with its links followed."""
        if self._project is None or not self._project.data.is_dir():
            return ""
        roots = roots_of(self._project)
        with view(self._project.data) as catalog:
            return catalog.read(lambda conn: _digest(conn, roots, path))


def _digest(conn: sqlite3.Connection, roots: dict[str, bytes], path: bytes) -> str:
    for root, folder in roots.items():
        base = folder.rstrip(b"/") + b"/"
        for whole in dict.fromkeys((path, os.path.realpath(path))):
            seen = journal.place(conn, root, whole[len(base) :]) if whole.startswith(base) else None
            if seen is not None:
                return seen.digest
    return ""


__all__ = ["Neighbours"]
