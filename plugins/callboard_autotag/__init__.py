"""Tags: what is in media, from its container, its picture and its sound. Imports nothing heavy until a job comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from callboard.hookspecs import hookimpl

if TYPE_CHECKING:
    from callboard.context import Context
    from callboard_schemas import AnyResult, Asset


@hookimpl
def callboard_handle(asset: Asset | None, context: Context) -> list[AnyResult]:
    """Tag the asset of the event, and make the prints that it is found by."""
    from callboard_autotag.tagger import analyse

    return analyse(context, asset.sequence if asset is not None else None)
