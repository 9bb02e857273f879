"""What every translation session does alike: options, batches by length, limits and scores."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from callboard.errors import JobError
from callboard.packs import Pack
from callboard.runtime import Control
from callboard.runtime.engines.inputs import check_options
from callboard.runtime.engines.pieces import Pieces

TASK: Final = "translate"
"""What a pack's ``task`` says; ``options`` hold ``family`` and ``languages``, and ``>`` pairs for one-way models."""
_STEP: Final = 16
_LONGEST: Final = 512
"""Pieces of a sentence at most: what these models were trained on."""
_BEAMS: Final = 16
_MOST_TEXTS: Final = 1024


class Wish(NamedTuple):
    """How a call wants to be translated."""

    texts: tuple[str, ...]
    source: str
    target: str
    beams: int
    no_repeat: int
    """Pieces in a row that may not come twice; 0 for no such limit. Songs and shouts repeat short ones rightly."""
    ratio: float
    """Pieces that may be written for each that was read."""


class Written(NamedTuple):
    """What a model wrote for one text."""

    pieces: list[str]
    score: float
    """Mean natural logarithm of the probability of its pieces."""


Run = Callable[[list[list[str]], list[str], int, Wish], list[Written]]
"""Takes sources, the decoder's prefix, a limit of pieces and the wish; gives one answer for each source, in order."""


def wish_of(pack: Pack, inputs: Mapping[str, np.ndarray[Any, Any]], options: Mapping[str, Any]) -> Wish:
    """Read the options of a call.

    Raises:
        JobError: one is missing, unknown or past its limits.
    """
    check_options(pack, options, ("texts", "source", "target", "beams", "no_repeat", "ratio"))
    texts = options.get("texts")
    if inputs or not isinstance(texts, list | tuple) or not all(isinstance(text, str) for text in texts):
        raise JobError(f"model {pack.name!r} takes no arrays, and 'texts': a list of texts")
    wish = Wish(
        tuple(texts),
        str(options.get("source", "")),
        str(options.get("target", "")),
        int(options.get("beams", 4)),
        int(options.get("no_repeat", 8)),
        float(options.get("ratio", 2.5)),
    )
    fine = 1 <= wish.beams <= _BEAMS and 0 <= wish.no_repeat <= _LONGEST and 0.5 <= wish.ratio <= 10.0
    if not fine or len(texts) > _MOST_TEXTS:
        raise JobError(
            f"model {pack.name!r}: beams must be 1 to {_BEAMS}, no_repeat 0 to {_LONGEST}, ratio 0.5 to 10, "
            f"and texts at most {_MOST_TEXTS}"
        )
    return wish


def limit_of(length: int, ratio: float) -> int:
    """Say how many pieces may be written for *length* that are read, in steps that texts of a batch have in common.

    The limit of a text must not depend on what else is in its batch.
    """
    return min(_LONGEST, math.ceil((ratio * length + 8) / _STEP) * _STEP)


def translate(pack: Pack, pieces: Pieces, wish: Wish, control: Control, rows: int, run: Run) -> dict[str, Any]:
    """Translate in batches of like length, and put the answers back in order.

    Returns:
        ``texts``; ``scores``: mean logarithm of the probability of a piece, 0 for an empty text; ``cut``: whether a
        text was longer than the model reads, or its translation than it may write.
    """
    sources = [pieces.source(text, wish.source, wish.target) if text.strip() else [] for text in wish.texts]
    cut = [len(source) > _LONGEST for source in sources]
    sources = [_shortened(source) for source in sources]
    texts, scores = [""] * len(sources), [0.0] * len(sources)
    order = sorted((at for at, source in enumerate(sources) if source), key=lambda at: (len(sources[at]), at))
    done = 0
    for batch, limit in _batches(order, sources, wish.ratio, rows):
        if control.stopped:
            raise JobError(f"model {pack.name!r}: the call was stopped")
        answers = run([sources[at] for at in batch], pieces.prefix(wish.target), limit, wish)
        for at, answer in zip(batch, answers, strict=True):  # the last place may be kept for the end
            texts[at], scores[at] = pieces.text(answer.pieces, wish.target), answer.score
            cut[at] = cut[at] or len(answer.pieces) >= limit - 1
        done += len(batch)
        control.progress(done / len(order))
    return {"texts": texts, "scores": scores, "cut": cut}


def _shortened(source: list[str]) -> list[str]:
    return source if len(source) <= _LONGEST else [*source[: _LONGEST - 1], source[-1]]


def _batches(
    order: Sequence[int], sources: Sequence[Sequence[str]], ratio: float, rows: int
) -> list[tuple[list[int], int]]:
    """Make batches of at most *rows* neighbours in *order* that have one limit."""
    batches: list[tuple[list[int], int]] = []
    for at in order:
        limit = limit_of(len(sources[at]), ratio)
        if batches and batches[-1][1] == limit and len(batches[-1][0]) < rows:
            batches[-1][0].append(at)
        else:
            batches.append(([at], limit))
    return batches


__all__ = ["TASK", "Run", "Wish", "Written", "limit_of", "translate", "wish_of"]
