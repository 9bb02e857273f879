"""Final Cut Pro 7 XML: what the library leaves open. Drop frame, marker colours and notes, and who made a clip."""

from __future__ import annotations

import math
from typing import Any

import msgspec
from callboard.timedtext.rate import Rate
from opentimelineio import core, opentime, schema

from callboard_otio.ours import marker_id, ours, placeholder_of, plain, put_ours, tagged, untagged
from callboard_otio.rates import frames, set_rate, span, start_frame, time_at

_NAME = "fcp_xml"
_FIELD = "mastercomment4"
_OURS = "callboard "
_RGB = {
    "RED": (255, 0, 0),
    "GREEN": (0, 255, 0),
    "BLUE": (0, 0, 255),
    "YELLOW": (255, 255, 0),
    "ORANGE": (255, 128, 0),
    "PURPLE": (128, 0, 255),
    "MAGENTA": (255, 0, 255),
    "CYAN": (0, 255, 255),
    "PINK": (255, 128, 192),
    "WHITE": (255, 255, 255),
    "BLACK": (0, 0, 0),
}


def after_reading(timeline: Any, rate: Rate) -> None:
    """Give markers their colours and notes, and clips what Callboard wrote on them."""
    if not timeline.metadata.get("callboard", {}).get("rate"):
        set_rate(timeline, rate)
    for thing in [timeline.tracks, *timeline.tracks, *timeline.find_children(descended_from_type=core.Item)]:
        for marker in getattr(thing, "markers", ()):
            _marker_read(marker)
    for item in [*timeline.tracks, *timeline.find_clips()]:
        item.enabled = str(_known(item).get("enabled", "TRUE")).upper() != "FALSE"
    for clip in timeline.find_clips():
        _clip_read(clip)


def _marker_read(marker: Any) -> None:
    known = _known(marker)
    colour = known.pop("color", None)
    if isinstance(colour, dict):
        marker.color = _nearest(colour)
    comment, ident = untagged(str(known.pop("comment", "") or ""))
    marker.comment = comment
    if ident:
        put_ours(marker, {"id": ident})
    if known:
        marker.metadata[_NAME] = known
    elif _NAME in marker.metadata:
        del marker.metadata[_NAME]


def _nearest(colour: dict[str, Any]) -> str:
    def number(name: str) -> int:
        text = str(colour.get(name, "0"))
        return int(text) if text.isdigit() else 0

    red, green, blue = number("red"), number("green"), number("blue")
    return min(_RGB, key=lambda name: sum(abs(a - b) for a, b in zip(_RGB[name], (red, green, blue), strict=True)))


def _clip_read(clip: Any) -> None:
    known = _known(clip)
    comments = known.get("comments")
    if not isinstance(comments, dict):
        return
    said = comments.get(_FIELD)
    if not isinstance(said, str) or not said.startswith(_OURS):
        return
    try:
        facts = msgspec.json.decode(said.removeprefix(_OURS))
    except msgspec.DecodeError:
        return
    del comments[_FIELD]
    if not comments:
        del known["comments"]
    clip.metadata[_NAME] = known
    if isinstance(facts, dict):
        put_ours(clip, facts)
        _at_its_source(clip)


def _at_its_source(clip: Any) -> None:
    """Let our stand-in begin where the clip's own media would: the library lets all uses of one file begin alike."""
    source = placeholder_of(clip).get("source")
    if not (isinstance(source, list) and len(source) == 2 and all(isinstance(one, int | float) for one in source)):
        return
    value, fps = source
    if not (math.isfinite(value) and abs(value) < 2**40 and 0 < fps <= 1000):
        return
    begin, known = opentime.RationalTime(value, fps), clip.media_reference.available_range
    clip.source_range = opentime.TimeRange(begin, clip.source_range.duration)
    if known is not None:
        clip.media_reference.available_range = opentime.TimeRange(begin, known.duration)


def before_writing(timeline: Any, rate: Rate) -> None:
    """Say in the library's own metadata what it would not write, on a copy that it is given to write."""
    timeline.global_start_time = time_at(start_frame(timeline, rate), rate)
    known = _known(timeline)
    known["timecode"] = {"displayformat": "DF" if rate.drop else "NDF"}
    timeline.metadata[_NAME] = known
    for marker in timeline.tracks.markers:
        _marker_write(marker, rate)
    for item in timeline.find_children(descended_from_type=core.Item):
        for marker in item.markers:
            _marker_write(marker, rate)
        if not item.enabled or "enabled" in _known(item):
            item.metadata[_NAME] = {**_known(item), "enabled": "TRUE" if item.enabled else "FALSE"}
        if isinstance(item, schema.Clip | schema.Stack) and item.source_range is None:
            item.source_range = item.trimmed_range()
        if isinstance(item, schema.Clip):
            _clip_write(item, rate)
    for number, clip in enumerate(timeline.find_clips(), 1):
        # the library writes one clip for all that are alike, and only the first of them has a place then
        clip.metadata[_NAME] = {**_known(clip), "@id": f"clipitem-{number}"}
    _give_lengths(list(timeline.find_clips()))


def _marker_write(marker: Any, rate: Rate) -> None:
    red, green, blue = _RGB.get(marker.color or "GREEN", _RGB["GREEN"])
    known = _known(marker)
    known["color"] = {"alpha": "0", "red": str(red), "green": str(green), "blue": str(blue)}
    note = tagged(marker.comment or "", marker_id(marker))
    if note:
        known["comment"] = note
    marker.metadata[_NAME] = known
    whole = marker.marked_range
    marker.marked_range = span(frames(whole.start_time, rate), frames(whole.duration, rate), rate)


def _clip_write(clip: Any, rate: Rate) -> None:
    facts = ours(clip)
    if facts:
        known = _known(clip)
        comments = known.setdefault("comments", {})
        if isinstance(comments, dict):
            comments[_FIELD] = _OURS + msgspec.json.encode(facts).decode()
        clip.metadata[_NAME] = known
    if clip.source_range.start_time.rate != clip.source_range.duration.rate:
        begin, count = clip.source_range.start_time, clip.source_range.duration
        clip.source_range = span(frames(begin, rate), frames(count, rate), rate)
    reference = clip.media_reference
    if isinstance(reference, schema.ImageSequenceReference):
        clip.media_reference = _first_frame(reference)
    if isinstance(reference, schema.GeneratorReference):
        reference.name = reference.name or reference.generator_kind or clip.name
        reference.available_range = reference.available_range or clip.source_range
        if "effecttype" not in _known(reference):  # without media of its own the library looks for a file's ending
            reference.metadata[_NAME] = {"media": {"video": None}, **_known(reference)}


def _known(thing: Any) -> dict[str, Any]:
    """Give what the library keeps of an object beside the model; an empty dict where it keeps nothing."""
    found = plain(thing.metadata.get(_NAME, {}))
    return found if isinstance(found, dict) else {}


def _first_frame(reference: Any) -> Any:
    """Name a sequence of pictures by its first one, as the format does."""
    url = reference.target_url_for_image_number(0) if reference.available_range else reference.target_url_base
    made = schema.ExternalReference(target_url=url, available_range=reference.available_range)
    made.name = reference.name or f"{reference.name_prefix}{reference.name_suffix}"
    return made


def _give_lengths(clips: list[Any]) -> None:
    """Give media of unknown length the part that is used: ``in`` counts from a file's first frame, so it needs one."""
    used: dict[str, Any] = {}
    unknown = [
        clip
        for clip in clips
        if isinstance(clip.media_reference, schema.ExternalReference) and clip.media_reference.available_range is None
    ]
    for clip in unknown:
        url = clip.media_reference.target_url
        before = used.get(url)
        used[url] = clip.source_range if before is None else before.extended_by(clip.source_range)
    for clip in unknown:
        clip.media_reference.available_range = used[clip.media_reference.target_url]


__all__ = ["after_reading", "before_writing"]
