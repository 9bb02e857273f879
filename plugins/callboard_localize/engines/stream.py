"""Apertium's stream format: how a text goes in with its marks, and what its answer says beside the words. Pure.

Blanks in brackets pass through every stage as they are, so an answer is known by those it begins and ends with.
"""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

MARK: Final = re.compile(r"⟦\s*(\d+)\s*⟧")
_NUMBERS: Final = ("7007", "9119", "6446", "8338", "5225")
"""Beginnings of the numbers that stand for marks; one that is not in the text is taken."""
_FREE: Final = re.compile(r"""(?<![^\s"“„«(¿¡])⟦\s*(\d+)\s*⟧(?=(?:['’]s)?[.,;:!?…)"”»]*(?:\s|$))""")
"""Marks that stand where a word could."""
_ESCAPED: Final = re.compile(r"[\\\[\]{}^$/<>]")
_HIDDEN: Final = re.compile(r"[*#@~\x00-\x08\x0b-\x1f\x7f]+")
"""What an answer says of its words with, and what no text should hold."""
_TOKEN: Final = re.compile(r"\\(?P<plain>[^@])|\[(?P<blank>[^\]]*)\]|(?P<doubt>\*|\#|\\?@)(?P<word>[^\s\[\]\\*#@]*)")
_SPACES: Final = re.compile(r" {2,}")
_EDGE: Final = ".,;:!?…\"'“”«»()¿¡-–—"


class Answer(Struct, frozen=True):
    """What came back for one text."""

    text: str
    unknown: tuple[str, ...]
    """Words that are in no dictionary of the pair, or for which no form was found; in *text* without their signs."""


class Garbled(ValueError):
    """An answer is not that of the text that was sent."""


def encode(text: str, number: int, *, blank: bool = False) -> str:
    """Write *text* as one request.

    A mark that stands where a word could becomes a number, which keeps its place among the words; one that touches
    a word becomes a blank, so that the word is still known.

    Args:
        text: With marks such as ``⟦0⟧``.
        number: Of the request; the answer must bear it.
        blank: Whether all marks become blanks: these are never lost, but words may change sides.
    """
    start = _start(text)
    plain = text.replace("’", "'")
    if not blank:
        plain = _FREE.sub(lambda found: f"{start}{int(found[1]):03d}", plain)
    parts = []
    done = 0
    for found in MARK.finditer(plain):
        parts += [_escape(plain[done : found.start()]), f"[m{int(found[1])}]"]
        done = found.end()
    return f"[a{number}]{''.join(parts)}{_escape(plain[done:])}[z{number}]"


def _start(text: str) -> str:
    return next((start for start in _NUMBERS if start not in text), _NUMBERS[0])


def _escape(text: str) -> str:
    escaped = _ESCAPED.sub(r"\\\g<0>", text)
    return _HIDDEN.sub(lambda found: f"[c{found[0].encode().hex()}]", escaped)


def decode(answer: str, text: str, number: int) -> Answer:
    """Read what came back for *text*.

    Raises:
        Garbled: it does not begin and end with the number of its request.
    """
    head, tail = f"[a{number}]", f"[z{number}]"
    body = answer.strip(" ")
    if not (body.startswith(head) and body.endswith(tail)) or body.count(head) + body.count(tail) != 2:
        raise Garbled(f"it is not the answer to request {number}")
    unknown: dict[str, None] = {}

    def read(found: re.Match[str]) -> str:
        if found["plain"] is not None:
            return found["plain"]
        if found["blank"] is not None:
            return _blank(found["blank"])
        word = found["word"].strip(_EDGE)
        if word:
            unknown[word] = None
        return found["word"]

    words = _TOKEN.sub(read, body[len(head) : -len(tail)])
    words = re.sub(rf"{_start(text)}(\d{{3,}})", lambda found: f"⟦{int(found[1])}⟧", words)
    own = words if "  " in text else _SPACES.sub(" ", words)
    return Answer(own if text[:1].isspace() else own.strip(" "), tuple(unknown))


def _blank(said: str) -> str:
    if said[:1] == "m" and said[1:].isdecimal():
        return f"⟦{said[1:]}⟧"
    if said[:1] == "c":
        return bytes.fromhex(said[1:]).decode()
    raise Garbled(f"there is a strange blank, {said!r}")


def marks(text: str) -> list[int]:
    """Give the numbers of the marks in *text*, sorted."""
    return sorted(int(found) for found in MARK.findall(text))


__all__ = ["MARK", "Answer", "Garbled", "decode", "encode", "marks"]
