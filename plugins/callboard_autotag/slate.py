"""What a slate says, where it cannot be mistaken: scene, take and roll."""

from __future__ import annotations

import re
from collections.abc import Sequence

from callboard_autotag.reader import Line

_WORDS = {
    "scene": r"SCENE|SC",
    "take": r"TAKE|TK",
    "roll": r"ROLL|REEL",
}
_VALUES = {
    "scene": r"\d{1,4}[A-Z]{0,3}|[A-Z]{1,2}\d{1,4}[A-Z]?",
    "take": r"\d{1,3}",
    "roll": r"[A-Z]{0,2}\d{1,4}[A-Z]?",
}


def read_slate(lines: Sequence[Line]) -> dict[str, tuple[str, Line]]:
    """Find the fields of a slate among the lines of one picture.

    A field counts where its word and its value stand in one line, or where a line that is only the word has the value
    as its next neighbour to the right or below. Without both a scene and a take it is no slate.

    Returns:
        Value and the line it was read from, by ``scene``, ``take`` and ``roll``; empty when it is no slate.
    """
    found: dict[str, tuple[str, Line]] = {}
    for field, word in _WORDS.items():
        value = _VALUES[field]
        for line in lines:
            text = line.text.upper()
            inline = re.search(rf"\b(?:{word})[\s:.#\-_]*({value})\b", text)
            if inline:
                found[field] = (inline[1], line)
                break
            if re.fullmatch(rf"\W*(?:{word})\W*", text):
                near = _neighbour(line, lines, value)
                if near is not None:
                    found[field] = (near.text.upper().strip(), near)
                    break
    return found if {"scene", "take"} <= found.keys() else {}


def _neighbour(line: Line, lines: Sequence[Line], value: str) -> Line | None:
    x, y, width, height = line.box
    best, nearest = None, 3.0 * height
    for other in lines:
        if other is line or not re.fullmatch(value, other.text.upper().strip()):
            continue
        left, top, wide, high = other.box
        beside = min(y + height, top + high) - max(y, top) > 0.4 * min(height, high) and left >= x + 0.6 * width
        below = min(x + width, left + wide) - max(x, left) > 0.4 * min(width, wide) and top >= y + 0.6 * height
        gap = left - (x + width) if beside else top - (y + height) if below else nearest
        if gap < nearest:
            best, nearest = other, gap
    return best
