"""Shot boundaries from the chances that a network gives each frame: where they are, and of which kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from callboard.media.cuts import LAGS, Cut, CutFinder
from callboard_schemas import Evidence, Scalar, Tag
from msgspec import Struct

from callboard_autotag.analyser import Shot

Array = np.ndarray[Any, Any]
Kind = Literal["cut", "dissolve", "fade", "gradual"]

LEAST = 0.5
"""Chance from which a frame is a boundary: Souček & Lokoč 2020 report their figures at one fixed threshold of 0.5."""
_LIKELY = 1 / 6  # from here on a sharp change, at 0.4, makes the whole 0.5
_VETO = 0.05  # 99.9 % of frames that are no boundary are below 0.03
# Over 130 cuts of a music video the likest pair correlates at 0.92 and the nearest return is at 0.68 of the change;
# light that is switched gives 0.99 and more, a flash 0.22 and less.
_SAME = 0.97
_COMES_BACK = 0.45
_LONGEST_CUT = 4  # frames of a transition that an editor would still call a cut; compression smears two or three
_CONTEXT = 2  # frames before and after a transition that are shown in full
_DARK = 12.0  # of 255, mean; video black is 16 in the file and 0 once it is RGB
_RISES = 1.01  # by this factor from frame to frame, at least, a fade gets lighter
_LONGEST_FADE = 100  # frames, each way
_UNMIXED = 0.12  # share of the difference of two pictures that a mixture of both may have beside them
_MOST_EVIDENCE = 1000
_GRID = (9, 16)


class Transition(Struct, frozen=True):
    """From one shot to the next: *first* to *last* belong to both; for a cut, *last* begins the new shot."""

    kind: Kind
    first: int
    """Frame number."""
    last: int
    start: float
    """Seconds from the first frame."""
    end: float
    score: float


class Frames:
    """What is kept of every frame: its number, its time, and 9 x 16 levels; 13 MB for an hour at 25 frames a second."""

    def __init__(self) -> None:
        self.indices: list[int] = []
        self.times: list[float] = []
        self._levels: list[bytes] = []

    def add(self, index: int, time: float, small: Array) -> None:
        """Keep a frame: uint8, 27 x 48 x 3."""
        self.indices.append(index)
        self.times.append(time)
        rows, columns = small.shape[0] // _GRID[0], small.shape[1] // _GRID[1]
        levels = small.reshape(_GRID[0], rows, _GRID[1], columns * 3).mean(axis=(1, 3))
        self._levels.append(levels.astype(np.uint8).tobytes())

    def __len__(self) -> int:
        return len(self.indices)

    def levels(self, place: int) -> Array:
        """Give the levels of the frame at *place*, 0 to 255."""
        return np.frombuffer(self._levels[place], np.uint8).astype(np.float32)

    def light(self, place: int) -> float:
        """Give the mean level of the frame at *place*, 0 to 255."""
        return float(self.levels(place).mean())

    def lit(self, place: int) -> bool:
        """Say whether the frame at *place* shows what the one before shows, in other light."""
        before, here = (levels - levels.mean() for levels in (self.levels(place - 1), self.levels(place)))
        size = float(np.sqrt((before @ before) * (here @ here)))
        return size > 0.0 and float(before @ here) / size > _SAME

    def flashes(self, place: int) -> bool:
        """Say whether the picture before *place* is seen again at once, or the one at *place* was seen just before."""
        before, here = self.levels(place - 1), self.levels(place)
        change = float(np.abs(before - here).mean())
        near = range(1, LAGS)
        again = [(before, place + lag) for lag in near] + [(here, place - 1 - lag) for lag in near]
        return any(
            float(np.abs(self.levels(other) - levels).mean()) < _COMES_BACK * change
            for levels, other in again
            if 0 <= other < len(self)
        )


def find(frames: Frames, single: Array, many: Array, classical: CutFinder) -> list[Transition]:
    """Find the transitions.

    The network and the comparison of neighbours miss different cuts, and are wrong in different places: what neither
    is sure of alone, both together are. A cut's score is the chance that one of them is right.

    Args:
        frames: All of them, in order.
        single: For each, the chance that it is the one frame that stands for a transition.
        many: For each, the chance that it is part of one.
        classical: That saw the same frames.

    Returns:
        In order; none overlap.
    """
    seen = sorted({*_peaks(single), *(place - 1 for place, _ in classical.places())})
    weights = {place: cut.strength for place, cut in classical.places()}
    found: list[Transition] = []
    taken = 0
    for peak in seen:
        if peak + 1 >= len(frames) or peak < taken:
            continue
        begin, end = _around(many, peak)
        if single[peak] >= LEAST and end - begin >= _LONGEST_CUT and begin >= taken:
            kind, begin, taken = _gradual(frames, begin, min(end + 1, len(frames) - 1))
            begin = max(begin, found[-1].last if found else 0) if kind == "fade" else begin
            found.append(_transition(frames, kind, begin, taken, float(single[peak])))
            continue
        new, weight = classical.settle(peak + 1)
        if new <= taken or frames.lit(new) or frames.flashes(new):
            continue
        net = float(single[max(new - 3, 0) : new + 2].max())
        score = 1.0 - (1.0 - net) * (1.0 - weights.get(new, weight))
        if net >= _VETO and score >= LEAST:
            found.append(_transition(frames, "cut", new - 1, new, score))
            taken = new
    return found


def _peaks(single: Array) -> list[int]:
    """Give the likeliest frame of each run of frames that are likely at all."""
    return [first + int(single[first : last + 1].argmax()) for first, last in _runs(single >= _LIKELY)]


def _around(many: Array, peak: int) -> tuple[int, int]:
    """Give the first and last frame of the transition that *peak* is in."""
    begin, end = peak, peak
    while begin > 0 and many[begin - 1] >= LEAST:
        begin -= 1
    while end + 1 < len(many) and many[end + 1] >= LEAST:
        end += 1
    return begin, end


def _transition(frames: Frames, kind: Kind, first: int, last: int, score: float) -> Transition:
    start, end = (max(frames.times[place], 0.0) for place in (first, last))
    return Transition(kind, frames.indices[first], frames.indices[last], start, end, round(score, 3))


def _runs(marked: Array) -> list[tuple[int, int]]:
    """List where True begins and ends, inclusive."""
    edges = np.diff(np.concatenate([[0], marked.astype(np.int8), [0]]))
    return list(zip(np.flatnonzero(edges == 1).tolist(), (np.flatnonzero(edges == -1) - 1).tolist(), strict=True))


def _gradual(frames: Frames, first: int, last: int) -> tuple[Kind, int, int]:
    """Tell a dissolve from a fade through black, and both from whatever else is gradual, such as a wipe.

    Returns:
        The kind, and the first and last place; a fade's are those between which it is darker than on both sides.
    """
    near = range(max(first - _LONGEST_CUT, 0), min(last + _LONGEST_CUT + 1, len(frames)))
    darkest = min(near, key=frames.light)
    if frames.light(darkest) < _DARK:
        begin, end = _slope(frames, darkest, -1), _slope(frames, darkest, 1)
        if frames.light(darkest) < 0.5 * min(frames.light(begin), frames.light(end)):
            return "fade", begin, end
    before = frames.levels(max(first - _CONTEXT, 0))
    change = frames.levels(min(last + _CONTEXT, len(frames) - 1)) - before
    size = float(change @ change)
    for place in range(first, last + 1):
        moved = frames.levels(place) - before
        share = float(moved @ change) / max(size, 1.0)
        # Where both are seen, what is left after both are taken out is small in a mixture. Half of one picture beside
        # half of the other, as in a wipe, leaves a quarter.
        if 0.3 < share < 0.7:
            rest = moved - share * change
            return "dissolve" if float(rest @ rest) / size < _UNMIXED else "gradual", first, last
    return "gradual", first, last


def _slope(frames: Frames, place: int, step: int) -> int:
    """Go on from a dark frame for as long as it is dark or gets lighter."""
    for _ in range(_LONGEST_FADE):
        after = place + step
        if not 0 <= after < len(frames):
            break
        here, there = frames.light(place), frames.light(after)
        if there >= _DARK and there < here * _RISES:
            break
        place = after
    return place


def as_cuts(transitions: Sequence[Transition]) -> list[Cut]:
    """Give the first frame of each new shot; after a gradual transition, the first without the old one."""
    return [Cut(item.last, item.end, max(item.score, 0.0)) for item in transitions]


def shots_of(cuts: Sequence[Cut], transitions: Sequence[Transition], frames: int, duration: float) -> list[Shot]:
    """Turn boundaries into shots.

    Args:
        cuts: First frames of new shots, in order.
        transitions: Where both shots are seen; frames of gradual ones belong to neither shot.
        frames: Number of the last frame, plus one.
        duration: Seconds of picture.

    Returns:
        In order, numbered from 0; one shot where there are no cuts, none where there are no frames.
    """
    if frames <= 0:
        return []
    gradual = {item.last: item for item in transitions if item.kind != "cut"}
    shots: list[Shot] = []
    first, start = 0, 0.0
    for cut in [cut for cut in cuts if 0 < cut.index < frames]:
        before = gradual.get(cut.index)
        last, end = (before.first - 1, before.start) if before else (cut.index - 1, cut.time)
        shots.append(Shot(len(shots), round(start, 3), round(max(end, start), 3), first, max(last, first)))
        first, start = cut.index, cut.time
    shots.append(Shot(len(shots), round(start, 3), round(max(duration, start), 3), first, max(frames - 1, first)))
    return shots


def transition_tags(transitions: Sequence[Transition], method: str, model: str) -> tuple[list[Tag], dict[str, Scalar]]:
    """Name the gradual transitions, each kind once, with each one's first and last moment as evidence."""
    tags: list[Tag] = []
    numbers: dict[str, Scalar] = {}
    for kind, label in (("dissolve", "dissolve"), ("fade", "fade through black"), ("gradual", "gradual transition")):
        of_kind = [item for item in transitions if item.kind == kind]
        if not of_kind:
            continue
        numbers[f"{label.replace(' ', '_')}s" if kind != "fade" else "fades"] = len(of_kind)
        seen = tuple(
            Evidence(start=round(item.start, 3), end=round(item.end, 3), frame=item.first, value=item.score)
            for item in of_kind[:_MOST_EVIDENCE]
        )
        score = round(float(np.mean([item.score for item in of_kind])), 3)
        tags.append(
            Tag(
                label=label,
                score=score,
                method=method,
                group=("editing", "transition"),
                evidence=seen,
                threshold=LEAST,
                model=model,
            )
        )
    return tags, numbers


__all__ = ["LEAST", "Frames", "Kind", "Transition", "as_cuts", "find", "shots_of", "transition_tags"]
