"""What lies where on the picture tracks of a Kdenlive project, for ``callboard coverage``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from callboard.coverage.cut import Cut, Frames, Item, Look
from callboard.coverage.holes import holes
from callboard.coverage.numbered import Folders, pattern_of
from callboard.timedtext.rate import Rate

if TYPE_CHECKING:
    from callboard_kdenlive.project import Project
    from callboard_kdenlive.properties import Element
    from callboard_kdenlive.tracks import Item as Laid
    from callboard_kdenlive.tracks import Track

suffixes: Final = (".kdenlive",)
_ALL: Final = ".all."
"""In the name of a slide show of everything of one kind in a folder."""


def read(path: Path, look: Look) -> Cut:
    """Read a project; media is where the project says, or it is offline, as Kdenlive itself sees it.

    Raises:
        TimelineError: it is of a version that is not known here, or cannot be read.
    """
    from callboard_kdenlive.saving import read as read_project
    from callboard_kdenlive.tracks import gaps, tracks
    from callboard_kdenlive.uses import open_gaps

    project, _ = read_project(str(path))
    reader = _Project(project)
    pictures = [one for one in tracks(project) if not one.audio]
    items = [item for track in pictures for item in reader.items(track)]
    lowest = next((one.name for one in pictures if not one.locked), "V1")
    said = {(span.start, span.length): gap for span, gap in zip(gaps(project), open_gaps(project), strict=True)}
    rate = Rate(project.fps.numerator, project.fps.denominator)
    return Cut(
        path=str(path),
        format="kdenlive",
        rate=rate,
        width=project.width,
        height=project.height,
        pixel_aspect=_pixel_aspect(project),
        project=os.path.abspath(path),
        tracks=tuple(one.name for one in pictures),
        items=tuple(sorted((*items, *holes(items, lowest, gaps=said)), key=lambda one: (one.track, one.start))),
    )


class _Project:
    """A project, with what is asked of it often."""

    def __init__(self, project: Project) -> None:
        from callboard_kdenlive.ledger import Ledger
        from callboard_kdenlive.properties import prop
        from callboard_kdenlive.refs import refs
        from callboard_kdenlive.uses import on_timeline

        self._project, self._folders = project, Folders()
        self._clips = {prop(one, "kdenlive:id") or "": one for one in project.clips()}
        named = {ref: number for number, ref in refs(project).items()}
        made = Ledger(project).every("placeholder")
        self._ours = {named[one["clip"]]: proposal for proposal, _, one in made if one.get("clip") in named}
        self._now = {named[ref]: one["now"] for _, ref, one in Ledger(project).every("relink") if ref in named}
        self._uses = {(one.track.name, one.item.start): one.use for one in on_timeline(project)}
        self._about: dict[str, dict[str, Any]] = {}

    def items(self, track: Track) -> Iterator[Item]:
        """Describe what lies on a track."""
        from callboard_kdenlive.tracks import items

        for laid in items(self._project, track):
            if laid.length > 0:
                yield self._item(track, laid)

    def _item(self, track: Track, laid: Laid) -> Item:
        if laid.clip not in self._about:
            self._about[laid.clip] = self._clip(laid)
        about = dict(self._about[laid.clip])
        about |= self._source(laid) if about.get("how") or about["state"] == "offline" else {}
        if (split := about.pop("split", None)) is not None:
            about["numbered"] = self._numbered(split, laid)
        return Item(
            ref=f"{track.name}-{laid.start}",
            track=track.name,
            start=laid.start,
            frames=laid.length,
            enabled=not track.hidden,
            use=self._uses.get((track.name, laid.start)),
            **about,
        )

    def _clip(self, laid: Laid) -> dict[str, Any]:
        """Describe a clip of the bin: what is the same wherever it lies."""
        from callboard_kdenlive.project import media_of
        from callboard_kdenlive.properties import prop
        from callboard_kdenlive.sources import PROPOSAL, is_still

        own = self._clips.get(laid.clip, laid.producer)
        if own is None:
            return {"state": "offline", "problem": "its clip is not in the bin"}
        path = media_of(self._project, own)
        ours = self._ours.get(laid.clip) or prop(own, PROPOSAL) or ""
        ours = "" if path and self._now.get(laid.clip) == path else ours  # the real shot took its place
        name = prop(own, "kdenlive:clipname") or os.path.basename(path)
        about: dict[str, Any] = {"state": "stand-in" if ours else "real", "name": name, "stands": ours}
        about |= {"by": "cut"} if ours else {}
        if not path:
            return about
        if (split := pattern_of(path.partition("?")[0])) is not None:
            return {**about, "media": path, "how": "there", "split": split}
        if _ALL in os.path.basename(path):
            return {**about, "media": path, **_slides(path)}
        if not os.path.isfile(path):
            return {**about, "state": "offline", "media": path, "problem": "is not there"}
        return {**about, "media": path, "how": "there", "still": is_still(path)}

    def _source(self, laid: Laid) -> dict[str, Any]:
        """Say which frames of its media a use shows, in frames of the project."""
        from callboard_kdenlive.properties import prop
        from callboard_kdenlive.uses import speed_of

        source = laid.producer
        if source is None or any(prop(link, "mlt_service") == "timeremap" for link in source.findall("link")):
            return {}  # its speed changes within it: no span of media is what it shows
        speed = speed_of(source)
        begin, used = Fraction(laid.source_in) * abs(speed), round(laid.length * abs(speed))
        if speed < 0:
            length = self._project.frames(prop(source, "length"), laid.source_in + laid.length)
            begin = max(Fraction(length) * abs(speed) - begin - used, Fraction(0))
        return {"source_in": round(begin), "source_frames": max(used, 1)}

    def _numbered(self, split: tuple[str, str, str, int], laid: Laid) -> Frames:
        """Say which files of a slide show a use shows: they are counted from the first that is there."""
        folder, prefix, suffix, padding = split
        every = max(_ttl(laid.producer), 1)
        known = Frames(folder=folder, prefix=prefix, suffix=suffix, padding=padding, first=0, last=0)
        numbers = self._folders.numbers(known)
        begin = numbers[0] if numbers else 0
        last = begin + (laid.source_in + laid.length - 1) // every
        return Frames(
            folder=folder,
            prefix=prefix,
            suffix=suffix,
            padding=padding,
            first=begin + laid.source_in // every,
            last=last,
        )


def _slides(path: str) -> dict[str, Any]:
    """Say whether a slide show of a folder has any picture."""
    folder, name = os.path.split(path)
    ending = os.path.splitext(name)[1].lower()
    try:
        there = any(one.lower().endswith(ending) for one in os.listdir(folder))
    except OSError:
        there = False
    return {} if there else {"state": "offline", "problem": f"there is no {ending} in its folder"}


def _ttl(source: Element | None) -> int:
    """Give for how many frames each picture of a slide show is shown."""
    from callboard_kdenlive.project import number
    from callboard_kdenlive.properties import prop

    return number(prop(source, "ttl")) if source is not None else 1


def _pixel_aspect(project: Project) -> str:
    profile = project.root.find("profile")
    wide, high = (str(profile.get(f"sample_aspect_{one}") or "1") for one in ("num", "den"))
    fits = all(one.isascii() and one.isdigit() and 0 < len(one) <= 5 and int(one) for one in (wide, high))
    return f"{int(wide)}:{int(high)}" if fits and wide != high else ""


__all__ = ["read", "suffixes"]
