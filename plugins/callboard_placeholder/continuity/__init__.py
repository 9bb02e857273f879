"""Continuity: how well a placeholder goes with the shots before and behind it, measured, never decided by."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, TypeVar

from callboard.briefs import fill
from callboard_schemas import Brief, Match, Neighbour

from callboard_placeholder.continuity.faces import FaceReader, sides, size_jump, sizes
from callboard_placeholder.continuity.horizon import find_horizon, horizons
from callboard_placeholder.continuity.likeness import Likeness
from callboard_placeholder.continuity.tones import match, tones
from callboard_placeholder.continuity.view import View, view
from callboard_placeholder.engine import Array, Order

if TYPE_CHECKING:
    from callboard.context import Context

_SIDE: Final = 960
"""Pixels of a neighbour's frame: enough to find a face of a twenty-fifth of the height."""

Found = tuple[str, float, str]
Result = TypeVar("Result")


def matches(pictures: Sequence[Array], order: Order, context: Context) -> tuple[Match, ...]:
    """Compare a version with its neighbours: its first picture with the end of the shot before, its last with the next.

    What cannot be measured is left out: without the neighbour's media nothing is, without packs no faces and no
    likeness, without one clear line no horizon. It raises nothing of its own.

    Args:
        pictures: The version's first, ..., last picture: height x width x 3, uint8, RGB.
        order: With the brief, whose neighbours are opened.
        context: Opens them, and has the models.
    """
    found: list[Match] = []
    if not pictures:
        return ()
    for neighbour in order.brief.neighbours:
        picture = pictures[0] if neighbour.side == "before" else pictures[-1]
        frame = _tried(lambda one=neighbour: _frame(one, order, context), context)  # type: ignore[misc] # a default binds it
        if frame is not None:
            found += _compared(picture, frame, neighbour, order, context)
    return tuple(found)


def _frame(neighbour: Neighbour, order: Order, context: Context) -> Array | None:
    """Give the frame of a neighbour that touches the placeholder; ``None`` where it cannot be seen."""
    if neighbour.asset is None or context.reach(neighbour.asset) is None:
        return None
    shown = context.open(neighbour.asset, float(order.rate.fps)).picture(neighbour.time, _SIDE)
    return None if shown is None else shown.pixels


def _compared(picture: Array, frame: Array, neighbour: Neighbour, order: Order, context: Context) -> Iterator[Match]:
    ours, theirs = view(picture), view(frame)
    measures: tuple[Callable[[], list[Found]], ...] = (
        lambda: list(tones(ours, theirs)),
        lambda: _horizon(ours, theirs),
        lambda: _people(ours, theirs, neighbour, order, context),
        lambda: list(Likeness(context).compare(ours, theirs)),
    )
    name = f"the shot {neighbour.side}"
    for measure in measures:
        for what, score, words in _tried(measure, context) or []:
            yield match(what, score, f"{words} {name}", neighbour.side)


def _tried(measure: Callable[[], Result], context: Context) -> Result | None:
    """Measure; whatever goes wrong is logged, and costs this measure only."""
    try:
        return measure()
    except Exception as error:  # noqa: BLE001 - a comparison may never cost a placeholder that is made
        context.log.warning("continuity: not measured: %s", error)
        return None


def _horizon(ours: View, theirs: View) -> list[Found]:
    own, other = find_horizon(ours), find_horizon(theirs)
    return [("horizon", *horizons(own, other))] if own is not None and other is not None else []


def _people(ours: View, theirs: View, neighbour: Neighbour, order: Order, context: Context) -> list[Found]:
    """Compare sizes and sides; sizes by what the brief and the labels say, too, where no face can be seen."""
    reader = FaceReader(context)
    own, other = reader.read(ours), reader.read(theirs)
    found: list[Found] = []
    if (pair := sizes(own, other, order.brief.shot_size or "", neighbour)) is not None:
        found.append(("shot size", *size_jump(*pair)))
    if (side := sides(own, other, _same(order.brief, neighbour))) is not None:
        found.append(("side", *side))
    return found


def _same(brief: Brief, neighbour: Neighbour) -> bool | None:
    """Whether the neighbour, by its name, shows the one person that the brief names; ``None``: it does not say."""
    if len(brief.cast) != 1:
        return None
    other = fill(Brief(), neighbour.name, cast=brief.cast).cast
    return None if len(other) != 1 else other[0].casefold() == brief.cast[0].casefold()


__all__ = ["matches"]
