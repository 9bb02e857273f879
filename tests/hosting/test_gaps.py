"""Gaps that people in applications point at: asked for exactly as long as they are, with a brief."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest
from callboard.catalog import hosts, journal, proposals
from callboard.catalog.hosts import Used
from callboard.catalog.migrations import migrate
from callboard.hosting.gaps import wanted
from callboard.sources.facts import Seen
from callboard_schemas import Gap, HostRequest, Provenance, Tag, Tags, Use

CUT = "/p/film.blend"


@pytest.fixture
def conn() -> Iterator[sqlite3.Connection]:
    """Give a catalog in memory."""
    made = sqlite3.connect(":memory:", isolation_level=None)
    migrate(made)
    yield made
    made.close()


def _request(gap: Gap) -> HostRequest:
    return HostRequest(host="blender-1", project=CUT, what="placeholder", gap=gap, parameters={"burn_in": False})


@pytest.mark.parametrize(
    ("rate", "counted", "seconds", "frames", "start"),
    [
        (24000 / 1001, "23.976", 120 * 1001 / 24000, 120, "00:00:10:00"),
        (23.976, "23.976", 5.005, 120, "00:00:10:00"),
        (25.0, "25", 4.8, 120, "00:00:09:15"),
        (30000 / 1001, "29.97", 120 * 1001 / 30000, 120, "00:00:08:00"),
        (50.0, "50", 0.001, 1, "00:00:04:40"),
    ],
)
def test_a_gap_is_asked_for_to_the_frame(
    conn: sqlite3.Connection, rate: float, counted: str, seconds: float, frames: int, start: str
) -> None:
    """Whatever floating point an application writes, the rate is exact and the length a whole number of frames."""
    begin = 240 / (24000 / 1001 if counted == "23.976" else rate)
    gap = Gap(ref="V1-3", start=begin, duration=seconds, rate=rate)
    asked = wanted(conn, gap, _request(gap), "blender", CUT)
    assert (asked.counted, asked.frames, asked.start) == (counted, frames, start)
    assert (asked.shot, asked.ref, asked.timeline, asked.by) == ("V1-3", "V1-3", CUT, "blender")
    assert asked.parameters == {"burn_in": False}


def test_what_the_timeline_says_itself_goes_before_numbers(conn: sqlite3.Connection) -> None:
    """Drop frame, the length in frames, the first timecode and the shape of pixels are taken as they are."""
    gap = Gap(
        ref="g",
        start=0.0,
        duration=2.0,
        rate=29.97,
        counted="29.97df",
        frames=61,
        timecode="01:00:00;00",
        pixel_aspect="16:15",
    )
    asked = wanted(conn, gap, _request(gap), "kdenlive", CUT)
    assert (asked.counted, asked.frames, asked.start) == ("29.97df", 61, "01:00:00;00")
    assert asked.pixel_aspect == "16:15"


def test_a_gap_comes_with_a_brief_of_what_stands_beside_it(conn: sqlite3.Connection) -> None:
    """The purpose as the person wrote it, guesses from the shot's name, and the neighbour that the project uses."""
    digest = "sha256:" + "1" * 64
    seen = Seen(path=b"sh010.mov", size=1, mtime_ns=1, ctime_ns=1, inode=1, device=1, digest=digest, kind="video")
    journal.put_place(conn, "footage", seen)
    tags = Tags(items=(Tag(label="night", score=0.9, method="t"),), confidence=0.9, facts={"colours": ["black 70%"]})
    proposals.add(conn, "p1", "j1", "r", digest, tags, Provenance(plugin="autotag", version="1", kind="analyse"))
    use = Use(ref="s1", path="/f/sh010.mov", name="sh010", start=0.0, duration=4.0, source_in=1.0)
    hosts.put_uses(conn, [Used("blender", CUT, "footage", b"sh010.mov", digest, use)])
    gap = Gap(ref="g", start=4.0, duration=2.0, rate=25.0, shot="SH020_CU_MARA", purpose="She hears the ferry.")
    brief = wanted(conn, gap, _request(gap), "blender", CUT).brief
    assert brief is not None
    (before,) = brief.neighbours
    assert (before.name, before.side, before.tags, before.palette) == ("sh010", "before", ("night",), ("#191919",))
    assert before.time == pytest.approx(4.98)
    assert (brief.purpose, brief.cast, brief.shot_size, brief.time_of_day) == (
        "She hears the ferry.",
        ("Mara",),
        "close-up",
        "night",
    )
    assert brief.guesses["time_of_day"] == "as in the shot before: sh010"
    assert "purpose" not in brief.guesses
