"""A film whose shots are known: photographs under a moving camera, cut, dissolved and faded, with flashes between."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import cv2
import numpy as np
from callboard.media import Frame

from callboard_autotag.cutting import HardCuts
from callboard_autotag.shots_net import NetCuts
from callboard_autotag.truth.motion import make_texture

if TYPE_CHECKING:
    from callboard.context import Runtime

    from callboard_autotag.analyser import ShotFinder

Array = np.ndarray[Any, Any]
Span = tuple[int, int]

WIDTH, HEIGHT, RATE = 128, 72, 25.0
TOLERANCE = 2
"""Frames by which a boundary may be off."""
PHOTOS = Path(__file__).parent / "photos"
_NAMES = ("astronaut", "coffee", "chelsea", "rocket")
_SWITCHED = 0.55  # how bright the scene is before the light goes on


class Scene(NamedTuple):
    """A shot, and how the next one follows."""

    picture: str
    """A photograph's name, or ``texture N``."""
    length: int
    """Frames that are this shot alone."""
    start: tuple[float, float, float]
    """Where the camera looks first: middle x and y as shares of the picture, and its width as a share."""
    end: tuple[float, float, float]
    then: Literal["cut", "dissolve", "fade", "end"] = "cut"
    over: int = 0
    """Frames of a dissolve; of a fade, down and up again."""
    event: Literal["", "flash", "light"] = ""
    """In the middle of the shot: what must not be taken for a cut."""


class Truth(NamedTuple):
    """Where shots change: last frame of the old and first of the new shot."""

    cuts: tuple[Span, ...]
    gradual: tuple[Span, ...]


def scenes(seed: int = 1, count: int = 30) -> list[Scene]:
    """Make a list of shots that differ in length, picture, camera and transition."""
    random = np.random.default_rng(seed)
    made: list[Scene] = []
    for number in range(count):
        picture = _NAMES[number % 4] if number % 3 else f"texture {number % 5}"
        wide = float(random.uniform(0.35, 0.6))
        start, end = (
            (float(random.uniform(0.3, 0.7)), float(random.uniform(0.3, 0.7)), wide * float(random.uniform(0.9, 1.1)))
            for _ in range(2)
        )
        if number % 6 != 5:  # every sixth shot is a fast pan; in the others the camera moves a little
            end = (start[0] + 0.15 * (end[0] - start[0]), start[1] + 0.15 * (end[1] - start[1]), end[2])
        then: Literal["cut", "dissolve", "fade", "end"] = "cut"
        over = 0
        if number % 5 == 2:
            then, over = "dissolve", int(random.integers(10, 26))
        elif number % 10 == 9:
            then, over = "fade", 24
        event: Literal["", "flash", "light"] = "flash" if number % 4 == 1 else "light" if number % 8 == 2 else ""
        made.append(Scene(picture, int(random.integers(14, 46)), start, end, then, over, event))
    return [*made[:-1], made[-1]._replace(then="end", over=0)]


def render(made: Iterable[Scene], seed: int = 0) -> Iterator[Array]:
    """Give the frames: uint8, 72 x 128 x 3, with grain."""
    random = np.random.default_rng(seed)
    for frame in _plain(list(made)):
        yield (frame + random.normal(0, 2.0, frame.shape)).clip(0, 255).astype(np.uint8)


def truth_of(made: Iterable[Scene]) -> Truth:
    """Say where the shots change."""
    cuts: list[Span] = []
    gradual: list[Span] = []
    at = 0
    for scene in made:
        at += scene.length
        if scene.then == "cut":
            cuts.append((at - 1, at))
        elif scene.then != "end":
            gradual.append((at - 1, at + scene.over))
            at += scene.over
    return Truth(tuple(cuts), tuple(gradual))


def evaluate_cuts(runtime: Runtime | None = None, seed: int = 1, count: int = 30) -> dict[str, float]:
    """Measure how well shots are found on the made film.

    Args:
        runtime: That has TransNetV2; ``None`` measures the classical finder.
        seed: Of the film.
        count: Shots in it.

    Returns:
        ``precision``, ``recall`` and ``f1`` of all boundaries; ``cut_recall`` and ``gradual_recall``; ``false``, how
        many were found where there is none. A boundary is found when it is there within two frames.

    Raises:
        ModelMissing: the network's pack is not here.
    """
    made = scenes(seed, count)
    finder: ShotFinder = NetCuts(runtime, _seconds(made)) if runtime is not None else HardCuts(_seconds(made))
    for index, pixels in enumerate(render(made, seed)):
        finder.add(Frame(index / RATE, index, pixels))
    if isinstance(finder, NetCuts):
        found = [(item.first, item.last) for item in finder.transitions]
        finder.must_answer()
    else:
        found = [(cut.index - 1, cut.index) for cut in finder.cuts()]
    return score(found, truth_of(made))


def score(found: list[Span], truth: Truth) -> dict[str, float]:
    """Compare boundaries, as last frame before and first frame after, with the truth; each counts once."""
    left = list(found)
    hits = []
    for spans in (truth.cuts, truth.gradual):
        hit = 0
        for first, last in spans:
            near = [span for span in left if span[0] - TOLERANCE <= last and span[1] + TOLERANCE >= first]
            if near:
                hit += 1
                left.remove(min(near, key=lambda span: abs(sum(span) - first - last)))
        hits.append(hit)
    wanted = len(truth.cuts) + len(truth.gradual)
    precision = sum(hits) / len(found) if found else 0.0
    recall = sum(hits) / wanted
    return {
        "precision": round(precision, 4),
        "recall": round(recall, 4),
        "f1": round(2 * precision * recall / (precision + recall), 4) if sum(hits) else 0.0,
        "cut_recall": round(hits[0] / max(len(truth.cuts), 1), 4),
        "gradual_recall": round(hits[1] / max(len(truth.gradual), 1), 4),
        "false": float(len(left)),
    }


def _seconds(made: list[Scene]) -> float:
    return sum(scene.length + scene.over for scene in made) / RATE


def _plain(made: list[Scene]) -> Iterator[Array]:
    """Give the frames without grain, as floats."""
    for place, scene in enumerate(made):
        begin = made[place - 1].over if place else 0  # frames already seen in the transition before
        total = begin + scene.length + scene.over
        camera = _camera(scene, total)
        for at in range(scene.length):
            yield _happens(scene, at, camera(begin + at))
        if scene.then in ("cut", "end"):
            continue
        after = _camera(made[place + 1], scene.over + made[place + 1].length + made[place + 1].over)
        for at in range(scene.over):
            yield _mix(scene, at, _happens(scene, scene.length, camera(begin + scene.length + at)), after(at))


def _mix(scene: Scene, at: int, old: Array, new: Array) -> Array:
    share = (at + 1) / (scene.over + 1)
    if scene.then == "dissolve":
        return (1 - share) * old + share * new
    return old * max(1 - 2 * share, 0.0) + new * max(2 * share - 1, 0.0)


def _happens(scene: Scene, at: int, frame: Array) -> Array:
    middle = scene.length // 2
    if scene.event == "flash" and middle <= at < middle + 2:
        return 0.15 * frame + 0.85 * 250.0
    if scene.event == "light" and at < middle:
        return _SWITCHED * frame
    return frame


def _camera(scene: Scene, total: int) -> Callable[[int], Array]:
    picture = photograph(scene.picture)
    start, end = np.array(scene.start), np.array(scene.end)

    def frame(at: int) -> Array:
        x, y, wide = start + (end - start) * (at / max(total - 1, 1))
        width = wide * picture.shape[1]
        size = (max(int(width), 8), max(int(width * HEIGHT / WIDTH), 8))
        centre = (float(x) * picture.shape[1], float(y) * picture.shape[0])
        part = cv2.getRectSubPix(picture, size, centre)
        return cv2.resize(part, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA).astype(np.float32)

    return frame


@cache
def photograph(name: str) -> Array:
    """Give a photograph, or with ``texture N`` a made picture: uint8, height x width x 3, RGB."""
    if name.startswith("texture"):
        return make_texture(100 + int(name.partition(" ")[2]))
    # OpenCV's own reader cannot open every path on Windows.
    loaded = cv2.imdecode(np.fromfile(PHOTOS / f"{name}.jpg", np.uint8), cv2.IMREAD_COLOR)
    assert loaded is not None, name
    return np.ascontiguousarray(loaded[..., ::-1])


__all__ = [
    "HEIGHT",
    "PHOTOS",
    "RATE",
    "WIDTH",
    "Scene",
    "Truth",
    "evaluate_cuts",
    "render",
    "scenes",
    "score",
    "truth_of",
]
