"""Which script a text is in, and which of two languages it reads as."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final

import regex

_LETTER: Final = regex.compile(r"\p{L}")
_CODES: Final = {"Hira": "Hiragana", "Kana": "Katakana", "Hans": "Han", "Hant": "Han", "Hani": "Han", "Hang": "Hangul"}
_NAMES: Final = {
    "Latn": "Latin", "Cyrl": "Cyrillic", "Arab": "Arabic", "Grek": "Greek", "Hebr": "Hebrew", "Deva": "Devanagari",
    "Beng": "Bengali", "Guru": "Gurmukhi", "Gujr": "Gujarati", "Taml": "Tamil", "Telu": "Telugu", "Knda": "Kannada",
    "Mlym": "Malayalam", "Sinh": "Sinhala", "Laoo": "Lao", "Mymr": "Myanmar", "Khmr": "Khmer", "Geor": "Georgian",
    "Armn": "Armenian", "Ethi": "Ethiopic", **_CODES,
}  # fmt: skip
# The script that each language is mostly written in, as in the likely subtags of the Unicode CLDR.
_WRITTEN: Final = {
    "Latin": "af az bs ca cs cy da de en es et eu fi fil fo fr ga gl ha hr ht hu id is it la lt lv mg ms mt nb nl nn no"
    " oc pl pt ro sk sl so sq sv sw tl tr uz vi xh yo zu",
    "Cyrillic": "be bg kk ky mk mn ru sr tg tt uk",
    "Arabic": "ar fa ps sd ug ur ckb",
    "Greek": "el", "Hebrew": "he iw yi", "Devanagari": "hi mr ne sa", "Bengali": "bn as", "Gurmukhi": "pa",
    "Gujarati": "gu", "Tamil": "ta", "Telugu": "te", "Kannada": "kn", "Malayalam": "ml", "Sinhala": "si",
    "Thai": "th", "Lao": "lo", "Myanmar": "my", "Khmer": "km", "Georgian": "ka", "Armenian": "hy", "Ethiopic": "am ti",
    "Han": "zh yue wuu", "Hangul": "ko", "Hiragana": "ja",
}  # fmt: skip
_SCRIPT_OF: Final = {language: script for script, languages in _WRITTEN.items() for language in languages.split()}
_KANA = ("Hiragana", "Katakana", "Han")
_ALSO: Final = {"Hiragana": _KANA, "Katakana": _KANA, "Hangul": ("Hangul", "Han")}
_FEWEST_LETTERS: Final = 12
_FEWEST_WORDS: Final = 3


def script_of(language: str) -> str:
    """Give Unicode's name of the script that *language*, a BCP 47 tag, is written in; empty where it is not known."""
    first, *rest = language.split("-")
    named = next((part.title() for part in rest if len(part) == 4 and part.isalpha()), "")
    return _NAMES.get(named, "") if named else _SCRIPT_OF.get(first.lower(), "")


def share_in_script(text: str, language: str) -> float | None:
    """Say which share of the letters of *text* are in the script of *language*; ``None`` where that says nothing."""
    script = script_of(language)
    letters = len(_LETTER.findall(text))
    if not script or letters < 3:
        return None
    scripts = _ALSO.get(script, (script,))
    inside = regex.compile("|".join(rf"(?=\p{{L}})\p{{Script={name}}}" for name in scripts))
    # ー and others are shared between scripts
    shared = regex.compile(r"(?=\p{L})\p{Script=Common}")
    return min((len(inside.findall(text)) + len(shared.findall(text))) / letters, 1.0)


@cache
def _identifier() -> Any:
    """Load the model once in a process: it takes a second."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


class Tongues:
    """Tells two languages apart."""

    def _ranked(self, text: str) -> dict[str, float]:
        return dict(_identifier().rank(text))

    def reads_as_source(self, text: str, source: str, target: str) -> float | None:
        """Say how likely *text* is in *source* rather than in *target*, 0 to 1.

        ``None`` where nobody can tell: few words, one language, or one that the model does not know.
        """
        one, other = (language.split("-")[0].lower() for language in (source, target))
        words = re.findall(r"[^\W\d_]+", text)
        if one == other or len(words) < _FEWEST_WORDS or sum(map(len, words)) < _FEWEST_LETTERS:
            return None
        ranked = self._ranked(text)
        if one not in ranked or other not in ranked:
            return None
        both = ranked[one] + ranked[other]
        return ranked[one] / both if both > 0.0 else None

    def guess(self, text: str) -> tuple[str, float]:
        """Say which language *text* is in, and how likely, 0 to 1; ``und`` for no words."""
        if not _LETTER.search(text):
            return "und", 0.0
        language, likely = next(iter(self._ranked(text).items()))
        return language, float(likely)


__all__ = ["Tongues", "script_of", "share_in_script"]
