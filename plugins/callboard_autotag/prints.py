"""Prints: what an asset is found and compared by later. Perceptual hashes always, embeddings where a model is here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from callboard.search.phash import SPACE, phash
from callboard.search.sequence import EVERY, TRACK, pack
from callboard_schemas import Print, Prints

from callboard_autotag.analyser import Found, Picture

if TYPE_CHECKING:
    from callboard.media import Frame

Array = np.ndarray[Any, Any]
Embed = Callable[[Sequence[Array]], Array]
"""Pictures (uint8, height x width x 3, RGB) to float32, n x length, each of length one: ``ImageEmbedder.embed``."""

_AT_ONCE: Final = 8
"""Pictures embedded in one call: enough for a batch, few enough to hold."""


class PrintMaker:
    """Looks at the chosen pictures, and at every frame where there is movement; ``prints`` gives what it made.

    It is a ``Looker`` and a ``Watcher`` in one: a still only needs ``look``, a film needs ``add`` too.
    """

    def __init__(self, embed: Embed | None = None, space: str = "") -> None:
        """Make one that has seen nothing.

        Args:
            embed: Of an ``ImageEmbedder``; None where no model is here, or another analyser hands its vectors to
                ``take``, so that no picture is embedded twice.
            space: Of that embedder.
        """
        self._embed, self._space = embed, space
        self._waiting: list[Picture] = []
        self._items: list[Print] = []
        self._track: list[bytes | None] = []
        self._times: list[float] = []

    def add(self, frame: Frame) -> None:
        """Take the next frame of a film, small; of those, four a second are hashed."""
        if not self._times or frame.time >= self._times[0] + len(self._times) * EVERY - 1e-6:
            self._times.append(frame.time)
            self._track.append(phash(frame.pixels))

    def look(self, picture: Picture) -> None:
        """Hash a picture, and embed it.

        Raises:
            ModelMissing: the model is not here any more.
        """
        hashed = phash(picture.pixels)
        if hashed is not None:
            self._items.append(_print(SPACE, picture, hashed))
        if self._embed is not None:
            self._waiting.append(picture)
            if len(self._waiting) >= _AT_ONCE:
                self._flush()

    def take(self, space: str, picture: Picture, vector: Array) -> None:
        """Take a vector of length one that another analyser asked a model for."""
        self._items.append(_print(space, picture, np.asarray(vector, "<f2").tobytes()))

    def finish(self) -> Found:
        """Say nothing: prints are no tags."""
        self._flush()
        return [], {}

    def prints(self) -> Prints | None:
        """Give what was made; None where there is nothing to compare, as in a black film.

        Raises:
            ModelMissing: the model is not here any more.
        """
        self._flush()
        items = list(self._items)
        if sum(hashed is not None for hashed in self._track) > 1:
            items.append(Print(space=TRACK, vector=pack(self._track), start=max(self._times[0], 0.0)))
        return Prints(items=tuple(items)) if items else None

    def _flush(self) -> None:
        pictures, self._waiting = self._waiting, []
        if self._embed is not None and pictures:
            for picture, vector in zip(pictures, self._embed([one.pixels for one in pictures]), strict=True):
                self.take(self._space, picture, vector)


def _print(space: str, picture: Picture, vector: bytes) -> Print:
    if picture.shot is None and picture.time <= 0 and picture.index == 0:
        return Print(space=space, vector=vector)
    end = picture.shot.end if picture.shot is not None else None
    return Print(space=space, vector=vector, frame=picture.index, start=round(max(picture.time, 0.0), 3), end=end)


__all__ = ["Embed", "PrintMaker"]
