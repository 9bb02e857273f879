"""Finds what a timeline lacks: gaps without a picture, clips whose media is not there, slugs and black."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from callboard.coverage.cut import Cut, Item
from callboard.coverage.seeing import picture
from callboard.timedtext.rate import Rate
from msgspec import Struct
from opentimelineio import schema

from callboard_otio.losses import laid_out
from callboard_otio.media import Finder, Found
from callboard_otio.ours import placeholder_of
from callboard_otio.rates import frames, start_frame, timeline_rate

_BLACK = frozenset(("black", "slug", "bl", "black video", "slate", "bars", "smptebars", "bars and tone", "filler"))


class Spot(Struct, frozen=True, kw_only=True):
    """A place on a timeline where something is to be done."""

    ref: str
    """Such as ``V1-48``: the track, and the first frame from the timeline's start. Stays while the cut does."""
    kind: Literal["gap", "missing", "slug", "ours"]
    track: str
    start: int
    """Frames from the timeline's start."""
    frames: int
    timecode: str
    """Of its first frame, as the timeline counts."""
    end: str
    """Timecode of the frame behind it."""
    rate: str
    name: str = ""
    covered: bool = False
    """Another track of the same kind has something there all along, so nobody sees that it is empty."""
    media: str = ""
    """What the timeline says its file is."""
    problem: str = ""


class Place(Struct, frozen=True):
    """An item in its track, with where it stands."""

    item: Any
    track: Any
    index: int
    name: str
    """Of the track: ``V1``, ``A2``."""
    start: int
    frames: int
    source: int
    """First frame of media."""


def places(timeline: Any, rate: Rate) -> Iterator[Place]:
    """Give every item of the tracks that has a length, but transitions; first track first."""
    numbers = {"V": 0, "A": 0}
    for track in timeline.tracks:
        letter = "A" if getattr(track, "kind", "") == "Audio" else "V"
        numbers[letter] += 1
        if not isinstance(track, schema.Track):
            continue
        name = f"{letter}{numbers[letter]}"
        for one in laid_out(track, rate):
            if not isinstance(one.item, schema.Transition):
                yield Place(one.item, track, one.number, name, one.start, one.frames, one.source)


def gaps(timeline: Any, *, rate: Rate | None = None, covered: bool = False, audio: bool = False) -> list[Spot]:
    """Give the gaps of a timeline in which no picture is seen.

    Args:
        timeline: An ``opentimelineio.schema.Timeline``.
        rate: In place of the timeline's own.
        covered: Give those too where another track has a picture all along.
        audio: Give gaps of audio tracks too.
    """
    counted = rate or timeline_rate(timeline)
    everything = [one for one in places(timeline, counted) if one.track.enabled and (audio or one.name[0] == "V")]
    holes = _holes(everything, counted)
    found = [(one, f"{one.name}-{one.start}" not in holes) for one in everything if isinstance(one.item, schema.Gap)]
    return [
        spot_of(timeline, place, counted, "gap", covered=hidden) for place, hidden in found if covered or not hidden
    ]


def missing(timeline: Any, roots: Sequence[Path] | Finder = (), *, rate: Rate | None = None) -> list[Spot]:
    """Give the clips whose media is not there, is there in part only, or names no file.

    Args:
        timeline: An ``opentimelineio.schema.Timeline``.
        roots: Folders to look in, or what looks.
        rate: In place of the timeline's own.
    """
    counted = rate or timeline_rate(timeline)
    finder = roots if isinstance(roots, Finder) else Finder(roots)
    found = []
    for place in places(timeline, counted):
        if isinstance(place.item, schema.Clip) and not placeholder_of(place.item):
            media = finder.find(place.item, counted)
            if media.missing:
                found.append(spot_of(timeline, place, counted, "missing", media))
    return found


def slugs(timeline: Any, *, rate: Rate | None = None) -> list[Spot]:
    """Give the clips that are black, bars or slugs, so that they stand for something."""
    counted = rate or timeline_rate(timeline)
    return [
        spot_of(timeline, place, counted, "slug")
        for place in places(timeline, counted)
        if isinstance(place.item, schema.Clip) and not placeholder_of(place.item) and is_slug(place.item)
    ]


def stand_ins(timeline: Any, *, rate: Rate | None = None) -> list[Spot]:
    """Give the clips that Callboard filled in."""
    counted = rate or timeline_rate(timeline)
    return [
        spot_of(timeline, place, counted, "ours")
        for place in places(timeline, counted)
        if isinstance(place.item, schema.Clip) and placeholder_of(place.item)
    ]


def is_slug(clip: Any) -> bool:
    """Say whether a clip is one that applications put where a picture is still to come."""
    reference = clip.media_reference
    kind = getattr(reference, "generator_kind", "") if isinstance(reference, schema.GeneratorReference) else ""
    file = (getattr(reference, "target_url", "") or "").rsplit("/", 1)[-1].rsplit(".", 1)[0]
    return any(word.strip().lower() in _BLACK for word in (kind, file, clip.name or "") if word)


def handles(place: Place, rate: Rate) -> tuple[int, int] | None:
    """Say how many frames of media are left before and behind a clip; nothing where its length is not known.

    Below zero the clip shows frames that the media does not have.
    """
    reference = getattr(place.item, "media_reference", None)
    known = reference.available_range if reference is not None else None
    if known is None or isinstance(reference, schema.GeneratorReference | schema.MissingReference):
        return None
    first, count = frames(known.start_time, rate), frames(known.duration, rate)
    used = place.frames
    for effect in place.item.effects:
        if isinstance(effect, schema.LinearTimeWarp):
            used = round(place.frames * abs(effect.time_scalar))
    return place.source - first, first + count - place.source - used


def spot_of(
    timeline: Any,
    place: Place,
    rate: Rate,
    kind: Literal["gap", "missing", "slug", "ours"],
    media: Found | None = None,
    *,
    covered: bool = False,
) -> Spot:
    """Describe an item where it stands."""
    first = start_frame(timeline, rate) + place.start
    return Spot(
        ref=f"{place.name}-{place.start}",
        kind=kind,
        track=place.name,
        start=place.start,
        frames=place.frames,
        timecode=rate.timecode(first) if first >= 0 else "",
        end=rate.timecode(first + place.frames) if first >= 0 else "",
        rate=str(rate),
        name=place.item.name or "",
        covered=covered,
        media=media.said if media else "",
        problem=media.problem if media else "",
    )


def _holes(everything: Sequence[Place], rate: Rate) -> set[str]:
    """Name the gaps in which nothing is seen or heard; where tracks lie over each other, the lowest one's."""
    found = set()
    for kind in ("V", "A"):
        items = [
            Item(
                ref=f"{one.name}-{one.start}",
                track=one.name,
                start=one.start,
                frames=one.frames,
                state="gap" if isinstance(one.item, schema.Gap) else "real",
                enabled=isinstance(one.item, schema.Gap) or bool(one.item.enabled),
            )
            for one in everything
            if one.name[0] == kind
        ]
        tracks = sorted({one.track for one in items}, key=lambda name: int(name[1:]))
        cut = Cut(path="", format="", rate=rate, tracks=tuple(tracks), items=tuple(items))
        found |= {one.ref for one in picture(cut) if one.state == "gap"}
    return found


__all__ = ["Place", "Spot", "gaps", "handles", "is_slug", "missing", "places", "slugs", "spot_of", "stand_ins"]
