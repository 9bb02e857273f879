"""Neighbours: which shots touch a gap, and what the catalog says of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest
from callboard.briefs import beside, fill, neighbour_of
from callboard.catalog import hosts, journal, proposals
from callboard.catalog.hosts import Used
from callboard.catalog.migrations import migrate
from callboard.sources.facts import Seen
from callboard_schemas import Brief, Decision, Evidence, Gap, MediaKind, Provenance, Tag, Tags, Use

PROVENANCE = Provenance(plugin="autotag", version="1", kind="analyse")


@pytest.fixture
def conn() -> Iterator[sqlite3.Connection]:
    """Give a catalog in memory."""
    made = sqlite3.connect(":memory:", isolation_level=None)
    migrate(made)
    yield made
    made.close()


def _digest(name: str) -> str:
    return f"sha256:{name.encode().hex():0>64}"


def _seen(conn: sqlite3.Connection, name: str, kind: MediaKind = "video") -> str:
    digest = _digest(name)
    seen = Seen(
        path=f"{name}.mov".encode(), size=1, mtime_ns=1, ctime_ns=1, inode=1, device=1, digest=digest, kind=kind
    )
    journal.put_place(conn, "footage", seen)
    return digest


def _tag(label: str, score: float = 0.9, spans: tuple[tuple[float, float], ...] = (), **more: object) -> Tag:
    evidence = tuple(Evidence(start=start, end=end) for start, end in spans)
    return Tag(label=label, score=score, method="test", evidence=evidence, **more)  # type: ignore[arg-type] # a Tag's fields


def _propose(conn: sqlite3.Connection, ident: str, digest: str, *tags: Tag, colours: tuple[str, ...] = ()) -> None:
    facts: dict[str, object] = {"colours": list(colours)}
    result = Tags(items=tags, confidence=0.9, facts=facts)  # type: ignore[arg-type] # what facts hold
    proposals.add(conn, ident, f"job-{ident}", "run", digest, result, PROVENANCE)


def _use(name: str, digest: str, start: float, duration: float, source_in: float = 0.0, speed: float = 1.0) -> Used:
    use = Use(
        ref=name, path=f"/f/{name}.mov", name=name, start=start, duration=duration, source_in=source_in, speed=speed
    )
    return Used("blender", "cut.blend", "footage", f"{name}.mov".encode(), digest, use)


def test_a_neighbour_says_what_was_found_of_it_at_its_cut(conn: sqlite3.Connection) -> None:
    """Labels that hold at that time, the surest first, without technical ones; colours by their names."""
    digest = _seen(conn, "a")
    _propose(
        conn,
        "p1",
        digest,
        _tag("night", 0.8, guess=True),
        _tag("close-up", 0.95, ((0.0, 2.0),)),
        _tag("wide shot", 0.97, ((2.0, 9.0),)),
        _tag("1920x1080", 1.0, group=("technical", "size")),
        _tag("boat", 0.4, threshold=0.5),
        colours=("dark blue 41%", "black 30%", "nonsense", "mauve 9%"),
    )
    found = neighbour_of(conn, digest, "before", "SH010", 5.0)
    assert (found.side, found.name, found.time) == ("before", "SH010", 5.0)
    assert found.asset is not None
    assert found.asset.place.path == "a.mov"
    assert found.tags == ("wide shot", "night")
    assert found.palette == ("#23325f", "#191919")
    assert neighbour_of(conn, found.asset, "after", "", 1.0).tags == ("close-up", "night")


def test_what_was_accepted_goes_before_what_is_proposed_and_rejected_tags_do_not_count(
    conn: sqlite3.Connection,
) -> None:
    """A person's choice comes first, without the tags that it left out."""
    digest = _seen(conn, "a")
    _propose(conn, "p1", digest, _tag("day", 0.99), colours=("red 80%",))
    _propose(conn, "p2", digest, _tag("night", 0.7), _tag("boat", 0.99), colours=("blue 80%",))
    proposals.decide(conn, Decision(proposal="p1", decision="reject", by="ann"), "run")
    proposals.decide(conn, Decision(proposal="p2", decision="accept", by="ann", without=("boat",)), "run")
    found = neighbour_of(conn, digest, "before")
    assert (found.tags, found.palette) == (("night",), ("#2341aa",))


def test_of_media_that_nobody_saw_only_the_name_is_known(conn: sqlite3.Connection) -> None:
    """An unknown digest makes a neighbour without an asset."""
    found = neighbour_of(conn, _digest("gone"), "after", "SH030", 1.0)
    assert (found.asset, found.tags, found.name) == (None, (), "SH030")


def test_the_shots_that_touch_a_gap(conn: sqlite3.Connection) -> None:
    """By their times to a frame and a half, with the moment that touches: at other speeds and in-points, too."""
    one, two, far, sound = (_seen(conn, name) for name in ("one", "two", "far", "x"))
    _seen(conn, "sound", "audio")
    uses = [
        _use("far", far, 0.0, 8.0),
        _use("one", one, 8.0, 2.02, source_in=100.0, speed=2.0),
        _use("two", two, 13.01, 5.0, source_in=7.0),
        _use("sound", _digest("sound"), 5.0, 5.0),
        _use("unknown", "", 5.0, 5.0),
        _use("bin", sound, 10.0, 0.0),
    ]
    gap = Gap(ref="V1-3", start=10.0, duration=3.0, rate=25.0)
    before, after = beside(conn, uses, gap)
    assert (before.side, before.name, after.side, after.name) == ("before", "one", "after", "two")
    assert before.time == pytest.approx(100.0 + (2.02 - 0.02) * 2)
    assert after.time == pytest.approx(7.02)
    assert [one.name for one in beside(conn, uses, Gap(ref="V1", start=18.01, duration=2.0, rate=25.0))] == ["two"]
    assert beside(conn, uses, Gap(ref="V1", start=30.0, duration=2.0, rate=25.0)) == ()


def test_a_gap_in_a_project_gets_a_brief(conn: sqlite3.Connection) -> None:
    """From the uses that the catalog knows of a project to a filled brief."""
    one = _seen(conn, "one")
    _propose(conn, "p1", one, _tag("night"), _tag("medium shot"), colours=("black 60%",))
    hosts.put_uses(conn, [_use("one", one, 0.0, 4.0)])
    uses = hosts.of_project(conn, "blender", "cut.blend")
    brief = fill(Brief(), "SH020", beside(conn, uses, Gap(ref="V1", start=4.0, duration=1.0)))
    assert (brief.time_of_day, brief.palette, brief.shot_size) == ("night", ("#191919",), "close-up")
    assert brief.guesses["palette"] == "from the shot before: one"
