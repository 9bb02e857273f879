"""What a project uses: clips of its bin and of its timeline, where pictures are missing, and media that is not there.

On the timeline Kdenlive gives no clip a name that a file keeps, so a use is named by its track, its clip, and how many
of that clip lie on that track up to it. That stays through moves, trims and saves; the revision tells when it was one
of those.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from callboard.timedtext.rate import rate_of
from callboard_schemas import Gap, Use
from msgspec.structs import replace

from callboard_kdenlive.project import Project, media_of
from callboard_kdenlive.properties import Element, prop
from callboard_kdenlive.refs import refs, replaced, short, use_ref
from callboard_kdenlive.tracks import Item, Track, gaps, items, tracks


class Placed(NamedTuple):
    """A use on the timeline, with what it is made of."""

    use: Use
    track: Track
    item: Item
    frozen: bool
    """Its speed changes within it, so that times of its media have no one place."""


class Missing(NamedTuple):
    """A clip of the bin whose media is not there."""

    ref: str
    name: str
    path: str


def uses(project: Project) -> list[Use]:
    """List every use: the bin's clips first, then the timeline from the lowest track, each by start."""
    named = refs(project)
    of_bin = [(media_of(project, clip), clip) for clip in project.clips()]
    return [_of_bin(path, clip, named[prop(clip, "kdenlive:id") or ""]) for path, clip in of_bin if path] + [
        placed.use for placed in on_timeline(project)
    ]


def _of_bin(path: str, clip: Element, ref: str) -> Use:
    name = prop(clip, "kdenlive:clipname") or os.path.basename(path)
    return Use(ref=ref, path=path, name=name, revision=short(path))


def on_timeline(project: Project) -> list[Placed]:
    """List the uses on the timeline; the sound of a clip whose picture lies at the same place is no use of its own."""
    pictures: set[tuple[str, int, int]] = set()
    found: list[Placed] = []
    named, in_place_of = refs(project), replaced(project)
    clips = {prop(clip, "kdenlive:id"): clip for clip in project.clips()}
    for track in sorted(tracks(project), key=lambda track: track.audio):
        before: Counter[str] = Counter()
        for item in items(project, track):
            before[item.clip] += 1
            if item.clip in in_place_of:  # so that what stands in for one use gives the next no other name
                before[in_place_of[item.clip]] += 1
            key = (item.clip, item.start, item.source_in)
            if track.audio and key in pictures:
                continue
            pictures.add(key)
            own = clips.get(item.clip)
            path = media_of(project, own) if own is not None else ""
            if path and item.producer is not None:
                name = prop(own, "kdenlive:clipname") or os.path.basename(path)
                ref = use_ref(track.name, named[item.clip], before[item.clip])
                found.append(_placed(project, track, item, Use(ref=ref, path=path, name=name)))
    return found


def _placed(project: Project, track: Track, item: Item, use: Use) -> Placed:
    """Say where a use is, and how fast it plays."""
    source = item.producer
    assert source is not None
    speed = speed_of(source)
    begin = Fraction(item.source_in) / project.fps * abs(speed)
    if speed < 0:
        length = project.frames(prop(source, "length"), item.source_in + item.length)
        begin = Fraction(length) / project.fps * abs(speed) - begin
    use = replace(
        use,
        revision=short(track.name, item.start, item.source_in, item.length, speed),
        start=project.seconds(item.start),
        source_in=float(begin),
        duration=project.seconds(item.length),
        speed=float(speed),
    )
    return Placed(use, track, item, any(prop(link, "mlt_service") == "timeremap" for link in source.findall("link")))


def speed_of(source: Element) -> Fraction:
    """Give how fast a source plays: 2 is twice as fast, below 0 is backwards."""
    if prop(source, "mlt_service") != "timewarp":
        return Fraction(1)
    said = prop(source, "warp_speed") or (prop(source, "resource") or "").partition(":")[0]
    try:
        speed = float(said)
    except ValueError:
        return Fraction(1)
    # Kdenlive goes from 1 % to 10,000 %; anything else is a broken file.
    return Fraction(speed).limit_denominator(100_000) if 0.001 <= abs(speed) <= 1000 else Fraction(1)


def missing(project: Project) -> list[Missing]:
    """List the clips of the bin whose media is not there."""
    found = []
    named = refs(project)
    for clip in project.clips():
        path = media_of(project, clip)
        if path and "%" not in os.path.basename(path) and "/.all." not in path and not os.path.exists(path):
            name = prop(clip, "kdenlive:clipname") or os.path.basename(path)
            found.append(Missing(named[prop(clip, "kdenlive:id") or ""], name, path))
    return found


def open_gaps(project: Project) -> list[Gap]:
    """List where the timeline shows no picture before its last clip."""
    return [
        Gap(
            ref=f"gap-{span.start}-{span.length}",
            start=project.seconds(span.start),
            duration=project.seconds(span.length),
            frames=span.length,
            rate=float(project.fps),
            counted=str(rate_of(project.fps)),
            width=project.width,
            height=project.height,
            revision=short(span.start, span.length),
        )
        for span in gaps(project)
    ]


def revision(found: Sequence[Use], empty: Sequence[Gap]) -> str:
    """Give the revision of a whole project: another one when any of its uses or gaps is."""
    return short(*(f"{use.ref}={use.revision}" for use in found), *(gap.ref for gap in empty))


__all__ = [
    "Missing",
    "Placed",
    "missing",
    "on_timeline",
    "open_gaps",
    "revision",
    "speed_of",
    "uses",
]
