"""How alike a CLIP finds two pictures, where a project has one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from callboard_placeholder.continuity.view import View

if TYPE_CHECKING:
    from callboard.context import Context

PACK: Final = "clip-image"
"""The image tower of the pair that tags and search use."""


class Likeness:
    """Compares pictures by their embeddings.

    Args:
        context: Has the runtime; without the pack nothing is compared.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    def compare(self, ours: View, theirs: View) -> Iterator[tuple[str, float, str]]:
        """Give the cosine of two pictures as a score, and in words; nothing where no CLIP is here.

        Raises:
            CallboardError: the model cannot be run.
        """
        if PACK not in self._context.models:
            return
        from callboard.embed import ImageEmbedder
        from callboard.packs import find_packs

        embedder = ImageEmbedder(self._context.runtime, find_packs()[PACK])
        one, other = embedder.embed([ours.whole, theirs.whole])
        alike = float(one @ other)
        yield "likeness", max(alike, 0.0), f"CLIP finds it {alike:.2f} alike (cosine) to"


__all__ = ["PACK", "Likeness"]
