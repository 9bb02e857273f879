"""New thresholds for concepts, from tags that people accepted and rejected.

For each concept and method the share of wanted tags is fitted as a curve that rises with the score (isotonic
regression by pooling adjacent violators; Zadrozny and Elkan, KDD 2002), smoothed towards the method's overall share by
two decisions of its own (an m-estimate; Cestnik, ECAI 1990), so that few decisions say little. The threshold is the one
with the best expected F1 under that curve (Lipton, Elkan and Narayanaswamy, ECML PKDD 2014). Nothing is known of scores
below those that were ever shown, so a threshold never falls below the lowest of them. The same decisions always give
the same thresholds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from callboard.vocabulary.concepts import Vocabulary

LEAST = 10
"""Decisions below which nothing is learned of a concept."""
_WEIGHT = 2.0
"""Decisions that the method's overall share of wanted tags counts for."""
_GAIN = 0.005
"""Expected F1 that a new threshold must win; less is noise."""


class Seen(Struct, frozen=True, kw_only=True):
    """One tag that a person judged."""

    concept: str
    method: str
    score: float
    wanted: bool
    source: Literal["review", "sidecar"] = "review"


class Fit(Struct, frozen=True):
    """How a threshold does on the judged tags; ``None`` where nothing is kept, or nothing was wanted."""

    precision: float | None
    recall: float | None
    f1: float | None


class Learned(Struct, frozen=True, kw_only=True):
    """What was learned of one concept and method."""

    concept: str
    method: str
    accepted: int
    rejected: int
    from_sidecars: int
    old: float | None
    """The threshold now; ``None`` leaves it to the method."""
    new: float | None
    """The one to take; the old one where that is as good."""
    before: Fit
    after: Fit
    note: str = ""
    """Why nothing changes."""

    @property
    def changed(self) -> bool:
        """Whether the new threshold is another one."""
        return self.new != self.old


def learn(seen: Iterable[Seen], vocabulary: Vocabulary, least: int = LEAST) -> list[Learned]:
    """Propose thresholds, ordered by concept (as in the vocabulary) and method.

    Args:
        seen: Judged tags of concepts that *vocabulary* has, in any order.
        vocabulary: Whose thresholds are in force.
        least: Decisions that a concept needs, at least 2.
    """
    groups: dict[tuple[str, str], list[Seen]] = {}
    for one in seen:
        groups.setdefault((one.concept, one.method), []).append(one)
    shares = _shares(groups)
    order = {concept.id: at for at, concept in enumerate(vocabulary.concepts)}
    return [
        _learn(concept, method, groups[concept, method], vocabulary.threshold(concept, method), shares[method], least)
        for concept, method in sorted(groups, key=lambda key: (order[key[0]], key[1]))
    ]


def _shares(groups: dict[tuple[str, str], list[Seen]]) -> dict[str, float]:
    """Give each method's share of wanted tags over all concepts."""
    judged: dict[str, list[bool]] = {}
    for (_, method), found in groups.items():
        judged.setdefault(method, []).extend(one.wanted for one in found)
    return {method: sum(found) / len(found) for method, found in judged.items()}


def _learn(concept: str, method: str, found: list[Seen], old: float | None, share: float, least: int) -> Learned:
    points = sorted((one.score, one.wanted) for one in found)
    accepted = sum(one.wanted for one in found)
    sidecars = sum(one.source == "sidecar" for one in found)
    new, note = old, ""
    if len(found) < max(least, 2):
        note = f"needs {max(least, 2)} decisions"
    elif accepted == len(found):
        note = "all were wanted; nothing is known of lower scores"
    else:
        new, note = _better(points, old, share)
    return Learned(
        concept=concept,
        method=method,
        accepted=accepted,
        rejected=len(found) - accepted,
        from_sidecars=sidecars,
        old=old,
        new=new,
        before=fit(points, old),
        after=fit(points, new),
        note=note,
    )


def _better(points: Sequence[tuple[float, bool]], old: float | None, share: float) -> tuple[float | None, str]:
    """Find the threshold with the best expected F1; the old one where that is as good."""
    curve = rising(points, share)
    scores = sorted(curve)
    expected = {least: _expected(points, curve, least) for least in scores}
    best = max(scores, key=lambda least: (round(expected[least], 9), -least))
    now = _expected(points, curve, old if old is not None else scores[0])
    if expected[best] - now < _GAIN:
        return old, "the threshold is as good as any"
    return _between(scores, best), ""


def _between(scores: Sequence[float], lowest: float) -> float:
    """Give a short number that keeps *lowest* and drops the score below it."""
    below = max((score for score in scores if score < lowest), default=None)
    if below is None:
        return int(lowest * 1000) / 1000
    middle = (below + lowest) / 2
    return next((short for digits in (2, 3, 4) if below < (short := round(middle, digits)) <= lowest), middle)


def rising(points: Sequence[tuple[float, bool]], share: float) -> dict[float, float]:
    """Fit the share of wanted tags as a curve that never falls as the score rises.

    Args:
        points: Score and verdict.
        share: The share that it is smoothed towards, 0 to 1.

    Returns:
        For each score the smoothed share, 0 to 1.
    """
    tallies: dict[float, list[float]] = {}
    for score, wanted in sorted(points):
        tally = tallies.setdefault(score, [0.0, 0.0])
        tally[0] += wanted
        tally[1] += 1
    blocks = _pooled([([score], hits / number, number) for score, (hits, number) in tallies.items()])
    smooth = [
        (scores, (mean * number + share * _WEIGHT) / (number + _WEIGHT), number) for scores, mean, number in blocks
    ]
    return {score: mean for scores, mean, _ in _pooled(smooth) for score in scores}


_Block = tuple[list[float], float, float]
"""Scores, their mean, and how many decisions it is of."""


def _pooled(blocks: Iterable[_Block]) -> list[_Block]:
    """Join neighbours until means rise."""
    done: list[_Block] = []
    for block in blocks:
        done.append(block)
        while len(done) > 1 and done[-2][1] >= done[-1][1]:
            (left, low, few), (right, high, many) = done[-2:]
            done[-2:] = [([*left, *right], (low * few + high * many) / (few + many), few + many)]
    return done


def _expected(points: Sequence[tuple[float, bool]], curve: dict[float, float], least: float) -> float:
    """Give the F1 that a threshold has if the curve is true."""
    kept = [curve[score] for score, _ in points if score >= least]
    whole = sum(curve[score] for score, _ in points)
    return 2 * sum(kept) / (len(kept) + whole) if kept else 0.0


def fit(points: Sequence[tuple[float, bool]], least: float | None) -> Fit:
    """Say how a threshold does on the verdicts themselves; ``None`` keeps everything."""
    kept = [wanted for score, wanted in points if least is None or score >= least]
    hits, whole = sum(kept), sum(wanted for _, wanted in points)
    return Fit(
        precision=hits / len(kept) if kept else None,
        recall=hits / whole if whole else None,
        f1=2 * hits / (len(kept) + whole) if kept or whole else None,
    )


def applied(vocabulary: Vocabulary, learned: Iterable[Learned]) -> Vocabulary:
    """Give the vocabulary with what was learned, as thresholds of single methods."""
    fresh: dict[str, dict[str, float]] = {}
    for one in learned:
        if one.changed and one.new is not None:
            fresh.setdefault(one.concept, {})[one.method] = one.new
    concepts = tuple(
        replace(concept, thresholds={**concept.thresholds, **fresh[concept.id]}) if concept.id in fresh else concept
        for concept in vocabulary.concepts
    )
    return replace(vocabulary, concepts=concepts)


__all__ = ["LEAST", "Fit", "Learned", "Seen", "applied", "fit", "learn", "rising"]
