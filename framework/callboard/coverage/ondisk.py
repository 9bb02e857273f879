"""A shot list without a timeline: which of its shots are on disk."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from callboard.coverage.cut import Cut, Frames, Item
from callboard.coverage.matching import folded, shot_of
from callboard.coverage.shotlist import Listed, Shot
from callboard.shots.naming import PLACEHOLDER, best, version_of
from callboard.sources.kinds import KINDS
from callboard.sources.sequences import Group, group, padding_of

_MOST_FILES: Final = 500_000
_LOOKED: Final = 2_000_000
"""Comparisons of a file's name with a shot's."""


def cut_of(listed: Listed, roots: Sequence[Path]) -> Cut:
    """Make a cut of a shot list: its shots one after the other, each with what is on disk for it.

    Of several files of one shot the real one goes before a stand-in, and the highest version before all others.

    Args:
        listed: The shots.
        roots: Folders to look in.
    """
    files = _by_shot(listed.shots, roots)
    items, at = [], 0
    for number, shot in enumerate(listed.shots):
        frames = shot.frames
        start = shot.start - _begin(listed) if listed.timed and shot.start is not None else at
        items.append(_item(shot, number, start, files.get(shot.name)))
        at = start + frames
    return Cut(
        path=listed.path,
        format="shot list",
        rate=listed.rate,
        start=_begin(listed),
        width=listed.width,
        height=listed.height,
        tracks=("shots",),
        items=tuple(items),
        timed=listed.timed,
        notes=listed.notes,
    )


def _begin(listed: Listed) -> int:
    return min((one.start or 0 for one in listed.shots), default=0) if listed.timed else 0


def _item(shot: Shot, number: int, start: int, found: Item | None) -> Item:
    """Put what was found where its shot is; the list says how much of it is wanted, and not from where."""
    place = {"ref": f"S{number + 1}", "track": "shots", "start": start, "frames": shot.frames, "name": shot.name}
    if found is None:
        return Item(state="offline", problem="no file of its name is in the folders", shot=shot.name, **place)  # type: ignore[arg-type]  # a dict of mixed values
    return Item(
        state="real",
        shot=shot.name,
        media=found.media,
        how="name",
        numbered=_wanted(shot, found.numbered),
        source_frames=shot.frames,
        known=(0, shot.frames) if shot.frames and found.numbered is None else None,
        **place,  # type: ignore[arg-type]  # the same
    )


def _by_shot(shots: Sequence[Shot], roots: Sequence[Path]) -> dict[str, Item]:
    known = {folded(one.name): one.name for one in shots}
    names, looks = list(known.values()), _LOOKED
    chosen: dict[str, tuple[tuple[bool, int, str], Item]] = {}
    for one in _files(roots):
        name = os.path.basename(one.media)
        shot = known.get(folded(shot_of(name)))
        if shot is None and looks > 0:
            looks -= len(names)
            match = best(name, names)
            shot = match.shot if match is not None else None
        if shot is None:
            continue
        stands_in = PLACEHOLDER.search(name) is not None
        rank = (not stands_in, version_of(os.path.splitext(name)[0]) or 0, one.media)
        if shot not in chosen or rank > chosen[shot][0]:
            chosen[shot] = (rank, one)
    return {shot: item for shot, (_, item) in chosen.items()}


def _files(roots: Sequence[Path]) -> Iterator[Item]:
    """Give the films, pictures and sequences of some folders."""
    count = 0
    for root in dict.fromkeys(os.path.realpath(one) for one in roots):
        for folder, inside, names in os.walk(root):
            inside[:] = sorted(one for one in inside if not one.startswith("."))
            count += len(names)
            if count > _MOST_FILES:
                return
            wanted = sorted(os.fsencode(name) for name in names if _is_picture(name))
            groups, single = group(wanted)
            for one in groups:
                yield _sequence(folder, one)
            for name in single:
                yield Item(
                    ref="", track="", start=0, frames=0, state="real", media=os.path.join(folder, os.fsdecode(name))
                )


def _sequence(folder: str, found: Group) -> Item:
    first = found.frames[0]
    numbered = Frames(
        folder=folder,
        prefix=os.fsdecode(first.prefix),
        suffix=os.fsdecode(first.suffix),
        padding=padding_of(found.sequence),
        first=found.sequence.first,
        last=found.sequence.last,
    )
    return Item(ref="", track="", start=0, frames=0, state="real", media=numbered.pattern, numbered=numbered)


def _wanted(shot: Shot, numbered: Frames | None) -> Frames | None:
    """Say which numbers a shot should have: from the first that is there, as many as the list says, without a hole."""
    if numbered is None:
        return None
    return replace(numbered, last=max(numbered.last, numbered.first + shot.frames - 1))


def _is_picture(name: str) -> bool:
    kind = KINDS.get(os.fsencode(os.path.splitext(name)[1].lower()))
    return kind in ("video", "image") and not name.startswith(".")


__all__ = ["cut_of"]
