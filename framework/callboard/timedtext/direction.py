"""Text that runs from right to left, and the marks that make players show it so."""

from __future__ import annotations

from typing import Final

RIGHT_TO_LEFT: Final = frozenset(
    {
        "ar",
        "arc",
        "azb",
        "bal",
        "ckb",
        "dv",
        "fa",
        "glk",
        "he",
        "iw",
        "khw",
        "ks",
        "lrc",
        "mzn",
        "nqo",
        "pnb",
        "ps",
        "sd",
        "syr",
        "ug",
        "ur",
        "yi",
    }
)
"""Languages that are written from right to left, where a tag does not name the script."""

_SCRIPTS: Final = frozenset({"arab", "hebr", "syrc", "thaa", "nkoo", "adlm", "rohg", "samr", "mand"})
EMBED: Final = "\u202b"
"""Begins text from right to left inside a line that a player takes to run from left to right."""
END: Final = "\u202c"
MARKS: Final = "\u200e\u200f\u061c\u202a\u202b\u202d\u202e\u2066\u2067\u2068"
"""What may begin a line to set its direction."""
ENDS: Final = "\u202c\u2069"


def is_right_to_left(language: str) -> bool:
    """Say whether a language, given as BCP 47, is written from right to left."""
    first, *rest = language.replace("_", "-").split("-")
    script = next((part.lower() for part in rest if len(part) == 4 and part.isalpha()), "")
    return script in _SCRIPTS if script else first.lower() in RIGHT_TO_LEFT


def embedded(line: str) -> str:
    """Enclose a line in the marks that keep its punctuation on the right side in players that know no direction.

    A line that begins with a mark of direction is left as it is.
    """
    return line if not line or line[0] in MARKS else f"{EMBED}{line}{END}"


__all__ = ["EMBED", "END", "ENDS", "MARKS", "RIGHT_TO_LEFT", "embedded", "is_right_to_left"]
