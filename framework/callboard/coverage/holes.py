"""Gaps for files that keep none: where no track shows a picture, from the cut's start to its last picture."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType

from callboard_schemas import Gap

from callboard.coverage.cut import Item


def holes(
    items: Iterable[Item],
    track: str,
    shot: Callable[[int, int], str] = lambda _start, _end: "",
    gaps: Mapping[tuple[int, int], Gap] = MappingProxyType({}),
) -> Iterator[Item]:
    """Give an item for each span that no picture covers.

    Args:
        items: With pictures; those that are switched off cover nothing.
        track: On which the gaps are said to be.
        shot: Gives the shot that is missing from a first frame to the frame behind the last, where something says it.
        gaps: The same spans as their application says them, by first frame and length.
    """
    at = 0
    for start, end in sorted((one.start, one.end) for one in items if one.enabled):
        if start > at:
            name = shot(at, start)
            yield Item(
                ref=f"{track}-{at}",
                track=track,
                start=at,
                frames=start - at,
                state="gap",
                name=name,
                shot=name,
                gap=gaps.get((at, start - at)),
            )
        at = max(at, end)


__all__ = ["holes"]
