"""What lies where on the picture tracks of a timeline, for ``callboard coverage``; the library is imported late."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from callboard.coverage.cut import Cut, Frames, Item, Look, State
from callboard.coverage.numbered import pattern_of
from callboard.errors import MissingExtra
from callboard.shots.naming import PLACEHOLDER

if TYPE_CHECKING:
    from callboard.timedtext.rate import Rate

    from callboard_otio.finding import Place
    from callboard_otio.media import Finder
    from callboard_otio.reading import Opened

suffixes: Final = (".otio", ".otioz", ".otiod", ".edl", ".xml", ".fcpxml", ".fcpxmld", ".aaf", ".ale")


def read(path: Path, look: Look) -> Cut:
    """Read a timeline.

    Raises:
        MissingExtra: the library is not installed.
        TimelineError: it cannot be read.
    """
    if importlib.util.find_spec("opentimelineio") is None:
        raise MissingExtra("reading timelines", "opentimelineio", "timeline")
    from callboard_otio.finding import places
    from callboard_otio.media import Finder
    from callboard_otio.rates import start_frame
    from callboard_otio.reading import opened

    found = opened(path, look.rate)
    finder = Finder(look.roots, found.base, found.bundle, look.headers.began)
    pictures = [one for one in places(found.timeline, found.rate) if one.name.startswith("V")]
    named = (one.name for one in pictures)
    width, height = _size(found.timeline)
    return Cut(
        path=str(path),
        format=found.format,
        rate=found.rate,
        name=found.timeline.name or "",
        start=start_frame(found.timeline, found.rate),
        width=width,
        height=height,
        tracks=tuple(sorted(dict.fromkeys(named), key=lambda name: int(name[1:]))),
        items=tuple(_items(found, pictures, finder)),
        notes=found.notes,
    )


def _items(found: Opened, pictures: list[Place], finder: Finder) -> Iterator[Item]:
    """Describe each item; what is at one place of one track gets the same name once only."""
    for place in pictures:
        if place.frames > 0:
            yield _item(found, place, finder)


def _item(found: Opened, place: Place, finder: Finder) -> Item:
    from opentimelineio import schema

    from callboard_otio.media import reels
    from callboard_otio.ours import ours

    item, told = place.item, {"source_in": place.source, "source_frames": _used(place)}
    if isinstance(item, schema.Gap):
        return _as(place, "gap", shot=_shot(ours(item)))
    if not isinstance(item, schema.Clip):
        return _nested(found, place, finder)
    facts = ours(item)
    stands = _stands(facts)
    state: State = "stand-in" if stands is not None else "real"
    media = finder.find(item, found.rate)
    about = {
        **told,
        "shot": _shot(facts),
        "reel": next(iter(reels(item)), ""),
        "stands": stands or "",
        "by": "cut" if stands is not None else "",
    }
    if isinstance(item.media_reference, schema.ImageSequenceReference):
        numbered = _numbered(item, finder)
        if numbered is not None:
            return _as(place, state, numbered=numbered, media=numbered.pattern, how="there", **about)
    split = pattern_of(media.said) if media.missing and media.said else None
    if split is not None:
        return _as(place, state, numbered=_patterned(split, place, finder), media=media.said, how="there", **about)
    if media.how == "generator":
        return _as(place, state, problem=_generated(item, media.said) if stands is None else "", **about)
    if media.how in ("missing", "partly", "elsewhere"):
        return _as(place, "offline", media=media.said, problem=media.problem, **about)
    how = "" if media.how == "bundle" else media.how
    return _as(place, state, media=media.path or media.said, how=how, known=_known(item, found.rate), **about)


def _as(place: Place, state: State, **told: Any) -> Item:
    return Item(
        ref=f"{place.name}-{place.start}",
        track=place.name,
        start=place.start,
        frames=place.frames,
        state=state,
        name=place.item.name or "",
        enabled=bool(place.track.enabled) and bool(getattr(place.item, "enabled", True)),
        **told,
    )


def _stands(facts: dict[str, Any]) -> str | None:
    """Give the id that our stand-in carries, which may be empty; nothing where the clip is a person's."""
    known = facts.get("placeholder")
    return str(known.get("proposal") or known.get("id", "")) if known and isinstance(known, dict) else None


def _used(place: Place) -> int:
    """Say how many frames of media an item shows."""
    from opentimelineio import schema

    if not len(place.item.effects):  # to go through none takes 100 us
        return place.frames
    speeds = [abs(one.time_scalar) for one in place.item.effects if isinstance(one, schema.LinearTimeWarp)]
    return round(place.frames * speeds[0]) if speeds else place.frames


def _known(clip: Any, rate: Rate) -> tuple[int, int] | None:
    from callboard_otio.rates import frames

    known = clip.media_reference.available_range
    return None if known is None else (frames(known.start_time, rate), frames(known.duration, rate))


def _shot(facts: dict[str, Any]) -> str:
    """Give the shot that an item names itself."""
    said = facts.get("shot")
    return said if isinstance(said, str) else ""


def _generated(clip: Any, kind: str) -> str:
    """Say of a generator that it is a slug, which people put where a picture is still to come."""
    from callboard_otio.finding import is_slug

    return f"{kind or 'a generator'}, which may hold a place" if is_slug(clip) else ""


def _nested(found: Opened, place: Place, finder: Finder) -> Item:
    """Sum up a nested timeline: it is no better than the worst that is in it."""
    from opentimelineio import schema

    from callboard_otio.ours import ours

    clips = list(place.item.find_clips()) if hasattr(place.item, "find_clips") else []
    media = [finder.find(one, found.rate) for one in clips]
    marked = any(PLACEHOLDER.search(one.path or one.said) for one in media)
    if marked or any(_stands(ours(one)) is not None for one in clips):
        return _as(place, "stand-in", by="cut", problem="a stand-in is in the nested timeline")
    bad = ("missing", "partly", "elsewhere")
    gone = [one.name or "a clip" for one, there in zip(clips, media, strict=True) if there.how in bad]
    gaps = [one for one in place.item.find_children(schema.Gap) if one.duration().value > 0]
    if gone:
        state: State = "offline" if len(gone) == len(clips) else "partial"
        return _as(place, state, problem=f"its nested timeline lacks {', '.join(gone[:3])}")
    problem = "a nested timeline, with gaps in it" if gaps else "a nested timeline"
    return _as(place, "real", problem=problem)


def _numbered(clip: Any, finder: Finder) -> Frames | None:
    """Say which files an image sequence needs; nothing where it says no numbers."""
    from callboard_otio.paths import local_path

    reference = clip.media_reference
    try:
        first, last = reference.frame_range_for_time_range(clip.trimmed_range())
    except (ValueError, TypeError):
        return None
    folder = finder.folder(Path(local_path(reference.target_url_base or "")))
    return Frames(
        folder=str(folder).rstrip("/"),
        prefix=reference.name_prefix,
        suffix=reference.name_suffix,
        padding=reference.frame_zero_padding,
        first=min(first, last),
        last=max(first, last),
        step=max(reference.frame_step, 1),
    )


def _patterned(split: tuple[str, str, str, int], place: Place, finder: Finder) -> Frames:
    """Say which files a path with ``%04d`` means: those whose numbers are the source's frames."""
    folder, prefix, suffix, padding = split
    return Frames(
        folder=str(finder.folder(Path(folder))),
        prefix=prefix,
        suffix=suffix,
        padding=padding,
        first=place.source,
        last=place.source + max(_used(place), 1) - 1,
    )


def _size(timeline: Any) -> tuple[int, int]:
    """Give the picture's size, where the file that a timeline was read from says one."""
    from callboard_otio.ours import plain

    known = plain(timeline.metadata)
    for holder in (known.get("callboard"), known.get("fcp_xml", {}).get("media", {}).get("video", {}).get("format")):
        inner = holder.get("samplecharacteristics", holder) if isinstance(holder, dict) else {}
        width, height = (str(inner.get(side, "")) for side in ("width", "height"))
        if width.isdigit() and height.isdigit() and 0 < int(width[:6]) <= 65536 and 0 < int(height[:6]) <= 65536:
            return int(width), int(height)
    return 0, 0


__all__ = ["read", "suffixes"]
