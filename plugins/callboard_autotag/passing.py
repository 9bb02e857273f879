"""The one pass over the frames: every one small for those who watch, some of them large for those who look."""

from __future__ import annotations

import time
from operator import methodcaller
from typing import TYPE_CHECKING

from callboard_autotag.analyser import Shot
from callboard_autotag.choose import EVERY, SIDE, Chooser

if TYPE_CHECKING:
    from collections.abc import Sequence

    from callboard_autotag.bench import Bench, Crew

SMALL = 160
"""Pixels: longest side of the frames that are watched."""
_FASTEST = 30.0  # frames a second that are watched; of faster footage every second frame is enough
_TRIAL = 3.0  # seconds of decoding after which it is known how long the whole will take
_MOST_STEPS = 500  # frames looked at where not every one is


def pass_by(bench: Bench, watchers: Crew, chooser: Chooser | None) -> None:
    """Let the frames pass by: all of them where that fits the budget, else some, evenly spread.

    Raises:
        MediaError: not one frame can be decoded.
    """
    if watchers.dense and bench.moving:
        before = [(part, part.make(bench)) for part, _ in watchers.members if not part.dense]
        needed = _watch(bench, watchers, chooser, dense=True)
        if needed is None:
            return
        budget = bench.number("decode_seconds")
        for part in [part for part, _ in watchers.members if part.dense]:
            watchers.dismiss(
                part, f"every frame would take about {needed:.0f} s to decode, over decode_seconds = {budget:g}"
            )
        watchers.members = before
        if chooser is not None:
            chooser.clear()
    _watch(bench, watchers, chooser, dense=False)


def _watch(bench: Bench, watchers: Crew, chooser: Chooser | None, *, dense: bool) -> float | None:
    """Give ``None`` when it is done, or the seconds that it would take when that is past the budget."""
    rate, duration = bench.facts.video[0].frame_rate, bench.facts.duration
    step = 0.0 if not bench.moving else (2 / rate if rate > _FASTEST * 1.2 else 0.0)
    if bench.moving and not dense:
        step = max(2.0, duration / _MOST_STEPS)
        bench.numbers["sampled"] = f"one frame every {step:.1f} s"
    budget = bench.number("decode_seconds")
    began, told, trial = time.monotonic(), 0.0, min(_TRIAL, budget)
    also = (max(EVERY, step), SIDE) if chooser is not None else None
    for frame in bench.context.media.frames(every=step, max_side=SMALL, also=also):
        watchers.do(methodcaller("add", frame))
        if chooser is not None:
            chooser.add(frame)
        if frame.time < told + 1.0:
            continue
        told = frame.time
        bench.progress(0.0, 0.5, told, "looking")
        spent = time.monotonic() - began
        if dense and spent > trial:
            needed = spent / told * duration
            if needed > budget:
                return needed
            trial = float("inf") if spent > _TRIAL else trial
    return None


def shots_between(cuts: Sequence[tuple[float, int]], duration: float, frames: int) -> list[Shot]:
    """Turn cuts, as time and frame number, into shots; one shot where there are none."""
    starts = [(0.0, 0), *cuts]
    ends = [*starts[1:], (max(duration, starts[-1][0]), max(frames, starts[-1][1] + 1))]
    return [
        Shot(number=number, start=round(start, 3), end=round(end, 3), first=first, last=after - 1)
        for number, ((start, first), (end, after)) in enumerate(zip(starts, ends, strict=True))
    ]


__all__ = ["SMALL", "pass_by", "shots_between"]
