"""What ``callboard eval tags`` measures: each suite makes its truth, runs the analysers on it, and compares."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from callboard_autotag.truth.cuts import evaluate_cuts
from callboard_autotag.truth.light import evaluate_light
from callboard_autotag.truth.motion import evaluate_motion
from callboard_autotag.truth.shot_size import evaluate_shot_size
from callboard_autotag.truth.sound import evaluate_loudness
from callboard_autotag.truth.text import evaluate_text

if TYPE_CHECKING:
    from callboard.context import Runtime

Measures = dict[str, float]

BASELINE: Final = Path(__file__).with_name("baseline.json")
"""What was accepted last."""


def _with_models(evaluate: Callable[[Runtime], Measures]) -> Callable[[], Measures]:
    def measured() -> Measures:
        from callboard.runtime.local import LocalRuntime

        with LocalRuntime() as runtime:
            return evaluate(runtime)

    return measured


def _cuts(runtime: Runtime | None) -> Measures:
    found = evaluate_cuts(runtime)
    found["false_error"] = found.pop("false")
    return found


SUITES: Final[dict[str, Callable[[], Measures]]] = {
    "cuts": _with_models(_cuts),
    "cuts-without-network": lambda: _cuts(None),
    "shot-size": _with_models(evaluate_shot_size),
    "movement": evaluate_motion,
    "light": evaluate_light,
    "loudness": evaluate_loudness,
    "text": _with_models(evaluate_text),
}
"""Suites by name."""
