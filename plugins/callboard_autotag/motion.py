"""How the camera moves: static, pan, tilt, zoom, roll or handheld, by shot and with the spans of time.

Zooming and travelling towards something look alike to this; both are called zoom.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from callboard.media.bars import frame_bars
from callboard_schemas import Evidence, Tag
from msgspec import Struct

from callboard_autotag.analyser import Facts, Shot, Shots
from callboard_autotag.flow import Move, measure_move, points_of, to_grey

if TYPE_CHECKING:
    from callboard.media import Frame

    from callboard_autotag.analyser import Found

Array = np.ndarray[Any, Any]

METHOD = "optical-flow"
EVERY = 0.1
"""Seconds between the frames that are compared."""
_BARS_EVERY = 20  # comparisons after which black bars are looked for again
_GAP = 0.5  # seconds: frames further apart say nothing about how the camera went between them
_SMOOTH = 0.8  # seconds of the mean that parts a move from a tremble
_LEAST_KNOWN = 0.6  # share of a shot whose moves could be measured
_SHORTEST = 0.5  # seconds of a span
_TREMBLE = 0.0022  # of the width, root mean square: a hand trembles by 0.5 to 2 %, a tripod not at all
_MOST_EVIDENCE = 300
_SCORE = 0.5


class _Axis(Struct, frozen=True):
    """A way to move: *slowest* a second from which it is one, and *least* change in all; units as in ``Move``."""

    field: str
    slowest: float
    least: float
    forward: str
    backward: str


# A pan at 1.2 % of the width a second takes over a minute for one picture's width: slower reads as static.
_AXES = (
    _Axis("right", 0.012, 0.05, "pan right", "pan left"),
    _Axis("down", 0.016, 0.06, "tilt down", "tilt up"),
    _Axis("closer", 0.014, 0.05, "zoom in", "zoom out"),
    _Axis("roll", 2.0, 6.0, "roll", "roll"),
)
_HAND = 4.0  # times faster a move must be to count when the camera is held by hand


class _Step(Struct, frozen=True):
    start: float
    end: float
    move: Move | None


class Motion:
    """Compares ten frames a second; a ``callboard_autotag.analyser.Watcher``. Holds some numbers for each."""

    def __init__(self, shots: Shots | None = None) -> None:
        """Take what gives the shots at the end; without it all is one shot."""
        self._shots = shots
        self._grey: Array | None = None
        self._points: Array | None = None
        self._time = 0.0
        self._bars = (0, 0)
        self._steps: list[_Step] = []

    def add(self, frame: Frame) -> None:
        """Take the next frame."""
        if self._grey is not None and frame.time < self._time + EVERY - 0.005:
            return
        grey = to_grey(frame.pixels)
        if self._grey is not None and self._points is not None and grey.shape == self._grey.shape:
            move = measure_move(self._grey, grey, self._points) if frame.time - self._time <= _GAP else None
            self._steps.append(_Step(self._time, frame.time, move))
        if not self._steps or len(self._steps) % _BARS_EVERY == 0:
            self._bars = frame_bars(frame.pixels)
        self._grey, self._points, self._time = grey, points_of(grey, self._bars), frame.time

    def finish(self) -> Found:
        """Say what was found: a tag for each way to move, with the spans of time."""
        if not self._steps:
            return [], {}
        spans: dict[str, list[Evidence]] = {}
        scores: dict[str, list[float]] = {}
        length = self._steps[-1].end - self._steps[0].start
        for shot, steps in self._by_shot():
            for label, evidence, score in _judge(shot, steps):
                spans.setdefault(label, []).append(evidence)
                scores.setdefault(label, []).append(score)
        tags = [_tag(label, seen, scores[label]) for label, seen in spans.items()]
        tags.sort(key=lambda tag: -_seconds(spans[tag.label]))
        return tags, self._facts(spans, length)

    def _by_shot(self) -> list[tuple[Shot, list[_Step]]]:
        end = self._steps[-1].end
        shots = list(self._shots() if self._shots else ()) or [Shot(0, 0.0, end, 0, 0)]
        found, at = [], 0
        for shot in shots:
            inside = []
            while at < len(self._steps) and self._steps[at].start < shot.end - 0.001:
                if self._steps[at].end < shot.end + 0.001 or shot is shots[-1]:
                    inside.append(self._steps[at])
                at += 1
            found.append((shot, inside))
        return found

    def _facts(self, spans: dict[str, list[Evidence]], length: float) -> Facts:
        if not spans:
            return {}
        moves = {label: _seconds(seen) for label, seen in spans.items()}
        most = sorted(moves, key=lambda label: -moves[label])
        return {"camera": [f"{label} {min(moves[label] / max(length, 1e-6), 1.0):.0%}" for label in most]}


def _judge(shot: Shot, steps: list[_Step]) -> list[tuple[str, Evidence, float]]:
    """Say how the camera moved in one shot."""
    known = [step for step in steps if step.move is not None]
    if not known or known[-1].end - known[0].start < _SHORTEST or len(known) < _LEAST_KNOWN * len(steps):
        return []
    agreed = float(np.mean([step.move.agreed for step in known if step.move is not None]))
    score = round(min(0.4 + 0.6 * agreed, 0.99), 3)
    hand = _tremble(known)
    held = hand > _TREMBLE
    found: list[tuple[str, Evidence, float]] = []
    moving = np.zeros(len(known), bool)
    for axis in _AXES:
        for first, last, change in _runs(known, axis, _HAND if held else 1.0):
            moving[first : last + 1] = True
            label = axis.forward if change > 0 else axis.backward
            evidence = Evidence(start=_at(known[first].start), end=_at(known[last].end), value=round(change, 3))
            found.append((label, evidence, score))
    if held:
        span = Evidence(start=_at(known[0].start), end=_at(known[-1].end), value=round(hand, 4))
        found.append(("handheld", span, score))
    else:
        found += [("static camera", span, score) for span in _still(known, moving)]
    return found


def _at(time: float) -> float:
    return round(max(time, 0.0), 3)


def _series(known: list[_Step], field: str) -> tuple[Array, Array]:
    """Give change and seconds of each step."""
    changes = np.array([getattr(step.move, field) for step in known])
    return changes, np.array([step.end - step.start for step in known])


def _smooth(changes: Array, seconds: Array) -> Array:
    """Give the speed around each step: the mean over 0.8 s."""
    wide = min(max(1, round(_SMOOTH / max(float(np.median(seconds)), 1e-3))), len(seconds))
    kernel = np.ones(wide)
    near = np.convolve(changes, kernel, "same"), np.convolve(seconds, kernel, "same")
    smoothed: Array = near[0] / np.maximum(near[1], 1e-6)
    return smoothed


def _tremble(known: list[_Step]) -> float:
    """Measure how the path strays from its own mean over 0.8 s: root mean square, in picture widths."""
    strays = []
    for field in ("right", "down"):
        changes, seconds = _series(known, field)
        stray = np.cumsum(changes - _smooth(changes, seconds) * seconds)
        wide = max(3, round(_SMOOTH / max(float(np.median(seconds)), 1e-3)))
        if len(stray) <= wide:
            return 0.0
        centred = stray - np.convolve(stray, np.ones(wide) / wide, "same")
        strays.append(centred[wide // 2 : len(stray) - wide // 2])
    # The median of magnitudes, so that one bump of a tripod, or the start of a pan, is no trembling hand.
    return float(1.48 * max(np.median(np.abs(stray)) for stray in strays))


def _runs(known: list[_Step], axis: _Axis, times: float) -> list[tuple[int, int, float]]:
    """Find runs of steps that go one way along *axis*: first and last step, and the whole change."""
    changes, seconds = _series(known, axis.field)
    speed = _smooth(changes, seconds)
    ways = np.sign(speed) * (np.abs(speed) >= axis.slowest * times)
    found, first = [], 0
    for at in range(1, len(ways) + 1):
        if at < len(ways) and ways[at] == ways[first]:
            continue
        change = float(changes[first:at].sum())
        lasts = float(seconds[first:at].sum()) >= _SHORTEST
        if ways[first] and lasts and abs(change) >= axis.least * min(times, 2.0) and change * ways[first] > 0:
            found.append((first, at - 1, change))
        first = at
    return found


def _still(known: list[_Step], moving: Array) -> list[Evidence]:
    """Find spans in which nothing moves."""
    found, first = [], 0
    for at in range(1, len(moving) + 1):
        if at < len(moving) and moving[at] == moving[first]:
            continue
        start, end = known[first].start, known[at - 1].end
        if not moving[first] and end - start >= _SHORTEST:
            found.append(Evidence(start=_at(start), end=_at(end)))
        first = at
    return found


def _seconds(spans: list[Evidence]) -> float:
    return sum((span.end or 0.0) - (span.start or 0.0) for span in spans)


def _tag(label: str, spans: list[Evidence], scores: list[float]) -> Tag:
    weights = [(span.end or 0.0) - (span.start or 0.0) for span in spans]
    return Tag(
        label=label,
        score=round(float(np.average(scores, weights=weights)), 3),
        method=METHOD,
        group=("camera", "movement"),
        evidence=tuple(spans[:_MOST_EVIDENCE]),
        threshold=_SCORE,
    )


__all__ = ["EVERY", "METHOD", "Motion"]
