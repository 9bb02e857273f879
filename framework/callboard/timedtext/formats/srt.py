r"""SubRip: numbers, times, lines. It has no standard; what players take is written, what people write is read.

Tags that are kept are ``<i>``, ``<b>``, ``<u>`` and ``{\an1}`` to ``{\an9}``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from callboard_schemas import Cue

from callboard.timedtext.formats.blocks import Block, Scanner
from callboard.timedtext.formats.clock import clock, milliseconds
from callboard.timedtext.formats.decoding import lines_of
from callboard.timedtext.formats.joiner import (
    JOINER,
    escape_srt,
    guard_clock,
    is_number,
    unescape_srt,
    unguard_clock,
)
from callboard.timedtext.formats.reading import Raw, Reading
from callboard.timedtext.markup import LETTERS, Lines, Run, sound_lines, style, tagged, tidy

_TOKEN: Final = re.compile(
    r"<(/?)(i|b|u|em|strong|font|s|strike|span|c|v|br|p|ruby|rt)\b((?:\s|\.)[^<>]*)?/?>|\{(\\[^{}]*)\}",
    re.IGNORECASE,
)
_KEPT: Final = {"em": "i", "strong": "b", "i": "i", "b": "b", "u": "u"}
_AN: Final = re.compile(r"\\an([1-9])")
_OLD: Final = re.compile(r"\\a(1[01]|[1-79])(?!\d)")
_OLD_KEYS: Final = {1: 1, 2: 2, 3: 3, 5: 7, 6: 8, 7: 9, 9: 4, 10: 5, 11: 6}
_SWITCH: Final = re.compile(r"\\([ibu])(\d+)")
_COORDINATES: Final = re.compile(r"X1:\s*-?\d+\s+X2:\s*-?\d+\s+Y1:\s*-?\d+\s+Y2:\s*-?\d+", re.IGNORECASE)


def read_srt(text: str, reading: Reading) -> None:
    """Read SubRip into *reading*.

    Raises:
        SubtitleError: times that cannot be read, or no cue at all.
    """
    lines = lines_of(text, reading)
    blocks = Scanner(lines, reading, point=",", labels=False).scan()
    if not blocks and text.strip():
        first = next(number for number, line in enumerate(lines, start=1) if line.strip())
        raise reading.refuse(first, "holds no times, so it is no SubRip file")
    for block in blocks:
        if block.times.rest:
            odd = "coordinates" if _COORDINATES.fullmatch(block.times.rest) else repr(block.times.rest[:60])
            reading.note(block.line, f"{odd} after the times: left out")
        runs, align = _runs(block, reading)
        reading.add(
            Raw(
                line=block.line,
                start=block.times.start,
                end=block.times.end,
                lines=unguarded(tidy(runs)),
                number=block.number,
                align=align,
            )
        )


def unguarded(lines: Lines) -> Lines:
    """Take word joiners out that a writer of ours put in."""
    out = [[Run(unguard_clock(text), letters) for text, letters in line] for line in lines]
    if len(out) > 1 and is_number("".join(run.text for run in out[-1])):
        last = out[-1][-1]
        out[-1][-1] = Run(last.text.removesuffix(JOINER), last.style)
    return out


def _runs(block: Block, reading: Reading) -> tuple[list[Run], int | None]:
    """Read a cue's text: runs, and where it stands."""
    out: list[Run] = []
    depth = dict.fromkeys(LETTERS, 0)
    align: int | None = None
    text, at, line = "\n".join(block.text), 0, block.first
    for token in _TOKEN.finditer(text):
        out.append(Run(unescape_srt(text[at : token.start()]), style(k for k in LETTERS if depth[k] > 0)))
        line += text.count("\n", at, token.start())
        at = token.end()
        slash, name, _, override = token.groups()
        if override is not None:
            align = _overridden(override, depth, line, reading) or align
        elif name.lower() in _KEPT:
            letter = _KEPT[name.lower()]
            depth[letter] = max(depth[letter] + (-1 if slash else 1), 0)
        elif name.lower() == "br":
            out.append(Run("\n"))
        elif not slash:
            reading.note(line, f"{token[0][:60]}: the tag is left out, its text is kept")
    out.append(Run(unescape_srt(text[at:]), style(k for k in LETTERS if depth[k] > 0)))
    return out, align


def _overridden(override: str, depth: dict[str, int], line: int, reading: Reading) -> int | None:
    r"""Read a block such as ``{\\an8}`` or ``{\\i1}``; say where the cue stands if it does."""
    for letter, value in _SWITCH.findall(override):
        depth[letter] = int(int(value) > 0)
    key, old = _AN.search(override), _OLD.search(override)
    rest = _SWITCH.sub("", _OLD.sub("", _AN.sub("", override)))
    if rest:
        reading.note(line, f"{{{override[:60]}}}: {'partly ' if rest != override else ''}left out")
    return int(key[1]) if key else _OLD_KEYS.get(int(old[1])) if old else None


def srt(cues: Sequence[Cue]) -> bytes:
    """Write SRT: UTF-8 without a byte order mark, LF; cues by start, numbered from 1; blank cues left out."""
    blocks: list[str] = []
    for cue, lines in spoken(cues):
        start, end = span(cue)
        text = tagged(guarded(lines), escape_srt)
        text[0] = (rf"{{\an{cue.align}}}" if cue.align not in (None, 2) else "") + text[0]
        blocks.append(f"{len(blocks) + 1}\n{clock(start, ',')} --> {clock(end, ',')}\n" + "\n".join(text) + "\n")
    return "\n".join(blocks).encode("utf-8")


def guarded(lines: Lines) -> Lines:
    """Put word joiners into what lenient readers would take for a cue's times or number."""
    out = [[Run(guard_clock(text), letters) for text, letters in line] for line in lines]
    if len(out) > 1 and is_number("".join(run.text for run in out[-1])):
        last = out[-1][-1]
        out[-1][-1] = Run(last.text + JOINER, last.style)
    return out


def spoken(cues: Sequence[Cue]) -> list[tuple[Cue, Lines]]:
    """Give the cues that have text, by start, with their lines."""
    ordered = sorted(cues, key=lambda cue: (cue.start, cue.end, cue.id))
    return [(cue, lines) for cue in ordered if (lines := sound_lines(cue))]


def span(cue: Cue) -> tuple[int, int]:
    """Give a cue's start and end in milliseconds; one that rounds to nothing lasts 1 ms."""
    start = milliseconds(cue.start)
    return start, max(milliseconds(cue.end), start + 1)


__all__ = ["guarded", "read_srt", "span", "spoken", "srt", "unguarded"]
