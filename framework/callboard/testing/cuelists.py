"""Cue lists as they come from anywhere: good ones, and ones with every fault that a subtitle file can have."""

from __future__ import annotations

import random

from callboard_schemas import Cue

_WORDS = [
    "the",
    "of",
    "and",
    "river",
    "John",
    "Smith",
    "Mr.",
    "I",
    "was",
    "going",
    "to",
    "house,",
    "dog!",
    "not?",
    "25",
    "km",
    "yes",
    "right.",
    "Paris",
    "…",
    "...",
    "..",
    "今日は",
    "映画を",
    "見る。",
    "אני",
    "שלום",
    "café",
    "naïve",
    "wait--",
    "-Hi.",
    "-",
    "Yes",
    "–",
    "and",
    "Noch",
    "ein",
    "[door]",
    "(music)",
    "♪",
    "&",
]
_MARKUP = (
    "<i>",
    "</i>",
    "<b>",
    "</b>",
    "<u>",
    "</u>",
    "<I>",
    "&amp;",
    "&lt;",
    "&gt;",
    "&nbsp;",
    "<",
    "<font>",
    "{\\an8}",
)
_ODD = ("\u200b", "\u202b", "\ufffd", "\ufeff", "\x07", "\t", "  ", "\u00a0", "\ue000", "e\u0301", "\u3000")
_STEPS = (-2.0, -0.3, -0.04, 0.0, 0.0004, 0.02, 0.04, 0.08, 0.08, 0.12, 0.36, 0.44, 0.48, 0.5, 1.0, 3.0)
_LENGTHS = (-0.5, 0.0, 0.04, 0.5, 0.8, 0.8333, 0.84, 1.0, 1.5, 2.0, 3.0, 5.0, 6.9996, 7.0, 7.04, 9.0)


def faulty_cues(chance: random.Random, most: int = 8) -> list[Cue]:
    """Make up to *most* cues, of which many break rules and some break several.

    Args:
        chance: Decides everything, so that the same seed gives the same cues.
        most: Cues at most.
    """
    cues: list[Cue] = []
    time = round(chance.random(), 3)
    for number in range(1, chance.randint(0, most) + 1):
        start = max(time + _off(chance), 0.0)
        end = max(start + chance.choice(_LENGTHS) + _off(chance), 0.0)
        cues.append(_cue(chance, number, start, end, cues))
        time = max(end + chance.choice(_STEPS), 0.0)
    return cues


def _off(chance: random.Random) -> float:
    """Give how far a time is off the frames of 25: mostly nothing, or what rounding to milliseconds does."""
    return chance.choice((0.0, 0.0, 0.0, 0.0005, -0.001, 0.003, -0.017, chance.random() / 10))


def _cue(chance: random.Random, number: int, start: float, end: float, before: list[Cue]) -> Cue:
    styled = chance.random() < 0.4
    lines = tuple(_line(chance, styled=styled) for _ in range(chance.choice((1, 1, 1, 2, 2, 2, 3, 0))))
    if before and chance.random() < 0.1:
        lines, styled = before[-1].lines, before[-1].styled
    return Cue(
        id=chance.choice((number, number, number, number, 1)),
        start=start,
        end=end,
        lines=lines,
        confidence=1.0,
        styled=styled,
        align=chance.choice((None, None, None, 8)),
        settings=chance.choice(("", "", "", "line:0")),
        language=chance.choice((None, None, None, "es")),
        kind="sound" if chance.random() < 0.1 else "speech",
    )


def _line(chance: random.Random, *, styled: bool) -> str:
    parts: list[str] = [chance.choice(("-", "- ", "–", "")) if chance.random() < 0.3 else ""]
    for _ in range(chance.choice((0, 1, 2, 4, 6, 9))):
        parts.append(chance.choice(_WORDS))
        if chance.random() < (0.25 if styled else 0.05):
            parts.append(chance.choice(_MARKUP))
        if chance.random() < 0.06:
            parts.append(chance.choice(_ODD))
        parts.append(" " if chance.random() < 0.85 else chance.choice(("", "  ")))
    text = "".join(parts)
    return text if chance.random() < 0.15 else text.strip()


__all__ = ["faulty_cues"]
