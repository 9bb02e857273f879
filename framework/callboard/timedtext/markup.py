"""The text of a cue as runs: pieces of its lines that are italic, bold, underlined, or none of them.

``Cue.lines`` hold text as it is, or, where ``Cue.styled`` says so, text with ``<i>``, ``<b>`` and ``<u>`` and three
entities. Readers make runs of what a format has; writers make of runs what a format wants.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from callboard_schemas import Cue

from callboard.timedtext import plain

LETTERS: Final = "biu"
"""Bold, italic, underlined: the styles that a run may have, in the order of tags that open together."""

_TOKEN = re.compile(r"<(/?)([biu])>|&(amp|lt|gt);")
_ENTITY: Final = {"amp": "&", "lt": "<", "gt": ">"}
_ESCAPES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_BRACKETS: Final = ("[]", "()", "{}", "【】", "（）", "［］", "〔〕", "♪♪", "♫♫", "##", "**")


class Run(NamedTuple):
    """Text of one style; ``style`` is made of the letters b, i and u, each at most once and in this order."""

    text: str
    style: str = ""


Lines = list[list[Run]]
"""Lines of runs; no line is blank, none begins or ends with white space."""


def escape(text: str) -> str:
    """Write text so that it may stand in a styled line, or in XML."""
    return text.translate(_ESCAPES)


def style(letters: Iterable[str]) -> str:
    """Put the letters of a style in order."""
    there = set(letters)
    return "".join(letter for letter in LETTERS if letter in there)


def runs(cue: Cue) -> Lines:
    """Give the lines of a cue as runs, cleaned of control characters and blank lines."""
    text = "\n".join(cue.lines)
    return tidy(_parsed(text) if cue.styled else [Run(text)])


def text_lines(cue: Cue) -> tuple[str, ...]:
    """Give the lines of a cue as a person reads them: no markup, no entities."""
    return tuple("".join(run.text for run in line) for line in runs(cue))


def sound_lines(cue: Cue) -> Lines:
    """Give the lines of a cue; a sound description that has no brackets gets square ones."""
    found = runs(cue)
    if cue.kind == "sound" and found and not is_bracketed(found):
        found[0].insert(0, Run("[", found[0][0].style))
        found[-1].append(Run("]", found[-1][-1].style))
        found[0], found[-1] = _joined(found[0]), _joined(found[-1])
    return found


def is_bracketed(lines: Lines, pairs: Sequence[str] = _BRACKETS) -> bool:
    """Tell whether brackets or notes enclose the whole text."""
    text = "\n".join("".join(run.text for run in line) for line in lines)
    return any(len(text) > 2 and text[0] == pair[0] and text[-1] == pair[1] for pair in pairs)


def is_sound(lines: Lines) -> bool:
    """Tell whether a cue that was read describes a sound: one pair of square brackets around all of it."""
    text = "\n".join("".join(run.text for run in line) for line in lines)
    return is_bracketed(lines, ("[]",)) and "[" not in text[1:-1] and "]" not in text[1:-1]


def tidy(pieces: Iterable[Run]) -> Lines:
    """Split runs at line breaks, clean them, and leave out blank lines and white space at the edges of lines."""
    lines: Lines = [[]]
    for text, letters in pieces:
        first, *rest = plain.parts(text)
        lines[-1].append(Run(first, letters))
        lines += [[Run(part, letters)] for part in rest]
    return [line for line in map(_stripped, lines) if line]


def _stripped(line: list[Run]) -> list[Run]:
    line = _joined(line)
    while line and not line[0].text.strip():
        line.pop(0)
    while line and not line[-1].text.strip():
        line.pop()
    if line:
        line[0] = Run(line[0].text.lstrip(), line[0].style)
        line[-1] = Run(line[-1].text.rstrip(), line[-1].style)
    return line


def _joined(line: Iterable[Run]) -> list[Run]:
    out: list[Run] = []
    for run in line:
        if out and out[-1].style == run.style:
            out[-1] = Run(out[-1].text + run.text, run.style)
        elif run.text:
            out.append(run)
    return out


def _parsed(text: str) -> list[Run]:
    """Read styled text; a tag that closes nothing and whatever else looks like one stay text."""
    found: list[Run] = []
    depth = dict.fromkeys(LETTERS, 0)
    at = 0

    def put(piece: str) -> None:
        if piece:
            found.append(Run(piece, style(letter for letter in LETTERS if depth[letter])))

    for token in _TOKEN.finditer(text):
        put(text[at : token.start()])
        at = token.end()
        slash, letter, entity = token.groups()
        if entity:
            put(_ENTITY[entity])
        elif not slash:
            depth[letter] += 1
        elif depth[letter]:
            depth[letter] -= 1
        else:
            put(token[0])
    put(text[at:])
    return found


def marked(lines: Lines) -> tuple[tuple[str, ...], bool]:
    """Give ``Cue.lines`` and ``Cue.styled`` for lines of runs."""
    if not any(run.style for line in lines for run in line):
        return tuple("".join(run.text for run in line) for line in lines), False
    return tuple(tagged(lines, escape)), True


def _tag(letter: str, opens: bool) -> str:
    return f"<{letter}>" if opens else f"</{letter}>"


def tagged(lines: Lines, text: Callable[[str], str], tag: Callable[[str, bool], str] = _tag) -> list[str]:
    """Write runs with tags that nest and may span lines; a line never begins with a closing tag.

    Args:
        lines: what to write.
        text: how text is written, such as with entities.
        tag: how a tag of a letter is written; true where it opens.
    """
    out: list[str] = []
    opened: list[str] = []
    for number, line in enumerate(lines):
        piece = ""
        following = lines[number + 1][0].style if number + 1 < len(lines) else ""
        for run in line:
            piece += _change(opened, run.style, tag)
            piece += text(run.text)
        kept = "".join(letter for letter in opened if letter in following)
        out.append(piece + _change(opened, kept, tag))
    return out


def _change(opened: list[str], wanted: str, tag: Callable[[str, bool], str]) -> str:
    piece = ""
    while any(letter not in wanted for letter in opened):
        piece += tag(opened.pop(), False)
    for letter in wanted:
        if letter not in opened:
            opened.append(letter)
            piece += tag(letter, True)
    return piece


__all__ = [
    "LETTERS",
    "Lines",
    "Run",
    "escape",
    "is_bracketed",
    "is_sound",
    "marked",
    "runs",
    "sound_lines",
    "style",
    "tagged",
    "text_lines",
    "tidy",
]
