"""Captions and keywords: what is said in a recording. Imports nothing heavy until a job comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from callboard.hookspecs import hookimpl

if TYPE_CHECKING:
    from callboard.context import Context
    from callboard_schemas import Captions, Envelope, Tags


@hookimpl
def callboard_handle(event: Envelope, context: Context) -> list[Captions | Tags] | None:
    """Caption the asset of *event*, and name what is talked about; ``None`` where it has no sound."""
    from callboard_caption.captioner import asked_for, caption
    from callboard_caption.keywords import keywords_of

    captions = caption(context, asked_for(event, context.parameters))
    if captions is None:
        return None
    tags = keywords_of(captions, context) if context.parameters["keywords"] else None
    return [captions] if tags is None else [captions, tags]
