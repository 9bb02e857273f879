"""Localization: captions in other languages that keep every cue where it was. Imports nothing heavy until a job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from callboard.hookspecs import hookimpl

if TYPE_CHECKING:
    from callboard.context import Context
    from callboard_schemas import Asset, Envelope, Translation


@hookimpl
def callboard_handle(event: Envelope, asset: Asset | None, context: Context) -> list[Translation] | None:
    """Translate what *event* brings into the languages that it or the settings ask for; ``None`` where none is."""
    from callboard_localize.localizer import localize

    return localize(event, asset, context)
