"""Every hook, on one screen.

pluggy specifies, discovers and registers; the router calls one plugin at a time, each with its own deadline.
A hook may be a plain function (run in a thread) or ``async def``. Arguments are matched by name: take those you need.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from callboard_schemas import AnyResult, Asset, Envelope

    from callboard.context import Context

    Answer = AnyResult | Sequence[AnyResult] | None

PROJECT = "callboard"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def callboard_handle(event: Envelope, asset: Asset | None, context: Context) -> Answer:
    """Answer one event with results; each but ``Prints`` becomes a proposal. ``None`` means nothing to say.

    Raise ``JobError`` for what would fail again, ``Blocked`` for what may work later.
    """


@hookspec
def callboard_setup(context: Context) -> None:
    """Prepare once per plugin process, before its first job."""


@hookspec
def callboard_teardown(context: Context) -> None:
    """Let go of what ``callboard_setup`` took, before the process ends."""
