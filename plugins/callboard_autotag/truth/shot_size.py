"""Pictures of known shot size: a photographed person in front of made backgrounds, from eyes to a speck."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np
from callboard.faces.framing import SIZES

from callboard_autotag.analyser import Picture
from callboard_autotag.faces import Faces
from callboard_autotag.truth.cuts import photograph
from callboard_autotag.truth.motion import make_texture

if TYPE_CHECKING:
    from callboard.context import Runtime

Array = np.ndarray[Any, Any]

WIDTH, HEIGHT = 960, 540
_CROWN, _CHIN, _MIDDLE = 25, 177, 227  # rows and column of the astronaut's head, measured by hand
_HEAD = _CHIN - _CROWN
FRAMINGS = (
    ("extreme close-up", 0.75),
    ("close-up", 1.5),
    ("medium close-up", 2.4),
    ("medium shot", 3.5),
    ("medium long shot", 5.8),
    ("wide shot", 10.5),
    ("extreme wide shot", 18.5),
)
"""Name, and how many heads high the picture is."""
_EMPTY = ("coffee", "chelsea", "rocket", "texture 3", "texture 4")


class Made(NamedTuple):
    """A picture and what must be said of it; nothing of one without a person."""

    pixels: Array
    size: str
    people: int


def pictures(seed: int = 1, variants: int = 3) -> Iterator[Made]:
    """Give the pictures: uint8, 540 x 960 x 3, RGB; *variants*, at most three, of each size."""
    random = np.random.default_rng(seed)
    for name, heads in FRAMINGS:
        for variant in range(variants):
            scale = 1.0 + 0.09 * (variant - 1)  # a little nearer and farther, within the same name
            made = stage([(float(random.uniform(0.4, 0.6)), heads * scale)], seed + variant, mirrored=variant % 2 == 1)
            yield Made(_graded(made, variant, random), name, 1)
    for pair in ((3.2, 3.5), (4.9, 5.6)):
        yield Made(stage([(0.3, pair[0]), (0.72, pair[1])], seed), "", 2)
    yield Made(stage([(0.2, 5.0), (0.5, 5.4), (0.8, 5.2)], seed), "", 3)
    for name in _EMPTY:
        yield Made(cv2.resize(photograph(name), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), "", 0)


def stage(people: list[tuple[float, float]], seed: int, *, mirrored: bool = False) -> Array:
    """Put persons before a background.

    Args:
        people: For each, where across the picture, as a share, and how many of their heads it is high.
        seed: Of the background.
        mirrored: Turn them left to right.

    Returns:
        uint8, 540 x 960 x 3.
    """
    picture = cv2.GaussianBlur(cv2.resize(make_texture(seed), (WIDTH, HEIGHT)), (0, 0), 3.0)
    person = photograph("astronaut")
    middle = _MIDDLE
    if mirrored:
        person, middle = np.ascontiguousarray(person[:, ::-1]), person.shape[1] - 1 - _MIDDLE
    spacing = WIDTH / max(len(people), 1)
    for across, heads in people:
        scale = HEIGHT / heads / _HEAD
        # The middle of the head is a third down; of a face nearer than that, in the middle.
        down = HEIGHT * (0.5 if heads < 1.5 else 0.4 if heads < 3.0 else 0.3)
        moved = np.array(
            [[scale, 0, across * WIDTH - scale * middle], [0, scale, down - scale * (_CROWN + _CHIN) / 2]], np.float32
        )
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        small = cv2.GaussianBlur(person, (0, 0), 0.4 / scale) if scale < 0.7 else person
        laid = cv2.warpAffine(small, moved, (WIDTH, HEIGHT), flags=way)
        mask = cv2.warpAffine(np.full(person.shape[:2], 255, np.uint8), moved, (WIDTH, HEIGHT)) > 250
        if len(people) > 1:  # each keeps to its own part of the picture
            columns = np.arange(WIDTH)
            mask &= (np.abs(columns - across * WIDTH) < spacing * 0.48)[None]
        picture[mask] = laid[mask]
    return picture


def evaluate_shot_size(runtime: Runtime, seed: int = 1, variants: int = 3) -> dict[str, float]:
    """Measure how well shot size and people are told.

    Args:
        runtime: That has MTCNN's three networks.
        seed: Of the pictures.
        variants: Pictures of each size, at most three.

    Returns:
        ``accuracy``, the share of pictures of one person whose size is right; ``within_one``, right or the next one;
        ``found``, the share in which the person is seen at all; ``people``, of pictures of several whose count is
        right; ``silent``, of pictures without a person of which nothing is said.

    Raises:
        ModelMissing: a network's pack is not here.
    """
    names = [name for name, _ in SIZES]
    right: dict[str, list[bool]] = {key: [] for key in ("accuracy", "within_one", "found", "people", "silent")}
    for number, made in enumerate(pictures(seed, variants)):
        looker = Faces(runtime)
        looker.look(Picture(0.0, number, made.pixels, 0.0))
        tags, numbers = looker.finish()
        said = [tag.label for tag in tags if tag.label in names]
        if made.size:
            right["found"].append(bool(said))
            right["accuracy"].append(said == [made.size])
            near = bool(said) and abs(names.index(said[0]) - names.index(made.size)) <= 1
            right["within_one"].append(near)
        elif made.people:
            right["people"].append(numbers.get("most_faces") == made.people)
        else:
            right["silent"].append(not tags)
    return {key: round(sum(each) / len(each), 4) for key, each in right.items()}


def _graded(picture: Array, variant: int, random: np.random.Generator) -> Array:
    """Make pictures differ in light and grain, and some of them letterboxed inside the same height of picture."""
    levels = picture * (1.0, 0.6, 1.2)[variant] + random.normal(0, 3.0, picture.shape)
    graded: Array = levels.clip(0, 255).astype(np.uint8)
    if variant == 1:
        bar = np.zeros((66, WIDTH, 3), np.uint8)
        graded = np.concatenate([bar, graded, bar])
    return graded


__all__ = ["FRAMINGS", "Made", "evaluate_shot_size", "pictures", "stage"]
