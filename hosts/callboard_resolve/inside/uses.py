"""Which media a project uses: what is in the media pool, and what lies on the open timeline."""

from typing import TYPE_CHECKING

from callboard_resolve.inside.frames import rate_of, seconds
from callboard_resolve.inside.labels import CAPTIONS, PROPOSAL
from callboard_resolve.inside.ledger import checksum
from callboard_resolve.inside.session import Session, has, path_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from fusionscript import MediaPoolItem, Timeline, TimelineItem

POOL, ITEM, GAP = "pool/", "item/", "gap/"
"""What the name of a use begins with; Resolve's own unique id follows."""


def of_clip(clip: "MediaPoolItem") -> "dict[str, Any]":
    """Describe media in the pool, which is on no timeline."""
    unique = str(clip.GetUniqueId())
    return {"ref": POOL + unique, "path": path_of(clip), "name": str(clip.GetName() or "")}


def of_item(session: Session, timeline: "Timeline", item: "TimelineItem") -> "dict[str, Any] | None":
    """Describe what lies on a timeline; ``None`` for what is made of no file: titles, generators, transitions."""
    clip = item.GetMediaPoolItem()
    path = path_of(clip) if clip else ""
    if not path:
        return None
    rate = session.rate(timeline)
    length = seconds(int(item.GetDuration(False)), rate)
    start = seconds(int(item.GetStart(False)) - int(timeline.GetStartFrame() or 0), rate)
    speed = _speed(item, length, rate)
    # GetLeftOffset is exact where GetSourceStartFrame is a frame off at times, and counts in the media's rate (measured
    # by davinci-resolve-mcp on 19.1.3); on a retimed clip it counts in stretched frames
    source = seconds(int(item.GetLeftOffset(False) or 0), rate_of(clip.GetClipProperty("FPS")) or rate) * speed
    unique = str(item.GetUniqueId())
    what = f"{timeline.GetUniqueId()}|{start:.4f}|{length:.4f}|{source:.4f}|{speed:.4f}"
    return {
        "ref": ITEM + unique,
        "path": path,
        "name": str(item.GetName() or ""),
        "revision": checksum(what),
        "start": round(start, 6),
        "source_in": round(source, 6),
        "duration": round(length, 6),
        "speed": speed,
    }


def _speed(item: "TimelineItem", length: float, rate: float) -> float:
    """Compare what is taken from the media with what it fills; a frame of difference is rounding."""
    if not has(item, "GetSourceEndTime") or length <= 0:
        return 1.0
    span = float(item.GetSourceEndTime() or 0.0) - float(item.GetSourceStartTime() or 0.0)
    if span <= 0 or abs(span - length) <= 1.5 / rate:
        return 1.0
    return round(span / length, 4)


def scan(session: Session) -> "Iterator[dict[str, Any]]":
    """Describe every use but those of what we made, one at a time, so that whoever asks can go on later.

    Yields:
        ``Use`` messages as plain dicts.
    """
    ours = set()
    for clip in session.clips():
        use = of_clip(clip)
        if clip.GetThirdPartyMetadata(CAPTIONS) or clip.GetThirdPartyMetadata(PROPOSAL):
            ours.add(use["ref"])
        elif use["path"]:
            yield use
    timeline = session.timeline()
    if timeline is not None:
        for _, _, item in session.items(timeline):
            found = of_item(session, timeline, item)
            if found is not None and POOL + str(item.GetMediaPoolItem().GetUniqueId()) not in ours:
                yield found


class Found:
    """A use in the project, as it is now."""

    def __init__(self, clip: "MediaPoolItem", use: "dict[str, Any]", timeline: "Timeline | None" = None) -> None:
        self.clip, self.use, self.timeline = clip, use, timeline


def find(session: Session, ref: str) -> "Found | None":
    """Find a use by its name, in the media pool or on any timeline, the open one first."""
    if ref.startswith(POOL):
        clip = session.clip(ref[len(POOL) :])
        return Found(clip, of_clip(clip)) if clip is not None else None
    if not ref.startswith(ITEM):
        return None
    for timeline in session.timelines():
        for _, _, item in session.items(timeline):
            if str(item.GetUniqueId()) == ref[len(ITEM) :]:
                use = of_item(session, timeline, item)
                return Found(item.GetMediaPoolItem(), use, timeline) if use is not None else None
    return None


def selected(session: Session) -> "tuple[list[dict[str, Any]], str]":
    """Give the uses that a person means, and how that was told.

    What is selected on the timeline, where this Resolve can say so (from July 2026 on); else what is selected in the
    media pool; else the clip below the playhead.
    """
    timeline = session.timeline()
    if timeline is not None and has(timeline, "GetSelectedClips"):
        items = timeline.GetSelectedClips() or []  # type: ignore[attr-defined]  # newer than the stubs
        uses = [of_item(session, timeline, item) for item in items]
        if any(uses):
            return [use for use in uses if use], "the selected clips of the timeline"
    clips = [of_clip(clip) for clip in session.pool().GetSelectedClips() or []]
    if any(use["path"] for use in clips):
        return [use for use in clips if use["path"]], "the selected clips of the media pool"
    item = timeline.GetCurrentVideoItem() if timeline is not None else None
    use = of_item(session, timeline, item) if timeline is not None and item else None
    return ([use] if use else []), "the clip below the playhead"


def gap(session: Session) -> "dict[str, Any] | None":
    """Describe the range between the timeline's in and out marks as a gap; ``None`` where none is marked.

    Marks count from the start of the timeline, and the out mark is the last frame of the range.
    """
    timeline = session.timeline()
    if timeline is None:
        return None
    marks: dict[str, Any] = dict((timeline.GetMarkInOut() or {}).get("video") or {})
    if "in" not in marks or "out" not in marks:
        return None
    rate = session.rate(timeline)
    first, length = int(marks["in"]), int(marks["out"]) - int(marks["in"]) + 1
    width, height = (int(str(timeline.GetSetting("timelineResolution" + side) or 0)) for side in ("Width", "Height"))
    name = str(timeline.GetUniqueId())
    found: dict[str, Any] = {
        "ref": f"{GAP}{name}/{1}/{first}",
        "start": seconds(first, rate),
        "duration": seconds(length, rate),
        "rate": rate,
        "revision": checksum(f"{name}|{first}|{length}"),
    }
    if width > 0 and height > 0:
        found.update(width=width, height=height)
    return found
