"""Embedding models: what is done to pictures and texts before and after one, and which packs belong together.

Nothing heavy is imported with this module: the classes come from their own modules when they are first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from callboard.embed.pairs import IMAGE_TASK, TEXT_TASK, find_pair, find_pairs, space_of

if TYPE_CHECKING:
    from callboard.embed.cache import TextCache
    from callboard.embed.embedder import ImageEmbedder, TextEmbedder

_LATER = {
    "ImageEmbedder": "callboard.embed.embedder",
    "TextEmbedder": "callboard.embed.embedder",
    "TextCache": "callboard.embed.cache",
}


def __getattr__(name: str) -> Any:
    """Import a class when it is asked for: numpy and Pillow come with it."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LATER[name]), name)


__all__ = [
    "IMAGE_TASK",
    "TEXT_TASK",
    "ImageEmbedder",
    "TextCache",
    "TextEmbedder",
    "find_pair",
    "find_pairs",
    "space_of",
]
