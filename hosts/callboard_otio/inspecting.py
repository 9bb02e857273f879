"""Everything that ``callboard timeline inspect`` says of a timeline, as plain structures."""

from __future__ import annotations

from typing import Any

from callboard.timedtext.rate import Rate
from msgspec import Struct
from opentimelineio import schema

from callboard_otio.finding import Place, Spot, gaps, handles, missing, places, slugs, stand_ins
from callboard_otio.media import Finder, Found
from callboard_otio.ours import ours, placeholder_of
from callboard_otio.rates import frames, other_rates, rate_name, start_frame
from callboard_otio.reading import Opened


class TrackFacts(Struct, frozen=True, kw_only=True):
    """A track, counted."""

    track: str
    kind: str
    name: str
    clips: int
    gaps: int
    frames: int
    enabled: bool = True


class ClipFacts(Struct, frozen=True, kw_only=True):
    """A clip, with where its media is and how much of it is left."""

    ref: str
    track: str
    name: str
    timecode: str
    end: str
    frames: int
    source: str
    """Timecode of its first frame of media."""
    media: Found
    rate: str = ""
    """Where it is another one than the timeline's."""
    speed: float = 1.0
    head: int | None = None
    """Frames of media before what is used; nothing where the media's length is not known."""
    tail: int | None = None
    markers: int = 0
    enabled: bool = True
    placeholder: str = ""
    """The id of our stand-in."""
    tags: tuple[str, ...] = ()
    captions: tuple[str, ...] = ()
    """Languages of the captions that it names."""


class Report(Struct, frozen=True, kw_only=True):
    """A timeline, inspected."""

    file: str
    format: str
    name: str
    rate: str
    start: str
    end: str
    frames: int
    tracks: tuple[TrackFacts, ...]
    clips: tuple[ClipFacts, ...]
    gaps: tuple[Spot, ...]
    missing: tuple[Spot, ...]
    slugs: tuple[Spot, ...]
    ours: tuple[Spot, ...]
    markers: int
    other_rates: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def inspect(found: Opened, finder: Finder, *, covered: bool = False, audio: bool = False) -> Report:
    """Look through a timeline that was read.

    Args:
        found: As ``reading.opened`` gives it.
        finder: Looks for media.
        covered: List gaps too over which another track has a picture.
        audio: List gaps of audio tracks too.
    """
    timeline, rate = found.timeline, found.rate
    begin = start_frame(timeline, rate)
    length = frames(timeline.duration(), rate) if len(timeline.tracks) else 0
    everything = list(places(timeline, rate))
    return Report(
        file=str(found.path),
        format=found.format,
        name=timeline.name or "",
        rate=str(rate),
        start=rate.timecode(max(begin, 0)),
        end=rate.timecode(max(begin + length, 0)),
        frames=length,
        tracks=tuple(_tracks(found, everything)),
        clips=tuple(_clip(one, found, finder) for one in everything if not isinstance(one.item, schema.Gap)),
        gaps=tuple(gaps(timeline, rate=rate, covered=covered, audio=audio)),
        missing=tuple(missing(timeline, finder, rate=rate)),
        slugs=tuple(slugs(timeline, rate=rate)),
        ours=tuple(stand_ins(timeline, rate=rate)),
        markers=len(timeline.tracks.markers) + sum(len(one.item.markers) for one in everything),
        other_rates=other_rates(timeline, rate),
        notes=found.notes,
    )


def _tracks(found: Opened, everything: list[Place]) -> list[TrackFacts]:
    numbers, made = {"V": 0, "A": 0}, []
    on: dict[str, list[Place]] = {}
    for one in everything:
        on.setdefault(one.name, []).append(one)
    for track in found.timeline.tracks:
        kind = getattr(track, "kind", "") or "Video"
        letter = "A" if kind == "Audio" else "V"
        numbers[letter] += 1
        name = f"{letter}{numbers[letter]}"
        inside = on.get(name, [])
        made.append(
            TrackFacts(
                track=name,
                kind=kind.lower(),
                name=track.name or "",
                clips=sum(not isinstance(one.item, schema.Gap) for one in inside),
                gaps=sum(isinstance(one.item, schema.Gap) for one in inside),
                frames=frames(track.duration(), found.rate) if len(track) else 0,
                enabled=bool(track.enabled),
            )
        )
    return made


def _clip(place: Place, found: Opened, finder: Finder) -> ClipFacts:
    item, rate = place.item, found.rate
    first = start_frame(found.timeline, rate) + place.start
    is_clip = isinstance(item, schema.Clip)
    media = finder.find(item, rate) if is_clip else Found(how="generator", said="nested timeline")
    left = handles(place, rate) if is_clip else None
    own = rate_name(item.trimmed_range().duration.rate)
    said: dict[str, Any] = ours(item)
    return ClipFacts(
        ref=f"{place.name}-{place.start}",
        track=place.name,
        name=item.name or "",
        timecode=rate.timecode(max(first, 0)),
        end=rate.timecode(max(first + place.frames, 0)),
        frames=place.frames,
        source=rate.timecode(max(place.source, 0)),
        media=media,
        rate=own if own != str(Rate(rate.numerator, rate.denominator)) else "",
        speed=next((one.time_scalar for one in item.effects if isinstance(one, schema.LinearTimeWarp)), 1.0),
        head=left[0] if left else None,
        tail=left[1] if left else None,
        markers=len(item.markers),
        enabled=bool(item.enabled),
        placeholder=str(placeholder_of(item).get("id", "")),
        tags=tuple(map(str, said.get("tags", ()))),
        captions=tuple(str(one.get("language", "")) for one in said.get("captions", ()) if isinstance(one, dict)),
    )


__all__ = ["ClipFacts", "Report", "TrackFacts", "inspect"]
