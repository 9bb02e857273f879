"""Chooses what goes where a shot is missing: what a person named, else a placeholder that the project accepted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from callboard.errors import CallboardError, TimelineError, UsageError
from callboard.timedtext.rate import Rate
from msgspec import Struct

from callboard_otio.accepted import Stand
from callboard_otio.filling import GENERATORS, STILLS, StandIn, put
from callboard_otio.finding import Place, Spot, places
from callboard_otio.marking import ident_of


class Choice(Struct, frozen=True, kw_only=True):
    """What a person wants in the holes of a timeline."""

    named: Mapping[str, Path] = {}
    """Ref of a spot to a file."""
    file: Path | None = None
    """In every other spot."""
    generator: str = ""
    """In every other spot, where there is no file."""
    accepted: Sequence[Stand] = ()
    """Used where they were asked for, or where their shot is the spot's name, unless a person named a file for it."""
    timeline: Path | None = None
    """The file that is filled: what was asked for there comes before what was asked for elsewhere."""


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of a spot."""

    spot: Spot
    state: str
    """``filled``, ``unchanged``, ``arrived`` (its own media is there), ``removed``, ``left`` (nothing was chosen for
    it) or ``refused``."""
    what: str = ""
    why: str = ""


def check(choice: Choice) -> None:
    """Refuse a choice that can fill nothing.

    Raises:
        UsageError: a file is not there, there is no such generator, or nothing was chosen at all.
    """
    for file in (*choice.named.values(), *((choice.file,) if choice.file else ())):
        if not file.is_file():
            raise UsageError(f"{file} is no file", "Give a picture or a film to put there.")
    if choice.generator and choice.generator not in GENERATORS:
        raise UsageError(f"there is no generator {choice.generator!r}", f"There are: {', '.join(GENERATORS)}.")


def fill(
    timeline: Any,
    spots: Sequence[Spot],
    choice: Choice,
    rate: Rate,
    length: Callable[[Path, Rate], int | None],
) -> list[Outcome]:
    """Fill each spot with what was chosen for it; one that cannot be filled is told, and the others go on.

    Args:
        timeline: Is changed.
        spots: As ``finding`` gives them.
        choice: What goes where.
        rate: Of the timeline.
        length: Gives how many frames a file has; nothing for a still, and where it is not known.
    """
    unknown = sorted(set(choice.named) - {spot.ref for spot in spots})
    if unknown:
        raise UsageError(f"there is nothing to fill at {unknown[0]}", "'callboard timeline inspect' lists the places.")
    known = {f"{place.name}-{place.start}": place for place in places(timeline, rate)}
    return [_one(known[spot.ref], spot, choice, rate, length) for spot in spots]


def _one(place: Place, spot: Spot, choice: Choice, rate: Rate, length: Callable[[Path, Rate], int | None]) -> Outcome:
    chosen = _chosen(spot, choice, rate, length)
    if chosen is None:
        return Outcome(spot=spot, state="left", why="nothing was chosen for it")
    what = chosen.file.name if chosen.file else chosen.generator
    try:
        done = put(place, chosen, rate)
    except TimelineError as error:
        return Outcome(spot=spot, state="refused", what=what, why=error.problem)
    except CallboardError as error:
        return Outcome(spot=spot, state="refused", what=what, why=error.message)
    return Outcome(spot=spot, state="filled" if done else "unchanged", what=what)


def _chosen(spot: Spot, choice: Choice, rate: Rate, length: Callable[[Path, Rate], int | None]) -> StandIn | None:
    named = choice.named.get(spot.ref)
    if named is not None:
        return _of_file(spot, named, rate, length)
    stand = max(choice.accepted, key=lambda one: _fits(one, spot, choice.timeline), default=None)
    stand = stand if stand is not None and _fits(stand, spot, choice.timeline)[0] else None
    if stand is not None:
        facts = {"proposal": stand.proposal.id, "generator": stand.body.generator, "digest": stand.body.digest}
        frames = None if stand.file.suffix.lower() in STILLS else length(stand.file, rate)
        return StandIn(ident=stand.proposal.id, file=stand.file, name=stand.body.shot, frames=frames, facts=facts)
    if choice.file is not None:
        return _of_file(spot, choice.file, rate, length)
    if choice.generator:
        return StandIn(ident=ident_of(spot.ref, choice.generator), generator=choice.generator, name=spot.name)
    return None


def _fits(stand: Stand, spot: Spot, timeline: Path | None) -> tuple[int, int]:
    """Say how well an accepted placeholder fits a spot, better ones more, and later ones before earlier ones."""
    body = stand.body
    here = timeline is not None and bool(body.timeline) and Path(body.timeline).name == timeline.name
    if here and body.ref == spot.ref and body.ref:
        return 3, stand.number
    if body.shot in (spot.name, spot.ref):
        return 1 + int(here), stand.number
    return 0, stand.number


def _of_file(spot: Spot, file: Path, rate: Rate, length: Callable[[Path, Rate], int | None]) -> StandIn:
    frames = None if file.suffix.lower() in STILLS else length(file, rate)
    return StandIn(ident=ident_of(spot.ref, file.absolute()), file=file.absolute(), name=spot.name, frames=frames)


__all__ = ["Choice", "Outcome", "check", "fill"]
