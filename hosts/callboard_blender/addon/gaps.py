"""The gap at the playhead: where a channel of the timeline holds nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Hole(NamedTuple):
    """Frames of a channel with nothing on them: from ``start`` up to, not with, ``end``."""

    start: int
    end: int


def at(frame: int, taken: Iterable[tuple[int, int]], first: int, last: int) -> Hole | None:
    """Find the gap that a frame is in.

    Args:
        frame: Where the playhead is.
        taken: What lies on the channel, each from its first frame up to, not with, its end.
        first: The first frame of the scene.
        last: The last frame of the scene, which belongs to it.

    Returns:
        The gap, inside the scene's frames; nothing where something lies at *frame*, or it is outside the scene.
    """
    start, end = first, last + 1
    if not start <= frame < end:
        return None
    for begins, ends in taken:
        if begins <= frame < ends:
            return None
        if ends <= frame:
            start = max(start, ends)
        else:
            end = min(end, begins)
    return Hole(start, end)
