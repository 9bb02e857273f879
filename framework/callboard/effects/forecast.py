"""Which sidecars a result would be written to, without looking at any proposal: what ``callboard plan`` shows."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from callboard_schemas import Asset

from callboard.config import Sidecars
from callboard.effects.names import Subject, json_names, spot, xmp_names


def targets(
    media: bytes, asset: Asset, results: Iterable[str], settings: Sidecars, out: Path | None = None
) -> list[bytes]:
    """Give the absolute paths that accepted results of these kinds would be written to, where the names are free.

    A subtitle's language is not known before it is recognised; it stands as ``*``.
    """
    place = spot(Subject(media=media, asset=asset, proposals=()), settings, out)
    names = json_names(place)
    if "tags" in results:
        names += xmp_names(place, settings.xmp_name)[:1]
    if "captions" in results or "translation" in results:
        names += [place.stem + b".*." + role.encode() for role in settings.subtitles]
    return [place.folder + b"/" + name for name in names]


__all__ = ["targets"]
