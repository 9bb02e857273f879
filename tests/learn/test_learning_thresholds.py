"""Thresholds learned from verdicts: right where the truth is known, the same each time, still where little is known."""

from __future__ import annotations

import itertools
import random

import pytest
from callboard.vocabulary import Vocabulary, parse
from callboard.vocabulary.learning import Seen, applied, fit, learn, rising
from hypothesis import given
from hypothesis import strategies as st

WORDS = parse(
    '[[concepts]]\nid = "beach"\nlabel = "beach"\nthreshold = 0.3\n[[concepts]]\nid = "dog"\nlabel = "dog"\n'
    '[[concepts]]\nid = "night"\nlabel = "night"\nthreshold = 0.9\n'
)
POINTS = st.lists(st.tuples(st.sampled_from([n / 20 for n in range(21)]), st.booleans()), min_size=1, max_size=40)


def seen(concept: str, *pairs: tuple[float, bool], method: str = "clip") -> list[Seen]:
    """Make judged tags of one concept."""
    return [Seen(concept=concept, method=method, score=score, wanted=wanted) for score, wanted in pairs]


def sharp(concept: str, cut: float, number: int = 40, method: str = "clip") -> list[Seen]:
    """Make judged tags that are wanted exactly from *cut* on."""
    scores = [0.3 + 0.7 * at / number for at in range(number)]
    return seen(concept, *((score, score >= cut) for score in scores), method=method)


def test_a_sharp_edge_is_found() -> None:
    """Where tags are wanted from a score on, that score is the threshold, and nothing wanted is lost."""
    (one,) = learn(sharp("beach", 0.62), WORDS)
    assert one.new == pytest.approx(0.62, abs=0.02)
    assert (one.old, one.after.precision, one.after.recall) == (0.3, 1.0, 1.0)
    assert one.before.precision == pytest.approx(one.accepted / 40)


def test_noise_moves_the_threshold_little() -> None:
    """With one verdict in ten turned round, the threshold stays near the true one and F1 does not fall."""
    for seed in range(5):
        dice = random.Random(seed)
        judged = [
            Seen(concept="dog", method="clip", score=score, wanted=(score > 0.6) != (dice.random() < 0.1))
            for score in (dice.uniform(0.2, 1.0) for _ in range(200))
        ]
        (one,) = learn(judged, WORDS)
        assert one.new == pytest.approx(0.6, abs=0.08)
        assert one.after.f1 is not None
        assert one.before.f1 is not None
        assert one.after.f1 > one.before.f1


def test_little_is_learned_of_little() -> None:
    """Too few verdicts, or no rejected tag, leave the threshold and say why."""
    few, all_wanted = learn([*seen("beach", (0.4, False), (0.9, True)), *seen("dog", *[(0.5, True)] * 12)], WORDS)
    assert (few.new, few.note) == (0.3, "needs 10 decisions")
    assert (all_wanted.new, all_wanted.changed) == (None, False)
    assert all_wanted.note == "all were wanted; nothing is known of lower scores"
    assert not any(one.changed for one in learn(seen("dog", *[(0.5, False)] * 9), WORDS))


def test_a_threshold_that_is_too_high_falls_to_what_was_seen() -> None:
    """Wanted tags below the threshold bring it down, but never below the lowest score that was judged."""
    judged = [*seen("night", *[(0.5 + n / 100, True) for n in range(12)]), *seen("night", (0.2, False), (0.21, False))]
    (one,) = learn(judged, WORDS)
    assert one.old == 0.9
    assert one.new is not None
    assert 0.21 < one.new <= 0.5
    assert one.after.recall == 1.0


def test_methods_are_learned_apart() -> None:
    """What one method's scores mean says nothing of another's; the file gets a threshold for each."""
    learned = learn([*sharp("beach", 0.5), *sharp("beach", 0.8, method="keywords")], WORDS)
    assert [(one.method, one.changed) for one in learned] == [("clip", True), ("keywords", True)]
    after = applied(WORDS, learned)
    assert [after.threshold("beach", one.method) for one in learned] == [one.new for one in learned]
    assert after.threshold("beach", "pp-ocr") == 0.3
    assert applied(WORDS, ()) == WORDS


@given(POINTS, st.floats(0, 1))
def test_the_curve_rises(points: list[tuple[float, bool]], share: float) -> None:
    """Whatever the verdicts, the fitted share never falls as the score rises, and lies between 0 and 1."""
    curve = rising(points, share)
    means = [curve[score] for score in sorted(curve)]
    assert all(low <= high + 1e-12 for low, high in itertools.pairwise(means))
    assert all(-1e-12 <= mean <= 1 + 1e-12 for mean in means)
    assert curve.keys() == {score for score, _ in points}


@given(POINTS, st.randoms(use_true_random=False))
def test_order_does_not_matter(points: list[tuple[float, bool]], dice: random.Random) -> None:
    """The same verdicts in any order give the same thresholds, and none below the lowest score."""
    mixed = list(points)
    dice.shuffle(mixed)
    one, other = learn(seen("beach", *points), WORDS, 2), learn(seen("beach", *mixed), WORDS, 2)
    assert one == other
    (told,) = one
    assert told.new is not None
    if told.changed:
        assert told.new >= min(score for score, _ in points) - 0.001
        assert told.after == fit(sorted(points), told.new)


def test_learning_again_changes_nothing() -> None:
    """Once the learned thresholds are in force, the same verdicts ask for no others."""
    judged = [*sharp("beach", 0.62), *sharp("dog", 0.4)]
    after: Vocabulary = applied(WORDS, learn(judged, WORDS))
    assert after != WORDS
    assert [one.changed for one in learn(judged, after)] == [False, False]
