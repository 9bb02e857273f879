"""Placeholders: stand-ins for shots that are missing. Imports nothing heavy until a job comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from callboard.hookspecs import hookimpl

if TYPE_CHECKING:
    from callboard.context import Context
    from callboard_schemas import Envelope, Placeholder


@hookimpl
def callboard_handle(event: Envelope, context: Context) -> list[Placeholder]:
    """Make the versions that *event* asks for, each by its engine."""
    from callboard_placeholder.maker import make

    return make(event, context)
