"""How like two texts are, by the runs of characters they share."""

from __future__ import annotations

from collections import Counter


def chrf(hypothesis: str, reference: str, longest: int = 6, beta: float = 2.0) -> float:
    """Give chrF (Popović, 2015): the F score of character n-grams, spaces left out, recall weighed twice.

    Returns:
        0 to 1; 1 for two empty texts.
    """
    one, other = ("".join(text.split()) for text in (hypothesis, reference))
    if not one or not other:
        return float(one == other)
    precisions: list[float] = []
    recalls: list[float] = []
    for size in range(1, longest + 1):
        said, wanted = (Counter(text[at : at + size] for at in range(len(text) - size + 1)) for text in (one, other))
        if not said or not wanted:
            break
        shared = (said & wanted).total()
        precisions.append(shared / said.total())
        recalls.append(shared / wanted.total())
    precision, recall = sum(precisions) / len(precisions), sum(recalls) / len(recalls)
    if not precision and not recall:
        return 0.0
    square = beta * beta
    return (1 + square) * precision * recall / (square * precision + recall)


__all__ = ["chrf"]
