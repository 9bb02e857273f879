"""Where a line may be broken: text as pieces that stay whole.

Words are kept whole and broken at spaces and at U+200B. Chinese and Japanese may be broken between characters, but
for what the Requirements for Japanese Text Layout (https://www.w3.org/TR/jlreq/, 3.1.7 and 3.1.8) keep from the start
and the end of a line. Thai, Lao, Khmer and Burmese put no spaces between words: they are broken where they have some.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from callboard.timedtext.markup import Letter

_BLANK = frozenset(" \t\r\f\v\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2008\u2009\u200a\u205f\u3000\u200b")
"""Where a line may be broken; no-break spaces (U+00A0, U+2007, U+202F) are not among them."""
_NOT_FIRST = frozenset(
    "、。，．・：；？！゛゜ヽヾゝゞ々ー’”）〕］｝〉》」』】°′″℃％‰‐–—…‥⋯,.:;?!)]}»›％¢"
    "ぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶㇰㇱㇲㇳㇴㇵㇶㇷㇸㇹㇺㇻㇼㇽㇾㇿ～〜゠–"
)
"""What must not begin a line."""
_NOT_LAST = frozenset("‘“（〔［｛〈《「『【([{«‹￥＄£＃№¿¡")
"""What must not end a line."""
_TOGETHER = frozenset("—…‥⋯〳〴〵")
"""What is not torn from another of its kind."""
_CLOSING = re.compile(r"[?!:;»›%…)\]]+")
_OPENING = re.compile(r"[«‹¿¡(\[]+")
_DASH = re.compile(r"[-‐‑–—]+")


class Piece(NamedTuple):
    """What stays on one line, and what is between it and the next piece if that stays on the same line."""

    letters: tuple[Letter, ...]
    glue: tuple[Letter, ...] = ()
    """A space, an ideographic space, U+200B, or nothing."""

    @property
    def text(self) -> str:
        """The piece without its styles."""
        return "".join(letter.text for letter in self.letters)


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


def pieces(lines: Iterable[Sequence[Letter]]) -> list[Piece]:
    """Take the lines of one speaker apart; where a line ended, a space or nothing comes, as the script wants."""
    found: list[Piece] = []
    for line in lines:
        more = _glued(list(_words(line)))
        if found and more:
            last, first = found[-1].letters[-1], more[0].letters[0]
            joint = is_ideographic(last.text) and is_ideographic(first.text)
            found[-1] = found[-1]._replace(glue=() if joint else (_space(last, first),))
        found += more
    return _glued(found)


def _space(last: Letter, first: Letter) -> Letter:
    return Letter(" ", last.style if last.style == first.style else "")


def _words(line: Sequence[Letter]) -> Iterator[Piece]:
    word: list[Letter] = []
    blank: list[Letter] = []
    for letter in line:
        if letter.text in _BLANK:
            blank.append(letter)
            continue
        if blank and word:
            yield from _parted(word, (_one(blank),))
            word = []
        blank = []
        word.append(letter)
    if word:
        yield from _parted(word, ())


def _one(blank: list[Letter]) -> Letter:
    """Make one separator of several."""
    for kind in "\u3000 \u200b":
        found = next((letter for letter in blank if letter.text == kind), None)
        if found is not None:
            return found
    return Letter(" ", blank[0].style)


def _parted(word: list[Letter], glue: tuple[Letter, ...]) -> Iterator[Piece]:
    """Part a word between its ideographs, where it has some."""
    start = 0
    for at in range(1, len(word)):
        if _may_part(word[at - 1].text, word[at].text):
            yield Piece(tuple(word[start:at]))
            start = at
    yield Piece(tuple(word[start:]), glue)


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
        if kept and kept[-1].glue and _tied(kept[-1].text, piece.text, first=len(kept) == 1):
            before = kept.pop()
            kept.append(Piece(before.letters + before.glue + piece.letters, piece.glue))
        else:
            kept.append(piece)
    return kept


def _tied(before: str, after: str, *, first: bool) -> bool:
    """Say whether a break must not come between; a dash leads in a speaker's first word, and ends any other."""
    if _DASH.fullmatch(before):
        return first
    return bool(_CLOSING.fullmatch(after) or _OPENING.fullmatch(before) or _DASH.fullmatch(after))


__all__ = ["Piece", "is_ideographic", "pieces"]
