"""Which font draws which character: fonts from a wheel, the same on every machine, and the user's own."""

from __future__ import annotations

import hashlib
import importlib.metadata
import unicodedata
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Final, Literal

from callboard.errors import JobError
from PIL import Image, ImageDraw, ImageFont, features

Weight = Literal["regular", "bold", "mono"]

LEAST: Final = 8
"""Pixels of an em below which letters of these fonts can no longer be told apart; nothing is drawn smaller."""

_HOME: Final = "static/weblate_fonts"
_LATIN: Final[dict[Weight, str]] = {
    "regular": "source-sans/ttf/SourceSans3-Regular.ttf",
    "bold": "source-sans/ttf/SourceSans3-Bold.ttf",
    "mono": "source-code/ttf/SourceCodePro-Bold.ttf",
}
_CUT: Final[dict[Weight, str]] = {"regular": "Rg", "bold": "Bd", "mono": "Bd"}
_PROBE: Final = 24
"""Pixels at which a character is tried."""
_NO_CHARACTER: Final = "\uffff"
"""Stands for nothing in every font, so it gives the shape that a font draws for what it lacks."""


@lru_cache(maxsize=256)
def face(path: str, size: int, shaped: bool = False) -> ImageFont.FreeTypeFont:
    """Open a font file at a size in pixels of an em.

    Args:
        path: The file.
        size: Pixels.
        shaped: Join and order the letters as their script asks, where this machine has the library for it. Without,
            positions come from the font file alone and are the same everywhere.
    """
    engine = ImageFont.Layout.RAQM if shaped else ImageFont.Layout.BASIC
    return ImageFont.truetype(path, size, layout_engine=engine)


@lru_cache(maxsize=65536)
def has(path: str, character: str) -> bool:
    """Say whether a font has a shape of its own for a character."""
    return _shape(path, character) != _nothing(path)


@lru_cache(maxsize=64)
def _nothing(path: str) -> bytes:
    return _shape(path, _NO_CHARACTER)


def _shape(path: str, character: str) -> bytes:
    picture = Image.new("L", (2 * _PROBE, 2 * _PROBE))
    ImageDraw.Draw(picture).text((_PROBE // 2, _PROBE // 2), character, fill=255, font=face(path, _PROBE))
    return picture.tobytes()


@lru_cache(maxsize=1)
def can_shape() -> bool:
    """Say whether this machine can shape the scripts that need it: Pillow finds FriBiDi at run time."""
    return bool(features.check("raqm"))


def han_variant(text: str, language: str) -> str:
    """Choose whose shapes Chinese characters have: of what else is written, else of the language."""
    for character in text:
        if "\u3040" <= character <= "\u30ff":
            return "JP"
        if "\uac00" <= character <= "\ud7a3" or "\u1100" <= character <= "\u11ff":
            return "KR"
    tongue = language.lower().replace("_", "-")
    if tongue.startswith(("ja", "ko")):
        return {"ja": "JP", "ko": "KR"}[tongue[:2]]
    return "TC" if tongue.startswith("zh") and tongue.endswith(("-tw", "-hk", "-mo", "-hant")) else "SC"


@lru_cache(maxsize=64)
def candidates(weight: Weight, variant: str, own: Path | None, wide: bool = False) -> tuple[str, ...]:
    """List the font files that are tried for a character, the best first; *wide* ones are East Asian."""
    home = files("weblate_fonts") / _HOME
    cut = _CUT[weight]
    variants = dict.fromkeys([variant, "SC", "TC", "JP", "KR"])
    most = [_LATIN[weight], f"kurinto/ttf/KurintoSans-{cut}.ttf"]
    east = [f"kurinto/ttf/KurintoSans{name}-{cut}.ttf" for name in variants]
    names = [*east, *most] if wide else [*most, *east]
    if cut != "Rg":  # the bold fonts have fewer scripts
        names += [f"kurinto/ttf/KurintoSans{name}-Rg.ttf" for name in ("", *variants)]
    return tuple(([str(own)] if own else []) + [str(home / name) for name in names])


def checked(own: str) -> Path | None:
    """Look at the user's font before anything is drawn with it; nothing where none is named.

    Raises:
        JobError: it is no font that can be read.
    """
    if not own:
        return None
    try:
        face(own, _PROBE)
    except OSError as error:
        raise JobError(
            f"{own} is no font that can be read: {error}", "Set 'font' to a TrueType or OpenType file."
        ) from error
    return Path(own)


def versions(own: Path | None) -> dict[str, str]:
    """Say which fonts draw: their package's version, and the digest of the user's own."""
    told = {"fonts": f"weblate-fonts {importlib.metadata.version('weblate-fonts')}"}
    if own is not None:
        told["font"] = "sha256:" + hashlib.sha256(own.read_bytes()).hexdigest()
    return told


_COMPLEX: Final = ((0x0900, 0x0DFF), (0x0E00, 0x0FFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x1800, 0x18AF))
"""Blocks whose letters change shape or place beside one another: Indic scripts, Thai, Lao, Tibetan, Myanmar, Khmer,
Mongolian. Arabic is joined and ordered before a font sees it."""


def is_complex(character: str) -> bool:
    """Say whether a character is of a script that needs shaping."""
    return any(first <= ord(character) <= last for first, last in _COMPLEX)


def is_wide(character: str) -> bool:
    """Say whether a character is East Asian: ideographs, kana, Hangul and the punctuation between them."""
    return unicodedata.east_asian_width(character) in "WF"


def is_mark(character: str) -> bool:
    """Say whether a character sits on the one before it."""
    return unicodedata.category(character).startswith("M")


__all__ = [
    "LEAST",
    "Weight",
    "can_shape",
    "candidates",
    "checked",
    "face",
    "han_variant",
    "has",
    "is_complex",
    "is_mark",
    "is_wide",
    "versions",
]
