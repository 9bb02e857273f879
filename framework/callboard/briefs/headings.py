"""Slug lines: what a scene's heading in a screenplay says of where and when, in six languages.

``EXT. HARBOUR - NIGHT``: inside or outside, the place, the time of day (the standard form of screenplays, as in
https://fountain.io/syntax and https://en.wikipedia.org/wiki/Slug_(screenwriting)). What it does not say stays unknown.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from callboard_schemas import TimeOfDay
from msgspec import Struct


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_INSIDE: Final = _set("int interior inside innen innenraum interno intérieur interieur intérieure i")
_OUTSIDE: Final = _set("ext exterior outside aussen außen esterno extérieur exterieur extérieure e a")
_EITHER: Final = frozenset(("est", "establishing"))
_ALONE: Final = (_INSIDE | _OUTSIDE | _EITHER) - {"i", "e", "a"}  # one letter says something only beside another
_PARTS: Final[dict[TimeOfDay, str]] = {
    "dawn": "dawn sunrise daybreak morgengrauen morgendämmerung sonnenaufgang aube amanecer alba amanhecer alvorada",
    "day": "day morning noon midday afternoon daytime tag tags mittag mittags vormittag nachmittag jour matin midi "
    "après-midi día dia mañana mediodía tarde giorno mattina mezzogiorno pomeriggio manhã",
    "dusk": "dusk sunset twilight evening abend abends abenddämmerung sonnenuntergang crépuscule soir soirée atardecer "
    "anochecer crepúsculo tramonto sera crepuscolo entardecer anoitecer",
    "night": "night midnight nighttime nacht nachts mitternacht nuit minuit noche medianoche notte mezzanotte noite",
}
_TIMES: Final[dict[str, TimeOfDay]] = {word: time for time, words in _PARTS.items() for word in words.split()}
_PHRASES: Final[tuple[tuple[str, TimeOfDay | None], ...]] = (
    ("day for night", "night"),  # taken by day to look like night
    ("magic hour", "dusk"),
    ("golden hour", None),  # after sunrise as before sunset
    ("blue hour", None),
    ("early morning", None),  # may be dark, dawn or day
    ("früher morgen", None),
    ("day to night", None),
)
_SAME: Final = _set(
    "continuous continued cont cont'd same later moments minutes hours weiter später gleich durchgehend suite continu "
    "continuo continua mismo más"
)
_ASIDE: Final = (
    _set(
        "early late mid the next following time moment moment's a few some in of den am früh spät flashback dream "
        "present past establishing moving travelling traveling driving parked"
    )
    | _SAME
)
_NUMBER = re.compile(r"^(?:#\s*)?(?:\d+[a-z]{0,2}|[a-z]\d+)(?:[.)]|\s*#)?\s+(?=\S)", re.IGNORECASE)
_BEHIND = re.compile(r"\s+(?:#\s*)?\d+[a-z]{0,2}(?:\s*#)?$", re.IGNORECASE)
_SIDE = r"[^\W\d_]{1,11}"
_FRONT = re.compile(
    rf"^({_SIDE})(?:\.|(?=[\s/:,]|$))\s*(?:[/\\+&-]\s*({_SIDE})(?:\.|(?=[\s:,]|$)))?[\s.:,–—-]*", re.UNICODE
)
_BETWEEN = re.compile(r"\s+[-–—]+\s+|\s*[–—]\s*|\s*--+\s*|\s+/\s+|\s*\|\s*")
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_IN_BRACKETS = re.compile(r"\s*\(([^()]*)\)")


class Heading(Struct, frozen=True, kw_only=True):
    """What a slug line says."""

    interior: bool | None = None
    """Nothing where it says neither, or both."""
    place: str = ""
    time_of_day: TimeOfDay | None = None
    same: bool = False
    """The time of the scene before goes on: ``CONTINUOUS``, ``LATER``."""


def read_heading(text: str) -> Heading:
    """Read a slug line; what it does not say, or says twice, stays unknown. Any text is taken."""
    line = unicodedata.normalize("NFC", text).strip().lstrip(".").strip()
    line, numbered = _NUMBER.subn("", line)
    if numbered:
        line = _BEHIND.sub("", line)
    interior, line = _front(line)
    line, aside = _without_brackets(line)
    parts = [part for part in (piece.strip(" .,:") for piece in _pieces(line)) if part]
    times: list[TimeOfDay | None] = []
    place, same = [], aside
    for part in parts:
        found = _of_part(part)
        if found is None:
            place.append(part)
            continue
        times += found.times
        same = same or found.same
        interior = found.interior if interior is None else interior
    only: set[TimeOfDay] = {time for time in times if time}
    time: TimeOfDay | None = only.pop() if len(only) == 1 and None not in times else None
    return Heading(interior=interior, place=_tidy(" - ".join(place)), time_of_day=time, same=same)


def is_heading(text: str) -> bool:
    """Say whether a text is a slug line beyond doubt: in capitals, and it begins with inside or outside."""
    front = _FRONT.match(text.strip())
    return front is not None and front[1].isupper() and "." in front[0] and bool(_sides(front)[0])


class _Part(Struct, frozen=True, kw_only=True):
    times: tuple[TimeOfDay | None, ...]
    same: bool
    interior: bool | None


def _front(line: str) -> tuple[bool | None, str]:
    """Take inside or outside off the beginning."""
    front = _FRONT.match(line)
    sides, end = _sides(front) if front else (set[str](), 0)
    return (_which(sides), line[end:].lstrip(" \t/.:,–—-")) if sides else (None, line)


def _sides(front: re.Match[str]) -> tuple[set[str], int]:
    """Give what a beginning says, and where it ends; nothing where its words are others."""
    first, second = front[1].casefold(), (front[2] or "").casefold()
    known = _fold(_INSIDE | _OUTSIDE | _EITHER)
    if second and first in known and second in known:
        return {first, second}, front.end()
    return ({first}, front.end(1)) if first in _fold(_ALONE) else (set(), 0)


def _fold(words: frozenset[str]) -> frozenset[str]:
    return frozenset(word.casefold() for word in words)


def _which(sides: set[str]) -> bool | None:
    inside, outside = bool(sides & _fold(_INSIDE)), bool(sides & _fold(_OUTSIDE))
    return inside if inside != outside else None


def _without_brackets(line: str) -> tuple[str, bool]:
    """Drop brackets that say no place: that it moves, which day of the story it is. Also whether time goes on."""
    dropped: list[str] = []

    def judge(found: re.Match[str]) -> str:
        words = _words(found[1])
        if all(word in _ASIDE or word in _TIMES or word.isdigit() for word in words):
            dropped.extend(words)
            return ""
        return found[0]

    line = _IN_BRACKETS.sub(judge, line)
    return line, any(word in _SAME for word in dropped)


def _pieces(line: str) -> list[str]:
    """Split at dashes; at the last full stops, commas and hyphens too, where only a time or a side is behind."""
    first, *rest = reversed(_BETWEEN.split(line))
    behind: list[str] = []
    while _of_part(first) is None and (mark := next((each for each in ".,-" if _says(first.rpartition(each))), "")):
        first, _, last = first.rpartition(mark)
        behind.insert(0, last)
    return [*reversed(rest), first, *behind]


def _says(split: tuple[str, str, str]) -> bool:
    before, mark, behind = split
    part = _of_part(behind) if mark and before.strip() else None
    return part is not None and bool(part.times or part.interior is not None)


def _of_part(part: str) -> _Part | None:
    """Read a part that says only when, or inside or outside; ``None`` where it says anything else."""
    folded = " ".join(_words(part))
    times: list[TimeOfDay | None] = []
    for phrase, time in _PHRASES:
        if re.search(rf"\b{phrase}\b", folded):
            folded = re.sub(rf"\b{phrase}\b", "", folded)
            times.append(time)
    words = folded.split()
    sides = {word for word in words if word in _fold(_ALONE)}
    rest = [word for word in words if word not in sides]
    times.extend(_TIMES[word] for word in rest if word in _TIMES)
    if not all(word in _TIMES or word in _ASIDE or word.isdigit() for word in rest):
        return None
    same = any(word in _SAME for word in rest)
    if not times and not sides and not same:
        return None
    return _Part(times=tuple(times), same=same, interior=_which(sides) if sides else None)


def _words(text: str) -> list[str]:
    """Give the words, small; a hyphen stays only where the word is known with it."""
    found: list[str] = []
    for word in (each[0].lower().replace("’", "'") for each in _WORD.finditer(text)):
        found += [word] if word in _TIMES or "-" not in word else word.split("-")
    return found


def _tidy(place: str) -> str:
    """Write a place that shouts as one reads it."""
    place = " ".join(place.split()).strip(" -–—.,:/")
    if place != place.upper():
        return place
    return re.sub(r"[^\W\d_][\w'’]*", lambda word: word[0][:1] + word[0][1:].lower(), place)


__all__ = ["Heading", "is_heading", "read_heading"]
