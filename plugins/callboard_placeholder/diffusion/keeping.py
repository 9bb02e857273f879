"""What a drawn picture keeps to: the depth and the poses of a previs, shown to ControlNets that are here for them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from callboard.errors import JobError
from msgspec import Struct

from callboard_placeholder.diffusion.choosing import controls
from callboard_placeholder.diffusion.depth import DEPTH, depth
from callboard_placeholder.diffusion.pose import POSE, poses
from callboard_placeholder.diffusion.skeleton import skeleton
from callboard_placeholder.engine import Array, Bench, Order

if TYPE_CHECKING:
    from callboard.packs import Pack

_CONDITION: Final = "condition"
_KNOWN: Final = (DEPTH, POSE)
"""In the order in which ControlNets are put to a model, so that the same ones are the same model."""


class Keeping(Struct, frozen=True):
    """What the model is run with."""

    model: str
    """As the runtime is asked for it."""
    inputs: dict[str, Array] = {}
    models: dict[str, str] = {}
    """ControlNets, to their packs' digests."""
    notes: tuple[str, ...] = ()


def keeping(pack: Pack, scene: Path | None, order: Order, size: tuple[int, int], bench: Bench) -> Keeping:
    """Find what the picture keeps to.

    Args:
        pack: Draws, by itself or with a ControlNet of its own.
        scene: Of the previs that it starts from; nothing where it does not.
        order: Its ``diffusion_keeps`` says what is wanted.
        size: Width and height that are drawn, pixels.
        bench: Reaches Blender, and says whether the job goes on.

    Raises:
        JobError: the pack has a ControlNet for what cannot be given, or there is no previs to go by.
        Blocked: there is no Blender.
    """
    if (asked := pack.options.get(_CONDITION)) is not None:
        if asked not in _KNOWN:
            raise JobError(f"model {pack.name!r} wants {asked!r} to go by, and only depth and pose can be given")
        if scene is None:
            raise JobError(
                f"model {pack.name!r} goes by the {asked} of a previs",
                'Say diffusion_from = "previs" under [plugins.placeholder], or take a model without a ControlNet.',
            )
        shown = _depth(scene, size, bench) if asked == DEPTH else _poses(scene, size, bench)[0]
        return Keeping(pack.name, {_CONDITION: shown[None]}, {}, (f"it goes by the {asked} of the previs",))
    return Keeping(pack.name) if scene is None else _put(pack, scene, order, size, bench)


def _put(pack: Pack, scene: Path, order: Order, size: tuple[int, int], bench: Bench) -> Keeping:
    """Put to a model the ControlNets that are here."""
    here, wanted = controls(bench.context, pack), order.parameters.get("diffusion_keeps", _KNOWN)
    assert isinstance(wanted, list | tuple), "as the manifest says"
    shown: dict[str, Array] = {}
    notes: list[str] = []
    if DEPTH in here and DEPTH in wanted:
        shown[DEPTH] = _depth(scene, size, bench)
    if POSE in here and POSE in wanted:
        drawn, anybody = _poses(scene, size, bench)
        if anybody:
            shown[POSE] = drawn
        else:
            notes.append("nobody is seen in the previs: there is no pose to go by")
    if shown:
        notes.insert(0, f"it goes by the {' and the '.join(shown)} of the previs")
    nets = [here[name] for name in shown]
    names = [f"{_CONDITION}_{place}" if place else _CONDITION for place in range(len(nets))]
    return Keeping(
        "+".join((pack.name, *(net.name for net in nets))),
        {name: picture[None] for name, picture in zip(names, shown.values(), strict=True)},
        {net.name: net.digest for net in nets},
        tuple(notes),
    )


def _depth(scene: Path, size: tuple[int, int], bench: Bench) -> Array:
    return depth(scene, *size, bench)


def _poses(scene: Path, size: tuple[int, int], bench: Bench) -> tuple[Array, bool]:
    """Give the skeletons of the first picture, which is the one that is drawn from, and whether there is one."""
    (figures,) = poses(scene, *size, bench)
    anybody = any(joint is not None for figure in figures for joint in figure)
    return skeleton(figures, *size), anybody


__all__ = ["Keeping", "keeping"]
