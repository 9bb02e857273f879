"""The rhythm of the cutting, put into words."""

from __future__ import annotations

from functools import partial

import numpy as np
from callboard.media.cuts import Cut
from callboard_schemas import Evidence, Scalar, Tag

METHOD = "shots"
_MOST_EVIDENCE = 1000


def rhythm(
    cuts: list[Cut], duration: float, frames: int, method: str = METHOD, model: str = "", threshold: float | None = None
) -> tuple[list[Tag], dict[str, Scalar | list[str]]]:
    """Put the cutting into a word, with every cut as evidence.

    Args:
        cuts: In order.
        duration: Seconds of picture.
        frames: That were looked at; nothing is said of a single one.
        method: That found the cuts.
        model: Digest of the model pack that found them; empty for arithmetic.
        threshold: Strength from which the method calls it a cut.
    """
    if frames < 2 or duration <= 0:
        return [], {}
    count = len(cuts) + 1
    mean = duration / count
    facts: dict[str, Scalar | list[str]] = {
        "shots": count,
        "mean_shot_seconds": round(mean, 3),
        "cuts_method": method,
    }
    made = partial(Tag, method=method, model=model, threshold=threshold)
    if count == 1:
        return [made(label="single shot", score=0.9, group=("editing",))], facts
    # Average shot lengths of features run from about 2.5 s (fast) to over 8 s (slow): Bordwell, Cutting et al. 2011.
    word = "fast cutting" if mean < 2.5 else "medium cutting" if mean < 8.0 else "slow cutting"
    score = round(float(np.mean([cut.strength for cut in cuts])), 3)
    seen = tuple(
        Evidence(start=round(max(cut.time, 0.0), 3), frame=cut.index, value=cut.strength)
        for cut in cuts[:_MOST_EVIDENCE]
    )
    tags = [made(label="edited", score=score, group=("editing",), evidence=seen)]
    if count >= 3:
        lasting = (Evidence(value=round(mean, 3)),)
        tags.append(made(label=word, score=score, group=("editing", "rhythm"), evidence=lasting))
    return tags, facts


__all__ = ["METHOD", "rhythm"]
