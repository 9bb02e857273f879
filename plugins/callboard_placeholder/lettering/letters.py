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
from callboard_schemas import Parameters
from msgspec import Struct
from PIL import Image, ImageDraw

from callboard_placeholder.lettering import fonts
from callboard_placeholder.lettering.fonts import Weight

Colour = tuple[int, int, int]

_RIGHT_TO_LEFT: Final = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
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

    def __init__(self, own: Path | None = None, language: str = "") -> None:
        """Choose the fonts.

        Args:
            own: A font of the user's, tried first.
            language: A tag such as ``ja``; decides between the shapes of Chinese characters where nothing else does.
        """
        self._own, self._language = own, language
        self.lacking: set[str] = set()
        """Characters that no font has."""
        self.unshaped = False
        """A script was drawn whose letters should have been joined, and this machine cannot."""

    def width(self, text: str, size: int, weight: Weight = "regular") -> int:
        """Measure a line in pixels."""
        return math.ceil(self._long(self.runs(text, weight), size * _finer(size)) / _finer(size))

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
        order = fonts.candidates(weight, fonts.han_variant(text, self._language), self._own)
        runs, lacking, unshaped = _runs(seen, order)
        self.lacking.update(lacking)
        self.unshaped |= unshaped
        return runs

    def notes(self) -> tuple[str, ...]:
        """Say what a person should know of what was drawn so far."""
        told = []
        if self.lacking:
            shown = " ".join(sorted(self.lacking)[:12])
            told.append(f"No font here has {shown}: a square stands for each. Set 'font' to one that has them.")
        if self.unshaped:
            told.append("A script was drawn without joining its letters: install FriBiDi (Debian: libfribidi0).")
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
def _runs(seen: str, order: tuple[str, ...]) -> tuple[tuple[Run, ...], frozenset[str], bool]:
    runs: list[Run] = []
    lacking: set[str] = set()
    unshaped = False
    for character in seen:
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
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Cn") and not "\ufe00" <= character <= "\ufe0f"


@lru_cache(maxsize=4096)
def visual(text: str) -> str:
    """Put a line into the order in which it is seen, from the left, with the letters of Arabic joined."""
    if not _RIGHT_TO_LEFT.search(text):
        return text
    if _ARABIC.search(text):
        text = _reshaper().reshape(text)
    return str(get_display(text))


@lru_cache(maxsize=1)
def _reshaper() -> ArabicReshaper:
    return ArabicReshaper(configuration={"language": "Arabic", "delete_harakat": True, "support_ligatures": True})


def letters_for(parameters: Parameters) -> Letters:
    """Make letters as the plugin's parameters ask.

    Raises:
        JobError: the font that they name cannot be read.
    """
    return Letters(fonts.checked(str(parameters.get("font") or "")), str(parameters.get("language") or ""))


__all__ = ["Colour", "Letters", "Run", "clean", "letters_for", "visual"]
