"""Frames, seconds and names, without a Blender: for all uses and cues, and for the names that Blender 5.1 brings."""

from __future__ import annotations

import sys
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from callboard_blender.addon import limits, timing, versions
from hypothesis import given
from hypothesis import strategies as st

SECONDS = st.floats(0.0, 500.0, allow_nan=False)
USES = st.fixed_dictionaries(
    {
        "start": SECONDS,
        "source_in": st.floats(-10.0, 100.0, allow_nan=False),
        "duration": st.floats(0.1, 200.0, allow_nan=False),
        "speed": st.sampled_from([0.5, 0.96, 1.0, 25 / 24, 2.0, -1.0, -0.96]),
    }
)
TIMES = st.lists(st.tuples(SECONDS, st.floats(0.001, 8.0)).map(lambda pair: (pair[0], sum(pair))), max_size=30)
RATES = st.sampled_from([12.0, 24000 / 1001, 24.0, 25.0, 30.0, 60000 / 1001, 120.0])


@given(USES, TIMES, RATES)
def test_spans_lie_in_the_cut(use: dict[str, float], times: list[tuple[float, float]], rate: float) -> None:
    """Every cue that is not left out has at least one frame, all of them inside the use; none is lost uncounted."""
    found, outside = timing.spans(use, times, rate)
    low, high = round(use["start"] * rate), round((use["start"] + use["duration"]) * rate)
    assert len(found) + outside == len(times)
    assert len({span.number for span in found}) == len(found)
    assert all(low <= span.first < span.end <= max(high, low + 1) for span in found)


@given(USES, TIMES, RATES)
def test_nothing_overlaps_in_a_lane(use: dict[str, float], times: list[tuple[float, float]], rate: float) -> None:
    """All spans are dealt out, and in a lane each ends before the next begins."""
    found, _ = timing.spans(use, times, rate)
    dealt = timing.lanes(found)
    assert sorted(span for lane in dealt for span in lane) == sorted(found)
    assert all(one.end <= other.first for lane in dealt for one, other in pairwise(lane))


@given(st.floats(0.0, 60.0), USES)
def test_media_time_goes_both_ways(seconds: float, use: dict[str, float]) -> None:
    """Where a moment of the media is on the timeline, the use shows that moment."""
    there = timing.on_timeline(use, seconds)
    assert use["source_in"] + (there - use["start"]) * use["speed"] == pytest.approx(seconds, abs=1e-6)


def test_cues_back_to_back_stay_so() -> None:
    """Cues that meet share no frame and leave none between them, at a rate that divides no second."""
    rate = 24000 / 1001
    found, _ = timing.spans({"duration": 60.0}, [(n * 0.7, (n + 1) * 0.7) for n in range(40)], rate)
    assert all(one.end == other.first for one, other in pairwise(found))
    assert len(timing.lanes(found)) == 1


@given(st.text(max_size=80), st.integers(1, 70))
def test_cutting_breaks_no_character(text: str, size: int) -> None:
    """What is kept is a beginning of the text, fits, and is as long as it can be."""
    kept = limits.cut(text, size)
    assert text.startswith(kept)
    assert len(kept.encode("utf-8")) <= size
    if kept != text:
        assert len(text[: len(kept) + 1].encode("utf-8")) > size


class Strip:
    """A strip with the names of Blender 5.1 and no others; its content moves with ``content_start``."""

    __slots__ = ("content_duration", "content_start", "left_handle_offset", "right_handle_offset")

    def __init__(self) -> None:
        self.content_start, self.content_duration = 11.0, 100
        self.left_handle_offset = self.right_handle_offset = 0.0

    @property
    def left_handle(self) -> int:
        """Give the first frame."""
        return int(self.content_start + self.left_handle_offset)

    @property
    def right_handle(self) -> int:
        """Give the first frame without it."""
        return int(self.content_start + self.content_duration - self.right_handle_offset)

    @right_handle.setter
    def right_handle(self, frame: int) -> None:
        self.right_handle_offset = self.content_start + self.content_duration - frame


@pytest.fixture
def blender_5_1(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give a module ``bpy`` that says it is 5.1."""
    bpy = SimpleNamespace(app=SimpleNamespace(version=(5, 1, 0)))
    monkeypatch.setitem(sys.modules, "bpy", bpy)
    return bpy


def test_the_names_of_blender_5_1(blender_5_1: Any) -> None:
    """Under the names that 5.1 brings, and with the old ones gone, strips are read, cut and moved."""
    strip = Strip()
    strip.left_handle_offset = 5.0
    versions.set_end(strip, 61)
    assert [versions.frames(strip, name) for name in ("first", "end", "head", "tail", "content")] == [
        16,
        61,
        5,
        50,
        100,
    ]
    versions.place(strip, 31, 71)
    assert [versions.frames(strip, name) for name in ("first", "end", "head", "tail")] == [31, 71, 5, 55]
    assert versions.frames(strip, "trim") == 0.0
    assert blender_5_1.app.version >= (5, 1)
