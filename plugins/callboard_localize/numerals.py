"""Numbers in a text: which they are, and how another language writes them."""

from __future__ import annotations

import re
from typing import Final

UNITS: Final = (
    r"km/h|m/s|km²|m²|m³|km|cm|mm|µm|nm|m|kg|mg|µg|g|ml|cl|dl|l|kHz|MHz|GHz|Hz|dB|kW|MW|W|kV|V|mA"
    r"|kB|MB|GB|TB|fps|px|dpi"
)
"""Symbols that are the same in most languages (SI brochure, ninth edition, and what film uses)."""
NUMBER: Final = (
    r"(?:(?<!\w)[-−+](?=[\d$€£¥₹]))?(?:(?:US)?[$€£¥₹]\s?)?"
    r"(?<![\w.,])\d+(?:[.,:'’/\u00a0\u202f]\d+)*(?!\w)"
    rf"(?:\s?(?:%|‰|°\s?[CF]?|[€£¥₹$])(?!\w)|[ \u00a0\u202f]?(?:{UNITS})(?![\w/]))?"
)
"""A pattern: a number with its sign, currency or unit; not ``1st`` or ``1990s``, whose ending is language."""
_POINT: Final = re.compile(r"(?<![\d.,:/])\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\d,:/])|(?<![\d.,:/])\d+\.\d+(?![\d.,:/])")
_COMMA: Final = re.compile(
    r"(?<![\d.,:/])\d{1,3}(?:[.\u00a0\u202f]\d{3})+(?:,\d+)?(?![\d.:/])|(?<![\d.,:/])\d+,\d+(?![\d.,:/])"
)
_DIGITS: Final = re.compile(r"\d+")
# Separators as in the Unicode CLDR, number symbols by locale (https://cldr.unicode.org).
_BY_POINT = "ca da de el es eu gl hr id is it nl pt ro sl sr tr vi bs mk sq"
_BY_SPACE = "be bg cs et fi fr hu hy ka kk lt lv nb nn no pl ru sk sv uk uz"
_BY_COMMA = "es-mx es-us es-pr es-gt es-hn es-ni es-pa es-pe es-sv es-do es-cr"
_GROUPED_BY_POINT: Final = frozenset(_BY_POINT.split())
_GROUPED_BY_SPACE: Final = frozenset(_BY_SPACE.split())
_GROUPED_BY_COMMA: Final = frozenset(_BY_COMMA.split())
_GROUPED_BY_QUOTE: Final = frozenset({"de-ch", "de-li", "it-ch"})


def separators(language: str) -> tuple[str, str]:
    """Give the decimal separator and the one between thousands in *language*, a BCP 47 tag."""
    tag = language.lower()
    if tag in _GROUPED_BY_QUOTE:
        return (".", "’")
    if tag in _GROUPED_BY_COMMA:
        return (".", ",")
    first = tag.split("-")[0]
    if first in _GROUPED_BY_POINT:
        return (",", ".")
    if first in _GROUPED_BY_SPACE:
        return (",", "\u202f" if first == "fr" else "\u00a0")
    return (".", ",")


def written_in(number: str, source: str, target: str) -> str:
    """Write *number*, as *source* writes it, with the separators of *target*; times and dates stay as they are."""
    (decimal, _), (new_decimal, new_group) = separators(source), separators(target)
    if decimal == new_decimal:
        return number

    def swap(found: re.Match[str]) -> str:
        whole, point, rest = found[0].rpartition(decimal)
        if not point:
            whole, rest = found[0], ""
        if re.search(r"[^\d]", whole):
            whole = re.sub(r"[^\d]", new_group, whole)
        return whole + (new_decimal + rest if rest else "")

    return (_POINT if decimal == "." else _COMMA).sub(swap, number)


def digits(text: str) -> list[str]:
    """Give the runs of digits in *text*, sorted: what no translation changes, however it separates them."""
    return sorted(_DIGITS.findall(text))


__all__ = ["NUMBER", "UNITS", "digits", "separators", "written_in"]
