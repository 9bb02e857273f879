"""Whether an answer can be the translation of its line: one line, with letters, of a length that fits, and its own."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Final

from callboard.glossary.terms import primary
from msgspec import Struct

from callboard_localize.engines import Text
from callboard_localize.masks import MarksBroken, Masked, Masker, shown
from callboard_localize.names import NOUNS_IN_CAPITALS
from callboard_localize.work import Unit

_NOTHING: Final = "\u200b\u2060\ufeff \t\r\n"
"""What may stand at the ends of an answer and is not of it; inside, U+200B parts words of Thai and Khmer."""
_LETTER: Final = re.compile(r"[^\W\d_]")
_MARKUP: Final = re.compile(r"</?[A-Za-z][^<>]{0,40}>|\$?\{[^{}]{0,40}\}")
_WIDE: Final = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]")
_WEIGHT: Final = 2.5
"""Latin letters that one Chinese, Japanese or Korean character stands for, roughly."""
LONGEST: Final = (3.5, 30.0)
"""Most of the source's length that an answer may have, and letters on top: short lines vary more."""
SHORTEST: Final = (0.2, -2.0)


class Answer(Struct, frozen=True):
    """What an engine answered for one unit, proved to be its own as far as one line can show."""

    texts: tuple[str, ...]
    """For each of its parts, with everything that was masked back in place."""
    said: tuple[str, ...]
    """The same without what was masked."""
    asked: tuple[str, ...]
    """What the source says without what was masked."""
    reordered: bool
    unknown: tuple[str, ...] = ()
    """Words that the engine does not know."""
    confidence: float | None = None
    """The engine's own, where it has one."""


class Refused(Exception):
    """An answer is not taken; the message says why."""


def read_answer(masker: Masker, unit: Unit, masked: Masked, answer: object) -> Answer:
    """Verify what an engine answered for *unit*, and put the masked pieces back.

    Raises:
        Refused: it cannot be the translation of this line.
    """
    if not isinstance(answer, str) or not answer.strip(_NOTHING):
        raise Refused("nothing came back")
    text = unicodedata.normalize("NFC", answer.strip(_NOTHING))
    if len(text.splitlines()) > 1:
        raise Refused("several lines came back")
    if not text.isprintable() and any(unicodedata.category(char) in ("Cc", "Cs", "Cn") for char in text):
        raise Refused("characters came back that cannot be shown")
    try:
        restored = masker.restore(text, masked, styled=unit.styled)
    except MarksBroken as broken:
        raise Refused(str(broken)) from None
    if len(restored.texts) != len(unit.texts):
        raise Refused("parts of a sentence were merged")
    asked, said = _between(masker, masked, masked.text), _between(masker, masked, text)
    _check_plain(asked, said)
    if any("".join(said).count(sign) > "".join(asked).count(sign) for sign in masker.marks.signs):
        raise Refused("a broken mark came back")
    for source, target in zip(unit.texts, restored.texts, strict=True):
        _check_length(shown(source, styled=unit.styled), shown(target, styled=unit.styled))
    texts = restored.texts
    if primary(masker.target) not in NOUNS_IN_CAPITALS:
        texts = tuple(_begun_alike(*each) for each in zip(texts, unit.texts, asked, strict=True))
    unknown, sure = (answer.unknown, answer.confidence) if isinstance(answer, Text) else ((), None)
    return Answer(texts, tuple(said), tuple(asked), restored.reordered, unknown, sure)


def _begun_alike(text: str, source: str, asked: str) -> str:
    """Begin with a small letter where the source does: engines take every line for a sentence."""
    begins, wanted, came = (_LETTER.search(one) for one in (asked, source, text))
    if begins is None or wanted is None or came is None or source[: wanted.start()].strip("…. "):
        return text
    at = came.start()
    if not begins[0].islower() or not text[at].isupper() or text[at + 1 : at + 2].isupper() or text[:at].strip("…. ¿¡"):
        return text
    return text[:at] + text[at].lower() + text[at + 1 :]


def _check_plain(asked: Sequence[str], said: Sequence[str]) -> None:
    """Look at what stands between the marks: words in every part that had some, and no markup of the engine's own."""
    for before, after in zip(asked, said, strict=True):
        if _LETTER.search(before) and not _LETTER.search(after):
            raise Refused("only what was masked came back")
        if len(_MARKUP.findall(after)) > len(_MARKUP.findall(before)):
            raise Refused("markup came back that was not there")


def _between(masker: Masker, masked: Masked, text: str) -> list[str]:
    """Give what stands outside of marks, one text for each of the parts that were joined."""
    parts = [""]
    done = 0
    for start, end, number in masker.marks.find(text):
        parts[-1] += text[done:start]
        if masked.pieces[number].kind == "cut":
            parts.append("")
        done = end
    parts[-1] += text[done:]
    return parts


def _check_length(source: str, target: str) -> None:
    asked, came = weight(source), weight(target)
    if came > LONGEST[0] * asked + LONGEST[1]:
        raise Refused(f"it is {came / max(asked, 1):.1f} times as long as its source")
    if came < SHORTEST[0] * asked + SHORTEST[1]:
        raise Refused(f"only {came / asked:.0%} of its length came back")


def weight(text: str) -> float:
    """Say how long *text* is, in Latin letters, so that scripts can be compared."""
    wide = len(_WIDE.findall(text))
    return len(text) - wide + _WEIGHT * wide


def repeats(text: str) -> int:
    """Count the runs of three words that *text* says again."""
    words = re.findall(r"\w+", text.casefold())
    runs = list(zip(words, words[1:], words[2:], strict=False))
    return len(runs) - len(set(runs))


def alike(one: str, other: str) -> bool:
    """Say whether two texts say the same, but for case, punctuation and a word or two."""
    left, right = (re.findall(r"\w+", text.casefold()) for text in (one, other))
    if left == right:
        return True
    return bool(left and right) and SequenceMatcher(None, left, right, autojunk=False).ratio() >= 0.8


def holds(text: str, other: str) -> bool:
    """Say whether nearly all words of *other* stand in *text*; one short word alone says nothing."""
    words, within = (set(re.findall(r"\w+", one.casefold())) for one in (text, other))
    if not within or (len(within) < 2 and len(other.strip()) < 4):
        return False
    return len(words & within) >= 0.8 * len(within)


__all__ = ["Refused", "alike", "holds", "read_answer", "repeats", "weight"]
