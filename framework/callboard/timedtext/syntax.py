"""How badly a line break between two pieces reads: 0 after a sentence, above 2 between words that belong together."""

from __future__ import annotations

from typing import Final

from callboard.timedtext.phrases import Phrases
from callboard.timedtext.pieces import Piece, is_ideographic

SENTENCE: Final = frozenset(".?!…。！？؟۔⋯｡")
"""What ends a sentence."""
CLAUSE: Final = frozenset(",;:،؛、，；：—–")
_CLOSERS: Final = "\"'”’»›)]」』）】》〉"
_OPENERS: Final = "\"'“‘«‹([¿¡「『（【《〈"
_EDGES: Final = _CLOSERS + _OPENERS + ".,;:?!…-–—"

PLAIN: Final = 1.0
"""Between two words of which nothing is known."""
PHRASE: Final = 0.5
"""Before a conjunction or a preposition."""
LEANING: Final = 2.5
"""After an article, a preposition, an auxiliary: what belongs to the next word."""
TORN: Final = 3.5
"""Within a name, a number or a measure."""

_PARTICLES: Final = frozenset("はがをにでともへやのねよかなわぞぜさばてし")
_CHINESE_TAILS: Final = frozenset("的了着過过嗎吗呢吧們们地得啊啦呀嘛")


def break_cost(before: Piece, after: Piece, phrases: Phrases, *, begins: bool = False) -> float:
    """Weigh a break between two pieces of a line.

    Args:
        before: What the upper line would end with.
        after: What the lower line would begin with.
        phrases: Of the language.
        begins: Whether *before* begins a sentence, where a capital says nothing.
    """
    one, other = before.text, after.text
    ended = _ended(one, phrases)
    if ended is not None:
        return ended
    if is_ideographic(one[-1]) or is_ideographic(other[0]):
        return _between_ideographs(one[-1], other[0], spaced=bool(before.glue.text))
    left, right = _bare(one), _bare(other)
    if _torn(one, other, left, right, phrases, begins=begins):
        return TORN
    if left in phrases.leans or left in phrases.opens:
        return LEANING
    return PHRASE if right in phrases.opens else PLAIN


def _ended(text: str, phrases: Phrases) -> float | None:
    """Weigh punctuation at the end of *text*; nothing where there is none, or an abbreviation's."""
    core = text.rstrip(_CLOSERS)
    last = core[-1:]
    if last in SENTENCE and last:
        if last == "." and _bare(core) in phrases.titles:
            return TORN
        return 0.0
    if last in CLAUSE and last:
        return 0.3
    return 0.6 if core != text and text[-1] not in "'’" else None


def _between_ideographs(last: str, first: str, *, spaced: bool) -> float:
    """Weigh a break without words to go by: after a particle, before what is not hiragana, not within a word."""
    if spaced:
        return 0.2
    if first in _CHINESE_TAILS:
        return LEANING
    if _is_hiragana(last):
        if _is_hiragana(first):
            return 1.2 if last in _PARTICLES else LEANING
        return PHRASE if last in _PARTICLES else PLAIN
    if _is_katakana(last) and (_is_katakana(first) or first == "ー"):
        return TORN
    if _is_hiragana(first):
        return LEANING
    if last in _CHINESE_TAILS:
        return PHRASE
    return PLAIN * 1.4


def _is_hiragana(char: str) -> bool:
    return "\u3041" <= char <= "\u309f"


def _is_katakana(char: str) -> bool:
    return "\u30a0" <= char <= "\u30ff" or "\uff66" <= char <= "\uff9f"


def _bare(text: str) -> str:
    return text.strip(_EDGES).replace("’", "'").casefold()


def _torn(one: str, other: str, left: str, right: str, phrases: Phrases, *, begins: bool) -> bool:
    """Say whether the break would part a number from what it counts, a title from a name, or a name."""
    if left in phrases.titles:
        return True
    if left[-1:].isdigit() and (right in phrases.units or right[:1].isdigit()):
        return True
    if one in ("$", "€", "£", "¥", "№", "§"):
        return True
    if phrases.capital_nouns or begins or left in phrases.leans or left in phrases.opens:
        return False
    return _is_name(one) and _is_name(other) and right not in phrases.opens and right not in phrases.leans


def _is_name(text: str) -> bool:
    """Say whether *text* is written as a name: a capital, and not all of them; or an initial."""
    core = text.strip(_EDGES)
    return core[:1].isupper() and (len(core) == 1 or not core.isupper())


__all__ = ["CLAUSE", "LEANING", "PHRASE", "PLAIN", "SENTENCE", "TORN", "break_cost"]
