"""What is asked of localization: captions that were accepted, and texts that somebody wants in another language."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from callboard_schemas.envelope import Name
from callboard_schemas.events import Language, Request
from callboard_schemas.media import Asset
from callboard_schemas.results import Captions


class CaptionsAccepted(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Captions of an asset hold from now on."""

    asset: Asset
    captions: Captions
    proposal: Name
    by: str = ""
    """Who accepted them."""


class TranslationRequested(Request, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody wants an asset's captions, description or tag names in other languages.

    What is left out is taken from what was accepted for the asset.
    """

    captions: Captions | None = None
    source_language: Language | None = None
    """Of the description and labels; the captions say their own."""
    description: str = ""
    labels: tuple[str, ...] = ()
    what: tuple[Literal["captions", "description", "labels"], ...] = ()
    """What is taken of what was accepted; empty means all that there is."""
