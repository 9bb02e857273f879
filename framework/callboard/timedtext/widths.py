"""How wide text is on the screen: in characters, or in full-width characters as East Asian deliveries count them."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from callboard.timedtext.profile import Profile
from callboard.timedtext.styled import plain

_INVISIBLE = frozenset({"Mn", "Me", "Cf", "Cc"})
"""Categories that take no place: marks over and under letters, joiners, direction marks, controls."""


def width(text: str, profile: Profile, *, styled: bool = False) -> float:
    """Measure one line as *profile* counts it.

    Combining and direction marks count 0, markup is not counted. A profile that counts in full-width characters takes
    what Unicode Standard Annex 11 calls wide as 1 and narrow as 0.5; what it calls ambiguous is 1 where it is
    punctuation or a symbol, as Chinese and Japanese fonts draw it, and 0.5 in Korean and for letters.

    Args:
        text: A line; line ends count nothing.
        profile: Says what counts.
        styled: As the cue says: whether markup and entities in it are read as such.
    """
    shown = plain(text, styled=styled)
    half = profile.width == "half"
    if shown.isascii() and shown.isprintable():
        length = len(shown) if profile.count_spaces else len(shown) - shown.count(" ")
        return length / 2 if half else float(length)
    korean = profile.language.startswith("ko")
    return sum(_of(char, half, korean, profile.count_spaces) for char in shown)


@lru_cache(maxsize=16384)
def _of(char: str, half: bool, korean: bool, spaces: bool) -> float:
    """Measure one character."""
    category = unicodedata.category(char)
    # Vowels and final consonants of decomposed Hangul are drawn into the square of the consonant before them
    if category in _INVISIBLE or "\u1160" <= char <= "\u11ff":
        return 0.0
    if category == "Zs" and not spaces:
        return 0.0
    if not half:
        return 1.0
    kind = unicodedata.east_asian_width(char)
    wide = kind in "WF" or (kind == "A" and category[0] in "PS" and not korean)
    return 1.0 if wide else 0.5


__all__ = ["width"]
