"""Numbers that change with every picture: each character is drawn once, in cells of one width, and set side by side."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

import numpy as np
from PIL import Image

from callboard_placeholder.engine import Array
from callboard_placeholder.lettering.letters import Letters

_SET: Final = "0123456789:;/ -"
_ABOVE, _BELOW = 0.74, 0.18  # of an em, around the baseline of digits in Source Code Pro, with a little air


class Ticker:
    """Gives lines of digits as coverage, 0 to 255, as the picture is stored."""

    def __init__(self, letters: Letters, size: int, aspect: Fraction = Fraction(1), others: str = "") -> None:
        """Draw the characters.

        Args:
            letters: That draw.
            size: Pixels of an em.
            aspect: Width to height of a pixel as it is stored.
            others: Characters beside digits and what stands between them.
        """
        wide = letters.width("0", size, "mono")
        above = round(size * _ABOVE)
        self.height = above + round(size * _BELOW)
        """Pixels of a line."""
        self.cell = max(round(wide / aspect), 1)
        """Pixels of a character."""
        self._tiles: dict[str, Array] = {}
        for character in _SET + others:
            picture = Image.new("L", (wide, self.height))
            letters.draw(picture, (0, above), character, size, 255, "mono")
            self._tiles[character] = np.asarray(picture.resize((self.cell, self.height), Image.Resampling.BOX))

    def line(self, text: str) -> Array:
        """Give *text*, of the characters that were drawn: height x width, uint8."""
        joined: Array = np.concatenate([self._tiles[character] for character in text], axis=1)
        return joined


__all__ = ["Ticker"]
