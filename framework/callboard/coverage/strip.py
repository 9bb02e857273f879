"""The strip picture of a cut as text: a lane for what is seen and one for each track, legible without colour."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from callboard.coverage.cut import STATES, Cut, Item, State
from callboard.coverage.report import Coverage

BLOCKS: Final[dict[State, str]] = {"real": "█", "stand-in": "▒", "partial": "▚", "offline": "×", "gap": "·"}
PLAIN: Final[dict[State, str]] = {"real": "#", "stand-in": "%", "partial": "/", "offline": "x", "gap": "."}
"""Where the terminal has letters only."""
COLOURS: Final[dict[State, str]] = {
    "real": "green",
    "stand-in": "yellow",
    "partial": "magenta",
    "offline": "red",
    "gap": "bright_red",
}
WORDS: Final[dict[State, str]] = {
    "real": "real",
    "stand-in": "stand-in",
    "partial": "partial",
    "offline": "offline",
    "gap": "gap",
}
MOST_LANES: Final = 12
_LABEL: Final = 8


class Lane(Struct, frozen=True):
    """A row of the strip: the state of each cell; nothing where its track has nothing."""

    label: str
    cells: tuple[State | None, ...]


def lanes(coverage: Coverage, width: int) -> list[Lane]:
    """Lay the strip out, the picture that is seen first, then the tracks from the uppermost down.

    The worst that is in a cell's frames shows, so that a single missing frame is seen at any width.

    Args:
        coverage: What is to be shown.
        width: Cells of a lane.
    """
    cut = coverage.cut
    whole = _length(cut)
    seen: list[tuple[int, int, State | None]] = [(one.start, one.frames, one.state) for one in coverage.picture]
    made = [Lane("picture", _cells(seen, whole, width))] if cut.timed else []
    by_track: dict[str, list[Item]] = {name: [] for name in cut.tracks}
    for item in cut.items:
        by_track.setdefault(item.track, []).append(item)
    if len(by_track) > 1 or not cut.timed:
        names = list(reversed(by_track))[:MOST_LANES]
        made += [Lane(name, _cells(_spans(by_track[name], cut), whole, width)) for name in names]
    return made


def axis(cut: Cut, width: int) -> str:
    """Write the line of timecodes under the lanes: of the first frame, the middle, and the end."""
    if not cut.timed:
        return "in the order of the list"
    left, middle, right = (cut.timecode(frame) for frame in (0, cut.frames // 2, cut.frames))
    if len(left) + len(middle) + len(right) + 4 > width:
        return left.ljust(width - len(right)) + right if len(left) + len(right) < width else left
    half = width // 2 - len(middle) // 2
    return (left.ljust(half) + middle).ljust(width - len(right)) + right


def _length(cut: Cut) -> int:
    return cut.frames if cut.timed else len(cut.items)


def _spans(items: Sequence[Item], cut: Cut) -> list[tuple[int, int, State | None]]:
    if not cut.timed:  # nothing says how long each is: all are shown as long as each other
        return [(number, 1, one.state) for number, one in enumerate(items)]
    return [(one.start, one.frames, None if one.covered or not one.enabled else one.state) for one in items]


def _cells(spans: Iterable[tuple[int, int, State | None]], whole: int, width: int) -> tuple[State | None, ...]:
    rank = {state: number for number, state in enumerate(STATES)}
    worst = [-1] * width
    for start, frames, state in spans:
        if state is None or not whole or not frames:
            continue
        first = start * width // whole
        for at in range(first, min(max(-(-(start + frames) * width // whole), first + 1), width)):
            worst[at] = max(worst[at], rank[state])
    return tuple(STATES[one] if one >= 0 else None for one in worst)


def markup(coverage: Coverage, width: int, *, plain: bool = False) -> list[str]:
    """Give the strip's lines with Rich's markup: lanes, timecodes, and what each sign means.

    Args:
        coverage: What is to be shown.
        width: Columns of the terminal.
        plain: Use letters in place of blocks.
    """
    signs = PLAIN if plain else BLOCKS
    inner = max(width - _LABEL - 1, 10)
    lines = [f"{lane.label[:_LABEL]:<{_LABEL}} {_row(lane, signs)}" for lane in lanes(coverage, inner)]
    lines.append(f"{'':<{_LABEL}} {axis(coverage.cut, inner)}".rstrip())
    legend = "  ".join(f"[{COLOURS[one]}]{signs[one]}[/{COLOURS[one]}] {WORDS[one]}" for one in STATES)
    return [*lines, f"{'':<{_LABEL}} {legend}"]


def _row(lane: Lane, signs: dict[State, str]) -> str:
    parts: list[str] = []
    at = 0
    while at < len(lane.cells):
        state, end = lane.cells[at], at
        while end < len(lane.cells) and lane.cells[end] == state:
            end += 1
        text = (signs[state] if state else " ") * (end - at)
        parts.append(f"[{COLOURS[state]}]{text}[/{COLOURS[state]}]" if state else text)
        at = end
    return "".join(parts).rstrip()


__all__ = ["BLOCKS", "COLOURS", "MOST_LANES", "PLAIN", "WORDS", "Lane", "axis", "lanes", "markup"]
