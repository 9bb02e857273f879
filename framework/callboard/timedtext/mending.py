"""Mends the text of one cue without touching a word: spaces, controls, tags, dots, dashes, line breaks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise

from callboard_schemas import Cue
from msgspec.structs import replace

from callboard.timedtext.breaking import break_lines, turn_starts
from callboard.timedtext.profile import Profile
from callboard.timedtext.styled import Rich, balanced, plain, rich, written

_LEADING_DASH = re.compile(r"[-‐‑–—−]\s?")
_NEVER = frozenset(chr(code) for code in (*range(9), *range(11, 32), *range(127, 160), 0xFEFF))
"""Controls, and the byte order mark within text. What may have been a letter (U+FFFD, private use) stays."""
_BLANKS = re.compile(r"[ \t]{2,}|\t")


Rules = Callable[[Cue], Counter[str]]


def mended_text(cue: Cue, rules: Rules, profile: Profile, language: str) -> Cue:
    """Give the cue with the mends of its text that end breaches and cause none.

    Args:
        cue: With all its faults.
        rules: Counts the breaches of a cue, by rule.
        profile: What the delivery allows.
        language: BCP 47, for line breaks.
    """
    for mend in (_cleaned, _balanced, _spaced, _dotted, _dashed):
        cue = _better(cue, mend(cue, profile), rules)
    return _better(cue, break_lines("\n".join(cue.lines), profile, language, styled=cue.styled), rules)


def _better(cue: Cue, lines: Sequence[str], rules: Rules) -> Cue:
    """Take *lines* if they breach fewer rules, and none that was kept."""
    if tuple(lines) == cue.lines or not lines:
        return cue
    offered = replace(cue, lines=tuple(lines))
    before, after = rules(cue), rules(offered)
    return offered if not after - before and after.total() < before.total() else cue


def _cleaned(cue: Cue, profile: Profile) -> Sequence[str]:
    return ["".join(char for char in line if char not in _NEVER) for line in cue.lines]


def _balanced(cue: Cue, profile: Profile) -> Sequence[str]:
    """Close every tag where its line ends, and drop those that close nothing."""
    text = "\n".join(cue.lines)
    if not cue.styled or balanced(text):
        return cue.lines
    return _each(cue, lambda line: line)


def _each(cue: Cue, change: Callable[[Rich], Rich]) -> list[str]:
    """Change each line of a cue, with what is open at its start."""
    text = rich("\n".join(cue.lines), styled=cue.styled)
    edges = [-1, *(at for at, char in enumerate(text.text) if char == "\n"), len(text.text)]
    lines = [text.part(start + 1, end) for start, end in pairwise(edges)]
    return [written(change(line), styled=cue.styled) for line in lines]


def _spaced(cue: Cue, profile: Profile) -> Sequence[str]:
    """Take away blanks at the ends of lines, double ones, and blank lines."""
    return [line for line in _each(cue, _without_blanks) if plain(line, styled=cue.styled)]


def _without_blanks(line: Rich) -> Rich:
    text = line.text
    start, end = len(text) - len(text.lstrip(" \t")), len(text.rstrip(" \t"))
    made = Rich("")
    for blank in _BLANKS.finditer(text, start, end):
        made = made.then(line.part(start, blank.start())).then(
            Rich(" ", line.styles[blank.start() : blank.start() + 1])
        )
        start = blank.end()
    return made.then(line.part(start, max(start, end)))


def _dotted(cue: Cue, profile: Profile) -> Sequence[str]:
    other = {"…": "...", "...": "…"}.get(profile.ellipsis)
    return [line.replace(other, profile.ellipsis) for line in cue.lines] if other else cue.lines


def _dashed(cue: Cue, profile: Profile) -> Sequence[str]:
    """Write the dashes that are there as the profile wants them."""
    turns = turn_starts([plain(line, styled=cue.styled) for line in cue.lines])
    if not turns or turns[-1] == 0:
        return cue.lines
    numbers = iter(range(len(cue.lines)))

    def dashed(line: Rich) -> Rich:
        if next(numbers) not in turns or (found := _LEADING_DASH.match(line.text)) is None:
            return line
        styles = line.styles[:1] * len(profile.dash)
        return Rich(profile.dash, styles).then(line.part(found.end()))

    return _each(cue, dashed)


__all__ = ["mended_text"]
