"""A cue taken apart: turns of its speakers, and in each the stretches to translate and the signs around them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from callboard_schemas import Cue
from msgspec import Struct

from callboard_localize.masks import TAG, unescape

_DASH: Final = r"[-\u2010\u2013\u2014\u2015]"
_SIGNS: Final = re.compile(
    rf"\{{\\[^{{}}\n]*\}}"  # positions of ASS and SRT: {\an8}
    rf"|(?:{_DASH}|>>>?)(?:[ \u00a0]+|(?=[^\W_\d]|[<\[(\"'“‘«¿¡…♪.]))"
    r"|[A-ZÀ-ÖØ-ÞΑ-ΩА-Я][A-ZÀ-ÖØ-ÞΑ-ΩА-Я0-9 .'’#-]{0,30}:(?=\s)"
    r"|[♪♫♬♩#]+(?=\s)|[\s\u200e\u200f\u202a-\u202e\u2066-\u2069]+"
)
_END_SIGNS: Final = re.compile(r"[\s\u200e\u200f\u202a-\u202e\u2066-\u2069]*(?:[♪♫♬♩]+|(?<=\s)#)?\s*$")
_BRACKETED: Final = re.compile(r"(\[[^\[\]\n]*\]|\([^()\n]*\)|（[^（）\n]*）)")
_TURN: Final = re.compile(rf"^(?:{TAG.pattern}|\{{\\[^{{}}]*\}}|\s)*(?:{_DASH}\s?(?=[^\s\d])|>>)", re.IGNORECASE)
_LETTER: Final = re.compile(r"[^\W\d_]")
_UNSPACED: Final = frozenset({"zh", "ja", "th", "lo", "km", "my", "yue", "wuu"})


class Part(Struct, frozen=True):
    """A stretch of text to translate, and what stands around it and stays."""

    before: str
    text: str
    after: str

    @property
    def spoken(self) -> bool:
        """Whether there is anything to translate: letters, outside of markup."""
        return bool(_LETTER.search(unescape(TAG.sub("", self.text))))


Turn = tuple[Part, ...]
"""What one speaker says, or one line that begins as such; whole lines of the cue."""


def spaced(language: str) -> bool:
    """Say whether *language* puts spaces between words."""
    return language.partition("-")[0].lower() not in _UNSPACED


def taken_apart(cue: Cue, language: str) -> tuple[Turn, ...]:
    """Take the lines of *cue* apart.

    Args:
        cue: Any; what is not styled holds no markup.
        language: BCP 47, of its text.
    """
    return tuple(_parts(text, styled=cue.styled) for text in turns(cue.lines, language))


def turns(lines: Sequence[str], language: str) -> list[str]:
    """Join *lines* into turns: a new one begins with each dash, and before and after a line all in brackets."""
    found: list[str] = []
    alone = True
    for line in lines:
        text = line.strip()
        bracketed = bool(_BRACKETED.fullmatch(TAG.sub("", text)))
        if not found or bracketed or alone or _TURN.match(text):
            found.append(text)
        else:
            found[-1] = found[-1] + (" " if spaced(language) else "") + text
        alone = bracketed
    return found


def _parts(text: str, *, styled: bool) -> Turn:
    """Peel signs off both ends of one turn, and set apart what is in brackets there."""
    before, inner, after = _peeled(text, styled=styled)
    leading = _BRACKETED.match(inner)
    if leading is None or (styled and not _balanced(leading[0])):
        return (Part(before, inner, after),)
    rest = inner[leading.end() :].lstrip()
    said = leading[0][1:-1]
    if not rest:
        return (Part(before + inner[0], said, leading[0][-1] + inner[leading.end() :] + after),)
    gap = inner[leading.end() : len(inner) - len(rest)]
    *others, last = _parts(rest, styled=styled)
    ending = Part(last.before, last.text, last.after + after)
    return (Part(before + inner[0], said, leading[0][-1] + gap), *others, ending)


def _peeled(text: str, *, styled: bool) -> tuple[str, str, str]:
    before, inner, after = "", text, ""
    while True:
        signs = _SIGNS.match(inner)
        if signs and signs.end():
            before, inner = before + signs[0], inner[signs.end() :]
            continue
        end = _END_SIGNS.search(inner)
        if end and end[0]:
            inner, after = inner[: end.start()], end[0] + after
            continue
        around = _enclosing(inner) if styled else None
        if around is None:
            return before, inner, after
        opening, closing = around
        before, after = before + opening, closing + after
        inner = inner[len(opening) : len(inner) - len(closing)]


def _enclosing(text: str) -> tuple[str, str] | None:
    """Give the tags that enclose all of *text*."""
    opening = TAG.match(text)
    if opening is None or opening[0].startswith("</"):
        return None
    closing = f"</{opening[0][1:]}"
    inner = text[opening.end() : len(text) - len(closing)]
    if not text.lower().endswith(closing.lower()) or len(text) < opening.end() + len(closing):
        return None
    if opening[0].lower() in inner.lower() or closing.lower() in inner.lower():
        return None
    return opening[0], text[len(text) - len(closing) :]


def _balanced(text: str) -> bool:
    found = TAG.findall(text)
    return sum(1 if not tag.startswith("</") else -1 for tag in found) == 0


def put_together(turn: Turn, texts: Sequence[str]) -> str:
    """Put one turn together again, with *texts* in place of those of its parts."""
    return "".join(part.before + text + part.after for part, text in zip(turn, texts, strict=True))


__all__ = ["Part", "Turn", "put_together", "spaced", "taken_apart", "turns"]
