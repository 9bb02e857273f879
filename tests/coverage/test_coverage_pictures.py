"""The strip as text and as SVG, and the JSON document: what they say, also of hostile names and huge cuts."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from callboard import coverage
from callboard.coverage import STATES, Coverage, Cut, Frames, Item, cover, reading
from callboard.coverage.document import document
from callboard.coverage.numbered import Folders, lacking
from callboard.coverage.standins import StandIns
from callboard.coverage.strip import BLOCKS, PLAIN, lanes, markup
from callboard.coverage.svg import drawn, save
from callboard.errors import UsageError
from callboard.timedtext.rate import parse_rate
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  # compiled, and ships no stubs
from rich.text import Text

NS = "{http://www.w3.org/2000/svg}"
HOSTILE = 'SH"><script>alert(1)</script>\n\x1b[31m\u202egnp.\x00[bold]&amp;'


def covered(*tracks: Sequence[tuple[str, int, str]], rate: str = "25", name: str = "cut") -> Coverage:
    """Hold a cut of some tracks against nothing: each item has a name, a length and a state."""
    items = []
    for number, track in enumerate(tracks, 1):
        at = 0
        for title, frames, state in track:
            one = Item(ref=f"V{number}-{at}", track=f"V{number}", start=at, frames=frames, name=title, state=state)  # type: ignore[arg-type]  # a state
            items.append(one)
            at += frames
    names = tuple(f"V{number}" for number in range(1, len(tracks) + 1))
    cut = Cut(path="cut.otio", format="otio", rate=parse_rate(rate), name=name, tracks=names, items=tuple(items))
    with reading() as headers:
        return cover(cut, headers, StandIns())


FIVE = [("a", 40, "real"), ("b", 20, "stand-in"), ("c", 20, "partial"), ("d", 10, "offline"), ("", 10, "gap")]


def test_the_strip_shows_each_state_without_colour() -> None:
    """Each state has a sign of its own, in blocks as in letters, and the legend says which is which."""
    rows = [Text.from_markup(line).plain for line in markup(covered(FIVE), 59)]
    assert rows[0] == "picture  " + "█" * 20 + "▒" * 10 + "▚" * 10 + "×" * 5 + "·" * 5
    assert rows[1].split() == ["00:00:00:00", "00:00:02:00", "00:00:04:00"]
    assert rows[2].strip().split("  ") == [f"{BLOCKS[one]} {one}" for one in STATES]
    letters = Text.from_markup(markup(covered(FIVE), 59, plain=True)[0]).plain
    assert letters.isascii()
    assert len(set(PLAIN.values())) == len(STATES)


def test_one_missing_frame_shows_at_any_width() -> None:
    """The worst that is in a cell's frames is what it shows."""
    found = covered([("a", 99_999, "real"), ("b", 1, "gap"), ("c", 100_000, "real")])
    assert [one for one in lanes(found, 60)[0].cells if one != "real"] == ["gap"]


def test_tracks_have_lanes_from_the_uppermost_down() -> None:
    """What is seen comes first, then each track; where nothing is on a track, its lane is empty."""
    found = covered([("a", 50, "real"), ("", 50, "gap")], [("", 60, "gap"), ("over", 20, "stand-in")])
    shown = lanes(found, 10)
    assert [one.label for one in shown] == ["picture", "V2", "V1"]
    assert shown[0].cells == ("real",) * 5 + ("gap",) + ("stand-in",) * 2 + ("gap",) * 2
    assert shown[1].cells == (None,) * 6 + ("stand-in",) * 2 + (None,) * 2


def test_no_line_of_the_strip_is_wider_than_the_terminal() -> None:
    """At 80 columns, and at 40, nothing wraps."""
    for width in (40, 80):
        for line in markup(covered(FIVE, FIVE, rate="59.94df"), width):
            assert len(Text.from_markup(line).plain) <= max(width, 59)


def boxes(root: Any, state: str) -> list[tuple[float, float]]:
    """Give where the boxes of a state begin, and how wide they are."""
    found = [one for one in root.iter(f"{NS}rect") if state in (one.get("class") or "").split()]
    return [(float(one.get("x")), float(one.get("width"))) for one in found]


def test_the_drawing_is_whole_and_true() -> None:
    """Title, words for who cannot see it, boxes to scale, timecodes in order, a pattern for each state, no outside."""
    data = drawn(covered(FIVE, [("", 60, "gap"), ("over", 20, "stand-in")]))
    root = etree.fromstring(data)
    assert root.get("role") == "img"
    ids = {one.get("id"): one.text for one in root if one.get("id")}
    assert root.get("aria-labelledby") == "title desc"
    assert ids["title"] == "Coverage of cut"
    assert "real 40 %, stand-in 40 %" in ids["desc"]
    labels = [one.text for one in root.iter(f"{NS}text") if one.get("class") == "label"]
    assert labels == ["picture", "V2", "V1"]
    seen, *_ = boxes(root, "real")
    whole = 1200 - 76 - 16
    assert seen == pytest.approx((76, whole * 0.4), abs=0.02)
    ticks = [one.text for one in root.iter(f"{NS}text") if (one.text or "").startswith("00:00:0")]
    assert ticks == sorted(ticks)
    assert len(ticks) >= 3
    assert {one.get("id") for one in root.iter(f"{NS}pattern")} == {f"p-{one}" for one in STATES if one != "real"}
    assert b"href" not in data
    assert data.count(b"http") == 1, "its own name space is the only address in it"


def test_hostile_names_stay_text() -> None:
    """Markup, escapes, zero bytes and letters that turn text around do not get out of their place."""
    found = covered([(HOSTILE, 50, "offline")], name=HOSTILE)
    root = etree.fromstring(drawn(found))
    assert [one.tag for one in root.iter() if "script" in str(one.tag)] == []
    titles = [one.text for one in root.iter(f"{NS}title")]
    assert all("<script>alert(1)</script>" in one for one in titles)
    assert not any(char in one for one in titles for char in "\x1b\u202e\n\0")
    assert json.loads(json.dumps(document(found)))["items"][0]["name"] == HOSTILE


def test_a_drawing_replaces_drawings_alone(tmp_path: Path) -> None:
    """A film is never written over, whatever it is called."""
    found = covered(FIVE)
    with pytest.raises(UsageError, match=r"no name of an SVG"):
        save(found, tmp_path / "SH010.mov")
    (tmp_path / "film.svg").write_bytes(b"\0\0\0\x20ftypqt  ")
    with pytest.raises(UsageError, match="no drawing"):
        save(found, tmp_path / "film.svg")
    save(found, tmp_path / "new.svg")
    save(found, tmp_path / "new.svg")
    assert (tmp_path / "new.svg").read_bytes() == drawn(found)


DOCUMENT = {
    *("file", "format", "name", "rate", "start", "end", "frames", "seconds", "width", "height", "pixel_aspect"),
    *("tracks", "timed", "handles", "totals", "items", "picture", "list", "deliver", "requests", "standing", "run"),
    "notes",
}
ITEM = {
    *(
        "ref",
        "track",
        "name",
        "shot",
        "state",
        "start",
        "frames",
        "timecode",
        "end",
        "media",
        "found",
        "reel",
        "source",
    ),
    *("handles", "short", "missing", "missing_frames", "enabled", "covered", "stands", "by", "problem", "guesses"),
}


def test_the_document_keeps_its_fields() -> None:
    """Programs that read it find every field that there ever was; states and totals are always all there."""
    told = document(covered(FIVE), deliver=True)
    assert told.keys() >= DOCUMENT
    assert all(one.keys() >= ITEM for one in told["items"])
    assert list(told["totals"]) == list(STATES)
    assert {name for one in told["totals"].values() for name in one} == {"frames", "seconds", "percent", "items"}
    assert told["deliver"] == {"ready": False, "in_the_way": ["V1-40", "V1-60", "V1-80", "V1-90"]}
    assert (told["start"], told["end"], told["frames"], told["seconds"]) == ("00:00:00:00", "00:00:04:00", 100, 4.0)


def test_nothing_at_all_is_covered_too() -> None:
    """A cut without items has totals of nothing, a strip, a drawing, and is not ready to deliver."""
    found = covered([])
    assert {one.percent for one in found.totals.values()} == {0.0}
    assert markup(found, 80)
    assert etree.fromstring(drawn(found)).tag == f"{NS}svg"
    assert not found.ready
    assert document(found)["frames"] == 0


def of_many(count: int) -> tuple[Coverage, bytes]:
    """Hold a cut of four tracks against nothing, and say it in every way."""
    track = [(f"SH{number}", 7 + number % 5, STATES[number % 5]) for number in range(count)]
    found = covered(track, track, track, track)
    data = drawn(found)
    markup(found, 80)
    document(found)
    return found, data


def lines_for(count: int) -> int:
    """Count the lines of ours that such a cut runs through: unlike seconds they are the same on every machine."""
    ours, counted, before = str(Path(coverage.__file__).parent), 0, sys.gettrace()

    def line(frame: FrameType, what: str, _: object) -> Any:
        nonlocal counted
        counted += what == "line"
        return line

    sys.settrace(lambda frame, what, _: line if frame.f_code.co_filename.startswith(ours) else None)
    try:
        of_many(count)
    finally:
        sys.settrace(before)
    return counted


def test_ten_thousand_items_are_no_more_work_than_their_number() -> None:
    """Four tracks are laid over each other, summed up and drawn in steps that grow as they do, into some MB."""
    few, many = lines_for(100), lines_for(400)
    assert few < many < 5 * few
    found, data = of_many(2500)
    assert len(data) < 8_000_000
    assert sum(one.frames for one in found.picture) == found.cut.frames


def test_a_thousand_overlapping_tracks_are_laid_out() -> None:
    """Each frame shows the uppermost of many tracks."""
    tracks = [[("", number, "gap"), (f"t{number}", 1000 - number, "real")] for number in range(1, 600)]
    found = covered(*tracks)
    assert [(one.start, one.frames) for one in found.picture[:3]] == [(0, 1), (1, 1), (2, 1)]
    assert found.picture[-1].ref == "V599-599"


def test_a_sequence_that_claims_too_much_costs_nothing(tmp_path: Path) -> None:
    """What is missing is counted by what is there, not by what a cut claims."""
    for number in (1, 2, 5):
        (tmp_path / f"a.{number:04d}.exr").write_bytes(b"x")
    frames = Frames(folder=str(tmp_path), prefix="a.", suffix=".exr", padding=4, first=1, last=2**60)
    runs, count = lacking(Folders().numbers(frames), frames)
    assert (runs, count) == (((3, 4), (6, 2**60)), 2**60 - 3)
