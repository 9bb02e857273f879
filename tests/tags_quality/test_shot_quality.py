"""Shots are found on a film whose shots are known."""

from __future__ import annotations

import pytest
from callboard.runtime.local import LocalRuntime
from callboard_autotag.truth.cuts import Truth, evaluate_cuts, score

SHOTS = 16
"""Of the made film: cuts, three dissolves, a fade, flashes, switched light and fast pans among them."""


def test_arithmetic_finds_every_cut_and_no_flash() -> None:
    """Without a model every hard cut is found, and nothing where there is none; most gradual changes are not."""
    figures = evaluate_cuts(None, seed=3, count=SHOTS)
    assert figures["cut_recall"] == 1.0
    assert figures["false"] == 0.0


@pytest.mark.models
def test_the_network_finds_gradual_changes_too() -> None:
    """With TransNetV2 cuts are found as before, and dissolves and fades besides; flashes are still no cuts."""
    with LocalRuntime() as runtime:
        figures = evaluate_cuts(runtime, seed=3, count=SHOTS)
    plain = evaluate_cuts(None, seed=3, count=SHOTS)
    assert figures["cut_recall"] == 1.0, figures
    assert figures["gradual_recall"] >= 0.75 > plain["gradual_recall"], figures
    assert figures["f1"] >= 0.95 > plain["f1"], figures


def test_the_score_counts_each_boundary_once() -> None:
    """Two findings of one cut are one hit and one false alarm; two frames off is near enough, three is not."""
    truth = Truth(((9, 10), (29, 30)), ((50, 60),))
    assert score([(9, 10), (29, 30), (52, 55)], truth)["f1"] == 1.0
    assert score([(11, 12), (9, 10)], truth) == {
        "precision": 0.5,
        "recall": 0.3333,
        "f1": 0.4,
        "cut_recall": 0.5,
        "gradual_recall": 0.0,
        "false": 1.0,
    }
    assert score([(13, 14)], truth)["recall"] == 0.0
    assert score([], truth)["f1"] == 0.0
