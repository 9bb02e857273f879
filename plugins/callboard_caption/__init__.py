"""Captions: what is said in a recording, as cues with word times. Imports nothing heavy until a job comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from callboard.hookspecs import hookimpl

if TYPE_CHECKING:
    from callboard.context import Context
    from callboard_schemas import Captions, Envelope


@hookimpl
def callboard_handle(event: Envelope, context: Context) -> Captions | None:
    """Caption the asset of *event*; ``None`` where it has no sound."""
    from callboard_caption.captioner import caption, check_language

    check_language(event)
    return caption(context)
