"""Sets text into a width: broken into lines, made smaller, and cut with an ellipsis where all else fails."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from msgspec import Struct

from callboard_placeholder.lettering.fonts import LEAST, Weight
from callboard_placeholder.lettering.letters import Letters, clean

ELLIPSIS: Final = "…"


class Setting(Struct, frozen=True):
    """Lines that fit, and whether something had to be left out."""

    lines: tuple[str, ...]
    size: int
    """Pixels of an em."""
    cut: bool = False


def wrap(letters: Letters, text: str, size: int, width: int, most: int = 99, weight: Weight = "regular") -> Setting:
    """Break text into at most *most* lines no wider than *width* pixels; what is behind them becomes an ellipsis."""
    lines: list[str] = []
    line = ""
    for piece in _pieces(clean(text).strip()):
        if not line or letters.width((line + piece).rstrip(), size, weight) <= width:
            line += piece
        else:
            lines.append(line.rstrip())
            line = piece
        while letters.width(line.rstrip(), size, weight) > width and len(line.rstrip()) > 1:
            head = _head(letters, line, size, width, weight)
            lines.append(line[:head])
            line = line[head:]
        if len(lines) > most:
            break
    lines = [*lines, line.rstrip()] if line.strip() else lines
    if len(lines) <= most:
        return Setting(tuple(lines), size, any(letters.width(one, size, weight) > width for one in lines))
    last = cut(letters, lines[most - 1] + ELLIPSIS, size, width, weight) if most else ""
    return Setting((*lines[: most - 1], last) if most else (), size, True)


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
    """Count the characters that fit."""
    low, high = least, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if letters.width(text[:middle], size, weight) <= width:
            low = middle
        else:
            high = middle - 1
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
