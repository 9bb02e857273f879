"""Shows frames of media at the frames of an order: by number, by time, with what is missing known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from callboard.timedtext.rate import rate_of
from callboard_schemas import Asset
from msgspec import Struct

from callboard_placeholder.engine import Array, Order

if TYPE_CHECKING:
    from callboard.context import Context, Media
    from callboard.media import Frame

_SLACK: Final = Fraction(1, 1000)
"""Seconds by which a frame may come late: containers round times to a millisecond."""


class Shown(Struct, frozen=True):
    """What is shown at one frame of an order."""

    number: int
    """Of the source's frame that should be seen; a film's first is 0."""
    picture: Array | None


class Source(Struct, frozen=True, kw_only=True):
    """Media to show frames of."""

    media: Media
    asset: Asset
    size: tuple[int, int]
    """Width and height in square pixels."""
    rate: Fraction | None
    """Frames a second; nothing for a still, and for a sequence, which runs at the order's."""
    frames: int
    """As it says of itself; 0 where it does not."""

    @classmethod
    def open(cls, asset: Asset, order: Order, context: Context) -> Source:
        """Open media and read what it says of itself.

        Raises:
            MediaError: it cannot be reached, or not be opened.
        """
        media = context.open(asset, float(order.rate.fps))
        facts = media.probe()
        video = facts.video[0] if facts.video else None
        wide = round(video.width * video.sample_aspect) if video is not None else 0
        size = (max(wide, 1), max(video.height, 1)) if video is not None else (order.width, order.height)
        if asset.sequence is not None:
            return cls(
                media=media,
                asset=asset,
                size=size,
                rate=None,
                frames=asset.sequence.last - asset.sequence.first + 1,
            )
        if facts.still or video is None or not video.frame_rate:
            return cls(media=media, asset=asset, size=size, rate=None, frames=1)
        rate = rate_of(video.frame_rate).fps
        return cls(
            media=media, asset=asset, size=size, rate=rate, frames=video.frames or round(facts.duration * float(rate))
        )


class Stretch:
    """The frames of a source that an order shows.

    Args:
        source: What is shown.
        order: At which rate, and for how long.
        first: Number of the frame that is shown first.
    """

    def __init__(self, source: Source, order: Order, first: int = 0) -> None:
        self.source, self._order, self.first = source, order, first
        sequence = source.asset.sequence
        self._base = sequence.first if sequence is not None else 0
        self._same = source.rate is None or abs(source.rate - order.rate.fps) < Fraction(1, 200)

    def gaps(self) -> list[int]:
        """Give the numbers of a sequence that an order asks for and that have no file."""
        sequence = self.source.asset.sequence
        if sequence is None:
            return []
        missing = set(sequence.missing)
        wanted = range(self.first, self.first + self._order.frames)
        return [n for n in wanted if n in missing or not sequence.first <= n <= sequence.last]

    def notes(self) -> tuple[str, ...]:
        """Say how the source differs from the order in length and rate, and what it lacks."""
        told = []
        order, source = self._order, self.source
        if not self._same and source.rate is not None:
            told.append(f"Its {float(source.rate):.5g} frames a second are shown at {order.rate}, by time.")
        there = self._frames_left()
        if there and there < order.frames:
            told.append(f"It has {there} frames where {order.frames} are asked: the last one stays.")
        elif there > order.frames:
            told.append(f"It has {there} frames where {order.frames} are asked: the rest is cut.")
        lacks = [n for n in self.gaps() if source.asset.sequence is not None and n in source.asset.sequence.missing]
        if lacks:
            told.append(f"{len(lacks)} of its frames are missing; the one before each stays.")
        return tuple(told)

    def _frames_left(self) -> int:
        """Give how many frames of the order the source lasts, from the first shown."""
        left = self.source.frames - (self.first - self._base)
        if self._same or self.source.rate is None:
            return left
        return round(left / self.source.rate * self._order.rate.fps)

    def before(self) -> Iterator[Shown]:
        """Show at each frame the last one that has begun; before all, the first."""
        return self._walk(lambda at, last, then: last if last is not None else then)

    def nearest(self) -> Iterator[Shown]:
        """Show the frame whose number is nearest; of two the earlier."""

        def choose(at: int, last: _Placed | None, then: _Placed | None) -> _Placed | None:
            if last is None or then is None:
                return last if then is None else then
            return last if at - last.at <= then.at - at else then

        return self._walk(choose)

    def exact(self) -> Iterator[Shown]:
        """Show only frames that exist."""
        return self._walk(lambda at, last, then: last if last is not None and last.at == at else None)

    def _walk(self, choose: _Choice) -> Iterator[Shown]:
        """Read the source once, holding two frames, and choose between them at each frame of the order."""
        placed = self._placed()
        last: _Placed | None = None
        then = next(placed, None)
        for index in range(self._order.frames):
            at = self.first - self._base + index
            while then is not None and then.at <= at:
                last, then = then, next(placed, None)
            found = choose(at, last, then)
            yield Shown(self._base + at, None if found is None else found.picture)

    def _placed(self) -> Iterator[_Placed]:
        for frame in self.source.media.frames():
            yield _Placed(self._at(frame), frame.pixels)

    def _at(self, frame: Frame) -> int:
        """Give the first frame of the order, counted from the source's first, at which a frame is seen."""
        if self._same:
            return frame.index
        return -(-(Fraction(frame.time) - _SLACK) * self._order.rate.fps // 1) if frame.time > 0 else 0


class _Placed(Struct, frozen=True):
    at: int
    picture: Array


_Choice = Callable[[int, "_Placed | None", "_Placed | None"], "_Placed | None"]


__all__ = ["Shown", "Source", "Stretch"]
