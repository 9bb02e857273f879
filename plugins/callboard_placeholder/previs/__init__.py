"""Previs: a grey-box scene that Blender builds and renders, without a window, in a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from callboard_placeholder.engine import Bench, Made, Order


def previs(order: Order, bench: Bench) -> Made:
    """Begin one version: the scene is built and saved when this returns, and rendered as pictures are taken.

    Raises:
        JobError: Blender cannot make this scene.
        Blocked: there is no Blender on this machine.
    """
    from callboard_placeholder.previs.making import make

    return make(order, bench)


__all__ = ["previs"]
