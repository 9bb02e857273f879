"""A stand-in takes exactly the place of what is missing: no other edit moves, and only ours is ever replaced."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from callboard.errors import TimelineError
from callboard.timedtext.rate import Rate, parse_rate
from callboard_otio import StandIn, gaps, missing, replace_gap, take_away, write
from callboard_otio.finding import places, stand_ins
from callboard_otio.ours import placeholder_of
from callboard_otio.rates import set_rate, span, time_at
from callboard_otio.reading import opened
from hypothesis import given, settings
from hypothesis import strategies as st
from opentimelineio import opentime, schema

RATES = st.sampled_from(["23.976", "24", "25", "29.97df", "30", "50", "59.94"])
KINDS = st.sampled_from(["clip", "gap", "lost", "fast"])
ITEMS = st.lists(st.tuples(KINDS, st.integers(1, 500)), min_size=1, max_size=8)


def _item(kind: str, count: int, number: int, rate: Rate) -> Any:
    if kind == "gap":
        return schema.Gap(source_range=span(number, count, rate))
    media = schema.MissingReference() if kind == "lost" else schema.ExternalReference("/m/a.mov", span(0, 9000, rate))
    clip = schema.Clip(f"{kind}{number}", media, span(100 + number, count, rate))
    clip.markers.append(schema.Marker("mine", span(100 + number, 1, rate)))
    if kind == "fast":
        clip.effects.append(schema.LinearTimeWarp(time_scalar=2.0))
    return clip


def _timeline(tracks: list[list[tuple[str, int]]], rate: Rate) -> Any:
    timeline = schema.Timeline("cut", global_start_time=time_at(1000, rate))
    set_rate(timeline, rate)
    for items in tracks:
        track = schema.Track(kind="Video")
        for number, (kind, count) in enumerate(items):
            track.append(_item(kind, count, number, rate))
        timeline.tracks.append(track)
    return timeline


def _edits(timeline: Any) -> list[list[tuple[Any, Any, str]]]:
    """Give exactly, not in frames, where everything is that is not a gap; places of gaps follow from these."""
    return [
        [
            (track.range_of_child_at_index(number), item.trimmed_range(), type(item).__name__)
            for number, item in enumerate(track)
            if not isinstance(item, schema.Gap) and placeholder_of(item).get("for") != "gap"
        ]
        for track in timeline.tracks
    ]


@settings(max_examples=40)
@given(tracks=st.lists(ITEMS, min_size=1, max_size=3), text=RATES, still=st.booleans())
def test_no_other_edit_moves(tracks: list[list[tuple[str, int]]], text: str, still: bool) -> None:
    """Whatever is filled, every other edit is exactly where it was, and taking ours away gives back every byte."""
    rate = parse_rate(text)
    timeline = _timeline(tracks, rate)
    before, whole, length = _edits(timeline), timeline.to_json_string(), timeline.duration()
    spots = [*gaps(timeline, covered=True), *missing(timeline)]
    for number, spot in enumerate(spots):
        made = StandIn(ident=f"p{number}", file=Path("/m/card.png")) if still else StandIn(ident="p", generator="black")
        assert replace_gap(timeline, spot, made) == spot
    assert _edits(timeline) == before
    assert timeline.duration() == length
    assert not gaps(timeline, covered=True)
    assert {(one.track, one.start, one.frames) for one in stand_ins(timeline)} == {
        (one.track, one.start, one.frames) for one in spots
    }
    take_away(timeline)
    assert timeline.to_json_string() == whole


@settings(max_examples=40)
@given(text=RATES, count=st.integers(3, 300), fps=st.sampled_from([23.976, 25.0, 48.0]))
def test_a_gap_of_another_rate_is_filled_to_its_own_end(text: str, count: int, fps: float) -> None:
    """A gap that ends between two frames of the timeline keeps its length exactly; what comes behind stays."""
    rate = parse_rate(text)
    timeline = _timeline([[("clip", 10), ("gap", 1), ("clip", 10)]], rate)
    track = timeline.tracks[0]
    length = opentime.RationalTime(count, fps)
    track[1] = schema.Gap(source_range=opentime.TimeRange(opentime.RationalTime(0, fps), length))
    before = _edits(timeline)
    (spot,) = gaps(timeline)
    replace_gap(timeline, spot, StandIn(ident="p", generator="black"))
    assert _edits(timeline) == before


@pytest.mark.parametrize("name", ["a.otio", "a.xml", "a.fcpxml", "a.edl"])
def test_ours_stays_ours_through_a_format(name: str, tmp_path: Path) -> None:
    """Written, read and filled again, our stand-ins are known and replaced, and a person's clips are not."""
    rate = parse_rate("25")
    timeline = _timeline([[("clip", 50), ("gap", 30), ("lost", 20), ("clip", 10)]], rate)
    card = tmp_path / "card.png"
    card.write_bytes(b"x")
    for spot in [*gaps(timeline), *missing(timeline, rate=rate)]:
        if spot.name in ("", "lost2"):
            replace_gap(timeline, spot, StandIn(ident=f"id-{spot.start}", file=card))
    write(timeline, tmp_path / name, rate)
    back = opened(tmp_path / name, "25").timeline
    assert [(one.ref, one.frames) for one in stand_ins(back)] == [("V1-50", 30), ("V1-80", 20)]
    theirs = [one.item.to_json_string() for one in places(back, rate) if not placeholder_of(one.item)]
    for spot in stand_ins(back):
        replace_gap(back, spot, StandIn(ident="newer", generator="black"))
    assert [one.item.to_json_string() for one in places(back, rate) if not placeholder_of(one.item)] == theirs
    assert len(take_away(back, "newer")) == 2
    (gap,) = gaps(back)
    assert (gap.ref, gap.frames) == ("V1-50", 30)
    lost = next(one for one in places(back, rate) if one.start == 80)
    assert isinstance(lost.item.media_reference, schema.MissingReference)
    assert lost.source == 102


def test_running_again_changes_nothing_and_another_file_replaces_ours() -> None:
    """The same stand-in again is no change; another proposal takes its place; the gap's own data is still kept."""
    timeline = _timeline([[("clip", 5), ("gap", 7), ("clip", 5)]], Rate(24))
    timeline.tracks[0][1].metadata["note"] = {"shot": "sh010"}
    timeline.tracks[0][1].markers.append(schema.Marker("here", span(3, 1, Rate(24))))
    (spot,) = gaps(timeline)
    first = StandIn(ident="p1", file=Path("/m/a.png"), name="sh010", facts={"generator": "cards"})
    assert replace_gap(timeline, spot, first) is not None
    written = timeline.to_json_string()
    assert replace_gap(timeline, spot, first) is None
    assert timeline.to_json_string() == written
    replace_gap(timeline, "V1-5", StandIn(ident="p2", file=Path("/m/b.png")))
    clip = timeline.tracks[0][1]
    assert (clip.media_reference.target_url, placeholder_of(clip)["id"]) == ("file:///m/b.png", "p2")
    assert [(one.name, one.marked_range.start_time.value) for one in clip.markers] == [("here", 2)]
    take_away(timeline, "p1")
    assert placeholder_of(timeline.tracks[0][1])
    take_away(timeline, "p2")
    assert timeline.tracks[0][1].metadata["note"]["shot"] == "sh010"


def test_what_cannot_be_filled_says_why() -> None:
    """Nothing at that place, a person's clip, and a film that is too short are refused; nothing is changed."""
    timeline = _timeline([[("clip", 5), ("gap", 7)]], Rate(24))
    whole = timeline.to_json_string()
    for ref, made, why in (
        ("V1-3", StandIn(ident="p", generator="black"), "nothing begins there"),
        ("V1-0", StandIn(ident="p", generator="black"), "is a person's clip"),
        ("V1-5", StandIn(ident="p", file=Path("/m/a.mov"), frames=6), "has 6 frames, and 7 are missing"),
    ):
        with pytest.raises(TimelineError, match=why):
            replace_gap(timeline, ref, made)
    assert timeline.to_json_string() == whole


def test_what_a_hostile_file_calls_ours_gives_back_a_plain_gap() -> None:
    """A mark that is no gap, is too deep, or has another length never becomes part of the timeline."""
    longer = schema.Gap(duration=time_at(9, Rate(24))).to_json_string()
    for was in ("[" * 100_000, '{"OTIO_SCHEMA": "Clip.2"}', "x", longer):
        timeline = _timeline([[("clip", 5), ("clip", 7)]], Rate(24))
        timeline.tracks[0][1].metadata["callboard"] = {"placeholder": {"id": "p", "for": "gap", "was": was}}
        take_away(timeline)
        assert isinstance(timeline.tracks[0][1], schema.Gap)
        assert timeline.tracks[0][1].duration().value == 7
