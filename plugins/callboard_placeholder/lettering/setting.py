"""Sets text into a width: broken into lines, made smaller, and cut with an ellipsis where all else fails."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from msgspec import Struct

from callboard_placeholder.lettering.fonts import LEAST, Weight
from callboard_placeholder.lettering.letters import Letters, clean

ELLIPSIS: Final = "…"
_RIGHT_TO_LEFT: Final = "\u200f"
"""A mark that is not seen; text that begins with it runs from the right."""
_NARROWEST: Final = 5
"""Letters to an em: no more of the narrowest go into it."""


class Setting(Struct, frozen=True):
    """Lines that fit, and whether something had to be left out."""

    lines: tuple[str, ...]
    size: int
    """Pixels of an em."""
    cut: bool = False


def wrap(letters: Letters, text: str, size: int, width: int, most: int = 99, weight: Weight = "regular") -> Setting:
    """Break text into at most *most* lines no wider than *width* pixels; what is behind them becomes an ellipsis."""
    enough = (most + 1) * (width * _NARROWEST // max(size, 1) + 1)  # characters: more cannot have room
    lines: list[str] = []
    line, wide = "", 0.0
    for piece in _pieces(clean(text).strip()[:enough]):
        end = letters.length(piece.rstrip(), size, weight)
        if line and wide + end > width:
            lines.append(line.rstrip())
            line, wide = "", 0.0
        if not line and end > width:
            *whole, piece = _broken(letters, piece, size, width, weight)
            lines += whole
        line, wide = line + piece, wide + letters.length(piece, size, weight)
        if len(lines) > most:
            break
    lines = _directed([*lines, line.rstrip()] if line.strip() else lines)
    if len(lines) <= most:
        return Setting(tuple(lines), size, any(letters.width(one, size, weight) > width for one in lines))
    last = cut(letters, lines[most - 1] + ELLIPSIS, size, width, weight) if most else ""
    return Setting((*lines[: most - 1], last) if most else (), size, True)


def _directed(lines: list[str]) -> list[str]:
    """Let each line run as its paragraph does: from the right, where its first letter is of such a script."""
    letters = (unicodedata.bidirectional(one) for line in lines for one in line)
    if next((kind for kind in letters if kind in ("L", "R", "AL")), "L") == "L":
        return lines
    return [_RIGHT_TO_LEFT + line for line in lines]


def _broken(letters: Letters, word: str, size: int, width: int, weight: Weight) -> list[str]:
    """Break a word that is wider than a line anywhere."""
    parts: list[str] = []
    while len(word.rstrip()) > 1 and letters.width(word.rstrip(), size, weight) > width:
        head = _head(letters, word, size, width, weight)
        parts.append(word[:head])
        word = word[head:]
    return [*parts, word]


def fit(letters: Letters, text: str, size: int, width: int, weight: Weight = "regular", least: int = LEAST) -> Setting:
    """Set text in one line, as large as *size* at most and *least* at least; then it is cut."""
    text = clean(text).strip()
    wide = letters.width(text, size, weight)
    if wide > width:
        size = max(min(size, size * width // max(wide, 1)), least)
        while size > least and letters.width(text, size, weight) > width:
            size -= 1
    shown = cut(letters, text, size, width, weight)
    return Setting((shown,), size, shown != text)


def cut(letters: Letters, text: str, size: int, width: int, weight: Weight = "regular") -> str:
    """Give as much of a line as fits, with an ellipsis for the rest."""
    if letters.width(text, size, weight) <= width:
        return text
    room = width - letters.width(ELLIPSIS, size, weight)
    head = _head(letters, text, size, room, weight, least=0)
    return text[:head].rstrip(f" {ELLIPSIS}") + ELLIPSIS if room >= 0 else ""


def _head(letters: Letters, text: str, size: int, width: int, weight: Weight, least: int = 1) -> int:
    """Count the characters that fit, beginning with a guess: most are about as wide as the mean."""
    most = min(len(text), max(width, 0) * _NARROWEST // max(size, 1) + 1)
    low, high = least, most
    middle = int(most * width / max(letters.length(text[:most], size, weight), 1))
    while low < high:
        middle = min(max(middle, low + 1), high)
        if letters.width(text[:middle], size, weight) <= width:
            low = middle
            middle += max((high - low) // 8, 1)
        else:
            high = middle - 1
            middle -= max((high - low) // 8, 1)
    return low


def _pieces(text: str) -> list[str]:
    """Cut text where a line may end: behind spaces, and beside the characters of scripts that have none."""
    pieces: list[str] = []
    for word in re.findall(r"\S+\s*|\s+", text):
        start = 0
        for index in range(1, len(word)):
            if _breaks(word[index - 1], word[index]):
                pieces.append(word[start:index])
                start = index
        pieces.append(word[start:])
    return pieces


def _breaks(before: str, after: str) -> bool:
    wide = "W" in (unicodedata.east_asian_width(before), unicodedata.east_asian_width(after))
    return wide and unicodedata.category(after)[0] not in "PMZ" and unicodedata.category(before) not in ("Ps", "Pi")


__all__ = ["ELLIPSIS", "Setting", "cut", "fit", "wrap"]
