"""Finds room in the sequencer: Blender's own calls lay strips over each other without a word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from .. import limits, versions

OURS: Final = "Callboard"
"""What our channels are called, with the language behind it."""


def span(strip: Any) -> tuple[int, int]:
    """Give a strip's first frame, and the first one after it."""
    return int(versions.frames(strip, "first")), int(versions.frames(strip, "end"))


def crossing(scene: Any, first: int, end: int) -> list[Any]:
    """Give the strips, outside of meta strips, that show in frames *first* up to, not including, *end*."""
    return [strip for strip in versions.top(scene) if span(strip)[0] < end and span(strip)[1] > first]


def is_free(scene: Any, channel: int, first: int, end: int, but: Sequence[Any] = ()) -> bool:
    """Tell whether nothing but those strips lies on those frames of a channel, and it may be changed."""
    known = versions.channel_of(scene, channel)
    if known is not None and known.lock:
        return False
    return all(strip.channel != channel or strip in but for strip in crossing(scene, first, end))


def above_all(scene: Any, first: int, end: int, label: str) -> int | None:
    """Find a channel that is free on those frames, over every other strip there; one of ours first.

    Returns:
        Its number, by *label* if one is called so; the highest free one below where nothing is left above; None where
        all are taken.
    """
    taken = {strip.channel for strip in crossing(scene, first, end)}
    free = [number for number in range(1, versions.CHANNELS + 1) if number not in taken and _open(scene, number)]
    low = max(taken, default=0) + 1
    over = [number for number in free if number >= low]
    ours = [number for number in over if _name(scene, number) == label]
    unnamed = [number for number in over if _name(scene, number) in ("", f"Channel {number}")]
    return next(iter(ours + unnamed + over + free[::-1]), None)


def beside(scene: Any, wanted: int, first: int, end: int) -> int | None:
    """Find a free channel as near above *wanted* as can be, else below; None where all are taken."""
    order = [*range(wanted, versions.CHANNELS + 1), *range(wanted - 1, 0, -1)]
    taken = {strip.channel for strip in crossing(scene, first, end)}
    return next((number for number in order if number not in taken and _open(scene, number)), None)


def name(scene: Any, channel: int, label: str) -> None:
    """Call a channel ours, unless a person gave it a name."""
    known = versions.channel_of(scene, channel)
    if known is not None and known.name == f"Channel {channel}":
        known.name = limits.cut(label, limits.CHANNEL_NAME)


def unname(scene: Any) -> None:
    """Give channels of ours with nothing left on them their plain names back."""
    taken = {strip.channel for strip in versions.every(scene)}
    for number in range(1, versions.CHANNELS + 1):
        known = versions.channel_of(scene, number)
        if known is not None and number not in taken and known.name.startswith(OURS):
            known.name = f"Channel {number}"


def _name(scene: Any, channel: int) -> str:
    known = versions.channel_of(scene, channel)
    return "" if known is None else str(known.name)


def _open(scene: Any, channel: int) -> bool:
    known = versions.channel_of(scene, channel)
    return known is None or not (known.lock or known.mute)
