"""Camera moves that are known: a camera of numbers over a large random picture, with grain and with things passing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

import cv2
import numpy as np
from callboard.media import Frame

from callboard_autotag.analyser import Shot
from callboard_autotag.motion import Motion

Array = np.ndarray[Any, Any]

WIDTH, HEIGHT, RATE = 160, 90, 24.0
_TEXTURE = (840, 1200)  # rows, columns


class Camera(NamedTuple):
    """Where the camera looks: *x* and *y* in picture widths and heights, *zoom* as magnification, *roll* in degrees."""

    x: float = 0.0
    y: float = 0.0
    zoom: float = 1.0
    roll: float = 0.0


class Clip(NamedTuple):
    """A clip and the labels that it must get."""

    name: str
    labels: frozenset[str]
    camera: Callable[[float], Camera]
    """Time in seconds to camera."""
    seconds: float = 4.0
    foreground: float = 0.0
    """Share of the width of a thing that crosses the picture; 0 for none."""
    grain: float = 2.0
    """Standard deviation, 0 to 255."""


@cache
def make_texture(seed: int) -> Array:
    """Make a picture with detail at every scale, as scenes have: uint8, 840 x 1200 x 3."""
    random = np.random.default_rng(seed)
    picture = np.zeros((*_TEXTURE, 3), np.float32)
    for cells in (4, 12, 40, 120, 300):
        noise = random.normal(0, 1, (cells, cells * 2, 3)).astype(np.float32)
        picture += cv2.resize(noise, _TEXTURE[::-1], interpolation=cv2.INTER_CUBIC) * (55 / cells**0.25)
    made: Array = (picture + 120).clip(0, 255).astype(np.uint8)
    return made


def render(clip: Clip, seed: int = 0) -> Iterator[Frame]:
    """Give the frames of a clip, 160 x 90, 24 a second."""
    texture, random = make_texture(seed), np.random.default_rng(seed + 1)
    thing = make_texture(seed + 7)[:300, :300] // 2 + 90
    scale = 2.0  # texture pixels to a picture pixel, so that what is rendered is sharp and not shimmering
    blurred = cv2.GaussianBlur(texture, (0, 0), scale / 2)
    for index in range(round(clip.seconds * RATE)):
        time = index / RATE
        picture = _shoot(blurred, clip.camera(time), scale).astype(np.float32)
        if clip.foreground:
            size = round(clip.foreground * WIDTH)
            left = round(-size + (WIDTH + size) * time / clip.seconds)
            low, high = max(left, 0), min(left + size, WIDTH)
            if high > low:
                part = cv2.resize(thing, (size, HEIGHT - 25))[:, low - left : high - left]
                picture[25:, low:high] = part
        picture += random.normal(0, clip.grain, picture.shape)
        yield Frame(time, index, picture.clip(0, 255).astype(np.uint8))


def _shoot(texture: Array, camera: Camera, scale: float) -> Array:
    step = scale / camera.zoom
    turn = np.radians(camera.roll)
    turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) * step
    middle = np.array(_TEXTURE[::-1]) / 2 + np.array([camera.x * WIDTH, camera.y * HEIGHT]) * scale
    matrix = np.hstack([turned, (middle - turned @ [WIDTH / 2, HEIGHT / 2])[:, None]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    shot: Array = cv2.warpAffine(texture, matrix, (WIDTH, HEIGHT), flags=flags, borderMode=cv2.BORDER_REFLECT)
    return shot


def _hand(seed: int, amount: float = 0.012) -> Callable[[float], Camera]:
    """Make an unsteady camera: a sum of swings between a half and four a second."""
    random = np.random.default_rng(seed)
    swings = [(random.uniform(0.5, 4.0), random.uniform(0, 6.3), random.normal(0, 1, 3)) for _ in range(12)]

    def camera(time: float) -> Camera:
        moved = sum(np.sin(6.283 * pace * time + phase) * size / pace**0.5 for pace, phase, size in swings)
        x, y, roll = np.asarray(moved) * amount / 2
        return Camera(float(x), float(y) * 1.5, 1.0, float(roll) * 20)

    return camera


def _steady(**speeds: float) -> Callable[[float], Camera]:
    """Make a camera that moves evenly: widths, heights, natural logarithm of magnification and degrees a second."""

    def camera(time: float) -> Camera:
        return Camera(
            speeds.get("x", 0.0) * time,
            speeds.get("y", 0.0) * time,
            float(np.exp(speeds.get("zoom", 0.0) * time)),
            speeds.get("roll", 0.0) * time,
        )

    return camera


def _both(one: Callable[[float], Camera], other: Callable[[float], Camera]) -> Callable[[float], Camera]:
    def camera(time: float) -> Camera:
        a, b = one(time), other(time)
        return Camera(a.x + b.x, a.y + b.y, a.zoom * b.zoom, a.roll + b.roll)

    return camera


def clips() -> list[Clip]:
    """Make the clips: every way to move at several speeds, and what must not be taken for one."""
    found = [
        Clip("static", frozenset({"static camera"}), _steady()),
        Clip("static, grainy", frozenset({"static camera"}), _steady(), grain=9.0),
        Clip("static, thing passes", frozenset({"static camera"}), _steady(), foreground=0.3),
        Clip("static, large thing passes", frozenset({"static camera"}), _steady(), foreground=0.4, grain=4.0),
    ]
    for speed in (0.03, 0.12, 0.5):
        for sign, pan, tilt in ((1, "pan right", "tilt down"), (-1, "pan left", "tilt up")):
            found.append(Clip(f"{pan} {speed}", frozenset({pan}), _steady(x=sign * speed)))
            found.append(Clip(f"{tilt} {speed}", frozenset({tilt}), _steady(y=sign * speed)))
    for speed in (0.04, 0.15, 0.3):
        found.append(Clip(f"zoom in {speed}", frozenset({"zoom in"}), _steady(zoom=speed)))
        found.append(Clip(f"zoom out {speed}", frozenset({"zoom out"}), _steady(zoom=-speed)))
    found += [Clip(f"handheld {seed}", frozenset({"handheld"}), _hand(seed)) for seed in range(4)]
    found += [
        Clip("light hand", frozenset({"handheld"}), _hand(9, 0.006)),
        Clip("hand, pan", frozenset({"handheld", "pan right"}), _both(_hand(5), _steady(x=0.2))),
        Clip("pan, thing passes", frozenset({"pan left"}), _steady(x=-0.15), foreground=0.3),
        Clip("zoom, thing passes", frozenset({"zoom in"}), _steady(zoom=0.12), foreground=0.25),
        Clip("diagonal", frozenset({"pan right", "tilt down"}), _steady(x=0.15, y=0.15)),
        Clip("roll", frozenset({"roll"}), _steady(roll=12.0)),
    ]
    return found


def labels_of(clip: Clip, seed: int = 0) -> set[str]:
    """Give the labels that the analyser finds in a clip."""
    motion = Motion(lambda: [Shot(0, 0.0, clip.seconds, 0, round(clip.seconds * RATE) - 1)])
    for frame in render(clip, seed):
        motion.add(frame)
    return {tag.label for tag in motion.finish()[0]}


def evaluate_motion() -> dict[str, float]:
    """Measure how well camera moves are told on rendered clips: precision and recall over all labels, and F1."""
    right = said = true = exact = 0
    everything = clips()
    for seed, clip in enumerate(everything):
        found = labels_of(clip, seed)
        right += len(found & clip.labels)
        said += len(found)
        true += len(clip.labels)
        exact += found == clip.labels
    precision, recall = right / max(said, 1), right / true
    return {
        "movement_precision": round(precision, 4),
        "movement_recall": round(recall, 4),
        "movement_f1": round(2 * precision * recall / max(precision + recall, 1e-9), 4),
        "movement_clips_right": round(exact / len(everything), 4),
    }


__all__ = ["Camera", "Clip", "clips", "evaluate_motion", "labels_of", "make_texture", "render"]
