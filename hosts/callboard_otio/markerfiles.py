"""Markers as files of their own: an EDL that DaVinci Resolve imports as timeline markers, one with LOC lines, a CSV.

Resolve reads the text before the first ``|`` of the line behind an event as the marker's note; a note that begins with
a digit it takes for an event. LOC lines are what Avid writes and reads.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any, Literal

from callboard.timedtext.rate import Rate

from callboard_otio.marking import Mark, timecode

RESOLVE_COLOURS = {
    "RED": "Red",
    "ORANGE": "Sand",
    "YELLOW": "Yellow",
    "GREEN": "Green",
    "CYAN": "Cyan",
    "BLUE": "Blue",
    "PURPLE": "Purple",
    "MAGENTA": "Fuchsia",
    "PINK": "Pink",
    "WHITE": "Cream",
    "BLACK": "Cocoa",
}
"""Resolve has sixteen marker colours; these are the nearest."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so is a formula to a spreadsheet (https://owasp.org/www-community/attacks/CSV_Injection)."""
_GUARD = "\u2060"
"""Word joiner: it has no width, and keeps a spreadsheet from running what was said."""
_COLUMNS = ("timecode", "end", "frame", "frames", "track", "colour", "name", "note", "id")


def marker_edl(marks: Sequence[Mark], timeline: Any, rate: Rate, style: Literal["resolve", "loc"] = "resolve") -> str:
    """Write markers as an EDL of one event each; markers on one frame become one, for Resolve keeps only the first.

    Args:
        marks: As ``marking.marks`` gives them.
        timeline: Gives the title and the start.
        rate: Of the timeline.
        style: ``resolve`` for its Timelines > Import > Timeline Markers from EDL, ``loc`` for Avid and others.
    """
    count = "DROP FRAME" if rate.drop else "NON-DROP FRAME"
    out = [f"TITLE: {_line(timeline.name or 'markers')}", f"FCM: {count}", ""]
    for number, mark in enumerate(_one_each(marks), 1):
        begin = timecode(mark, timeline, rate)
        end = timecode(Mark(start=mark.start, frames=1, name=""), timeline, rate, end=True)
        out.append(f"{number:03d}  001      V     C        {begin} {end} {begin} {end}  ")
        if style == "loc":
            out += [f"* LOC: {begin} {mark.colour:7} {_line(mark.name or mark.note)}", ""]
        else:
            note, name = _note(mark.note), _line(mark.name) or f"Marker {number}"
            colour = RESOLVE_COLOURS.get(mark.colour, "Blue")
            out += [f"{note} |C:ResolveColor{colour} |M:{name} |D:{mark.frames}", ""]
    return "\n".join(out) + "\n"


def _one_each(marks: Sequence[Mark]) -> list[Mark]:
    found: dict[int, Mark] = {}
    for mark in marks:
        before = found.get(mark.start)
        if before is None:
            found[mark.start] = mark
        else:
            found[mark.start] = Mark(
                start=mark.start,
                frames=max(before.frames, mark.frames),
                name=" / ".join(one for one in (before.name, mark.name) if one),
                note=" / ".join(one for one in (before.note, mark.note) if one),
                colour=before.colour,
            )
    return [found[start] for start in sorted(found)]


def _line(text: str) -> str:
    return " ".join(text.replace("|", "/").split())


def _note(text: str) -> str:
    line = " / ".join(_line(one) for one in text.splitlines() if one.strip())
    return f"- {line}" if line[:1].isdigit() or line[:1] == "*" else line


def marker_csv(marks: Sequence[Mark], timeline: Any, rate: Rate) -> str:
    """Write markers as a table, one a line; cells that a spreadsheet would run as a formula are guarded."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(_COLUMNS)
    for mark in marks:
        begin, end = timecode(mark, timeline, rate), timecode(mark, timeline, rate, end=True)
        words = (mark.track, mark.colour, mark.name, mark.note, mark.ident)
        table.writerow([begin, end, mark.start, mark.frames, *map(_cell, words)])
    return text.getvalue()


def _cell(text: str) -> str:
    return _GUARD + text if text.startswith(_FORMULA) else text


__all__ = ["RESOLVE_COLOURS", "marker_csv", "marker_edl"]
