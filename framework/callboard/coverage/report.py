"""How a cut is covered: its items as they are, what is seen, totals, and what a shot list says of it."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from callboard.coverage.checking import checked
from callboard.coverage.cut import STATES, Cut, Item, State
from callboard.coverage.headers import Headers
from callboard.coverage.matching import Compared, compared, named
from callboard.coverage.seeing import Seen, covered, picture
from callboard.coverage.shotlist import Listed
from callboard.coverage.standins import StandIns


class Total(Struct, frozen=True, kw_only=True):
    """How much of a cut is in one state: of the picture that is seen, and of its items."""

    frames: int = 0
    seconds: float = 0.0
    percent: float = 0.0
    """Of the cut's length."""
    items: int = 0


class Coverage(Struct, frozen=True, kw_only=True):
    """A cut, held against what is on disk."""

    cut: Cut
    picture: tuple[Seen, ...]
    """What is seen, from the first frame to the last."""
    totals: dict[State, Total]
    handles: int = 0
    """Frames that were wanted around each item."""
    compared: Compared | None = None
    """With a shot list, where there is one."""
    notes: tuple[str, ...] = ()

    @property
    def lacking(self) -> list[Item]:
        """Give what placeholders can be asked for, in the order of the cut."""
        return sorted((one for one in self.cut.items if one.lacks), key=lambda one: (one.start, one.track))

    @property
    def undelivered(self) -> list[Item]:
        """Give what stands in the way of a delivery: everything that is seen and is not the real shot, whole."""
        return [one for one in self.cut.items if one.enabled and not one.covered and one.state != "real"]

    @property
    def ready(self) -> bool:
        """Whether it may be delivered: there is something, and every picture is the real shot, whole."""
        return not self.undelivered and any(one.enabled and one.state == "real" for one in self.cut.items)


def cover(
    cut: Cut,
    headers: Headers,
    stand_ins: StandIns,
    *,
    handles: int = 0,
    listed: Listed | None = None,
) -> Coverage:
    """Hold a cut against what is on disk, and against a shot list.

    Args:
        cut: As a reader gave it.
        headers: Looks into media.
        stand_ins: Knows what holds a shot's place.
        handles: Frames of media that are wanted before and behind what is shown.
        listed: What shots there should be.
    """
    found = checked(cut, headers, stand_ins, handles=handles)
    seen = picture(found)
    found = named(covered(found, seen), listed, seen)
    return Coverage(
        cut=found,
        picture=tuple(seen),
        totals=totals(found, seen),
        handles=handles,
        compared=compared(found, listed) if listed is not None else None,
        notes=found.notes,
    )


def totals(cut: Cut, seen: Sequence[Seen]) -> dict[State, Total]:
    """Sum up what is seen, and count items; percents add up to 100 but for rounding."""
    frames: dict[State, int] = dict.fromkeys(STATES, 0)
    items: dict[State, int] = dict.fromkeys(STATES, 0)
    for one in seen:
        frames[one.state] += one.frames
    for item in cut.items:
        items[item.state] += int(item.enabled and not item.covered)
    whole = sum(frames.values())
    return {
        state: Total(
            frames=count,
            seconds=round(cut.rate.seconds(count), 3),
            percent=round(100 * count / whole, 2) if whole else 0.0,
            items=items[state],
        )
        for state, count in frames.items()
    }


__all__ = ["Coverage", "Total", "cover", "totals"]
