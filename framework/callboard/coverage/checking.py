"""Holds each item of a cut against what is on disk: missing frames, media that is too short, handles, stand-ins."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from callboard.coverage.cut import Cut, Item
from callboard.coverage.headers import Headers
from callboard.coverage.numbered import Folders, around, lacking, said
from callboard.coverage.standins import StandIns
from callboard.timedtext.rate import Rate

_ROUNDED = 1
"""Frames by which a length may be off where its media has another rate or speed than the cut."""


def checked(cut: Cut, headers: Headers, stand_ins: StandIns, *, handles: int = 0) -> Cut:
    """Say of each item what it really is.

    Args:
        cut: As a reader gave it.
        headers: Looks into media.
        stand_ins: Knows what holds a shot's place.
        handles: Frames of media that are wanted before and behind what is shown.
    """
    check = _Check(cut.rate, headers, stand_ins, handles)
    return replace(cut, items=tuple(check.item(one) for one in cut.items), notes=(*cut.notes, *headers.notes))


class _Check:
    def __init__(self, rate: Rate, headers: Headers, stand_ins: StandIns, handles: int) -> None:
        self._rate, self._headers, self._stand_ins, self._handles = rate, headers, stand_ins, handles
        self._folders = Folders()

    def item(self, item: Item) -> Item:
        if item.state == "gap":
            return item
        if item.state == "offline" and item.numbered is None:
            return item
        if item.numbered is not None:
            item = self._sequence(item, self._folders.numbers(item.numbered))
        elif item.how and item.media:
            item = self._film(item)
        known = self._stand_ins.of(item)
        if known is not None and item.state != "offline":
            problem = item.problem or known.why
            return replace(item, state="stand-in", stands=item.stands or known.proposal, by=known.by, problem=problem)
        return self._with_handles(item)

    def _sequence(self, item: Item, there: list[int]) -> Item:
        frames = item.numbered
        assert frames is not None, "asked for those that have some"
        runs, count = lacking(there, frames)
        wanted = (frames.last - frames.first) // frames.step + 1
        told: dict[str, Any] = {"missing": runs, "missing_frames": count}
        if count >= wanted:
            problem = "none of its frames are there" if wanted > 1 else "its frame is not there"
            return replace(item, state="offline", problem=item.problem or problem, **told)
        if count:
            told |= {"state": "partial", "problem": said(runs, count, frames.padding)}
        head, tail = around(there, frames)
        state = "real" if item.state == "offline" else item.state
        return replace(item, **{"state": state, "head": head, "tail": tail, **told})

    def _film(self, item: Item) -> Item:
        told = self._headers.told(item.media)
        if told.problem:
            return replace(item, state="partial", problem=told.problem)
        facts = told.facts
        if facts is not None and facts.still:
            return replace(item, still=True)
        count = self._headers.frames(item.media, self._rate) if facts is not None else None
        item = self._counted(item, count)
        if facts is not None and facts.truncated:
            return replace(item, state="partial", problem="its file ends before its index says")
        return item

    def _counted(self, item: Item, count: int | None) -> Item:
        """Say how much media is left around what is shown, by the file itself, else by what the cut says of it."""
        length = count if count is not None else (item.known[1] if item.known else None)
        first = self._first(item, count)
        if first is None or length is None or not item.source_frames:
            return item
        head, tail = item.source_in - first, first + length - item.source_in - item.source_frames
        loose = count is not None and (
            item.source_frames != item.frames or not self._headers.same_rate(item.media, self._rate)
        )
        slack = _ROUNDED if loose else 0
        lost = max(-head, 0) + max(-tail, 0)
        if lost > slack and item.state == "real":
            problem = f"shows {lost} {'frame' if lost == 1 else 'frames'} that its media does not have"
            return replace(item, head=head, tail=tail, state="partial", missing_frames=lost, problem=problem)
        return replace(item, head=head, tail=tail)

    def _first(self, item: Item, count: int | None) -> int | None:
        """Say as which number the cut counts the first frame of an item's media; nothing where that cannot be told."""
        if item.known is not None:
            return item.known[0]
        began = self._headers.began(item.media, self._rate) if item.how else None  # type: ignore[arg-type]  # a path as text will do
        if began is not None and item.source_in >= began:
            return began
        fits = count is not None and item.source_in + item.source_frames <= count + _ROUNDED
        if fits or (began is None and count is not None and item.source_in < count):
            return 0
        return began

    def _with_handles(self, item: Item) -> Item:
        if not self._handles or item.still or item.state == "offline" or not item.enabled:
            return item
        left = [one for one in (item.head, item.tail) if one is not None]
        if not left or min(left) >= self._handles:
            return item
        problem = f"handles {max(item.head or 0, 0)}+{max(item.tail or 0, 0)}, {self._handles} are wanted"
        return replace(item, short=True, problem="; ".join(filter(None, (item.problem, problem))))


__all__ = ["checked"]
