"""Where on the picture a cue stands: number pad positions, and WebVTT's cue settings."""

from __future__ import annotations

import re
from typing import Final

_PAIR: Final = re.compile(r"(vertical|line|position|size|align|region):([\w%.,:+-]+)")
_NUMBER: Final = re.compile(r"(-?\d+(?:\.\d+)?)(%?)(?:,(\w[\w-]*))?")
_SIDES: Final = {"start": 0, "left": 0, "line-left": 0, "center": 1, "middle": 1, "end": 2, "right": 2}
_ALIGN: Final = ("align:left position:0%", "", "align:right position:100%")
_LINE: Final = {0: "", 1: "line:50%", 2: "line:0"}


def known_settings(text: str) -> tuple[str, str]:
    """Part what follows a cue's times into WebVTT settings and the rest."""
    kept: list[str] = []
    rest: list[str] = []
    for word in text.split():
        (kept if _PAIR.fullmatch(word) else rest).append(word)
    return " ".join(kept), " ".join(rest)


def align_of(settings: str) -> int | None:
    """Say which key of the number pad WebVTT settings come nearest to; nothing for the bottom centre."""
    found = {pair[1]: pair[2] for word in settings.split() if (pair := _PAIR.fullmatch(word))}
    row = _row(found.get("line", ""))
    column = _SIDES.get(found.get("align", ""), 1)
    place = _NUMBER.fullmatch(found.get("position", ""))
    if column == 1 and place and place[2]:
        share = float(place[1])
        column = 0 if share < 100 / 3 else 2 if share > 200 / 3 else 1
    align = numpad(column, row)
    return None if align == 2 else align


def _row(line: str) -> int:
    """Rows from below: 0 bottom, 1 middle, 2 top."""
    found = _NUMBER.fullmatch(line)
    if found is None:
        return 0
    value = float(found[1])
    if found[2]:
        return 2 if value < 100 / 3 else 0 if value > 200 / 3 else 1
    # Line numbers count from the top, negative ones from the bottom, of about 15 rows that fit (WebVTT 6.1).
    return (2 if value < 5 else 0 if value >= 10 else 1) if value >= 0 else (0 if value >= -5 else 1)


def settings_of(align: int | None) -> str:
    """Write a position as WebVTT settings; the bottom centre needs none."""
    if align is None:
        return ""
    column, row = (align - 1) % 3, (align - 1) // 3
    return " ".join(part for part in (_LINE[row], _ALIGN[column]) if part)


def numpad(column: int, row: int) -> int:
    """Give the key of a number pad; columns from the left, rows from below, both from 0."""
    return row * 3 + column + 1


__all__ = ["align_of", "known_settings", "numpad", "settings_of"]
