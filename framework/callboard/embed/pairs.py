"""Which packs belong together: ``NAME-image`` and ``NAME-text`` are the two towers of one checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from callboard.errors import ModelMissing
from callboard.packs import locate

if TYPE_CHECKING:
    from callboard.packs import Pack

IMAGE_TASK: Final = "image-embedding"
TEXT_TASK: Final = "text-embedding"
Pair = tuple["Pack", "Pack"]
"""The image tower's pack and the text tower's."""


def space_of(pack: Pack) -> str:
    """Say what the embeddings of *pack* may be compared with: only those of the same space.

    The two towers of a checkpoint name it in ``preprocess`` (``space``: the digest of the checkpoint), and so share
    it, as do exports of it in other precisions; any other pack has a space of its own.
    """
    named = pack.preprocess.get("space")
    if isinstance(named, str) and named:
        return f"clip:{named}"
    return f"clip:{pack.digest}" if pack.task == IMAGE_TASK else f"text:{pack.digest}"


def find_pairs(packs: Mapping[str, Pack]) -> dict[str, Pair]:
    """Find every pair by NAME, whether its files are here or not."""
    pairs: dict[str, Pair] = {}
    for name, image in packs.items():
        text = packs.get(name.removesuffix("-image") + "-text")
        if text is None or not name.endswith("-image") or image.problem or text.problem:
            continue
        if (image.task, text.task) == (IMAGE_TASK, TEXT_TASK) and space_of(image) == space_of(text):
            pairs[name.removesuffix("-image")] = (image, text)
    return pairs


def find_pair(packs: Mapping[str, Pack], wanted: str = "") -> Pair | None:
    """Choose the pair to use; looks whether files are there, and reads none.

    Args:
        packs: What ``find_packs`` found.
        wanted: NAME of the pair; empty takes, of those whose files are here, the one with the longest vectors, then the
            one with the most bytes, then the first by name.

    Returns:
        The image pack and the text pack, or None where none is here and none is wanted.

    Raises:
        ModelMissing: the wanted pair is not known, or its files are not here.
    """
    pairs = find_pairs(packs)
    if wanted:
        if wanted not in pairs:
            known = ", ".join(sorted(pairs)) or "none"
            raise ModelMissing(
                wanted, "there is no such pair of packs", f"'callboard models list' shows them: {known}."
            )
        for pack in pairs[wanted]:
            locate(pack)
        return pairs[wanted]
    ready = {name: pair for name, pair in pairs.items() if _ready(pair)}
    return ready[max(sorted(ready, reverse=True), key=lambda name: _rank(ready[name]))] if ready else None


def _ready(pair: Pair) -> bool:
    try:
        for pack in pair:
            locate(pack)
    except ModelMissing:
        return False
    return True


def _rank(pair: Pair) -> tuple[int, int]:
    image = pair[0]
    return (image.outputs[0].shape[-1] if image.outputs else 0, sum(file.size for file in image.files))


__all__ = ["IMAGE_TASK", "TEXT_TASK", "Pair", "find_pair", "find_pairs", "space_of"]
