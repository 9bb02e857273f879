"""The flavour of OTIO that DaVinci Resolve's importer takes.

It refuses a document unless each clip is a ``Clip.2`` with a map of media under ``DEFAULT_MEDIA``, paths are bare (no
``file://``), and source ranges count in the media's own timecode, so each file says where it begins.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from callboard.timedtext.rate import Rate
from opentimelineio import core, opentime, schema

from callboard_otio.ours import plain
from callboard_otio.paths import local_path
from callboard_otio.rates import frames, span, start_frame, time_at

NAME = "resolve"
_META = "Resolve_OTIO"
_KEY = "DEFAULT_MEDIA"


def before_writing(timeline: Any, rate: Rate, folder: Path) -> tuple[str, ...]:
    """Change a copy of a timeline into Resolve's flavour.

    Args:
        timeline: Is changed.
        rate: Its frames per second.
        folder: Where relative paths count from.

    Returns:
        What a person should know: clips that Resolve will show offline.
    """
    timeline.global_start_time = time_at(start_frame(timeline, rate), rate)
    known = plain(timeline.metadata.get(_META, {}))
    timeline.metadata[_META] = {"Resolve OTIO Meta Version": "1.0", **known}
    notes = []
    for item in timeline.find_children(descended_from_type=core.Item):
        if isinstance(item, schema.Track):
            item.metadata[_META] = {"Locked": False, **plain(item.metadata.get(_META, {}))}
        elif isinstance(item, schema.Gap):
            item.source_range = span(0, frames(item.duration(), rate), rate)
        elif isinstance(item, schema.Clip):
            notes += _clip(item, rate, folder)
    return tuple(notes)


def _clip(clip: Any, rate: Rate, folder: Path) -> list[str]:
    reference = clip.media_reference.deepcopy()  # one that a clip holds already must not be given to it again
    whole = clip.trimmed_range()
    begin, count = frames(whole.start_time, rate), frames(whole.duration, rate)
    notes = []
    if isinstance(reference, schema.ExternalReference):
        path = local_path(reference.target_url or "")
        if path:
            reference.target_url = path if _absolute(path) else str(folder / path)
        reference.name = reference.name or Path(path).name
        known = reference.available_range
        if known is None:
            reference.available_range = span(begin, count, rate)
        elif not known.start_time.value and begin >= frames(known.duration, rate):
            # source ranges in timecode beside a file that is said to begin at zero
            reference.available_range = opentime.TimeRange(whole.start_time, known.duration)
    elif isinstance(reference, schema.MissingReference):
        notes.append(f"{clip.name}: has no file, so Resolve will show it offline")
    clip.source_range = span(begin, count, rate)
    clip.set_media_references({_KEY: reference}, _KEY)
    return notes


def _absolute(path: str) -> bool:
    return path.startswith("/") or path[1:2] == ":"


__all__ = ["NAME", "before_writing"]
