r"""SRT and WebVTT, written here: both are a few lines each, and the core works without a subtitle library.

SRT has no escapes, and players take ``<i>`` and ``{\an8}`` in it for formatting. There a word joiner (U+2060, no
width) goes between the two characters that would start it, and into ``-->``; ``unescape_srt`` takes it out.
WebVTT has escapes: https://www.w3.org/TR/webvtt1/#webvtt-cue-text-span
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_UP, Decimal

from callboard_schemas import Cue

from callboard.effects import plain

JOINER = "\u2060"

_ACTIVE = re.compile(r"(?<=<)(?=[A-Za-z/!?])|(?<=\{)(?=\\)|(?<=--)(?=>)")
_JOINED = re.compile(rf"(?<=<){JOINER}(?=[A-Za-z/!?])|(?<=\{{){JOINER}(?=\\)|(?<=--){JOINER}(?=>)")
# Lenient readers take any line with two clock times for a cue's times, and a last line of digits for a cue's number.
_CLOCK = re.compile(rf"(\d:\d+:\d+){JOINER}?([.,]\d)")
_NUMBER = re.compile(rf"\d+{JOINER}?")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def guard(lines: Sequence[str]) -> list[str]:
    """Break what lenient readers would take for a cue's times or number with a word joiner."""
    guarded = [_CLOCK.sub(rf"\1{JOINER}\2", line) for line in lines]
    if len(guarded) > 1 and _NUMBER.fullmatch(guarded[-1]):
        guarded[-1] += JOINER
    return guarded


def unguard(text: str) -> str:
    """Give back, as one text, the lines that ``guard`` was given."""
    *first, last = _CLOCK.sub(r"\1\2", text).split("\n")
    return "\n".join([*first, last.removesuffix(JOINER) if first and _NUMBER.fullmatch(last) else last])


def escape_srt(text: str) -> str:
    """Make one line of text safe for SRT."""
    return _ACTIVE.sub(JOINER, text)


def unescape_srt(text: str) -> str:
    """Give back what ``escape_srt`` was given."""
    return _JOINED.sub("", text)


def escape_vtt(text: str) -> str:
    """Make one line of text safe for WebVTT."""
    return text.translate(_ENTITIES)


def milliseconds(seconds: float) -> int:
    """Round to the nearest millisecond, halves up, as the decimal number reads (1.0005 gives 1001)."""
    return int((Decimal(repr(float(seconds))) * 1000).quantize(Decimal(1), ROUND_HALF_UP))


def srt(cues: Sequence[Cue]) -> bytes:
    """Write SRT: UTF-8 without a byte order mark, LF; cues by start, numbered from 1; blank cues left out."""
    blocks = [
        f"{number}\n{_clock(start, ',')} --> {_clock(end, ',')}\n" + "\n".join(map(escape_srt, guard(text))) + "\n"
        for number, (start, end, text, _) in enumerate(_spoken(cues), start=1)
    ]
    return "\n".join(blocks).encode("utf-8")


def vtt(cues: Sequence[Cue]) -> bytes:
    """Write WebVTT, as ``srt`` does, with a voice span where the speaker is known."""
    blocks = ["WEBVTT\n"]
    for number, (start, end, text, speaker) in enumerate(_spoken(cues), start=1):
        body = "\n".join(map(escape_vtt, guard(text)))
        voice = f"<v {escape_vtt(speaker)}>" if speaker else ""
        blocks.append(f"{number}\n{_clock(start, '.')} --> {_clock(end, '.')}\n{voice}{body}\n")
    return "\n".join(blocks).encode("utf-8")


WRITERS: dict[str, Callable[[Sequence[Cue]], bytes]] = {"srt": srt, "vtt": vtt}


def has_text(cues: Sequence[Cue]) -> bool:
    """Tell whether any cue says something; if none does there is no subtitle file."""
    return bool(_spoken(cues))


def _spoken(cues: Sequence[Cue]) -> list[tuple[int, int, list[str], str]]:
    """Cues with text as (start ms, end ms, lines, speaker); a cue that rounds to nothing lasts 1 ms."""
    out = []
    for cue in sorted(cues, key=lambda cue: (cue.start, cue.end, cue.id)):
        text = plain.lines("\n".join(cue.lines))
        if text:
            start = milliseconds(cue.start)
            out.append((start, max(milliseconds(cue.end), start + 1), text, plain.one_line(cue.speaker or "")))
    return out


def _clock(ms: int, point: str) -> str:
    minutes, ms = divmod(ms, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{ms // 1000:02d}{point}{ms % 1000:03d}"


__all__ = [
    "JOINER",
    "WRITERS",
    "escape_srt",
    "escape_vtt",
    "guard",
    "has_text",
    "milliseconds",
    "srt",
    "unescape_srt",
    "unguard",
    "vtt",
]
