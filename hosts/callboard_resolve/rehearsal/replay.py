"""Recordings of a real Resolve, held against the stand-in: each answer that differs is said."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

from callboard_resolve.contract import contract
from callboard_resolve.inside.record import FORMAT, record
from callboard_resolve.rehearsal.stage import Stage, Terms

ANY: Final = frozenset(
    {
        "ProjectManager.GetCurrentDatabase",
        "ProjectManager.DeleteProject",
        "Project.AddRenderJob",
        "Project.GetRenderJobList",
        "Project.SetSetting",
        "Resolve.GetCurrentPage",
        "MediaPoolItem.GetClipProperty",
    }
)
"""Calls of whose answers only the kind is compared: they tell of the machine, or in the language of the window."""
MEDIA: Final = {"picture": "picture.mov", "other": "other.mov", "sound": "sound.wav", "subtitles": "subtitles.srt"}
"""The files of a recording, by what they are."""
SUBTITLES: Final = "1\n00:00:00,500 --> 00:00:01,000\nOne\n\n2\n00:00:01,250 --> 00:00:02,000\nTwo\n"


def replay(recording: Mapping[str, Any]) -> list[str]:
    """Play the same scenes on the stand-in, and say what it answers otherwise.

    Raises:
        ValueError: the recording is of another format.
    """
    if recording.get("format") != FORMAT:
        raise ValueError(f"a recording of format {recording.get('format')!r}; this program knows {FORMAT}")
    ours = rehearse(_terms(recording))
    found = list(_absent(recording))
    theirs_calls, our_calls = recording["calls"], ours["calls"]
    for number, (theirs, mine) in enumerate(zip(theirs_calls, our_calls, strict=False)):
        if (theirs["on"], theirs["call"], theirs["with"]) != (mine["on"], mine["call"], mine["with"]):
            found.append(
                f"{number} {_named(theirs)}: the stand-in made {_named(mine)} here; all after it is not compared"
            )
            return found
        if not _same(theirs, mine):
            found.append(f"{number} {_named(theirs)}: {_answer(theirs)} there, {_answer(mine)} here")
    if len(theirs_calls) != len(our_calls):
        found.append(f"{len(theirs_calls)} calls there, {len(our_calls)} here")
    return found


def rehearse(terms: Terms) -> dict[str, Any]:
    """Record the stand-in itself."""
    stage = Stage(terms)
    with tempfile.TemporaryDirectory(prefix="callboard-") as name:
        folder = Path(name)
        for file in MEDIA.values():
            (folder / file).write_text(SUBTITLES, "utf-8")
        stage.lengths = dict.fromkeys(MEDIA.values(), ("24", 48))
        media = {what: str(folder / file) for what, file in MEDIA.items()}
        # through JSON and back, as a recording from a file went
        recorded: dict[str, Any] = json.loads(json.dumps(record(stage.resolve, media, name)))
    return recorded


def _terms(recording: Mapping[str, Any]) -> Terms:
    version = [int(one) for one in recording["version"][:3]]
    dates = sorted({method.since for methods in contract().objects.values() for method in methods.values()})
    known = [day for day in dates if not _missing(recording, day)]
    return Terms(
        product=str(recording["product"]),
        version=(version[0], version[1], version[2]),
        readme=max(known, default=dates[0]),
    )


def _missing(recording: Mapping[str, Any], readme: date) -> list[str]:
    return [
        f"{kind}.{name}"
        for kind, names in recording["methods"].items()
        for name, method in contract().offered(kind, readme).items()
        if name not in names and not method.studio
    ]


def _absent(recording: Mapping[str, Any]) -> Iterator[str]:
    """Name the methods that even the oldest README has, and this Resolve has not."""
    oldest = min(method.since for methods in contract().objects.values() for method in methods.values())
    for name in _missing(recording, oldest):
        yield f"{name}: this Resolve does not have it"


def _named(line: Mapping[str, Any]) -> str:
    return f"{line['scene']}: {line['on']['object']}.{line['call']}"


def _answer(line: Mapping[str, Any]) -> str:
    return repr(line.get("gives")) if "gives" in line else "no such method" if line.get("absent") else "an error"


def _same(theirs: Mapping[str, Any], mine: Mapping[str, Any]) -> bool:
    if ("gives" in theirs) != ("gives" in mine):
        return False
    if "gives" not in theirs:
        return bool(theirs.get("absent")) == bool(mine.get("absent"))
    full, one, other = f"{theirs['on']['object']}.{theirs['call']}", theirs["gives"], mine["gives"]
    if full == "Project.GetRenderJobStatus":
        return _progress(one) == _progress(other)
    if full in ANY:
        return type(one) is type(other) and bool(one) == bool(other)
    return _equal(one, other)


def _progress(status: Any) -> tuple[float, bool]:
    """Read what does not depend on the language of the window."""
    given = status if isinstance(status, dict) else {}
    return float(given.get("CompletionPercentage", 0)), bool(given.get("Error"))


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return math.isclose(one, other, abs_tol=0.002)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_equal(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_equal, one, other))
    return bool(one == other)


__all__ = ["ANY", "MEDIA", "SUBTITLES", "rehearse", "replay"]
