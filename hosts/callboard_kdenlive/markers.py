"""Markers: on a clip, at times of its media, or as guides on the timeline."""

from __future__ import annotations

import json
from typing import Any, Final, Literal

from callboard_schemas import HostMarker

from callboard_kdenlive.outcome import Work
from callboard_kdenlive.places import mapped
from callboard_kdenlive.properties import Element, drop, prop, put
from callboard_kdenlive.refs import number_of, ref_of
from callboard_kdenlive.sources import mirror

GUIDES: Final = "kdenlive:docproperties.guides"
MARKERS: Final = "kdenlive:markers"
TIMELINE: Final = "timeline"
"""Where guides are kept in our list."""
COLOURS: Final = {
    "purple": 0, "violet": 0, "blue": 1, "sky": 1, "cyan": 2, "teal": 2, "mint": 3, "green": 3, "lime": 4, "olive": 4,
    "yellow": 5, "sand": 5, "orange": 6, "lemon": 5, "coral": 7, "pink": 7, "rose": 7, "fuchsia": 7, "red": 8,
}  # fmt: skip
"""The nine categories that Kdenlive has from the start, by the names of their colours."""
Line = tuple[int, int, str]
"""Frame, category and comment: all that Kdenlive keeps of a marker."""


def write(work: Work) -> None:
    """Put markers on the use's clip; on the timeline where there is no use, or the command asks for guides."""
    clip = number_of(work.project, work.command.use.ref) if work.command.use is not None else ""
    guides = work.command.use is None or work.command.arguments.get("as") == "guides"
    carrier = work.project.bin if guides else work.project.clip(clip)
    if carrier is None:
        work.outcome.stale = f"{work.named} is not in the bin"
        return
    name, ref = (GUIDES, work.ref or TIMELINE) if guides else (MARKERS, ref_of(work.project, clip))
    there = _read(carrier, name)
    if there is None:
        work.outcome.refused = "the markers that the project has there cannot be read"
        return
    made = work.ledger.at(work.command.proposal, ref)
    kind: Literal["guides", "markers"] = "guides" if guides else "markers"
    there = _without(work, there, made.get(kind, []))
    made[kind] = _add(work, there, _lines(work, at_timeline=guides and work.command.use is not None))
    _store(work, carrier, name, there)


def _read(carrier: Element, name: str) -> list[dict[str, Any]] | None:
    try:
        read = json.loads(prop(carrier, name) or "[]")
    except (ValueError, RecursionError):
        return None
    return read if isinstance(read, list) and all(isinstance(one, dict) and _whole(one) for one in read) else None


def _whole(one: dict[str, Any]) -> bool:
    return isinstance(one.get("pos", 0), int) and isinstance(one.get("type", 0), int)


def _store(work: Work, carrier: Element, name: str, there: list[dict[str, Any]]) -> None:
    if there:
        put(carrier, name, json.dumps(sorted(there, key=_frame), ensure_ascii=False, indent=4) + "\n")
    elif prop(carrier, name) is not None:
        drop(carrier, name)
    if name == MARKERS:
        mirror(work.project, carrier, (MARKERS,))


def _frame(one: dict[str, Any]) -> int:
    return int(one.get("pos", 0))


def _line(one: dict[str, Any]) -> Line:
    return _frame(one), int(one.get("type", 0)), str(one.get("comment", ""))


def _without(work: Work, there: list[dict[str, Any]], ours: list[Any]) -> list[dict[str, Any]]:
    """Leave out what we made and nobody changed."""
    lines = {(int(frame), int(kind), str(comment)) for frame, kind, comment in ours}
    changed = len(lines - {_line(one) for one in there})
    if changed:
        work.outcome.miss(f"{changed} earlier marker(s)", "changed or taken out by a person; left as they are")
    return [one for one in there if _line(one) not in lines]


def _lines(work: Work, *, at_timeline: bool) -> list[Line]:
    """Say where each marker goes; two on one frame are one, as Kdenlive holds no more."""
    by_frame: dict[int, Line] = {}
    for marker in work.content.markers:
        places = mapped(work, marker.start) if at_timeline else [marker.start]
        if not places:
            work.outcome.notes.append(f"marker {marker.name!r} is of what the timeline does not show")
        for seconds in places:
            frame = round(seconds * work.project.fps)
            line = (frame, COLOURS.get(marker.colour.lower(), 1), _comment(marker))
            other = by_frame.get(frame)
            by_frame[frame] = line if other is None else (frame, other[1], f"{other[2]} / {line[2]}")
    return list(by_frame.values())


def _comment(marker: HostMarker) -> str:
    """Say all that a marker holds in its comment: Kdenlive 22.12 keeps a point and a text."""
    text = f"{marker.name}: {marker.note}" if marker.note and marker.note != marker.name else marker.name
    return f"{text} ({marker.duration:.1f} s)" if marker.duration > 0 else text


def _add(work: Work, there: list[dict[str, Any]], lines: list[Line]) -> list[Line]:
    taken = {_frame(one) for one in there}
    added: list[Line] = []
    for frame, kind, comment in lines:
        if frame in taken:
            work.outcome.miss(
                f"marker {comment!r}", f"another is at {work.project.clock(frame)}, and one frame holds one"
            )
            continue
        there.append({"comment": comment, "pos": frame, "type": kind})
        added.append((frame, kind, comment))
    return added


def clear(work: Work, ref: str, kind: str, ours: list[Any]) -> None:
    """Take markers of ours away."""
    name = GUIDES if kind == "guides" else MARKERS
    carrier = work.project.bin if kind == "guides" else work.project.clip(number_of(work.project, ref))
    there = _read(carrier, name) if carrier is not None else None
    if there is not None:
        _store(work, carrier, name, _without(work, there, ours))


def present(work: Work, ref: str, kind: str, ours: list[Any]) -> tuple[list[str], int]:
    """Name those of ours that are there, and count those that are not."""
    carrier = work.project.bin if kind == "guides" else work.project.clip(number_of(work.project, ref))
    there = (_read(carrier, GUIDES if kind == "guides" else MARKERS) if carrier is not None else None) or []
    lines = {_line(one) for one in there}
    names = [f"{kind[:-1]} {work.project.clock(f)} {c}" for f, k, c in ours if (f, k, c) in lines]
    return names, len(ours) - len(names)


__all__ = ["COLOURS", "GUIDES", "MARKERS", "clear", "present", "write"]
