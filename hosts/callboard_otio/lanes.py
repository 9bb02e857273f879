"""Lanes into tracks: what stands where becomes rows of items, gaps and transitions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from callboard.timedtext.rate import Rate
from opentimelineio import schema

from callboard_otio.rates import span, time_at


class Placed(NamedTuple):
    """An item where it stands."""

    lane: int
    at: int
    item: Any
    audio: bool


def tracks_of(placed: Sequence[Placed], rate: Rate, kind: str) -> list[Any]:
    """Put what stands in one lane on a track, or on several where things overlap."""
    tracks: list[Any] = []
    ends: list[int] = []
    waiting: Placed | None = None  # a transition stands before the item that it leads to
    for one in sorted(placed, key=lambda it: (it.at, not isinstance(it.item, schema.Transition))):
        if isinstance(one.item, schema.Transition):
            waiting = one
            continue
        number = next((n for n, end in enumerate(ends) if end <= one.at), len(tracks))
        if number == len(tracks):
            tracks.append(schema.Track(kind=kind))
            ends.append(0)
        if one.at > ends[number]:
            tracks[number].append(schema.Gap(source_range=span(0, one.at - ends[number], rate)))
        if number == 0 and waiting is not None:
            _join(tracks[0], waiting, one.at, rate)
            waiting = None
        tracks[number].append(one.item)
        ends[number] = one.at + round(one.item.trimmed_range().duration.value)
    if waiting is not None and tracks:
        _join(tracks[0], waiting, ends[0], rate)
    return tracks


def _join(track: Any, waiting: Placed, cut: int, rate: Rate) -> None:
    """Put a transition at a cut, with how far it reaches to both sides of it."""
    transition = waiting.item
    length = round(transition.out_offset.value)
    before = min(max(cut - waiting.at, 0), length)
    transition.in_offset, transition.out_offset = time_at(before, rate), time_at(length - before, rate)
    track.append(transition)


__all__ = ["Placed", "tracks_of"]
