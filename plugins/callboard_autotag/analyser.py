"""What analysers are: each is usable alone, sees pictures or sound pass by once, and says at the end what it found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from callboard_schemas import Scalar, Tag
from msgspec import Struct

if TYPE_CHECKING:
    import numpy as np
    from callboard.media import Frame

Facts = dict[str, Scalar | list[str]]
Found = tuple[list[Tag], Facts]
"""Tags with their evidence, and the numbers behind them."""


class Shot(Struct, frozen=True):
    """One shot: *start* and *end* in seconds from the first frame, *first* and *last* frame, inclusive."""

    number: int
    start: float
    end: float
    first: int
    last: int


Shots = Callable[[], Sequence[Shot]]
"""Gives the shots once every frame was seen: for watchers whose answer goes by shot."""


class Picture(Struct, frozen=True):
    """A picture chosen to stand for its shot."""

    time: float
    """Seconds from the first frame."""
    index: int
    """Frame number, from 0."""
    pixels: np.ndarray[Any, Any]
    """uint8, height x width x 3, RGB, at most 1280 on the longest side."""
    sharpness: float
    """Variance of the Laplacian of its luma at 512 on the longest side."""
    shot: Shot | None = None


class Watcher(Protocol):
    """An analyser of movement and time: takes every frame, small."""

    def add(self, frame: Frame) -> None:
        """Take the next frame: uint8, height x width x 3, RGB, at most 160 on the longest side."""
        ...

    def finish(self) -> Found:
        """Say what was found."""
        ...


class ShotFinder(Watcher, Protocol):
    """The watcher that says where shots begin; it is asked before the others finish."""

    def cuts(self) -> Sequence[Any]:
        """Give the first frame of each shot but the first, in order: ``index``, ``time`` in seconds, ``strength``."""
        ...


class Looker(Protocol):
    """An analyser of pictures: takes the few that were chosen, large."""

    def look(self, picture: Picture) -> None:
        """Look at one more picture.

        Raises:
            ModelMissing: it needs a model that is not here.
        """
        ...

    def finish(self) -> Found:
        """Say what was found."""
        ...


__all__ = ["Facts", "Found", "Looker", "Picture", "Shot", "ShotFinder", "Shots", "Watcher"]
