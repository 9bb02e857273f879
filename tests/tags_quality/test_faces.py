"""Faces make shot sizes and people; pictures without a face make neither."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from callboard.faces.cascade import Face, FaceFinder, keep
from callboard.faces.framing import SIZES, believable, size_of
from callboard.runtime.local import LocalRuntime
from callboard_autotag.analyser import Picture, Shot
from callboard_autotag.faces import Faces, count_names
from callboard_autotag.truth.cuts import photograph
from callboard_autotag.truth.shot_size import evaluate_shot_size, stage


@pytest.fixture(scope="module")
def runtime() -> Iterator[LocalRuntime]:
    """A runtime with the packs that were pulled."""
    with LocalRuntime() as runtime:
        yield runtime


def face(height: float = 100.0, score: float = 0.99, **other: Any) -> Face:
    """Make a face with its landmarks where they belong."""
    points = ((30.0, 40.0), (60.0, 40.0), (45.0, 60.0), (32.0, 80.0), (58.0, 80.0))
    return Face(other.get("box", (10.0, 0.0, 90.0, height)), other.get("points", points), score)


def test_sizes_go_from_near_to_far() -> None:
    """A face that shrinks goes through every name once, in order, and is least sure between two of them."""
    named = [size_of(height, 1000.0) for height in np.geomspace(1500, 20, 400)]
    names = [name for name, _, _ in named]
    assert list(dict.fromkeys(names)) == [name for name, _ in SIZES]
    assert names == sorted(names, key=[name for name, _ in SIZES].index)
    assert all(0.0 <= sureness <= 1.0 for _, _, sureness in named)
    edge = names.index("medium shot")
    middle = edge + names.count("medium shot") // 2
    assert named[edge][2] < 0.2 < 0.8 < named[middle][2]


def test_conventional_framings_have_their_names() -> None:
    """A head that fills two thirds of the picture is a close-up; a person from head to foot is a wide shot."""
    assert size_of(0.667 / 1.3, 1.0)[0] == "close-up"
    assert size_of(1 / 1.3 / 3.5, 1.0)[0] == "medium shot"
    assert size_of(1 / 1.3 / 9, 1.0)[0] == "wide shot"


def test_what_is_no_face_is_not_believed() -> None:
    """A low score, a strip, eyes below the mouth and landmarks outside the box are not believed."""
    assert believable(face())
    assert not believable(face(score=0.85))
    assert not believable(face(box=(10.0, 0.0, 40.0, 100.0)))
    assert not believable(face(points=tuple(reversed(face().points))))
    assert not believable(face(height=60.0))


def test_people_are_counted_by_faces() -> None:
    """One, two alike, two unlike and three are named; alike means that the smaller is at least half as high."""
    assert count_names([face()]) == ["one person"]
    assert count_names([face(100), face(60)]) == ["two people", "two-shot"]
    assert count_names([face(100), face(40)]) == ["two people"]
    assert count_names([face()] * 3) == ["group of people"]


def test_the_best_of_the_same_boxes_is_kept() -> None:
    """Boxes that overlap are one; one inside another only where that is asked for; none are no error."""
    boxes = np.array([[0, 0, 99, 99, 0.8], [5, 5, 99, 99, 0.9], [200, 0, 299, 99, 0.7], [30, 30, 59, 59, 0.6]])
    assert keep(boxes, 0.5).tolist() == [1, 2, 3]
    assert keep(boxes, 0.5, within=True).tolist() == [1, 2]
    assert keep(np.zeros((0, 5)), 0.5).tolist() == []


@pytest.mark.models
def test_a_photographed_face_is_found_where_it_is(runtime: LocalRuntime) -> None:
    """The box of the astronaut's face lies on it, and its landmarks on eyes, nose and mouth, within 6 pixels."""
    found = FaceFinder(runtime).find(photograph("astronaut"))
    assert len(found) == 1
    assert found[0].score > 0.99
    by_hand = [(203, 101), (247, 103), (224, 127), (203, 141), (245, 141)]
    for (x, y), (right_x, right_y) in zip(found[0].points, by_hand, strict=True):
        assert abs(x - right_x) <= 6
        assert abs(y - right_y) <= 6
    left, top, right, bottom = found[0].box
    assert 165 < left < 190
    assert 255 < right < 285
    assert 45 < top < 80
    assert 165 < bottom < 190


@pytest.mark.models
def test_tags_say_where_how_sure_and_by_whom(runtime: LocalRuntime) -> None:
    """A letterboxed picture gives its size by the picture inside the bars, with a box in the whole picture."""
    inner = stage([(0.5, 3.5)], 5)
    barred = np.concatenate([np.zeros((90, 960, 3), np.uint8), inner, np.zeros((90, 960, 3), np.uint8)])
    looker = Faces(runtime, "cd" * 32)
    looker.look(Picture(1.5, 36, barred, 1.0, Shot(1, 1.0, 3.0, 24, 71)))
    tags, facts = looker.finish()
    assert [(tag.label, tag.group) for tag in tags] == [
        ("medium shot", ("framing", "shot size")),
        ("one person", ("people",)),
    ]
    assert [tag.guess for tag in tags] == [False, True]
    assert all(tag.threshold is not None and tag.score >= tag.threshold and tag.model == "cd" * 32 for tag in tags)
    seen = tags[0].evidence[0]
    assert (seen.start, seen.end, seen.frame) == (1.0, 3.0, 36)
    assert seen.box is not None
    x, y, wide, high = seen.box
    assert x < 0.5 < x + wide
    assert 90 / 720 < y < 0.5
    assert abs(high * 720 - (seen.value or 0) * 540) < 2
    assert facts == {"pictures_with_faces": 1, "most_faces": 1}


@pytest.mark.models
def test_nothing_is_said_of_a_picture_without_a_face(runtime: LocalRuntime) -> None:
    """Black, noise and a picture of a few pixels give no tags; no picture at all gives no facts either."""
    looker = Faces(runtime)
    assert looker.finish() == ([], {})
    random = np.random.default_rng(2)
    for pixels in (np.zeros((90, 160, 3), np.uint8), random.integers(0, 255, (120, 160, 3), np.uint8)):
        looker.look(Picture(0.0, 0, pixels, 0.0))
    looker.look(Picture(0.0, 0, np.full((3, 5, 3), 80, np.uint8), 0.0))
    assert looker.finish() == ([], {"pictures_with_faces": 0})


@pytest.mark.models
def test_shot_size_is_right_on_known_framings(runtime: LocalRuntime) -> None:
    """Of persons at seven known sizes nine in ten get the right name, all of them it or the next; none are invented."""
    figures = evaluate_shot_size(runtime, variants=2)
    assert figures["found"] == figures["within_one"] == figures["people"] == figures["silent"] == 1.0, figures
    assert figures["accuracy"] >= 0.9, figures
