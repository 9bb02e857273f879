"""Measures and draws one line of text in whatever scripts it is."""

from __future__ import annotations

import math
import re
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import Final

from arabic_reshaper import ArabicReshaper
from bidi import get_display
from bidi.mirror import MIRRORED
from callboard_schemas import Brief, Parameters
from msgspec import Struct, json
from PIL import Image, ImageDraw

from callboard_placeholder.lettering import fonts
from callboard_placeholder.lettering.fonts import Weight

Colour = tuple[int, int, int]

_RIGHT_TO_LEFT: Final = re.compile("[\u200e\u200f\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_DIRECTIONS: Final = "\u200e\u200f"
"""Left-to-right mark and right-to-left mark."""
_STACKED: Final = re.compile("[\u0e31\u0e34-\u0e37\u0eb1\u0eb4-\u0eb7][\u0e48-\u0e4c\u0ec8-\u0ecb]")
"""A vowel above a letter, and a tone above that."""
_TAG: Final = "\u034f"
"""Combining grapheme joiner: not seen, and carried along by the character before it. Where text runs from the right it
comes to stand before that character, which tells which brackets have to be turned round."""
_PAIRED: Final = re.compile(f"[{re.escape(''.join(MIRRORED))}]")
_TAGGED: Final = re.compile(f"{_TAG}({_PAIRED.pattern})|({_PAIRED.pattern}){_TAG}")
_ARABIC: Final = re.compile("[\u0600-\u08ff]")
_SMALL: Final = 28
"""Pixels of an em."""
_BASELINE: Final = 1.3
"""Of an em, from the top of a line with marks above its letters."""
_LACKING: Final = "\u25a1"
"""A white square, where no font has the character."""


class Run(Struct, frozen=True):
    """Characters that one font draws."""

    text: str
    path: str
    shaped: bool


class Letters:
    """Draws text with fonts that are the same everywhere, and remembers what it could not do."""

    def __init__(self, own: Path | None = None, language: str = "", text: str = "") -> None:
        """Choose the fonts.

        Args:
            own: A font of the user's, tried first.
            language: A tag such as ``ja``; decides between the shapes of Chinese characters where *text* does not.
            text: All that will be drawn: kana make its Chinese characters Japanese.
        """
        self._own, self._variant = own, fonts.han_variant(text, language)
        self._lengths: dict[tuple[str, int, Weight], float] = {}
        self.lacking: set[str] = set()
        """Characters that no font has."""
        self.unshaped = False
        """A script was drawn whose letters should have been joined, and this machine cannot."""
        self.stacked = False
        """Thai or Lao was drawn by fonts that have no rule for a mark above a mark."""

    def width(self, text: str, size: int, weight: Weight = "regular") -> int:
        """Measure a line in pixels."""
        return math.ceil(self.length(text, size, weight))

    def length(self, text: str, size: int, weight: Weight = "regular") -> float:
        """Measure a line or a word in pixels and parts of one; what was measured is remembered."""
        key = (text, size, weight)
        if key not in self._lengths:
            self._lengths[key] = self._long(self.runs(text, weight), size * _finer(size)) / _finer(size)
        return self._lengths[key]

    @staticmethod
    def _long(runs: tuple[Run, ...], size: int) -> float:
        return sum(fonts.face(run.path, size, run.shaped).getlength(run.text) for run in runs)

    def draw(
        self, picture: Image.Image, at: tuple[int, int], text: str, size: int, colour: Colour | int, weight: Weight
    ) -> int:
        """Draw a line whose baseline begins at *at*, and give the x behind it."""
        runs = self.runs(text, weight)
        finer = _finer(size)
        if finer == 1:
            _write(picture, at, runs, size, colour)
            return at[0] + math.ceil(self._long(runs, size))
        wide = math.ceil(self._long(runs, size * finer) / finer)
        cover = Image.new("L", ((wide + 2) * finer, size * 2 * finer))
        _write(cover, (finer, round(size * _BASELINE) * finer), runs, size * finer, 255)
        picture.paste(colour, (at[0] - 1, at[1] - round(size * _BASELINE)), cover.reduce(finer))
        return at[0] + wide

    def runs(self, text: str, weight: Weight) -> tuple[Run, ...]:
        """Cut a line, in the order in which it is seen, into what each font draws."""
        seen = visual(clean(text))
        runs, lacking, unshaped = _runs(seen, weight, self._variant, self._own)
        self.lacking.update(lacking)
        self.unshaped |= unshaped
        self.stacked |= self._own is None and bool(_STACKED.search(text))
        return runs

    def notes(self) -> tuple[str, ...]:
        """Say what a person should know of what was drawn so far."""
        told = []
        if self.lacking:
            shown = " ".join(sorted(self.lacking)[:12])
            told.append(f"No font here has {shown}: a square stands for each. Set 'font' to one that has them.")
        if self.unshaped:
            told.append("A script was drawn without joining its letters: install FriBiDi (Debian: libfribidi0).")
        if self.stacked:
            told.append("Marks above Thai and Lao letters may touch: set 'font' to a font made for these scripts.")
        return tuple(told)

    def versions(self) -> dict[str, str]:
        """Say which fonts draw."""
        return fonts.versions(self._own)


def _finer(size: int) -> int:
    """Say how many times larger small letters are drawn before they are brought down.

    A font's hints bring each letter to whole pixels, which closes the spaces between words at these sizes.
    """
    return 4 if size < _SMALL else 1


def _write(picture: Image.Image, at: tuple[int, int], runs: tuple[Run, ...], size: int, colour: Colour | int) -> None:
    pen = ImageDraw.Draw(picture)
    x: float = at[0]
    for run in runs:
        font = fonts.face(run.path, size, run.shaped)
        pen.text((round(x), at[1]), run.text, fill=colour, font=font, anchor="ls")
        x += font.getlength(run.text)


@lru_cache(maxsize=4096)
def _runs(seen: str, weight: Weight, variant: str, own: Path | None) -> tuple[tuple[Run, ...], frozenset[str], bool]:
    runs: list[Run] = []
    lacking: set[str] = set()
    unshaped = False
    for character in seen:
        order = fonts.candidates(weight, variant, own, fonts.is_wide(character))
        path = next((path for path in order if fonts.has(path, character)), None)
        if path is None:
            lacking.add(character)
            character = _LACKING
            path = next((path for path in order if fonts.has(path, character)), order[-1])
        shaped = fonts.is_complex(character)
        unshaped |= shaped and not fonts.can_shape()
        shaped &= fonts.can_shape()
        if runs and (character == " " or fonts.is_mark(character)) and fonts.has(runs[-1].path, character):
            path, shaped = runs[-1].path, runs[-1].shaped
        if runs and (runs[-1].path, runs[-1].shaped) == (path, shaped):
            runs[-1] = Run(runs[-1].text + character, path, shaped)
        else:
            runs.append(Run(character, path, shaped))
    return tuple(runs), frozenset(lacking), unshaped


def clean(text: str) -> str:
    """Write text so that each letter is one character, and leave out what has no shape."""
    kept = (one for one in unicodedata.normalize("NFC", text) if one.isspace() or _has_shape(one))
    return re.sub(r"\s+", " ", "".join(kept))


def _has_shape(character: str) -> bool:
    """Say whether something is drawn for a character, or it says which way text runs."""
    if character in _DIRECTIONS:
        return True
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Cn") and not "\ufe00" <= character <= "\ufe0f"


@lru_cache(maxsize=4096)
def visual(text: str) -> str:
    """Put a line into the order in which it is seen, from the left, with the letters of Arabic joined."""
    if not _RIGHT_TO_LEFT.search(text):
        return text
    if _ARABIC.search(text):
        text = _reshaper().reshape(text)
    seen = str(get_display(_PAIRED.sub(rf"\g<0>{_TAG}", text)))
    turned = _TAGGED.sub(lambda found: MIRRORED[found[1]] if found[1] else found[2], seen)
    return "".join(one for one in turned if one not in _DIRECTIONS)


@lru_cache(maxsize=1)
def _reshaper() -> ArabicReshaper:
    return ArabicReshaper(configuration={"language": "Arabic", "delete_harakat": True, "support_ligatures": True})


def letters_for(parameters: Parameters, brief: Brief | None = None) -> Letters:
    """Make letters as the plugin's parameters ask, for a brief and what stands beside it.

    Raises:
        JobError: the font that they name cannot be read.
    """
    text = "" if brief is None else json.encode(brief).decode()
    return Letters(fonts.checked(str(parameters.get("font") or "")), str(parameters.get("language") or ""), text)


__all__ = ["Colour", "Letters", "Run", "clean", "letters_for", "visual"]
