"""The engines that invent nothing: black, a frame held, the nearest frame, the version before, what is rendered so far.

Each says in its notes what it shows and what not. Pictures come from the neighbours that a brief names, and for
``previous``, ``nearest`` and ``rendered`` from media in the watched folders that is named after the shot. A sequence is
shown from its first frame, or from the number in the request's parameter ``first_frame``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from callboard.errors import JobError, MediaError
from callboard_schemas import Asset, Neighbour

from callboard_placeholder import conforming, lookup
from callboard_placeholder.encoding import samples
from callboard_placeholder.engine import Array, Bench, Made, Order
from callboard_placeholder.stretch import Shown, Source, Stretch

if TYPE_CHECKING:
    from callboard_schemas import Parameters


def black(order: Order, bench: Bench) -> Made:
    """Make black pictures and silence."""
    silence = np.zeros((samples(order.rate, order.frames), 2), np.float32)
    return Made(pictures=_still(conforming.black(order), order), sound=silence, parameters={"policy": "black"})


def hold(order: Order, bench: Bench) -> Made:
    """Hold the last frame of the shot before; where there is none, the first frame of the shot behind.

    Raises:
        JobError: no neighbour's media can be opened.
    """
    notes: list[str] = []
    for side in ("before", "after"):
        touching = _touching(order, bench, side, notes)
        if touching is not None:
            break
    else:
        raise _no_neighbour(order, notes)
    if side == "after":
        notes.append(f"There is no picture before {order.shot}: the first frame of {touching.name} is held instead.")
    return Made(
        pictures=_still(conforming.conform(touching.picture, order), order),
        parameters={"policy": "hold", "side": side},
        references={touching.path: touching.digest},
        notes=(*notes, *_bars(order, touching.picture.shape[1], touching.picture.shape[0])),
    )


def nearest(order: Order, bench: Bench) -> Made:
    """Show for each missing frame the nearest that exists: in the shot's own sequence, else of its neighbours.

    Of two that are as near, the earlier is shown.

    Raises:
        JobError: there is neither such a sequence nor a neighbour whose media can be opened.
    """
    own = _sequence(order, bench)
    if own is not None and own.missing:
        return _filled(order, bench, own, "nearest")
    notes: list[str] = []
    before, after = (_touching(order, bench, side, notes) for side in ("before", "after"))
    there = [one for one in (before, after) if one is not None]
    if not there:
        raise _no_neighbour(order, notes)
    turn = (order.frames + 1) // 2 if len(there) == 2 else order.frames
    if len(there) == 1:
        notes.append(f"Only {there[0].name} has a picture to show; it is held throughout.")
    pictures = [conforming.conform(one.picture, order) for one in there]
    return Made(
        pictures=(pictures[0] if index < turn else pictures[-1] for index in range(order.frames)),
        parameters={"policy": "nearest", "turn": turn},
        references={one.path: one.digest for one in there},
        notes=(*notes, *_bars(order, there[0].picture.shape[1], there[0].picture.shape[0])),
    )


def rendered(order: Order, bench: Bench) -> Made:
    """Show the frames that exist of the shot's own sequence; each missing one is black and says its number.

    Raises:
        JobError: no sequence in the watched folders is named after the shot.
    """
    own = _sequence(order, bench)
    if own is None:
        raise JobError(
            f"no image sequence in the watched folders is named after {order.shot}",
            "Choose black or a slate, or put what is rendered into a watched folder.",
        )
    return _filled(order, bench, own, "rendered")


def previous(order: Order, bench: Bench) -> Made:
    """Show the highest version of the shot that is there, whole ones before such with missing frames.

    It begins with its first frame; what is too long is cut, and for what is too short the last frame stays.

    Raises:
        JobError: no media in the watched folders is named after the shot.
    """
    found = lookup.of_shot(order.shot, bench.context)
    if not found:
        raise JobError(
            f"no media in the watched folders is named after {order.shot}",
            "Choose hold, black or a slate; or name the media after the shot, such as SH010_v002.mov.",
        )
    best = min(found, key=lambda one: one.missing > 0)
    asset = best.asset()
    stretch = Stretch(Source.open(asset, order, bench.context), order, _first(order, asset))
    return Made(
        pictures=(_conformed(stretch.before(), order)),
        parameters=_told("previous", asset, stretch, best.version),
        references={_path(asset): asset.digest},
        notes=(f"Shows {best.name}.", *stretch.notes(), *_bars(order, *stretch.source.size)),
    )


class _Touching:
    """The frame of a neighbour that touches the shot."""

    def __init__(self, neighbour: Neighbour, asset: Asset, picture: Array) -> None:
        self.name = neighbour.name or asset.place.path
        self.path, self.digest, self.picture = _path(asset), asset.digest, picture


def _touching(order: Order, bench: Bench, side: str, notes: list[str]) -> _Touching | None:
    """See the frame at the cut; why there is none goes to *notes*."""
    neighbour = next((one for one in order.brief.neighbours if one.side == side), None)
    if neighbour is None or neighbour.asset is None:
        return None
    try:
        media = bench.context.open(neighbour.asset, float(order.rate.fps))
        frame = media.picture(neighbour.time)
    except MediaError as error:
        notes.append(f"The shot {side} cannot be shown: {error.message}.")
        return None
    return None if frame is None else _Touching(neighbour, neighbour.asset, frame.pixels)


def _no_neighbour(order: Order, notes: list[str]) -> JobError:
    why = " ".join(notes) or "the brief names no neighbour whose media is known"
    return JobError(f"{order.shot} has no neighbour to show: {why}", "Choose black or a slate.")


def _still(picture: Array, order: Order) -> Iterator[Array]:
    return (picture for _ in range(order.frames))


def _sequence(order: Order, bench: Bench) -> lookup.Candidate | None:
    found = lookup.of_shot(order.shot, bench.context)
    return next((one for one in found if one.found.sequence is not None), None)


def _filled(order: Order, bench: Bench, own: lookup.Candidate, policy: str) -> Made:
    """Make every frame of a sequence in order, the missing ones by a policy."""
    asset = own.asset()
    stretch = Stretch(Source.open(asset, order, bench.context), order, _first(order, asset))
    gaps = stretch.gaps()
    how = "the nearest frame stands for it" if policy == "nearest" else "black stands for it"
    note = f"{len(gaps)} of {order.frames} frames of {own.name} are missing, and {how}: {runs(gaps)}." if gaps else ""
    shown = stretch.nearest() if policy == "nearest" else stretch.exact()
    return Made(
        pictures=_conformed(shown, order),
        parameters=_told(policy, asset, stretch, own.version),
        references={_path(asset): asset.digest},
        notes=tuple(filter(None, (note, *_bars(order, *stretch.source.size)))),
    )


def _conformed(shown: Iterator[Shown], order: Order) -> Iterator[Array]:
    """Bring pictures to size, each once; where there is none, say which frame is missing."""
    last: Array | None = None
    made = conforming.black(order)
    for one in shown:
        if one.picture is None:
            yield conforming.lettered(order, f"missing frame {one.number}")
            continue
        if one.picture is not last:
            last, made = one.picture, conforming.conform(one.picture, order)
        yield made


def _first(order: Order, asset: Asset) -> int:
    """Give the number of the frame that is shown first."""
    first = asset.sequence.first if asset.sequence is not None else 0
    said = order.parameters.get("first_frame")
    return said if isinstance(said, int) and not isinstance(said, bool) and asset.sequence is not None else first


def _told(policy: str, asset: Asset, stretch: Stretch, version: int | None) -> Parameters:
    told: Parameters = {"policy": policy}
    if version is not None:
        told["version"] = version
    return told | ({"first_frame": stretch.first} if asset.sequence is not None else {})


def _path(asset: Asset) -> str:
    return f"{asset.place.root}/{asset.place.path}"


def _bars(order: Order, width: int, height: int) -> tuple[str, ...]:
    """Say that a picture does not fill the frame."""
    wide, high = conforming.fitted_size(order, width, height)
    if (wide, high) == (order.width, order.height):
        return ()
    where = "at the sides" if wide < order.width else "above and below"
    return (f"A picture of {width} x {height} is shown whole in {order.width} x {order.height}, with bars {where}.",)


def runs(numbers: list[int]) -> str:
    """Write numbers as runs: ``1043, 1050-1052``, at most twelve of them."""
    found: list[list[int]] = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    texts = [f"{one}" if one == last else f"{one}-{last}" for one, last in found]
    return ", ".join(texts[:12]) + (f" and {len(texts) - 12} more" if len(texts) > 12 else "")


__all__ = ["black", "hold", "nearest", "previous", "rendered", "runs"]
