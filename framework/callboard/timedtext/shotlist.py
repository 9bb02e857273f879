"""When shots change: read from a list, or found in the media itself."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from msgspec import Struct

from callboard.errors import SubtitleError
from callboard.timedtext.rate import Rate, rate_of

_LIST = (".txt", ".csv", ".tsv", ".json", ".shotchanges", ".scenechanges")
"""Endings of files that hold a list; others are media."""
_LARGEST = 16 * 1024 * 1024
_SECONDS = re.compile(r"\d+(?:\.\d+)?")
_CLOCK = re.compile(r"(\d+):([0-5]?\d):([0-5]?\d(?:[.,]\d+)?)")


class Shots(Struct, frozen=True):
    """Shot changes, and what else the media says."""

    times: tuple[float, ...]
    """Seconds at which shots begin, in order."""
    duration: float = 0.0
    """Seconds; 0 where it is not known."""
    rate: Rate | None = None


def read_shots(path: Path, rate: Rate | None = None) -> Shots:
    """Read a list of shot changes, or find the hard cuts of a film.

    A list has one time a line, or is a JSON array: seconds, ``HH:MM:SS.mmm``, or timecode where a rate is given. Text
    after the first blank, comma or semicolon of a line is left out, and so are lines that begin with ``#``.

    Raises:
        SubtitleError: a line holds no time; the error names it.
        MediaError: the file is no list and cannot be decoded.
        OSError: it cannot be opened.
    """
    if path.suffix.lower() not in _LIST:
        return _of_media(path)
    with path.open("rb") as file:
        data = file.read(_LARGEST)
    text = data.decode("utf-8-sig", "replace")
    entries = _json_entries(path, text) if text.lstrip().startswith("[") else _entries(text)
    return Shots(tuple(sorted(_seconds(path, line, entry, rate) for line, entry in entries)))


def _entries(text: str) -> list[tuple[int, str]]:
    parts = (
        (line, re.split(r"[\s;]|,(?!\d)", row.strip(), maxsplit=1)[0]) for line, row in enumerate(text.splitlines(), 1)
    )
    return [(line, entry) for line, entry in parts if entry and not entry.startswith("#")]


def _json_entries(path: Path, text: str) -> list[tuple[int, str]]:
    try:
        values = json.loads(text)
    except ValueError as error:
        raise SubtitleError(path.name, f"is no JSON array: {error}") from None
    return [(0, str(value)) for value in values]


def _seconds(path: Path, line: int, entry: str, rate: Rate | None) -> float:
    if _SECONDS.fullmatch(entry):
        return float(entry)
    if clock := _CLOCK.fullmatch(entry):
        return int(clock[1]) * 3600 + int(clock[2]) * 60 + float(clock[3].replace(",", "."))
    if rate is not None:
        try:
            return rate.seconds(rate.frame_of(entry))
        except ValueError as error:
            raise SubtitleError(path.name, str(error), line=line) from None
    raise SubtitleError(path.name, f"{entry!r} is no time", line=line, hint="Timecode needs the frame rate: --rate 25.")


def _of_media(path: Path) -> Shots:
    from callboard.media.client import open_media
    from callboard.media.cuts import SIDE, CutFinder
    from callboard.shm import make_folder

    folder = make_folder()
    try:
        with open_media(path, shm_folder=folder) as media:
            facts = media.probe()
            finder = CutFinder()
            for frame in media.frames(max_side=SIDE) if facts.video else ():
                finder.add(frame.time, frame.index, frame.pixels)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    stream = facts.video[0] if facts.video else None
    known = stream is not None and stream.frame_rate > 0 and not stream.variable_rate
    rate = rate_of(stream.frame_rate) if stream is not None and known else None
    return Shots(tuple(cut.time for cut in finder.cuts()), facts.duration, rate)


__all__ = ["Shots", "read_shots"]
