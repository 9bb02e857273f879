"""The timeline of a project: what lies where on its tracks, where pictures are missing, and what is put there."""

from __future__ import annotations

from typing import NamedTuple

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  # compiled, and ships no stubs

from callboard_kdenlive.project import Project
from callboard_kdenlive.properties import Element, insert, prop, put, remove


class Item(NamedTuple):
    """One use of a clip on a track; times in frames."""

    start: int
    length: int
    source_in: int
    """Frames into what its producer gives."""
    clip: str
    """The number of its clip in the bin."""
    entry: Element
    producer: Element | None


class Track(NamedTuple):
    """A track, which Kdenlive keeps as two playlists, so that clips can be mixed."""

    name: str
    """``V1`` is the lowest with pictures, ``A1`` the uppermost with sound."""
    audio: bool
    element: Element
    playlists: tuple[Element, ...]

    @property
    def locked(self) -> bool:
        """Whether a person locked it."""
        return prop(self.element, "kdenlive:locked_track") == "1"

    @property
    def hidden(self) -> bool:
        """Whether a person switched it off."""
        return any(track.get("hide") == "both" for track in self.element.iterchildren("track"))


class Span(NamedTuple):
    """Frames from ``start``, ``length`` of them."""

    start: int
    length: int

    @property
    def end(self) -> int:
        """The first frame after it."""
        return self.start + self.length


def tracks(project: Project) -> list[Track]:
    """List the tracks, lowest first."""
    by_id = {element.get("id"): element for element in project.root if element.get("id")}
    found: list[tuple[bool, Element, tuple[Element, ...]]] = []
    for line in project.main.iterchildren("track"):
        element = by_id.get(line.get("producer"))
        if element is None or element.tag != "tractor":
            continue
        inner = (by_id.get(part.get("producer")) for part in element.iterchildren("track"))
        playlists = tuple(part for part in inner if part is not None and part.tag == "playlist")
        found.append((prop(element, "kdenlive:audio_track") == "1", element, playlists))
    audio = sum(is_audio for is_audio, _, _ in found)
    named: list[Track] = []
    video = 0
    for is_audio, element, playlists in found:
        if is_audio:
            name, audio = f"A{audio}", audio - 1
        else:
            video += 1
            name = f"V{video}"
        named.append(Track(name, is_audio, element, playlists))
    return named


def items(project: Project, track: Track) -> list[Item]:
    """List what lies on a track, by start."""
    sources = {source.get("id"): source for source in project.producers()}
    found = [item for playlist in track.playlists for item in _items(project, playlist, sources)]
    return sorted(found, key=lambda item: (item.start, item.length))


def _items(project: Project, playlist: Element, sources: dict[str, Element]) -> list[Item]:
    found: list[Item] = []
    at = 0
    for child in playlist:
        if child.tag == "blank":
            at += max(project.frames(child.get("length")), 0)
        elif child.tag == "entry":
            first = project.frames(child.get("in"))
            length = max(project.frames(child.get("out"), first - 1) - first + 1, 0)
            source = sources.get(child.get("producer") or "")
            clip = prop(child, "kdenlive:id") or (prop(source, "kdenlive:id") if source is not None else "") or ""
            found.append(Item(at, length, first, clip, child, source))
            at += length
    return found


def gaps(project: Project) -> list[Span]:
    """List where no track shows a picture, between the start and the last frame of the last clip with pictures."""
    shown = [
        Span(item.start, item.length)
        for track in tracks(project)
        if not track.audio and not track.hidden
        for item in items(project, track)
    ]
    found: list[Span] = []
    at = 0
    for span in sorted(shown):
        if span.start > at:
            found.append(Span(at, span.start - at))
        at = max(at, span.end)
    return found


def room(project: Project, span: Span) -> Track | None:
    """Find the lowest track with pictures that is free over a span, and neither locked nor switched off."""
    for track in tracks(project):
        if track.audio or track.locked or track.hidden or not track.playlists:
            continue
        if all(item.start >= span.end or item.start + item.length <= span.start for item in items(project, track)):
            return track
    return None


def fill(project: Project, track: Track, span: Span, entry: Element) -> None:
    """Put *entry* into a free span of a track; nothing else moves."""
    playlist, at = track.playlists[0], 0
    for child in playlist:
        if child.tag == "entry":
            at += project.frames(child.get("out")) - project.frames(child.get("in")) + 1
        elif child.tag == "blank":
            length = project.frames(child.get("length"))
            if at <= span.start and span.end <= at + length:
                _split(project, playlist, child, (span.start - at, at + length - span.end), entry)
                return
            at += length
    index = 1 + max((i for i, c in enumerate(playlist) if c.tag in ("entry", "blank", "property")), default=-1)
    if span.start > at:
        insert(playlist, index, _blank(project, span.start - at))
        index += 1
    insert(playlist, index, entry)


def _split(project: Project, playlist: Element, blank: Element, around: tuple[int, int], entry: Element) -> None:
    index, (before, after) = playlist.index(blank), around
    remove(blank)
    if before:
        insert(playlist, index, _blank(project, before))
        index += 1
    insert(playlist, index, entry)
    if after:
        insert(playlist, index + 1, _blank(project, after))


def free(project: Project, entry: Element) -> None:
    """Take *entry* out and leave a blank of its length; none at the end of a track."""
    playlist = entry.getparent()
    length = project.frames(entry.get("out")) - project.frames(entry.get("in")) + 1
    before, after = _neighbour(entry, -1), _neighbour(entry, 1)
    index = playlist.index(entry)
    last = not any(child.tag in ("entry", "blank") for child in entry.itersiblings())
    remove(entry)
    if after is not None and after.tag == "blank":
        length += project.frames(after.get("length"))
        remove(after)
    if before is not None and before.tag == "blank":
        length += project.frames(before.get("length"))
        index = playlist.index(before)
        remove(before)
    if not last:
        insert(playlist, index, _blank(project, length))


def point(project: Project, item: Item, clip: str, source: Element, by: int) -> None:
    """Have a use show another source; where it lies and how long it is stay.

    Args:
        project: whose use it is.
        item: the use.
        clip: the number of the source's clip in the bin.
        source: of that clip.
        by: frames by which it begins later in that source than it did in its own.
    """
    item.entry.set("producer", source.get("id"))
    put(item.entry, "kdenlive:id", clip)
    shift(project, item, by)


def shift(project: Project, item: Item, by: int) -> None:
    """Have a use begin so many frames later in its source; where it lies and its length stay, and its effects with it.

    Never before the source's first frame.
    """
    first = max(item.source_in + by, 0)
    item.entry.set("in", project.clock(first))
    item.entry.set("out", project.clock(first + item.length - 1))
    for effect in item.entry.iterchildren("filter"):
        for side in ("in", "out"):
            if effect.get(side) is not None:
                effect.set(side, project.clock(max(project.frames(effect.get(side)) + by, 0)))


def _neighbour(entry: Element, step: int) -> Element | None:
    return entry.getnext() if step > 0 else entry.getprevious()


def _blank(project: Project, frames: int) -> Element:
    return etree.Element("blank", length=project.clock(frames))


__all__ = ["Item", "Span", "Track", "fill", "free", "gaps", "items", "point", "room", "shift", "tracks"]
