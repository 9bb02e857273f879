"""Where a line may be broken: text as pieces that stay whole.

Words are kept whole and broken at spaces and at U+200B. Chinese and Japanese may be broken between characters, but
for what the Requirements for Japanese Text Layout (https://www.w3.org/TR/jlreq/, 3.1.7 and 3.1.8) keep from the start
and the end of a line. Thai, Lao, Khmer and Burmese put no spaces between words: they are broken where they have some.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from callboard.timedtext.styled import Rich

_BLANK = re.compile("[ \t\r\f\v\u1680\u2000-\u2006\u2008-\u200b\u205f\u3000]+")
"""Where a line may be broken; no-break spaces (U+00A0, U+2007, U+202F) are not among them."""
_NOT_FIRST = frozenset(
    "、。，．・：；？！゛゜ヽヾゝゞ々ー’”）〕］｝〉》」』】°′″℃％‰‐–—…‥⋯,.:;?!)]}»›％¢"
    "ぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶㇰㇱㇲㇳㇴㇵㇶㇷㇸㇹㇺㇻㇼㇽㇾㇿ～〜゠–"
)
"""What must not begin a line."""
_NOT_LAST = frozenset("‘“（〔［｛〈《「『【([{«‹￥＄£＃№¿¡")
"""What must not end a line."""
_FIRST_IDEOGRAPH = "\u2e80"
_TOGETHER = frozenset("—…‥⋯〳〴〵")
"""What is not torn from another of its kind."""
_CLOSING = re.compile(r"[?!:;»›%…)\]]+")
_OPENING = re.compile(r"[«‹¿¡(\[]+")
_DASH = re.compile(r"[-‐‑–—−]+")
_ANSWER = re.compile(r"[-‐‑–—−][^-‐‑–—−]")
"""What would look like another speaker's first word at the start of a line."""


class Piece(NamedTuple):
    """What stays on one line, and what is between it and the next piece if that stays on the same line."""

    rich: Rich
    glue: Rich = Rich("")
    """A space, an ideographic space, U+200B, or nothing."""

    @property
    def text(self) -> str:
        """The piece without its styles."""
        return self.rich.text


_SPACE = Rich(" ")


def is_ideographic(char: str) -> bool:
    """Say whether *char* may be parted from its neighbours: Han, kana, and their punctuation; not Hangul."""
    return (
        "\u2e80" <= char <= "\u303e"
        or "\u3041" <= char <= "\u312f"
        or "\u31a0" <= char <= "\u4dbf"
        or "\u4e00" <= char <= "\u9fff"
        or "\uf900" <= char <= "\ufaff"
        or "\ufe30" <= char <= "\ufe4f"
        or "\uff01" <= char <= "\uff9f"
        or "\U00020000" <= char <= "\U0003ffff"
    )


def pieces(lines: Iterable[Rich]) -> list[Piece]:
    """Take the lines of one speaker apart; where a line ended, a space or nothing comes, as the script wants."""
    found: list[Piece] = []
    for line in lines:
        more = list(_words(line))
        if found and more:
            found[-1] = Piece(found[-1].rich, _joint(found[-1].rich, more[0].rich))
        found += more
    return _glued(found)


def _joint(last: Rich, first: Rich) -> Rich:
    if is_ideographic(last.text[-1]) and is_ideographic(first.text[0]):
        return Rich("")
    ends, begins = last.styles[-1:], first.styles[:1]
    return Rich(" ", ends if ends == begins else ())


def _words(line: Rich) -> Iterator[Piece]:
    text = line.text
    start = 0
    for blank in _BLANK.finditer(text):
        if start < blank.start():
            yield from _parted(line.part(start, blank.start()), _one(line, blank))
        start = blank.end()
    if start < len(text):
        yield from _parted(line.part(start), Rich(""))


def _one(line: Rich, blank: re.Match[str]) -> Rich:
    """Make one separator of several."""
    if blank[0] == " " and not line.styles:
        return _SPACE
    kind = next((kind for kind in "\u3000 \u200b" if kind in blank[0]), " ")
    return Rich(kind, line.styles[blank.start() : blank.start() + 1])


def _parted(word: Rich, glue: Rich) -> Iterator[Piece]:
    """Part a word between its ideographs, where it has some."""
    start = 0
    text = word.text
    if max(text) >= _FIRST_IDEOGRAPH:
        for at in range(1, len(text)):
            if _may_part(text[at - 1], text[at]):
                yield Piece(word.part(start, at))
                start = at
    yield Piece(word.part(start) if start else word, glue)


def _may_part(before: str, after: str) -> bool:
    if not is_ideographic(before) and not is_ideographic(after):
        return False
    if after in _NOT_FIRST or before in _NOT_LAST or (before == after and before in _TOGETHER):
        return False
    # A number or a Latin word next to kana is a word of its own, and marks belong to what they are on
    return not _takes_no_place(after)


def _takes_no_place(char: str) -> bool:
    return "\u0300" <= char <= "\u036f" or char in "\u200d\ufe0e\ufe0f\u3099\u309a" or "\ufe00" <= char <= "\ufe0f"


def _glued(found: list[Piece]) -> list[Piece]:
    """Tie to its word a mark that is set off by a space: French punctuation, quotation marks, dashes."""
    kept: list[Piece] = []
    for piece in found:
        if kept and kept[-1].glue.text and _tied(kept[-1].text, piece.text, first=len(kept) == 1):
            before = kept.pop()
            kept.append(Piece(before.rich.then(before.glue).then(piece.rich), piece.glue))
        else:
            kept.append(piece)
    return kept


def _tied(before: str, after: str, *, first: bool) -> bool:
    """Say whether a break must not come between; a dash leads in a speaker's first word, and ends any other."""
    if _ANSWER.match(after):
        return True
    if len(after) > 3 and len(before) > 3:
        return False
    if _DASH.fullmatch(before):
        return first
    return bool(_CLOSING.fullmatch(after) or _OPENING.fullmatch(before) or _DASH.fullmatch(after))


__all__ = ["Piece", "is_ideographic", "pieces"]
