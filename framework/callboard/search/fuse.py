"""One order out of several: reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009).

Scores of words and of pictures cannot be compared; places in a ranking can.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from callboard.search import Hit, Reason

K: Final = 60
"""How little the first places count more than the next: the paper's value, which nobody has needed to change."""


def fuse(*rankings: Sequence[Hit], limit: int = 20) -> list[Hit]:
    """Merge rankings, best first; an asset's reasons are those of each ranking in turn.

    Args:
        rankings: Each best first, an asset at most once.
        limit: Most assets to give.
    """
    if sum(map(bool, rankings)) == 1:  # the order of one ranking is its own
        return list(next(filter(None, rankings)))[:limit]
    scores: dict[str, float] = {}
    reasons: dict[str, tuple[Reason, ...]] = {}
    for ranking in rankings:
        for place, hit in enumerate(ranking, 1):
            scores[hit.digest] = scores.get(hit.digest, 0.0) + 1 / (K + place)
            reasons[hit.digest] = (*reasons.get(hit.digest, ()), *hit.reasons)
    order = sorted(scores, key=lambda digest: -scores[digest])[:limit]
    return [Hit(digest=digest, score=scores[digest], reasons=reasons[digest]) for digest in order]


__all__ = ["K", "fuse"]
