"""A version's row of the shot's contact sheet: pictures of it, and what speaks for it and against it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from callboard.shots import sheets
from callboard_schemas import Match, Placeholder
from msgspec import Struct
from PIL import Image, ImageDraw

from callboard_placeholder.engine import Array
from callboard_placeholder.lettering import Colour, Letters, Weight, fit, letters_for, wrap
from callboard_placeholder.names import MARK

_ACROSS: Final = 1520
"""Pixels; a sheet is looked at on a screen beside other windows."""
_GAP: Final = 12
_PICTURE: Final = 300
"""Pixels across of one of the three pictures."""
_TALLEST: Final = 300
"""Pixels down of one; upright ones become narrower."""
_TEXT: Final = 19
_LINE: Final = 25
_BACK: Final[Colour] = (30, 30, 30)
_CARD: Final[Colour] = (44, 44, 44)
_WHITE: Final[Colour] = (238, 238, 238)
_GREY: Final[Colour] = (168, 168, 168)
_YELLOW: Final[Colour] = (255, 208, 0)
_AMBER: Final[Colour] = (255, 184, 64)
_TRACK: Final[Colour] = (80, 80, 80)
_WHAT, _BAR = 112, 120
"""Pixels of the column that says what was compared, and of a full bar."""
_MOST_NOTES: Final = 5
_NUMBER: Final = re.compile(rf"{MARK}(\d+)_")


class Shown(Struct, frozen=True, kw_only=True):
    """A version as it is shown."""

    pictures: list[Array]
    """The first, one from the middle, the last; fewer where it is short."""
    placeholder: Placeholder
    """With its file in its place."""


def keep(shown: Shown) -> None:
    """Draw a version's row and keep it beside its film; the same version gives the same bytes.

    Raises:
        OSError: it cannot be written.
    """
    told = shown.placeholder
    letters = letters_for({**told.parameters, "font": ""}, told.brief)
    sheets.keep(Path(told.file), _head(letters, told), _version(letters, shown))


class _Page:
    """Text and pictures put below one another, before it is known how high they are together."""

    def __init__(self, letters: Letters, width: int) -> None:
        self._letters, self.width = letters, width
        self._texts: list[tuple[int, int, str, int, Colour, Weight]] = []
        self._bars: list[tuple[int, int, int, int, Colour]] = []
        self._pictures: list[tuple[int, int, Image.Image]] = []
        self.bottom = 0

    def text(
        self, at: tuple[int, int], said: str, width: int, size: int, colour: Colour, weight: Weight = "regular"
    ) -> int:
        """Put one line, made smaller or cut where it is too long, and give where the next may begin."""
        done = fit(self._letters, said, size, width, weight, least=size - 4)
        self._texts.append((at[0], at[1] + size, done.lines[0], done.size, colour, weight))
        return self._down(at[1] + round(size * 1.35))

    def paragraph(self, at: tuple[int, int], said: str, width: int, size: int, colour: Colour, most: int = 3) -> int:
        """Put a text of several lines."""
        y = at[1]
        for line in wrap(self._letters, said, size, width, most).lines:
            self._texts.append((at[0], y + size, line, size, colour, "regular"))
            y += round(size * 1.35)
        return self._down(y)

    def bar(self, left: int, top: int, width: int, height: int, colour: Colour) -> None:
        """Put a filled rectangle."""
        if width > 0:
            self._bars.append((left, top, left + width - 1, top + height - 1, colour))
            self._down(top + height)

    def picture(self, left: int, top: int, picture: Image.Image) -> None:
        """Put a picture."""
        self._pictures.append((left, top, picture))
        self._down(top + picture.height)

    def draw(self, back: Colour, below: int = 0) -> Image.Image:
        """Draw it all, *below* pixels higher than it is."""
        made = Image.new("RGB", (self.width, self.bottom + below), back)
        pen = ImageDraw.Draw(made)
        for left, top, right, low, colour in self._bars:
            pen.rectangle((left, top, right, low), fill=colour)
        for left, top, picture in self._pictures:
            made.paste(picture, (left, top))
        for left, baseline, said, size, colour, weight in self._texts:
            self._letters.draw(made, (left, baseline), said, size, colour, weight)
        return made

    def _down(self, to: int) -> int:
        self.bottom = max(self.bottom, to)
        return to


def _head(letters: Letters, told: Placeholder) -> Image.Image:
    page = _Page(letters, _ACROSS)
    page.text((0, 4), told.shot, page.width - 300, 44, _WHITE, "bold")
    said = "PLACEHOLDERS"
    page.text((page.width - letters.width(said, 26, "bold"), 18), said, 300, 26, _YELLOW, "bold")
    y = 66
    if told.brief and told.brief.purpose:
        guess = f" (guess: {told.brief.guesses['purpose']})" if "purpose" in told.brief.guesses else ""
        y = page.paragraph((0, y), told.brief.purpose + guess, page.width, 24, _WHITE)
    beside = _neighbours(told)
    if beside:
        said = " · ".join(f"{side} it: {name}" for side, name in beside.items())
        page.text((0, y), said, page.width, _TEXT, _GREY)
    return page.draw(_BACK)


def _neighbours(told: Placeholder) -> dict[str, str]:
    return {one.side: one.name for one in told.brief.neighbours if one.name} if told.brief else {}


def _version(letters: Letters, one: Shown) -> Image.Image:
    """Draw one version: its pictures, what it is, and how it goes with its neighbours."""
    page = _Page(letters, _ACROSS)
    left, top = 16, 16
    pictures = [_small(picture, one.placeholder) for picture in one.pictures]
    for picture, number in zip(pictures, _numbers(len(pictures), one.placeholder.frames), strict=True):
        page.picture(left, top, picture)
        page.text((left, top + picture.height + 3), f"frame {number}", picture.width, 15, _GREY)
        left += picture.width + _GAP
    _facts(page, one, left + _GAP, top)
    y = page.bottom + _GAP
    half = (page.width - 32 - 2 * _GAP) // 2
    names = _neighbours(one.placeholder)
    for index, side in enumerate(("before", "after")):
        found = [match for match in one.placeholder.matches if match.side == side]
        if found:
            x = 16 + index * (half + 2 * _GAP)
            _matches(page, found, f"beside {names.get(side) or f'the shot {side}'}, {side} it", (x, y), half)
    return page.draw(_CARD, below=14)


def _small(picture: Array, told: Placeholder) -> Image.Image:
    """Bring a picture to the size of the sheet, in the shape in which it is seen."""
    across, down = (int(part) for part in (told.pixel_aspect or "1:1").split(":"))
    height, width = picture.shape[:2]
    seen = width * across / down
    scale = min(_PICTURE / seen, _TALLEST / height)
    size = (max(round(seen * scale), 1), max(round(height * scale), 1))
    return Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS)


def _numbers(count: int, frames: int) -> list[int]:
    """Give the numbers, from 1, of the pictures that are shown: the maker takes them evenly, the first and the last."""
    return [round(index * (frames - 1) / max(count - 1, 1)) + 1 for index in range(count)]


def _facts(page: _Page, one: Shown, left: int, top: int) -> None:
    told = one.placeholder
    room = page.width - left - 16
    y = page.text((left, top - 4), _called(told), room, 30, _WHITE, "bold")
    seed = "chance has no part" if told.seed is None else f"seed {told.seed}"
    y = page.text(
        (left, y), f"{seed} · {told.frames} frames at {told.rate} · {told.width} x {told.height}", room, _TEXT, _GREY
    )
    y = page.text((left, y), Path(told.file).name, room, _TEXT - 3, _GREY)
    if told.models:
        made = ", ".join(f"{name} {_short(version)}" for name, version in sorted(told.models.items()))
        y = page.paragraph((left, y), f"made with {made}", room, _TEXT - 3, _GREY, 3)
    if told.prompt:
        y = page.paragraph((left, y), f"prompt: {told.prompt}", room, _TEXT - 3, _GREY, 3)
    for note in told.notes[:_MOST_NOTES]:
        y = page.paragraph((left, y), f"• {note}", room, _TEXT - 2, _AMBER, 3)
    more = len(told.notes) - _MOST_NOTES
    if more > 0:
        said = "1 more note" if more == 1 else f"{more} more notes"
        page.text((left, y), f"… and {said}", room, _TEXT - 2, _AMBER)


def _called(told: Placeholder) -> str:
    """Say a version as its file's name does: the shot's versions are counted over all engines and requests."""
    named = _NUMBER.search(Path(told.file).name)
    return f"v{named[1] if named else told.version} · {told.generator}"


def _short(version: str) -> str:
    return version[:15] if version.startswith("sha256:") else version[:30]


def _matches(page: _Page, found: Sequence[Match], title: str, at: tuple[int, int], width: int) -> None:
    """Put what was compared with one neighbour: in which respect, how well it goes, and what was measured."""
    left, y = at
    y = page.text((left, y), title, width, _TEXT, _GREY, "bold") + 2
    for match in found:
        page.text((left, y), match.what, _WHAT, _TEXT, _WHITE)
        page.bar(left + _WHAT, y + 5, _BAR, 14, _TRACK)
        page.bar(left + _WHAT, y + 5, round(_BAR * match.score), 14, _YELLOW)
        page.text((left + _WHAT + _BAR + 10, y), f"{match.score:.2f}", 50, _TEXT, _WHITE)
        x = left + _WHAT + _BAR + 62
        below = page.paragraph((x, y + 2), match.note, left + width - x, _TEXT - 3, _GREY, 2)
        y = max(below, y + _LINE) + 2


__all__ = ["Shown", "keep"]
