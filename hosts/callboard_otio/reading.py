"""Reads a timeline from a file of any known format, and checks it before anything is done with it."""

from __future__ import annotations

import gc
import math
import os
import traceback
import warnings
from pathlib import Path
from typing import Any

import opentimelineio as otio
from callboard.errors import CallboardError, TimelineError, UsageError
from callboard.timedtext.rate import Rate, parse_rate
from msgspec import Struct
from opentimelineio import opentime, schema

from callboard_otio import edl, fcp7, fcpxml, guard
from callboard_otio.formats import format_of
from callboard_otio.rates import set_rate, timeline_rate

MAX_ITEMS = 200_000
"""Clips, gaps and transitions; a feature film has some thousands."""
MAX_FRAMES = 2**40
_AGAIN = "Export it again from the application that it came from; --json and the line above help its makers."


class Opened(Struct, frozen=True, kw_only=True):
    """A timeline as it was read."""

    timeline: Any
    format: str
    rate: Rate
    path: Path
    base: Path
    """The folder that relative media paths count from."""
    bundle: frozenset[str] = frozenset()
    """Names in the bundle, where it is one."""
    notes: tuple[str, ...] = ()
    """What was odd, and how it was read."""


def read(path: str | os.PathLike[str], rate: str = "") -> Any:
    """Read a timeline from a file.

    Args:
        path: .otio, .otioz, .otiod, .edl, .xml (Final Cut Pro 7), .fcpxml, .fcpxmld, .aaf or .ale.
        rate: Such as ``25`` or ``29.97df``, for files that do not say theirs, as no EDL and many ALE do.

    Returns:
        An ``opentimelineio.schema.Timeline``.

    Raises:
        TimelineError: it cannot be read; with the line or the element, and what to do.
        UsageError: *rate* is no frame rate.
    """
    return opened(Path(path), rate).timeline


def opened(path: Path, rate: str = "") -> Opened:
    """Read a timeline, with what is known of its file; see ``read``."""
    given, kind = given_rate(rate), format_of(path)
    notes: list[str] = []
    bundle: frozenset[str] = frozenset()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if kind == "otioz":
                data, bundle = guard.bundled(path)
                found = _otio(path, data)
            elif kind == "edl":
                found = _edl(path, given, notes)
            elif kind == "ale":
                found = _ale(path, given)
            else:
                found = _READERS[kind](path)
    except CallboardError:
        raise
    except RecursionError:
        raise TimelineError(str(path), "is nested too deep", _AGAIN) from None
    except Exception as error:  # noqa: BLE001 - libraries raise what they like at a file that is not what it should be
        raise TimelineError(str(path), f"cannot be read as {kind}: {_told(error)}", _AGAIN) from None
    timeline = _one(path, found, notes)
    _check(path, timeline)
    counted = given or timeline_rate(timeline)
    if given is not None:
        set_rate(timeline, given)
    if kind == "fcp7":
        fcp7.after_reading(timeline, counted)
    base = path if kind == "otiod" else path.absolute().parent
    return Opened(timeline=timeline, format=kind, rate=counted, path=path, base=base, bundle=bundle, notes=tuple(notes))


def given_rate(text: str) -> Rate | None:
    """Read a rate that a person gave.

    Raises:
        UsageError: it is none.
    """
    try:
        return parse_rate(text) if text else None
    except ValueError as error:
        raise UsageError(str(error), "Such as 24, 23.976, 25, 29.97, 29.97df or 59.94df.") from None


def _otio(path: Path, data: bytes) -> Any:
    guard.check_json(path, data)
    return otio.adapters.read_from_string(data.decode("utf-8"), "otio_json")


def _otio_file(path: Path) -> Any:
    return _otio(path, guard.contents(path))


def _otiod(path: Path) -> Any:
    inner = path / "content.otio"
    if not path.is_dir() or not inner.is_file():
        raise TimelineError(str(path), "is no folder with a content.otio in it", "It is no .otiod; export it again.")
    return _otio(path, guard.contents(inner))


def _edl(path: Path, given: Rate | None, notes: list[str]) -> Any:
    text = guard.text(path, guard.contents(path))
    rate, how = edl.rate_in(path, text, given)
    notes.extend([how] if how else [])
    ready = edl.before_reading(text, rate)
    try:
        found = otio.adapters.read_from_string(ready, "cmx_3600", rate=float(rate.fps))
    except Exception as strict:
        if "mismatch" not in str(strict) and "don't match" not in str(strict) and "Overlapping" not in str(strict):
            raise
        found = otio.adapters.read_from_string(ready, "cmx_3600", rate=float(rate.fps), ignore_timecode_mismatch=True)
        notes.append(f"{_told(strict)}; the source's length was taken")
    edl.after_reading(found, rate)
    return found


def _ale(path: Path, given: Rate | None) -> Any:
    text = guard.text(path, guard.contents(path))
    fps = float((given or Rate(24)).fps)
    return otio.adapters.read_from_string(text, "ale", fps=fps)


def _fcp7(path: Path) -> Any:
    data = guard.contents(path)
    root = guard.check_xml(path, data)
    if root != "xmeml":
        raise TimelineError(
            str(path), f"line 1: its root is <{root}>, not <xmeml>", "Export it as Final Cut Pro 7 XML."
        )
    return otio.adapters.read_from_string(data, "fcp_xml")


def _fcpxml(path: Path) -> Any:
    inner = path / "Info.fcpxml" if path.is_dir() else path
    data = guard.contents(inner)
    root = guard.check_xml(path, data)
    if root != "fcpxml":
        raise TimelineError(str(path), f"line 1: its root is <{root}>, not <fcpxml>", "Export it as FCPXML.")
    return fcpxml.parse(path, data)


def _aaf(path: Path) -> Any:
    with path.open("rb") as file:
        head = file.read(8)
    if head != bytes.fromhex("d0cf11e0a1b11ae1"):
        raise TimelineError(str(path), "is no AAF: it does not begin as one", "Check that its ending is right.")
    try:
        return otio.adapters.read_from_file(str(path), "AAF")
    except Exception as error:  # noqa: BLE001 - whatever it is, the library leaves its file open
        told = _told(error)
        traceback.clear_frames(error.__traceback__)
    gc.collect()
    raise TimelineError(str(path), f"cannot be read as aaf: {told}", _AGAIN)


_READERS = {"otio": _otio_file, "otiod": _otiod, "fcp7": _fcp7, "fcpxml": _fcpxml, "aaf": _aaf}


def _one(path: Path, found: Any, notes: list[str]) -> Any:
    """Make one timeline of what a file holds: the first of several, or a row of the clips of a log."""
    if isinstance(found, schema.Timeline):
        return found
    inside = list(found) if isinstance(found, schema.SerializableCollection) else [found]
    timelines = [one for one in inside if isinstance(one, schema.Timeline)]
    if timelines:
        if len(timelines) > 1:
            others = ", ".join(repr(one.name) for one in timelines[1:6])
            notes.append(f"holds {len(timelines)} timelines; this is {timelines[0].name!r}, the others are {others}")
        return timelines[0].deepcopy()
    clips = [one for one in inside if isinstance(one, schema.Clip)]
    if not clips:
        what = type(found).__name__
        raise TimelineError(str(path), f"holds a {what}, and no timeline or clip", "Export a timeline from it.")
    timeline = schema.Timeline(name=path.stem)
    track = schema.Track(name="clips", kind="Video")
    for clip in clips:
        own = clip.deepcopy()
        if own.source_range is None and own.media_reference.available_range is None:
            own.source_range = opentime.TimeRange(opentime.RationalTime(0, 24), opentime.RationalTime(0, 24))
        track.append(own)
    timeline.tracks.append(track)
    notes.append("is a list of clips, not a timeline: they stand here one after the other")
    return timeline


def _check(path: Path, timeline: Any) -> None:
    """Refuse times that are none: NaN, infinity, no rate, less than nothing, or beyond any clock."""
    if timeline.tracks is None:
        raise TimelineError(str(path), "its timeline has no tracks", _AGAIN)
    items = list(timeline.find_children())
    if len(items) > MAX_ITEMS:
        raise TimelineError(str(path), f"has {len(items):,} items; {MAX_ITEMS:,} are read", "Split it.")
    if timeline.global_start_time is not None:
        _check_time(path, "the timeline's start", timeline.global_start_time)
    for number, item in enumerate(items, 1):
        name = f"{type(item).__name__.lower()} {number} {item.name!r}"
        for time in _times(item):
            _check_time(path, name, time)
        try:
            length = item.duration()
        except Exception as error:  # noqa: BLE001 - an item that has no length raises one of several errors
            raise TimelineError(str(path), f"{name}: has no length: {_told(error)}", _AGAIN) from None
        if length.value < 0:
            raise TimelineError(str(path), f"{name}: is {length.value:g} frames long", _AGAIN)


def _times(item: Any) -> list[Any]:
    found = []
    if isinstance(item, schema.Transition):
        return [item.in_offset, item.out_offset]
    ranges = [item.source_range]
    if len(item.markers):  # to go through none takes 40 us
        ranges += [marker.marked_range for marker in item.markers]
    if isinstance(item, schema.Clip) and item.media_reference is not None:
        ranges.append(item.media_reference.available_range)
    for one in ranges:
        if one is not None:
            found += [one.start_time, one.duration]
    return found


def _check_time(path: Path, name: str, time: Any) -> None:
    if not math.isfinite(time.value) or abs(time.value) > MAX_FRAMES or not 0 < time.rate <= 1_000_000:
        raise TimelineError(str(path), f"{name}: {time.value:g} frames at {time.rate:g} per second are no time", _AGAIN)


def _told(error: BaseException) -> str:
    words = " ".join(str(error).split())
    return f"{type(error).__name__}: {words[:300]}" if words else type(error).__name__


__all__ = ["Opened", "given_rate", "opened", "read"]
