"""Puts markers, tags and references to captions into a timeline, and takes ours out of it again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from callboard.timedtext.files import read_file
from callboard.timedtext.markup import text_lines
from callboard.timedtext.rate import Rate
from callboard_schemas import Captions, Cue, Proposal, Tags, Translation
from msgspec import Struct
from opentimelineio import schema

from callboard_otio.accepted import Accepted
from callboard_otio.finding import Place, places
from callboard_otio.media import Finder
from callboard_otio.ours import marker_id, ours, put_ours
from callboard_otio.rates import frames, span, start_frame

COLOURS = ("RED", "ORANGE", "YELLOW", "GREEN", "CYAN", "BLUE", "PURPLE", "MAGENTA", "PINK", "WHITE", "BLACK")
_TAG, _CUE, _LOOK = "GREEN", "CYAN", "YELLOW"
_NAME = 60
"""Characters of a marker's name; lists in applications show about as many. The whole text is its note."""


class Mark(Struct, frozen=True, kw_only=True):
    """A marker as it stands: absolute on the timeline, in frames from its start."""

    start: int
    frames: int
    name: str
    note: str = ""
    colour: str = "GREEN"
    ident: str = ""
    track: str = ""
    """Of the clip that it is on; empty for one on the timeline."""


def ident_of(*parts: object) -> str:
    """Make the id of a marker of ours of what it stands for: the same again gives the same."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:12]


def marks(timeline: Any, rate: Rate) -> list[Mark]:
    """Give every marker that is seen on the timeline: its own, and those of clips where they show."""
    found = [_mark(one, 0, rate, "") for one in timeline.tracks.markers]
    for place in places(timeline, rate):
        for marker in place.item.markers:
            made = _mark(marker, place.source - place.start, rate, place.name)
            if place.start <= made.start < place.start + place.frames:
                found.append(made)
    return sorted(found, key=lambda one: (one.start, one.track, one.name))


def _mark(marker: Any, shift: int, rate: Rate, track: str) -> Mark:
    whole = marker.marked_range
    return Mark(
        start=frames(whole.start_time, rate) - shift,
        frames=max(frames(whole.duration, rate), 1),
        name=marker.name or "",
        note=marker.comment or "",
        colour=marker.color or "GREEN",
        ident=marker_id(marker),
        track=track,
    )


def add_cues(
    timeline: Any, cues: Iterable[Cue], rate: Rate, key: str, *, offset: float = 0.0, colour: str = _CUE
) -> int:
    """Put cues on the timeline as markers; *offset* seconds are added to their times. Returns how many are new."""
    return sum(
        _put(
            timeline.tracks, *_range(cue.start + offset, cue.end + offset, rate), _text(cue), key, cue.id, colour, rate
        )
        for cue in cues
    )


def add_srt(timeline: Any, file: Path, rate: Rate, *, offset: float = 0.0, colour: str = _CUE) -> int:
    """Put a subtitle file on the timeline as markers; its times count from the timeline's start.

    Raises:
        OSError: it cannot be opened.
        SubtitleError: it cannot be read.
    """
    return add_cues(timeline, read_file(file, rate=rate).cues, rate, file.name, offset=offset, colour=colour)


def add_accepted(timeline: Any, rate: Rate, finder: Finder, known: dict[Path, Accepted], *, cues: bool = True) -> int:
    """Put accepted tags and captions on the clips whose media they are of.

    Tags and a description go into ``metadata["callboard"]``, tags that were seen somewhere become markers there, and
    captions become markers and a reference to the side file by its name. Returns how many markers are new.
    """
    count = 0
    for place in places(timeline, rate):
        if not isinstance(place.item, schema.Clip):
            continue
        path = finder.find(place.item, rate).path
        found = known.get(Path(path)) if path else None
        if found is not None:
            known_range = place.item.media_reference.available_range
            first = frames(known_range.start_time, rate) if known_range is not None else finder.first(Path(path), rate)
            count += _annotate(place, found, Path(path), rate, first, cues=cues)
    return count


def _annotate(place: Place, found: Accepted, file: Path, rate: Rate, first: int, *, cues: bool) -> int:
    clip, facts = place.item, ours(place.item)
    labels: dict[str, None] = {}
    count = 0
    for proposal in found.tags:
        body = proposal.body
        assert isinstance(body, Tags)
        for tag in body.items:
            if tag.label in proposal.without:
                continue
            labels[tag.label] = None
            seen = next((one for one in tag.evidence if one.start is not None), None)
            if seen is not None and seen.start is not None:
                end = seen.end if seen.end is not None else seen.start
                begin, length = _range(seen.start, end, rate)
                count += _on_clip(place, first + begin, length, tag.label, proposal.id, tag.label, _TAG, rate)
        if body.description:
            facts["description"] = body.description
    if labels:
        facts["tags"] = list(labels)
    if found.captions:
        facts["captions"] = [_reference(one, file) for one in found.captions]
    put_ours(clip, facts)
    for proposal in found.captions if cues else ():
        body = proposal.body
        assert isinstance(body, Captions | Translation)
        for cue in body.cues:
            if str(cue.id) not in proposal.without:
                colour = _LOOK if cue.flags else _CUE
                begin, length = _range(cue.start, cue.end, rate)
                count += _on_clip(place, first + begin, length, _text(cue), proposal.id, cue.id, colour, rate)
    return count


def _reference(proposal: Proposal, file: Path) -> dict[str, str]:
    """Name the side file of captions; it lies beside the media, where it is there at all."""
    body = proposal.body
    assert isinstance(body, Captions | Translation)
    names = (
        f"{file.stem}.{body.language}.srt",
        f"{file.name}.{body.language}.srt",
        f"{file.name}.{body.language}.callboard.srt",
    )
    there = next((name for name in names if (file.parent / name).is_file()), "")
    facts = {"language": body.language, "proposal": proposal.id}
    return {**facts, "file": str(file.parent / there)} if there else facts


def _on_clip(
    place: Place, begin: int, count: int, text: str, proposal: str, part: object, colour: str, rate: Rate
) -> int:
    """Mark frames of the media on a clip, where the clip shows them."""
    if not place.source <= begin < place.source + place.frames:
        return 0
    return _put(place.item, begin, count, text, proposal, part, colour, rate)


def _put(thing: Any, begin: int, count: int, text: str, key: str, part: object, colour: str, rate: Rate) -> int:
    """Put a marker on a clip or on the timeline, in place of ours with the same id; says whether it is new."""
    if begin < 0:
        return 0
    ident = ident_of(key, part)
    line = " ".join(text.split())
    marker = schema.Marker(
        name=line if len(line) <= _NAME else line[: _NAME - 1] + "…",
        marked_range=span(begin, count, rate),
        color=colour,
        comment=text if len(line) > _NAME or "\n" in text else "",
    )
    put_ours(marker, {"id": ident, "of": key})
    there = next((number for number, one in enumerate(thing.markers) if marker_id(one) == ident), None)
    if there is None:
        thing.markers.append(marker)
        return 1
    thing.markers[there] = marker
    return 0


def remove(timeline: Any, key: str = "") -> int:
    """Take our markers away, those of one file or proposal or all of them; a person's stay. Says how many went."""
    count = 0
    things = [
        timeline.tracks,
        *timeline.tracks,
        *(place for place in timeline.find_children() if hasattr(place, "markers")),
    ]
    for thing in things:
        for number in reversed(range(len(thing.markers))):
            marker = thing.markers[number]
            if marker_id(marker) and key in ("", str(ours(marker).get("of", ""))):
                del thing.markers[number]
                count += 1
    return count


def remove_facts(timeline: Any) -> int:
    """Take our tags, descriptions and references to captions off the clips; says of how many clips."""
    count = 0
    for clip in timeline.find_clips():
        facts = ours(clip)
        rest = {key: value for key, value in facts.items() if key not in ("tags", "description", "captions")}
        if len(rest) < len(facts):
            put_ours(clip, rest)
            count += 1
    return count


def _range(start: float, end: float, rate: Rate) -> tuple[int, int]:
    begin = rate.frame_at(start)
    return begin, max(rate.frame_at(end) - begin, 1)


def _text(cue: Cue) -> str:
    return "\n".join(text_lines(cue))


def timecode(mark: Mark, timeline: Any, rate: Rate, *, end: bool = False) -> str:
    """Write where a mark begins, or ends, as the timeline's own timecode."""
    frame = start_frame(timeline, rate) + mark.start + (mark.frames if end else 0)
    return rate.timecode(max(frame, 0))


__all__ = [
    "COLOURS",
    "Mark",
    "add_accepted",
    "add_cues",
    "add_srt",
    "ident_of",
    "marks",
    "remove",
    "remove_facts",
    "timecode",
]
