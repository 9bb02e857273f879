"""What is seen at each frame of a cut: the uppermost picture, or nothing."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from callboard.coverage.cut import Cut, Item, State


class Seen(Struct, frozen=True):
    """Frames of a cut at which one thing is seen."""

    start: int
    frames: int
    state: State
    ref: str = ""
    """Of the item that is seen; of a hole, the lowest gap that it is in."""


def picture(cut: Cut) -> list[Seen]:
    """Lay the tracks over each other; neighbours that show the same item are one.

    Where several clips lie on one place of one track, as under a mix, the later one is seen.
    """
    level = {name: number for number, name in enumerate(cut.tracks)}
    shown = [one for one in cut.items if one.enabled and one.frames > 0]
    solid = sorted((one for one in shown if one.state != "gap"), key=lambda one: one.start)
    holes = sorted((one for one in shown if one.state == "gap"), key=lambda one: one.start)
    over = _winners(solid, {name: -number for name, number in level.items()}, cut.frames)
    under = _winners(holes, level, cut.frames)
    return _joined(_merged(list(over), list(under)))


def covered(cut: Cut, seen: Sequence[Seen]) -> Cut:
    """Mark the gaps that nobody sees: a hole counts once, at the lowest track that has a gap there."""
    owners = {one.ref for one in seen if one.state == "gap"}
    return replace(
        cut,
        items=tuple(
            replace(one, covered=True) if one.state == "gap" and one.ref not in owners and one.frames else one
            for one in cut.items
        ),
    )


def _winners(items: Sequence[Item], order: dict[str, int], end: int) -> Iterator[tuple[int, int, Item | None]]:
    """Give spans from 0 to *end*, each with the item whose track comes first in *order*; items are sorted by start."""
    edges = sorted({0, end, *(one.start for one in items), *(one.end for one in items)})
    waiting: list[tuple[int, int, int, Item]] = []
    index = 0
    for begin, behind in itertools.pairwise(edges):
        while index < len(items) and items[index].start <= begin:
            one = items[index]
            heapq.heappush(waiting, (order.get(one.track, 0), -one.start, index, one))
            index += 1
        while waiting and waiting[0][3].end <= begin:
            heapq.heappop(waiting)
        yield begin, behind, waiting[0][3] if waiting else None


def _merged(over: list[tuple[int, int, Item | None]], under: list[tuple[int, int, Item | None]]) -> Iterator[Seen]:
    """Look through what is over, where it is empty, at what is under."""
    at = 0
    for begin, end, item in over:
        if item is not None:
            yield Seen(begin, end - begin, item.state, item.ref)
            continue
        while at < len(under) and under[at][1] <= begin:
            at += 1
        look = at
        while look < len(under) and under[look][0] < end:
            first, last = max(begin, under[look][0]), min(end, under[look][1])
            hole = under[look][2]
            yield Seen(first, last - first, "gap", hole.ref if hole is not None else "")
            look += 1


def _joined(parts: Iterator[Seen]) -> list[Seen]:
    joined: list[Seen] = []
    for one in parts:
        if one.frames <= 0:
            continue
        last = joined[-1] if joined else None
        if last is not None and (last.state, last.ref) == (one.state, one.ref):
            joined[-1] = replace(last, frames=last.frames + one.frames)
        else:
            joined.append(one)
    return joined


__all__ = ["Seen", "covered", "picture"]
