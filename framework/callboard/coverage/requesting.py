"""What is missing, as requests for placeholders: exactly as long, as large and as fast as the hole they fill."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from pathlib import PurePath
from typing import Final

from callboard_schemas import Brief, Neighbour, Placeholder, PlaceholderRequested, Proposal
from msgspec import Struct
from msgspec.structs import replace

from callboard.briefs import fill
from callboard.config import Project
from callboard.coverage.cut import Cut, Item
from callboard.coverage.headers import Headers
from callboard.coverage.neighbours import Neighbours
from callboard.coverage.report import Coverage
from callboard.coverage.shotlist import Listed, Shot
from callboard.errors import UsageError

SIZE: Final = (1920, 1080)
"""Where nothing says how large the picture is."""
_MOST: Final = 10_000_000
_APPLICATIONS: Final = {"kdenlive": "Kdenlive", "blender": "Blender"}
_SECONDS: Final = 4.0
"""How long a shot is of which nobody says it."""
_SIZE: Final = re.compile(r"([1-9]\d{0,4})\s*[x×X]\s*([1-9]\d{0,4})")
_GUESSED_SIZE: Final = "nothing says how large the picture is"


class Terms(Struct, frozen=True, kw_only=True):
    """On what terms placeholders are asked for."""

    only: tuple[str, ...] = ()
    """Refs or shots; empty asks for all that is missing."""
    engines: tuple[str, ...] = ()
    versions: int = 1
    seed: int = 0
    size: str = ""
    """``1920x1080``, where the cut does not say one."""
    by: str = ""


class Frame(Struct, frozen=True):
    """How large a picture is."""

    width: int
    height: int
    pixel_aspect: str = ""
    why: str = ""
    """Where that is a guess."""


def requests(
    coverage: Coverage,
    terms: Terms,
    headers: Headers,
    *,
    listed: Listed | None = None,
    project: Project | None = None,
) -> tuple[PlaceholderRequested, ...]:
    """Ask for a placeholder for each thing that is missing.

    Args:
        coverage: What was found.
        terms: On what terms.
        headers: Looks into media of neighbours, for the size of the picture.
        listed: A shot list: what shots are for.
        project: Whose catalog knows the neighbours.

    Raises:
        UsageError: something that was named is not missing, or the size is none.
    """
    wanted = chosen(coverage, terms.only)
    shots = {one.name: one for one in listed.shots} if listed is not None else {}
    around = Neighbours(coverage, project)
    size = terms.size or (f"{listed.width}x{listed.height}" if listed is not None and listed.width else "")
    sizes = _Sizes(coverage.cut, headers, size)
    return tuple(_one(coverage.cut, item, terms, shots.get(item.shot), around, sizes) for item in wanted)


def chosen(coverage: Coverage, only: Sequence[str]) -> list[Item]:
    """Give what is missing: all of it, or what was named by ref or by shot.

    Raises:
        UsageError: something that was named is not missing.
    """
    lacking = coverage.lacking
    if not only:
        return lacking
    found = {name: [one for one in lacking if name in (one.ref, one.shot, one.name)] for name in only}
    for name, some in found.items():
        if not some:
            there = next((one for one in coverage.cut.items if name in (one.ref, one.shot, one.name)), None)
            state = f"it is {there.state}" if there is not None else "it is not in the cut"
            raise UsageError(
                f"{name}: {state}, so there is nothing to ask for", "Without --only all that lacks is asked."
            )
    wanted = {one.ref for some in found.values() for one in some}
    return [one for one in lacking if one.ref in wanted]


def _one(
    cut: Cut, item: Item, terms: Terms, shot: Shot | None, around: Neighbours, sizes: _Sizes
) -> PlaceholderRequested:
    frames, why = _length(cut, item, shot)
    beside = around.of(item)
    frame = sizes.of([one for one in around.items(item) if one is not None])
    brief = _brief(item, shot, beside, {"size": frame.why, "frames": why})
    return PlaceholderRequested(
        shot=(item.shot or item.name or item.ref)[:256],
        purpose=brief.purpose,
        duration=cut.rate.seconds(frames),
        width=frame.width,
        height=frame.height,
        rate=float(cut.rate.fps),
        counted=str(cut.rate),
        frames=frames,
        start=_timecode(cut, item),
        pixel_aspect=frame.pixel_aspect,
        timeline=cut.path,
        ref=item.ref,
        project=cut.project,
        gap=replace(item.gap, shot=item.shot or item.name, purpose=brief.purpose) if item.gap is not None else None,
        use=item.use,
        brief=brief,
        seed=terms.seed,
        versions=terms.versions,
        engines=terms.engines,
        by=terms.by,
        parameters={"first_frame": item.numbered.first} if item.numbered is not None else {},
    )


def _length(cut: Cut, item: Item, shot: Shot | None) -> tuple[int, str]:
    """Say how many frames are wanted, and why where nobody said it.

    It is as many as are shown; of a clip whose speed is changed, as many of its media as are shown.
    """
    frames = item.source_frames if item.state != "gap" and item.source_frames else item.frames
    frames = frames or (shot.frames if shot is not None else 0)
    return (min(frames, _MOST), "") if frames else (cut.rate.frame_at(_SECONDS), f"nobody said; {_SECONDS:g} seconds")


def _timecode(cut: Cut, item: Item) -> str:
    """Give the timecode of its first frame; a day has but 24 hours."""
    said = cut.timecode(item.start)
    return said if re.fullmatch(r"\d\d:\d\d:\d\d[:;]\d{2,3}", said) else ""


def _brief(item: Item, shot: Shot | None, beside: Sequence[Neighbour], why: dict[str, str]) -> Brief:
    """Say what is known, and have the rest guessed; each guess is marked."""
    said = shot.brief if shot is not None else Brief()
    filled = fill(said, item.shot or item.name, tuple(beside))
    guesses = {name: reason for name, reason in why.items() if reason}
    return replace(filled, guesses={**filled.guesses, **item.guesses, **guesses})


class _Sizes:
    """Says how large pictures are: as the cut says, else as the media beside does, else as most media of the cut."""

    def __init__(self, cut: Cut, headers: Headers, given: str) -> None:
        self._cut, self._headers = cut, headers
        self._given = _read(given)
        self._rest = [one for one in cut.items if one.state == "real" and one.how]
        self._any: Frame | None = None

    def of(self, beside: Sequence[Item]) -> Frame:
        if self._cut.width and self._cut.height:
            return Frame(self._cut.width, self._cut.height, self._cut.pixel_aspect)
        if self._given is not None:
            return self._given
        for item in beside:
            if (found := self._probed(item)) is not None:
                return found
        if self._any is None:
            probed = (self._probed(item) for item in self._rest)
            self._any = next((one for one in probed if one is not None), None) or Frame(*SIZE, why=_GUESSED_SIZE)
        return self._any

    def _probed(self, item: Item) -> Frame | None:
        if item.numbered is not None:
            one = item.numbered
            path = f"{one.folder}/{one.prefix}{one.first:0{one.padding}d}{one.suffix}"
        else:
            path = item.media
        stream = self._headers.stream(path) if item.how and path else None
        if stream is None or not (0 < stream.width <= 65536 and 0 < stream.height <= 65536):
            return None
        return Frame(stream.width, stream.height, _aspect(stream.sample_aspect))


def _read(text: str) -> Frame | None:
    if not text:
        return None
    found = _SIZE.fullmatch(text.strip())
    if found is None or max(int(found[1]), int(found[2])) > 65536:
        raise UsageError(f"{text!r} is no size", "Such as 1920x1080.")
    return Frame(int(found[1]), int(found[2]))


def _aspect(value: float) -> str:
    exact = Fraction(value).limit_denominator(1000)
    return "" if exact == 1 or not 0 < exact < 100 else f"{exact.numerator}:{exact.denominator}"


def standing(made: Sequence[Proposal], asked: Sequence[PlaceholderRequested]) -> tuple[PlaceholderRequested, ...]:
    """Give the requests that ask for what waits or stands in already: for the same place, as long and as fast.

    Args:
        made: The placeholders that the project knows.
        asked: What would be asked for; of engines that are named, all must have made one.
    """
    bodies = [one.body for one in made if one.state in ("proposed", "accepted") and isinstance(one.body, Placeholder)]
    by_shot: dict[str, list[Placeholder]] = {}
    for body in bodies:
        by_shot.setdefault(body.shot, []).append(body)
    return tuple(one for one in asked if _stands(one, by_shot.get(one.shot, ())))


def _stands(asked: PlaceholderRequested, made: Sequence[Placeholder]) -> bool:
    there = [
        body.generator
        for body in made
        if (body.frames, body.rate) == (asked.frames, asked.counted)
        and body.ref in ("", asked.ref)
        and PurePath(body.timeline).name in ("", PurePath(asked.timeline).name)
    ]
    return bool(there) and set(asked.engines) <= set(there)


def told(cut: Cut, asked: Sequence[PlaceholderRequested]) -> tuple[str, ...]:
    """Say once what was guessed of sizes, and how what is made gets into an application's project."""
    notes = []
    guessed = [one for one in asked if one.brief is not None and "size" in one.brief.guesses]
    if guessed:
        notes.append(f"{_GUESSED_SIZE}; {guessed[0].width}x{guessed[0].height} was taken: --size WxH says another")
    clips = [one for one in asked if one.project and one.gap is None and one.use is None]
    if clips:
        name, some = _APPLICATIONS.get(cut.format, cut.format), ", ".join(one.shot for one in clips[:3])
        more = f" and {len(clips) - 3} more" if len(clips) > 3 else ""
        notes.append(f"{name} can give these no other file, so put in by hand what stands in for them: {some}{more}")
    return tuple(notes)


__all__ = ["SIZE", "Terms", "chosen", "requests", "standing", "told"]
