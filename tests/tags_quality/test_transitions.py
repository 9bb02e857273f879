"""Chances become cuts, dissolves and fades; flashes and switched light become nothing."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from callboard.errors import JobError, ModelMissing
from callboard.media import Frame
from callboard.media.cuts import Cut, CutFinder
from callboard_autotag.shots_net import NetCuts
from callboard_autotag.transitions import Frames, Transition, as_cuts, find, shots_of, transition_tags
from callboard_autotag.truth.cuts import Scene, render, truth_of

Array = np.ndarray[Any, Any]

STILL = ((0.5, 0.5, 0.5), (0.52, 0.5, 0.5))


def seen(*scenes: Scene) -> tuple[Frames, CutFinder]:
    """Let a made film pass by."""
    frames, classical = Frames(), CutFinder()
    for index, pixels in enumerate(render(scenes)):
        frames.add(index, index / 25, cv2.resize(pixels, (48, 27), interpolation=cv2.INTER_AREA))
        classical.add(index / 25, index, cv2.resize(pixels, (64, 36), interpolation=cv2.INTER_AREA))
    return frames, classical


def chances(count: int, spans: list[tuple[int, int, float]]) -> tuple[Array, Array]:
    """Make chances: *many* over whole spans, *single* in their middle."""
    single, many = np.zeros(count, np.float32), np.zeros(count, np.float32)
    for first, last, chance in spans:
        single[(first + last) // 2] = chance
        many[first : last + 1] = chance
    return single, many


CUT = (Scene("coffee", 20, *STILL), Scene("chelsea", 20, *STILL, then="end"))


def test_a_cut_is_on_its_frame() -> None:
    """A chance on the last frame of a shot, or beside it, is a cut on the first frame of the next."""
    frames, classical = seen(*CUT)
    for at in (18, 19, 20):
        found = find(frames, *chances(40, [(at, at, 0.9)]), classical)
        assert [(item.kind, item.first, item.last) for item in found] == [("cut", 19, 20)]
        assert found[0].score >= 0.9
        assert (found[0].start, found[0].end) == (19 / 25, 20 / 25)


def test_two_weak_witnesses_are_one_strong() -> None:
    """A sharp change makes a cut of a chance that is too small alone; without one it stays none."""
    frames, classical = seen(*CUT)
    assert [item.last for item in find(frames, *chances(40, [(19, 19, 0.2)]), classical)] == [20]
    assert find(frames, *chances(40, [(10, 10, 0.4)]), classical) == []


def test_the_network_has_a_veto() -> None:
    """What only the comparison of neighbours takes for a cut, and the network sees nothing in, is none."""
    frames, classical = seen(*CUT)
    assert len(classical.cuts()) == 1
    assert find(frames, *chances(40, []), classical) == []


@pytest.mark.parametrize("event", ["flash", "light"])
def test_a_flash_and_a_lamp_are_no_cut(event: Any) -> None:
    """Where the same picture comes back, or stays in other light, a high chance is not believed."""
    frames, classical = seen(Scene("coffee", 40, *STILL, then="end", event=event))
    for at in (19, 20, 21):
        assert find(frames, *chances(40, [(at, at, 0.9)]), classical) == []


@pytest.mark.parametrize(("then", "kind"), [("dissolve", "dissolve"), ("fade", "fade")])
def test_gradual_transitions_have_their_kind(then: Any, kind: str) -> None:
    """A mixture of two pictures is a dissolve; through black it is a fade, whose ends are found from its middle."""
    film = (Scene("coffee", 30, *STILL, then=then, over=16), Scene("chelsea", 30, *STILL, then="end"))
    frames, classical = seen(*film)
    first, last = truth_of(film).gradual[0]
    found = find(frames, *chances(76, [(first + 2, last - 2, 0.8)]), classical)
    assert [item.kind for item in found] == [kind]
    assert abs(found[0].first - first) <= 3
    assert abs(found[0].last - last) <= 3


def test_a_wipe_is_gradual_and_no_dissolve() -> None:
    """Half of one picture beside half of the other is no mixture."""
    one, other = (next(render([scene])) for scene in CUT)
    frames, classical = Frames(), CutFinder()
    for index in range(60):
        edge = int(np.clip((index - 20) / 20, 0, 1) * one.shape[1])
        pixels = np.concatenate([other[:, :edge], one[:, edge:]], axis=1)
        frames.add(index, index / 25, cv2.resize(pixels, (48, 27)))
        classical.add(index / 25, index, pixels)
    assert [item.kind for item in find(frames, *chances(60, [(20, 40, 0.9)]), classical)] == ["gradual"]


def test_shots_leave_gradual_transitions_out() -> None:
    """Frames of a dissolve belong to neither shot; those at a cut belong to one each; what is over is left out."""
    items = [
        Transition("cut", 9, 10, 0.36, 0.4, 0.9),
        Transition("dissolve", 20, 30, 0.8, 1.2, 0.8),
        Transition("cut", 99, 100, 3.96, 4.0, 0.9),
    ]
    shots = shots_of(as_cuts(items), items, 50, 2.0)
    assert [(shot.number, shot.first, shot.last) for shot in shots] == [(0, 0, 9), (1, 10, 19), (2, 30, 49)]
    assert [(shot.start, shot.end) for shot in shots] == [(0.0, 0.4), (0.4, 0.8), (1.2, 2.0)]
    assert [(shot.first, shot.last) for shot in shots_of([Cut(5, 0.2, 1.0)], [], 8, 0.32)] == [(0, 4), (5, 7)]
    assert shots_of([], [], 0, 0.0) == []


def test_tags_say_where_and_by_whom() -> None:
    """Each kind is one tag with the span of every transition, the threshold and the model."""
    items = [Transition("dissolve", 20, 30, 0.8, 1.2, 0.8), Transition("cut", 40, 41, 1.6, 1.64, 0.9)]
    tags, numbers = transition_tags(items, "transnetv2", "ab" * 32)
    assert [(tag.label, tag.group, tag.threshold, tag.model) for tag in tags] == [
        ("dissolve", ("editing", "transition"), 0.5, "ab" * 32)
    ]
    assert [(span.start, span.end, span.frame) for span in tags[0].evidence] == [(0.8, 1.2, 20)]
    assert numbers == {"dissolves": 1}


class Scripted:
    """A runtime of which the test says what it does; counts its calls."""

    def __init__(self, answer: Any) -> None:
        self._answer, self.calls = answer, 0

    async def run(self, model: str, inputs: Any, **options: object) -> dict[str, Any]:
        """Do ``call``."""
        return self.call(model, inputs, **options)

    def call(self, model: str, inputs: Any, **options: object) -> dict[str, Any]:
        """Give or raise what the test says."""
        assert model == "transnetv2"
        self.calls += 1
        if isinstance(self._answer, Exception):
            raise self._answer
        answer: dict[str, Any] = self._answer(inputs["frames"])
        return answer


@pytest.mark.parametrize("count", [1, 2, 24, 25, 99, 149, 150, 151, 175, 176, 300, 325, 431])
def test_each_frame_is_believed_once(count: int) -> None:
    """Whatever the length, the answers that are kept are of each frame once and in order.

    The runtime here answers with what it was shown, so that a frame that is lost, doubled or moved is seen.
    """

    def echo(frames: Array) -> dict[str, Array]:
        shown = frames[:, :, 0, 0, 0].astype(np.float32) + 256 * frames[:, :, 0, 0, 1].astype(np.float32)
        return {"single": shown, "many": shown}

    runtime = Scripted(echo)
    finder = NetCuts(runtime, count / 25)
    for index in range(count):
        pixels = np.full((27, 48, 3), (index % 256, index // 256, 0), np.uint8)
        finder.add(Frame(index / 25, index, pixels))
    kept = finder.answers()
    assert kept[0].tolist() == list(range(count)) if count > 1 else len(kept[0]) == 0
    assert runtime.calls <= -(-count // 150)


def test_without_the_pack_the_other_method_answers_and_says_so() -> None:
    """Where the network is missing the cuts are those of the classical finder, under its own name."""
    finder = NetCuts(Scripted(ModelMissing("transnetv2", "not here", "pull it")), 1.6, "ab" * 32)
    for index, pixels in enumerate(render(CUT)):
        finder.add(Frame(index / 25, index, pixels))
    assert [cut.index for cut in finder.cuts()] == [20]
    tags, facts = finder.finish()
    assert facts["cuts_method"] == "shots"
    assert {(tag.method, tag.model) for tag in tags} == {("shots", "")}
    with pytest.raises(ModelMissing):
        finder.must_answer()


def test_a_network_that_gives_no_numbers_fails_the_job() -> None:
    """NaN is no chance: the job fails, rather than finding no cuts."""
    nothing = np.full((1, 125), np.nan, np.float32)
    finder = NetCuts(Scripted(lambda _: {"single": nothing, "many": nothing}), 1.6)
    for index, pixels in enumerate(render(CUT)):
        finder.add(Frame(index / 25, index, pixels))
    with pytest.raises(JobError, match="transnetv2"):
        finder.cuts()
