"""Which shot each item is, and how a cut and a shot list differ."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from callboard.coverage.cut import Cut, Item
from callboard.coverage.seeing import Seen
from callboard.coverage.shotlist import Listed, Shot
from callboard.shots.naming import PLACEHOLDER, best
from callboard.sources.kinds import KINDS

_VERSION: Final = re.compile(r"[\s._-]+v(?:er|ersion)?[._-]?\d{1,6}$", re.IGNORECASE)
_APART: Final = re.compile(r"[\s._-]+")
_NAMES_LOOKED: Final = 200_000
"""Comparisons of a name with a listed shot's; beyond, only names that are the same count."""


class Compared(Struct, frozen=True, kw_only=True):
    """A cut against a shot list."""

    file: str
    shots: int
    absent: tuple[str, ...] = ()
    """Shots of the list that the cut does not have."""
    unknown: tuple[str, ...] = ()
    """Shots of the cut that the list does not have."""
    longer: tuple[str, ...] = ()
    """Shots that the cut shows for more frames than the list says."""


def folded(name: str) -> str:
    """Give a shot's name as names are compared: small as large, and separators as each other."""
    return _APART.sub("_", name.strip()).strip("_").casefold()


def shot_of(text: str) -> str:
    """Give the shot that a clip's or a file's name names, without what makes it a file, a version or a stand-in."""
    name = text
    stem, ending = os.path.splitext(name)
    if ending and os.fsencode(ending).lower() in KINDS:
        name = stem
    cut = PLACEHOLDER.search(name)
    name = name[: cut.start()] if cut else name
    return _VERSION.sub("", name).strip()


def named(cut: Cut, listed: Listed | None, seen: Sequence[Seen]) -> Cut:
    """Say of each item which shot it is; with a list, of gaps too, where the list leaves but one answer."""
    find = _Finder(listed.shots if listed is not None else ())
    items = [replace(one, shot=find.of(one)) for one in cut.items]
    if listed is not None:
        guessed = _by_time(cut, items, listed) if listed.timed else _by_order(items, listed, seen)
        items = [replace(one, **guessed[one.ref]) if one.ref in guessed else one for one in items]
    return replace(cut, items=tuple(items))


class _Finder:
    def __init__(self, shots: Sequence[Shot]) -> None:
        self._known = {folded(one.name): one.name for one in shots}
        self._names = [one.name for one in shots]
        self._looks = _NAMES_LOOKED
        self._seen: dict[tuple[str, ...], str] = {}

    def of(self, item: Item) -> str:
        """Give the listed shot that an item's names lead to, else what its own name says."""
        path = item.numbered.pattern if item.numbered is not None else item.media
        texts = tuple(filter(None, (item.shot, item.name, os.path.basename(path))))
        if texts not in self._seen:
            self._seen[texts] = self._look(texts)
        return self._seen[texts]

    def _look(self, texts: tuple[str, ...]) -> str:
        plain = [shot_of(one) for one in texts]
        for one in plain:
            if folded(one) in self._known:
                return self._known[folded(one)]
        for one in plain:
            self._looks -= len(self._names)
            if self._looks > 0 and (found := best(one, self._names)) is not None:
                return found.shot
        return next((one for one in plain if one), "")


def _by_time(cut: Cut, items: Sequence[Item], listed: Listed) -> dict[str, dict[str, object]]:
    """Name gaps by the listed shot whose time overlaps most of each."""
    named: dict[str, dict[str, object]] = {}
    timed = [one for one in listed.shots if one.start is not None and one.frames]
    taken = {one.shot for one in items if one.shot}
    for item in items:
        if item.state != "gap" or item.covered or item.shot:
            continue
        begin = cut.start + item.start
        lap = {one.name: min(begin + item.frames, _end(one)) - max(begin, one.start or 0) for one in timed}
        most = max(lap, key=lambda name: lap[name], default="")
        if most and lap[most] * 2 > item.frames and most not in taken:
            named[item.ref] = {"shot": most, "guesses": {"shot": "from the shot list's timecode"}}
    return named


def _end(shot: Shot) -> int:
    return (shot.start or 0) + (shot.frames or 0)


def _by_order(items: Sequence[Item], listed: Listed, seen: Sequence[Seen]) -> dict[str, dict[str, object]]:
    """Name gaps by the shots that the list has between those beside them, where there are as many of both."""
    at = {one.name: number for number, one in enumerate(listed.shots)}
    by_ref = {one.ref: one for one in items}
    row = list(dict.fromkeys(part.ref for part in seen if part.ref in by_ref))
    present = {one.shot for one in items if one.shot in at}
    named: dict[str, dict[str, object]] = {}
    before = -1
    runs = [(hole, list(some)) for hole, some in groupby(row, key=lambda ref: _nameless(by_ref[ref], at))]
    for number, (hole, refs) in enumerate(runs):
        if not hole:
            before = at.get(by_ref[refs[-1]].shot, before)
            continue
        behind = len(listed.shots)
        if number + 1 < len(runs):
            behind = at.get(by_ref[runs[number + 1][1][0]].shot, behind)
        between = [one.name for one in listed.shots[before + 1 : behind] if one.name not in present]
        if len(between) == len(refs):
            why = {"shot": "from the shot list's order"}
            named |= {ref: {"shot": shot, "guesses": why} for ref, shot in zip(refs, between, strict=True)}
    return named


def _nameless(item: Item, at: dict[str, int]) -> bool:
    return item.state == "gap" and item.shot not in at


def compared(cut: Cut, listed: Listed) -> Compared:
    """Say which shots only one of both has."""
    shots = {one.name: one for one in listed.shots}
    used = [one for one in cut.items if one.shot and one.enabled and (one.state != "gap" or one.shot in shots)]
    present = {one.shot for one in used}
    long = [one.shot for one in used if (known := shots.get(one.shot)) and known.frames and one.frames > known.frames]
    return Compared(
        file=listed.path,
        shots=len(listed.shots),
        absent=_once(name for name in shots if name not in present),
        unknown=_once(one.shot for one in used if one.shot not in shots),
        longer=_once(long),
    )


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


__all__ = ["Compared", "compared", "folded", "named", "shot_of"]
