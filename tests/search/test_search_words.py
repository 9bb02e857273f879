"""Queries as people type them: words, phrases, beginnings, what to leave out, accents, order, and places to jump to."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest
from callboard.catalog import journal, proposals
from callboard.catalog.migrations import migrate
from callboard.search import Hit, Reason
from callboard.search.fuse import fuse
from callboard.search.text import find, parse, suggest
from callboard.sources.facts import Seen
from callboard_schemas import Captions, Cue, MediaKind, Provenance, Tag, Tags
from hypothesis import given
from hypothesis import strategies as st

MADE_BY = Provenance(plugin="p", version="1.0.0", kind="analyse")


def put(
    conn: sqlite3.Connection,
    name: str,
    labels: tuple[str, ...] = (),
    said: tuple[str, ...] = (),
    kind: MediaKind = "video",
) -> None:
    """Add an asset with tags and cues, five seconds each; its digest is its name."""
    place = Seen(
        path=f"{name}.mov".encode(),
        size=1,
        mtime_ns=1,
        ctime_ns=1,
        inode=1,
        device=1,
        digest=name,
        kind=kind,
        sequence=None,
    )
    journal.put_place(conn, "footage", place)
    if labels:
        items = tuple(Tag(label=label, score=0.9, method="test", group=("scene",)) for label in labels)
        proposals.add(conn, f"t-{name}", f"t-{name}", "run", name, Tags(items=items, confidence=0.9), MADE_BY)
    if said:
        cues = tuple(
            Cue(id=at, start=at * 5.0, end=at * 5.0 + 4, lines=(line,), confidence=0.9) for at, line in enumerate(said)
        )
        captions = Captions(language="en", cues=cues, confidence=0.9)
        proposals.add(conn, f"c-{name}", f"c-{name}", "run", name, captions, MADE_BY)


@pytest.fixture
def conn() -> Iterator[sqlite3.Connection]:
    """Give a catalog of four films and a photo."""
    made = sqlite3.connect(":memory:", isolation_level=None)
    migrate(made)
    put(made, "coast", ("lighthouse", "sea"), ("Look at the boats.", "The fog is thick tonight.", "Good night."))
    put(made, "city", ("night", "street"), ("There is a café at the corner.", "No fog here."))
    put(made, "speech", (), ("We shall build a lighthouse.", "A lighthouse, in fog, for all."))
    put(made, "portrait", ("face",), kind="image")
    put(made, "lighten_up", ("party",))
    yield made
    made.close()


def names(conn: sqlite3.Connection, query: str, **options: object) -> list[str]:
    """Give the names of what a query finds, in order."""
    return [hit.digest for hit in find(conn, query, **options)]  # type: ignore[arg-type]  # of the test's choice


def test_all_words_are_wanted_and_some_are_better_than_nothing(conn: sqlite3.Connection) -> None:
    """Assets must have every word, but for words like 'a' and 'in'; where none has, those with some are given."""
    assert set(names(conn, "a lighthouse in fog")) == {"coast", "speech"}
    assert names(conn, "a zebra at the party") == ["lighten_up"]
    assert names(conn, "in") == ["speech"]


def test_words_in_different_results_of_one_asset_count_together(conn: sqlite3.Connection) -> None:
    """A tag and a spoken word of the same film answer a query of both, each with its own reason and time."""
    (hit,) = [hit for hit in find(conn, "sea fog") if hit.digest == "coast"]
    reasons = {reason.why: reason for reason in hit.reasons}
    assert reasons["tags"].text == "scene / \x02sea\x03"
    assert reasons["said"].text == "The \x02fog\x03 is thick tonight."
    assert (reasons["said"].start, reasons["said"].end) == (5.0, 9.0)
    assert {reason.state for reason in hit.reasons} == {"proposed"}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ('"thick tonight"', {"coast"}),
        ('"tonight thick"', set()),
        ("fog -lighthouse", {"city"}),
        ("CAFE", {"city"}),
        ("café", {"city"}),
        ("thic*", {"coast"}),
        ("thic", {"coast"}),
        ("zebra", set()),
        ("-fog", set()),
        ("coast.mov", {"coast"}),
    ],
)
def test_queries_mean_what_they_say(conn: sqlite3.Connection, query: str, expected: set[str]) -> None:
    """Phrases, left-out words, accents, capitals, beginnings and file names work as typed."""
    assert set(names(conn, query)) == expected


def test_whole_words_stand_before_beginnings(conn: sqlite3.Connection) -> None:
    """``light`` finds what begins with it; a whole word would come first."""
    put(conn, "lamp", ("light",))
    assert names(conn, "light")[0] == "lamp"
    assert set(names(conn, "light")) == {"lamp", "coast", "speech", "lighten_up"}


def test_the_best_line_is_the_one_with_most_of_the_words(conn: sqlite3.Connection) -> None:
    """Of a film's lines, the first to jump to has the most words of the query."""
    (hit,) = [hit for hit in find(conn, "lighthouse fog") if hit.digest == "speech"]
    assert hit.reasons[0].start == 5.0


def test_what_is_accepted_says_so(conn: sqlite3.Connection) -> None:
    """A reason says whether anybody has decided on it."""
    from callboard_schemas import Decision

    proposals.decide(conn, Decision(proposal="t-coast", decision="accept", by="zoe"), "run")
    (hit,) = find(conn, "sea")
    assert hit.reasons[0].state == "accepted"


def test_kind_and_limit_bound_the_answer(conn: sqlite3.Connection) -> None:
    """Only media of the kind is found, and no more than asked for, the best."""
    assert names(conn, "mov", kind="image") == ["portrait"]
    assert len(names(conn, "mov", limit=2)) == 2
    assert names(conn, "lighthouse fog", limit=1) == names(conn, "lighthouse fog")[:1]


def test_a_slip_of_the_keyboard_is_noticed(conn: sqlite3.Connection) -> None:
    """A word that the catalog does not have brings the nearest that it has; one that it has brings none."""
    assert suggest(conn, "ligthhouse")[0] == "lighthouse"
    assert suggest(conn, "lighthouse") == []
    assert suggest(conn, "xyzzyq") == []


@given(st.text(max_size=60))
def test_whatever_is_typed_is_a_query(query: str) -> None:
    """No text that a person can type or paste is an error."""
    with sqlite3.connect(":memory:", isolation_level=None) as made:
        migrate(made)
        put(made, "one", ("sea",))
        find(made, query)
        suggest(made, query)
    made.close()


def test_a_query_of_small_words_alone_is_asked_as_it_is() -> None:
    """Words that say nothing count where there are no others, and in phrases."""
    assert [term.text for term in parse("to be or not to be")] == ["be", "not", "be"]
    assert [term.text for term in parse("in the")] == ["in", "the"]
    assert [term.text for term in parse('fog "in the"')] == ["fog", "in the"]


def test_fusing_ranks_what_several_rankings_agree_on_first() -> None:
    """What is well placed in two rankings stands before what one has first, with the reasons of both."""

    def hits(why: str, *digests: str) -> list[Hit]:
        return [Hit(digest=one, score=1.0, reasons=(Reason(why=why),)) for one in digests]  # type: ignore[arg-type]  # a literal in each call

    fused = fuse(hits("said", "a", "b", "c"), hits("looks", "d", "b"), limit=3)
    assert [hit.digest for hit in fused] == ["b", "a", "d"]
    assert [reason.why for reason in fused[0].reasons] == ["said", "looks"]
    assert fused[0].score == pytest.approx(2 / 62)
    assert [hit.digest for hit in fuse(hits("said", "a", "b"), [])] == ["a", "b"]
