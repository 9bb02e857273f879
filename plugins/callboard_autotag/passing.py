"""The one pass over the frames: every one small for those who watch, some of them large for those who look."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from callboard_autotag.bench import Crew
from callboard_autotag.choose import EVERY, SIDE, Chooser

if TYPE_CHECKING:
    from collections.abc import Sequence

    from callboard_autotag.bench import Bench, Part

SMALL = 160
"""Pixels: longest side of the frames that are watched."""
_FASTEST = 30.0  # frames a second that are watched; of faster footage every second frame is enough
_TRIAL = 3.0  # seconds of decoding after which it is known how long the whole will take
_MOST_STEPS = 500  # frames looked at where not every one is


def pass_by(bench: Bench, parts: Sequence[Part]) -> tuple[Crew, Chooser | None]:
    """Let the frames pass by: all of them where somebody needs that and it fits the budget, else some, evenly spread.

    Returns:
        Those who watched, and who will look; and what holds the pictures for them, where somebody will.

    Raises:
        MediaError: not one frame can be decoded.
    """
    crew = Crew(bench, parts)
    if not bench.moving or crew.needs_every:
        chooser = _chooser(bench, crew)
        needed = _watch(bench, crew, chooser, every=True)
        if needed is None:
            return crew, chooser
        budget = bench.number("decode_seconds")
        why = f"every frame would take about {needed:.0f} s to decode, over decode_seconds = {budget:g}"
        crew = Crew(bench, parts, why)
    elif crew.members:
        crew = Crew(bench, parts, "not every frame is decoded")
    chooser = _chooser(bench, crew)
    if crew.members:
        _watch(bench, crew, chooser, every=False)
    return crew, chooser


def _chooser(bench: Bench, crew: Crew) -> Chooser | None:
    return Chooser(int(bench.number("pictures")), bench.number("text_every")) if crew.looks else None


def _watch(bench: Bench, crew: Crew, chooser: Chooser | None, *, every: bool) -> float | None:
    """Give ``None`` when it is done, or the seconds that it would take when that is past the budget."""
    if not crew.members:
        return None
    rate, duration = bench.facts.video[0].frame_rate, bench.facts.duration
    step = 2 / rate if bench.moving and rate > _FASTEST * 1.2 else 0.0
    if not every:
        step = max(2.0, duration / _MOST_STEPS)
        bench.numbers["sampled"] = f"one frame every {step:.1f} s"
    budget = bench.number("decode_seconds")
    began, told, trial = time.monotonic(), 0.0, min(_TRIAL, budget)
    also = (max(EVERY, step), SIDE) if chooser is not None else None
    for frame in bench.context.media.frames(every=step, max_side=SMALL, also=also):
        crew.watch(frame)
        bench.frames = frame.index + 1
        if chooser is not None:
            chooser.add(frame)
        if frame.time < told + 1.0:
            continue
        told = frame.time
        bench.progress(0.0, 0.5, told, "looking")
        spent = time.monotonic() - began
        if every and spent > trial:
            needed = spent / told * duration
            if needed > budget:
                return needed
            trial = max(2 * trial, _TRIAL)
    return None


__all__ = ["SMALL", "pass_by"]
