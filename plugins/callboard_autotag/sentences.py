"""Sentences by a model about the chosen pictures, where an image-to-text pack named ``image-captioner`` is here.

The model sees pictures only: it may name what is not there. So a sentence comes with how likely the model itself found
it, one below the threshold or that repeats itself is not used, and the result says that a model wrote it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from callboard.embed.pictures import Preparation, fit, prepare

from callboard_autotag.analyser import Found, Picture

if TYPE_CHECKING:
    import numpy as np
    from callboard.context import Runtime

PACK: Final = "image-captioner"
_KEPT: Final = 64
"""Pictures in mind, before those of the shortest shots are forgotten."""


class Sentences:
    """Keeps the chosen pictures small, and has those of the longest shots described at the end.

    Args:
        runtime: That has the pack.
        how: How the pack wants its pictures.
        most: Pictures to describe.
        threshold: Mean probability of a word piece, 0 to 1, below which a sentence is not used.
    """

    def __init__(self, runtime: Runtime, how: Preparation, most: int, threshold: float) -> None:
        self._runtime, self._how, self._most, self._threshold = runtime, how, most, threshold
        self._seen: list[tuple[float, float, np.ndarray[Any, Any]]] = []
        self.best = ""
        """The sentence for the longest shot; empty where there is none to stand by. Known after ``finish``."""

    def look(self, picture: Picture) -> None:
        """Keep a picture, as small as the model wants it."""
        length = picture.shot.end - picture.shot.start if picture.shot is not None else 0.0
        self._seen.append((length, picture.time, fit(picture.pixels, self._how)))
        if len(self._seen) > _KEPT:
            self._seen.remove(min(self._seen, key=lambda one: one[:2]))

    def finish(self) -> Found:
        """Have the pictures described, one for each of the longest shots.

        Raises:
            ModelMissing: the pack is not here or not intact.
        """
        chosen = sorted(self._seen, key=lambda one: (-one[0], one[1]))[: self._most]
        said: list[tuple[float, str, float]] = []
        for _, time, pixels in chosen:
            answer = self._runtime.call(PACK, {"pixel_values": prepare([pixels], self._how)})
            text, score = tidy(answer["texts"][0]), math.exp(min(answer["scores"][0], 0.0))
            if text and score >= self._threshold and not repeats(text):
                said.append((time, text, score))
        self.best = said[0][1] if said else ""
        told = [f"{time:.2f} s: {text} ({score:.2f})" for time, text, score in sorted(said)]
        return [], {"sentences": told} if told else {}


def tidy(text: str) -> str:
    """Make one sentence of what the model wrote: a capital, a full stop, single spaces."""
    words = " ".join(text.split()).strip(" .")
    return words[:1].upper() + words[1:] + "." if words else ""


def repeats(text: str) -> bool:
    """Say whether words come three times in a row, or half of them are one word: the marks of a model that is lost."""
    words = text.lower().rstrip(".").split()
    for size in (1, 2, 3):
        for at in range(len(words) - 3 * size + 1):
            if words[at : at + size] == words[at + size : at + 2 * size] == words[at + 2 * size : at + 3 * size]:
                return True
    return len(words) > 3 and max(map(words.count, words)) * 2 > len(words)


__all__ = ["PACK", "Sentences", "repeats", "tidy"]
