r"""Word joiners, which keep players and lenient readers from taking text for syntax, and how they are taken out.

SRT has no escapes, and players take ``<i>`` and ``{\an8}`` in it for formatting. There a word joiner (U+2060, no
width) goes between the two characters that would start it, and into ``-->``; ``unescape_srt`` takes it out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

JOINER = "\u2060"

_ACTIVE = re.compile(r"(?<=<)(?=[A-Za-z/!?])|(?<=\{)(?=\\)|(?<=--)(?=>)")
_JOINED = re.compile(rf"(?<=<){JOINER}(?=[A-Za-z/!?])|(?<=\{{){JOINER}(?=\\)|(?<=--){JOINER}(?=>)")
# Lenient readers take any line with two clock times for a cue's times, and a last line of digits for a cue's number.
_CLOCK = re.compile(rf"(\d:\d+:\d+){JOINER}?([.,]\d)")
_NUMBER = re.compile(rf"\d+{JOINER}?")


def guard(lines: Sequence[str]) -> list[str]:
    """Break what lenient readers would take for a cue's times or number with a word joiner."""
    guarded = [guard_clock(line) for line in lines]
    if len(guarded) > 1 and _NUMBER.fullmatch(guarded[-1]):
        guarded[-1] += JOINER
    return guarded


def guard_clock(text: str) -> str:
    """Break a time of day in a text."""
    return _CLOCK.sub(rf"\1{JOINER}\2", text)


def unguard(text: str) -> str:
    """Give back, as one text, the lines that ``guard`` was given."""
    *first, last = unguard_clock(text).split("\n")
    return "\n".join([*first, last.removesuffix(JOINER) if first and is_number(last) else last])


def unguard_clock(text: str) -> str:
    """Give back the text that ``guard_clock`` was given."""
    return _CLOCK.sub(r"\1\2", text)


def is_number(line: str) -> bool:
    """Tell whether a line is digits only, a word joiner after them or not."""
    return _NUMBER.fullmatch(line) is not None


def escape_srt(text: str) -> str:
    """Make one line of text safe for SRT."""
    return _ACTIVE.sub(JOINER, text)


def unescape_srt(text: str) -> str:
    """Give back what ``escape_srt`` was given."""
    return _JOINED.sub("", text)


__all__ = [
    "JOINER",
    "escape_srt",
    "guard",
    "guard_clock",
    "is_number",
    "unescape_srt",
    "unguard",
    "unguard_clock",
]
