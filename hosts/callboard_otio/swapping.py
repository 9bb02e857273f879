"""Puts the real shot where our stand-in is, frame for frame with its handles kept, and the stand-in back again.

No edit moves: an item keeps its place and its length. Its range begins where the shot's own timecode says that what is
shown begins, and its markers stay on the frames that they were on. What was there stays in
``metadata["callboard"]["shot"]``, and who approved what and when in ``metadata["callboard"]["trail"]``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio as otio
from callboard.timedtext.rate import Rate
from msgspec import Struct
from opentimelineio import opentime, schema

from callboard_otio.filling import parsed
from callboard_otio.finding import Place, Spot, places, spot_of
from callboard_otio.ours import ours, placeholder_of, put_ours
from callboard_otio.paths import file_url
from callboard_otio.rates import exactly, timeline_rate

_MOST = 200
"""Entries of a trail that are kept on a clip."""


class Real(Struct, frozen=True, kw_only=True):
    """The shot that takes a stand-in's place."""

    proposal: str
    """Of the swap."""
    stood: frozenset[str]
    """Ids of the placeholders that it is for."""
    shot: str
    file: Path
    """Of a sequence, its folder and its pattern, such as ``SH010.%04d.exr``."""
    digest: str
    frames: int
    rate: Rate | None
    """Nothing where the media does not say; then it is the timeline's."""
    first: int = 0
    """Number of its first frame, as its own timecode counts; of a sequence, that in its name."""
    head: int = 0
    """Its own frames before what is shown."""
    padding: int = 0
    """Digits of a sequence's numbers; 0 for a film."""
    version: int | None = None
    when: str = ""
    by: str = ""
    reason: str = ""


class Swapped(Struct, frozen=True, kw_only=True):
    """What became of a place."""

    spot: Spot
    state: str
    """``swapped``, ``unchanged``, ``restored`` (its swap was taken back), or ``refused``."""
    was: str = ""
    now: str = ""
    source: str = ""
    """Timecode of the shot's first frame that is shown."""
    handles: tuple[int, int] | None = None
    why: str = ""


def swap(timeline: Any, shots: Sequence[Real], *, rate: Rate | None = None) -> list[Swapped]:
    """Put each shot where a stand-in of ours, or what took its place before, is; give back what was taken back.

    Args:
        timeline: Is changed.
        shots: What was accepted, the newest last.
        rate: In place of the timeline's own.
    """
    counted = rate or timeline_rate(timeline)
    done = []
    for place in places(timeline, counted):
        if not isinstance(place.item, schema.Clip):
            continue
        stood, shown = placeholder_of(place.item), _shown(place.item)
        if not stood and not shown:
            continue
        ident = str((stood or shown.get("placeholder") or {}).get("id", ""))
        real = next((one for one in reversed(shots) if _is_for(one, ident, place.item, stood)), None)
        spot = spot_of(timeline, place, counted, "ours")
        if real is not None:
            done.append(_put(place, spot, real, counted))
        elif shown:
            done.append(_restore(place, spot, shown))
    return done


def _is_for(real: Real, ident: str, clip: Any, stood: dict[str, Any]) -> bool:
    """Say whether a shot is for a stand-in: by the placeholder's id, or by its name where it has no proposal."""
    if ident in real.stood:
        return True
    return (
        bool(stood) and not stood.get("proposal") and bool(clip.name) and clip.name.casefold() == real.shot.casefold()
    )


def _shown(clip: Any) -> dict[str, Any]:
    found = ours(clip).get("shot")
    return found if isinstance(found, dict) else {}


def _put(place: Place, spot: Spot, real: Real, rate: Rate) -> Swapped:
    clip = place.item
    shown = _shown(clip)
    if shown.get("proposal") == real.proposal:
        return Swapped(spot=spot, state="unchanged", now=real.file.name)
    was = _said(clip)
    own = Rate(real.rate.numerator, real.rate.denominator) if real.rate is not None else rate
    begin, shown_frames = real.first + real.head, _length(clip, own)
    if begin + shown_frames > real.first + real.frames:
        short = begin + shown_frames - real.first - real.frames
        return Swapped(spot=spot, state="refused", was=was, why=f"{real.file.name} is {short} frames too short")
    before = shown.get("before") or _before(clip)
    entry = _entry(clip, real, was)
    clip.media_reference = _reference(real, own)
    _move(clip, opentime.RationalTime(begin, float(own.fps)))
    facts = {key: value for key, value in ours(clip).items() if key != "placeholder"}
    kept = shown.get("placeholder") or placeholder_of(clip)
    facts["shot"] = {"proposal": real.proposal, "digest": real.digest, "placeholder": kept, "before": before}
    facts["trail"] = [*_trail(clip), entry][-_MOST:]
    put_ours(clip, facts)
    behind = real.frames - real.head - shown_frames
    counted = real.rate or rate
    source = str(begin) if real.padding else counted.timecode(begin)
    return Swapped(spot=spot, state="swapped", was=was, now=real.file.name, source=source, handles=(real.head, behind))


def _length(clip: Any, rate: Rate) -> int:
    """Give how many frames of media a clip shows, at the media's rate; retimed clips show more or less."""
    speeds = [abs(one.time_scalar) for one in clip.effects if isinstance(one, schema.LinearTimeWarp)]
    length = clip.duration()
    return max(round(exactly(length, rate) * Fraction(max([1.0, *speeds]))), 1)


def _reference(real: Real, rate: Rate) -> Any:
    available = opentime.TimeRange(
        opentime.RationalTime(real.first, float(rate.fps)), opentime.RationalTime(real.frames, float(rate.fps))
    )
    if not real.padding:
        made = schema.ExternalReference(target_url=file_url(real.file), available_range=available)
        made.name = real.file.name
        return made
    prefix, _, suffix = real.file.name.partition(f"%0{real.padding}d")
    return schema.ImageSequenceReference(
        target_url_base=file_url(real.file.parent) + "/",
        name_prefix=prefix,
        name_suffix=suffix,
        start_frame=real.first,
        frame_step=1,
        rate=float(rate.fps),
        frame_zero_padding=real.padding,
        available_range=available,
    )


def _move(clip: Any, begin: Any) -> None:
    """Have a clip's range begin elsewhere in its media; its length stays to the last digit, markers on their frames."""
    former = clip.trimmed_range()
    start = begin.rescaled_to(former.start_time.rate) if begin.rate != former.start_time.rate else begin
    clip.source_range = opentime.TimeRange(start, former.duration)
    for marker in clip.markers:
        inside = marker.marked_range
        shifted = start + (inside.start_time - former.start_time).rescaled_to(start.rate)
        marker.marked_range = opentime.TimeRange(shifted, inside.duration)


def _before(clip: Any) -> dict[str, Any]:
    """Keep what is needed to put a stand-in back."""
    start = clip.trimmed_range().start_time
    return {
        "reference": otio.adapters.write_to_string(clip.media_reference, "otio_json", indent=-1),
        "source": [start.value, start.rate],
    }


def _restore(place: Place, spot: Spot, shown: dict[str, Any]) -> Swapped:
    """Put the stand-in back whose swap does not hold any more."""
    clip, was, before = place.item, _said(place.item), shown.get("before") or {}
    reference = parsed(str(before.get("reference", "")))
    source = before.get("source")
    if reference is None or not isinstance(source, list) or len(source) != 2:
        return Swapped(spot=spot, state="refused", was=was, why="what stood there before is not kept in the timeline")
    clip.media_reference = reference
    _move(clip, opentime.RationalTime(*source))
    facts = {key: value for key, value in ours(clip).items() if key != "shot"}
    facts["placeholder"] = shown.get("placeholder") or {}
    facts["trail"] = [*_trail(clip), {"what": "taken back", "proposal": str(shown.get("proposal", "")), "was": was}]
    put_ours(clip, facts)
    return Swapped(spot=spot, state="restored", was=was, now=_said(clip))


def _trail(clip: Any) -> list[Any]:
    found = ours(clip).get("trail")
    return list(found) if isinstance(found, list) else []


def _entry(clip: Any, real: Real, was: str) -> dict[str, Any]:
    """Say who put what in place of what, and when."""
    told = placeholder_of(clip)
    stood = {key: value for key, value in told.items() if key not in ("was", "source")}
    entry: dict[str, Any] = {"what": "swapped", "proposal": real.proposal, "when": real.when, "by": real.by}
    entry |= {"reason": real.reason} if real.reason else {}
    entry |= {"was": was, "now": file_url(real.file), "digest": real.digest}
    entry |= {"version": real.version} if real.version is not None else {}
    return entry | ({"placeholder": stood} if stood else {})


def _said(clip: Any) -> str:
    reference = clip.media_reference
    if isinstance(reference, schema.ImageSequenceReference):
        return str(reference.abstract_target_url(symbol="#" * max(reference.frame_zero_padding, 1)))
    return str(getattr(reference, "target_url", "") or getattr(reference, "generator_kind", "") or reference.name or "")


def trail(timeline: Any) -> Iterator[tuple[str, list[Any]]]:
    """Give the trail of each clip that has one, with the clip's name."""
    for clip in timeline.find_clips():
        if _trail(clip):
            yield clip.name, _trail(clip)


__all__ = ["Real", "Swapped", "swap", "trail"]
