"""Puts a stand-in where a shot is missing, frame for frame, and takes it away again. Nothing else moves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import opentimelineio as otio
from callboard.errors import TimelineError
from callboard.timedtext.rate import Rate
from msgspec import Struct
from opentimelineio import opentime, schema

from callboard_otio.finding import Place, Spot, places, spot_of
from callboard_otio.guard import check_json
from callboard_otio.media import Finder
from callboard_otio.ours import ours, placeholder_of, put_ours
from callboard_otio.paths import file_url
from callboard_otio.rates import span, timeline_rate

STILLS = frozenset([".png", ".jpg", ".jpeg", ".tif", ".tiff", ".exr", ".dpx", ".bmp", ".tga", ".psd", ".webp", ".gif"])
GENERATORS = ("SMPTEBars", "black", "slug")


class StandIn(Struct, frozen=True, kw_only=True):
    """What goes where a shot is missing: a file, or a generator."""

    ident: str
    """The proposal's id, or one that is made of what a person named; everything we make carries it."""
    file: Path | None = None
    generator: str = ""
    name: str = ""
    frames: int | None = None
    """How long the file is at the timeline's rate; nothing for a still, or where that is not known."""
    facts: dict[str, Any] = {}
    """Written beside the id, such as which generator made it."""


def replace_gap(timeline: Any, spot: Spot | str, stand_in: StandIn, *, rate: Rate | None = None) -> Spot | None:
    """Put a stand-in where a gap, a clip without media, or an older stand-in of ours is.

    The item keeps its place and its length to the frame; a clip keeps its name, range and markers, and what it had
    before is kept in ``metadata["callboard"]["placeholder"]`` so that ``take_away`` gives it back.

    Args:
        timeline: Is changed.
        spot: As ``gaps`` and ``missing`` give them, or a ref such as ``V1-48``.
        stand_in: What goes there.
        rate: In place of the timeline's own.

    Returns:
        The spot that was filled; nothing when it stood so already.

    Raises:
        TimelineError: there is nothing at that place, it is a person's clip with media, or the file is too short.
    """
    counted = rate or timeline_rate(timeline)
    ref = spot if isinstance(spot, str) else spot.ref
    place = next((one for one in places(timeline, counted) if f"{one.name}-{one.start}" == ref), None)
    if place is None:
        raise TimelineError(ref, "nothing begins there", "'callboard timeline inspect' lists what can be filled.")
    if isinstance(spot, str) and _is_theirs(place.item):
        problem = f"{place.item.name!r} is a person's clip, and has media"
        raise TimelineError(ref, problem, "Only what is missing is filled.")
    if not put(place, stand_in, counted):
        return None
    return spot if isinstance(spot, Spot) else spot_of(timeline, place, counted, "ours")


def put(place: Place, stand_in: StandIn, rate: Rate) -> bool:
    """Put a stand-in at a place that is known; says whether anything changed. See ``replace_gap``.

    Raises:
        TimelineError: the file is too short, or a nested timeline begins there.
    """
    ref = f"{place.name}-{place.start}"
    if stand_in.frames is not None and stand_in.frames < place.frames:
        short = f"{stand_in.file} has {stand_in.frames} frames, and {place.frames} are missing"
        raise TimelineError(ref, short, "Give a longer file, or a still.")
    if isinstance(place.item, schema.Gap):
        _into_gap(place, stand_in, rate)
        return True
    if not isinstance(place.item, schema.Clip):
        raise TimelineError(ref, "a nested timeline begins there", "Fill it in the timeline that it holds.")
    known = placeholder_of(place.item)
    if known.get("id") == stand_in.ident and known.get("made") == _made(stand_in):
        return False
    _into_clip(place, stand_in, rate)
    return True


def take_away(timeline: Any, ident: str = "", *, rate: Rate | None = None) -> list[Spot]:
    """Take our stand-ins away, those of one id or all, and give back what was there.

    Returns:
        Where there was one.
    """
    counted = rate or timeline_rate(timeline)
    found = [
        place
        for place in places(timeline, counted)
        if isinstance(place.item, schema.Clip)
        and placeholder_of(place.item)
        and ident in ("", placeholder_of(place.item).get("id"))
    ]
    for place in found:
        known = placeholder_of(place.item)
        if known.get("for") == "gap":
            place.track[place.index] = _gap_again(place, known)
        else:
            _clip_again(place.item, known)
    return [spot_of(timeline, place, counted, "ours") for place in found]


def arrived(timeline: Any, finder: Finder, *, rate: Rate | None = None) -> list[Spot]:
    """Take away the stand-ins of clips whose own media is there again.

    Returns:
        Where there was one.
    """
    counted = rate or timeline_rate(timeline)
    found = []
    for place in places(timeline, counted):
        known = placeholder_of(place.item) if isinstance(place.item, schema.Clip) else {}
        if known.get("for") != "missing":
            continue
        own = place.item.deepcopy()
        _clip_again(own, known)
        if not finder.find(own, counted).missing:
            _clip_again(place.item, known)
            found.append(spot_of(timeline, place, counted, "ours"))
    return found


def _made(stand_in: StandIn) -> str:
    return file_url(stand_in.file) if stand_in.file is not None else stand_in.generator


def _is_theirs(item: Any) -> bool:
    """Say whether an item is a clip of a person's that has media, as far as the timeline says."""
    lacks = not isinstance(item, schema.Clip) or isinstance(item.media_reference, schema.MissingReference)
    return not lacks and not placeholder_of(item)


def _reference(stand_in: StandIn, begin: int, count: int, rate: Rate) -> Any:
    """Give a reference that begins where the clip does: its media has no timecode of its own to keep to."""
    if stand_in.file is None:
        return schema.GeneratorReference(
            name=stand_in.generator, generator_kind=stand_in.generator, available_range=span(begin, count, rate)
        )
    made = schema.ExternalReference(
        target_url=file_url(stand_in.file), available_range=span(begin, stand_in.frames or count, rate)
    )
    made.name = stand_in.file.name
    return made


def _facts(stand_in: StandIn, what: str, was: str) -> dict[str, Any]:
    return {**stand_in.facts, "id": stand_in.ident, "for": what, "made": _made(stand_in), "was": was}


def _into_gap(place: Place, stand_in: StandIn, rate: Rate) -> None:
    gap = place.item
    clip = schema.Clip(
        name=stand_in.name or gap.name or "placeholder",
        media_reference=_reference(stand_in, 0, place.frames, rate),
        # exactly as long as the gap, in the gap's own rate, so that no sum behind it comes out otherwise
        source_range=opentime.TimeRange(opentime.RationalTime(0, gap.duration().rate), gap.duration()),
    )
    was = otio.adapters.write_to_string(gap, "otio_json", indent=-1)
    markers = [marker.deepcopy() for marker in gap.markers]
    begin = gap.trimmed_range().start_time
    for marker in markers:
        whole = marker.marked_range
        marker.marked_range = opentime.TimeRange(whole.start_time - begin, whole.duration)
    clip.markers.extend(markers)
    put_ours(clip, {"placeholder": _facts(stand_in, "gap", was)})
    place.track[place.index] = clip


def _into_clip(place: Place, stand_in: StandIn, rate: Rate) -> None:
    clip, known = place.item, placeholder_of(place.item)
    what = str(known.get("for", "missing"))
    was = str(known.get("was", ""))  # an older stand-in of ours is nothing to give back
    if not known:
        was = otio.adapters.write_to_string(clip.media_reference, "otio_json", indent=-1)
    speeds = [abs(one.time_scalar) for one in clip.effects if isinstance(one, schema.LinearTimeWarp)]
    used = round(place.frames * max([1.0, *speeds]))
    clip.media_reference = _reference(stand_in, place.source, used, rate)
    if what == "gap" and stand_in.name:
        clip.name = stand_in.name
    start = clip.trimmed_range().start_time
    facts = {**_facts(stand_in, what, was), "source": [start.value, start.rate]}
    put_ours(clip, {**ours(clip), "placeholder": facts})


def _gap_again(place: Place, known: dict[str, Any]) -> Any:
    length = place.item.duration()
    again = parsed(str(known.get("was", "")))
    if not isinstance(again, schema.Gap) or again.duration() != length:
        again = schema.Gap(source_range=opentime.TimeRange(opentime.RationalTime(0, length.rate), length))
    return again


def _clip_again(clip: Any, known: dict[str, Any]) -> None:
    again = parsed(str(known.get("was", "")))
    is_media = isinstance(again, schema.ExternalReference | schema.ImageSequenceReference | schema.MissingReference)
    clip.media_reference = again if is_media else schema.MissingReference()
    put_ours(clip, {key: value for key, value in ours(clip).items() if key != "placeholder"})


def parsed(text: str) -> Any:
    """Read an object that a timeline keeps as text; nothing where it cannot be read."""
    if not text:
        return None
    try:
        check_json(Path("metadata"), text.encode())
        return otio.adapters.read_from_string(text, "otio_json")
    except Exception:  # noqa: BLE001 - the file's own text: whatever it is, there is then nothing to give back
        return None


__all__ = ["GENERATORS", "STILLS", "StandIn", "arrived", "parsed", "put", "replace_gap", "take_away"]
