"""Captions beside what was really said: words, times, and whether the gate found what was wrong. Pure.

Words are compared after OpenAI's published normalisers, as in the Whisper paper (https://arxiv.org/abs/2212.04356,
appendix C): case, punctuation, fillers and spellings do not count, and for English neither do ways to write numbers.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import jiwer
from callboard_schemas import Cue
from msgspec import Struct
from whisper_normalizer.basic import BasicTextNormalizer
from whisper_normalizer.english import EnglishTextNormalizer

_UNSPACED: Final = frozenset({"zh", "ja", "th", "lo", "my", "km", "yue"})
"""Languages written without spaces: their error rate counts characters."""


class Score(Struct, frozen=True):
    """What was counted for one asset; scores of several are added."""

    words: int = 0
    """In the truth."""
    wrong: int = 0
    """Substituted, left out or put in."""
    timed: int = 0
    start: float = 0.0
    """Sum of seconds by which cues start too early or too late; of those whose first word was recognised."""
    end: float = 0.0
    cues: int = 0
    failing: int = 0
    """Cues with a wrong word."""
    told: int = 0
    """Cues that the gate says to look at."""
    caught: int = 0
    """Cues with a wrong word that it says to look at."""
    violations: int = 0

    def __add__(self, other: Score) -> Score:
        names = self.__struct_fields__
        return Score(*(getattr(self, name) + getattr(other, name) for name in names))

    def measures(self) -> dict[str, float]:
        """Give rates: errors for each word, mean seconds, precision and recall of the gate, violations for each cue."""
        return {
            "word-error": self.wrong / self.words if self.words else float(self.wrong > 0),
            "start-error": self.start / self.timed if self.timed else 0.0,
            "end-error": self.end / self.timed if self.timed else 0.0,
            "gate-precision": self.caught / self.told if self.told else 1.0,
            "gate-recall": self.caught / self.failing if self.failing else 1.0,
            "violations-error": self.violations / self.cues if self.cues else 0.0,
        }


def compare(truth: Sequence[Cue], found: Sequence[Cue], language: str, violations: int = 0) -> Score:
    """Compare the cues *found* with those that are true; sound descriptions count in neither.

    Args:
        truth: With the times that they should have; without times (all 0) only words are compared.
        found: What a plugin made.
        language: BCP 47.
        violations: Breaches of the profile among *found*.
    """
    truth, found = _spoken(truth), _spoken(found)
    left, right = _words(truth, language), _words(found, language)
    counted = jiwer.process_words(_joined(left), _joined(right)) if left else None
    wrong = len(right) if counted is None else counted.substitutions + counted.deletions + counted.insertions
    same, failing = _paired(counted, left, right, len(found))
    starts = [(truth[a].start, found[b].start) for a, b in same.first if truth[a].end > 0]
    ends = [(truth[a].end, found[b].end) for a, b in same.last if truth[a].end > 0]
    told = {at for at, cue in enumerate(found) if cue.failed or cue.flags}
    return Score(
        words=len(left),
        wrong=wrong,
        timed=min(len(starts), len(ends)),
        start=sum(abs(a - b) for a, b in starts[: len(ends)]),
        end=sum(abs(a - b) for a, b in ends[: len(starts)]),
        cues=len(found),
        failing=len(failing),
        told=len(told),
        caught=len(told & failing),
        violations=violations,
    )


class _Same(Struct):
    """Pairs of cues that begin, and that end, with the same recognised word."""

    first: list[tuple[int, int]]
    last: list[tuple[int, int]]


def _paired(
    counted: jiwer.WordOutput | None, left: Sequence[tuple[str, int]], right: Sequence[tuple[str, int]], cues: int
) -> tuple[_Same, set[int]]:
    """Find which cues correspond, and which of those found hold a wrong word or lack one."""
    if counted is None:
        return _Same([], []), set(range(cues))
    pairs: dict[int, int] = {}
    failing: set[int] = set()
    lost: list[int] = []
    for chunk in counted.alignments[0]:
        hits, words = range(chunk.hyp_start_idx, chunk.hyp_end_idx), range(chunk.ref_start_idx, chunk.ref_end_idx)
        if chunk.type == "equal":
            pairs |= zip(words, hits, strict=True)
        elif chunk.type == "delete":
            lost += words
        else:
            failing |= {right[hit][1] for hit in hits}
    failing |= {right[pairs[word]][1] for word in (_beside(word, left, pairs) for word in lost) if word is not None}
    first = [at for at, (_, cue) in enumerate(left) if at == 0 or left[at - 1][1] != cue]
    last = [at for at, (_, cue) in enumerate(left) if at + 1 == len(left) or left[at + 1][1] != cue]
    edges = [[(left[at][1], right[pairs[at]][1]) for at in ends if at in pairs] for ends in (first, last)]
    return _Same(edges[0], edges[1]), failing


def _beside(lost: int, left: Sequence[tuple[str, int]], pairs: Mapping[int, int]) -> int | None:
    """Find the recognised word that is nearest to one that is lost, of its own cue first."""
    return min(pairs, key=lambda word: (left[word][1] != left[lost][1], abs(word - lost)), default=None)


def _joined(words: Sequence[tuple[str, int]]) -> str:
    return " ".join(word for word, _ in words)


def _spoken(cues: Sequence[Cue]) -> list[Cue]:
    return [cue for cue in cues if cue.kind == "speech"]


def _words(cues: Sequence[Cue], language: str) -> list[tuple[str, int]]:
    normal = _normaliser(language.split("-")[0].lower())
    return [(word, at) for at, cue in enumerate(cues) for word in normal(" ".join(cue.lines)).split()]


@functools.cache
def _normaliser(language: str) -> Callable[[str], str]:
    normal: Callable[[str], str] = (
        EnglishTextNormalizer() if language == "en" else BasicTextNormalizer(split_letters=language in _UNSPACED)
    )
    return normal


__all__ = ["Score", "compare"]
