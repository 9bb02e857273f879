"""What can be found by words stays in step with places, proposals and decisions; prints replace what they were."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import msgspec
import pytest
from callboard.catalog import Catalog, journal, prints, proposals, texts, view
from callboard.catalog.migrations import STEPS, migrate, version
from callboard.errors import CatalogError
from callboard.search.text import find
from callboard.sources.facts import Seen
from callboard_schemas import (
    Captions,
    Cue,
    Decision,
    Evidence,
    Print,
    Prints,
    Provenance,
    Result,
    Tag,
    Tags,
)

MADE_BY = Provenance(plugin="p", version="1.0.0", kind="analyse")


@pytest.fixture
def conn() -> Iterator[sqlite3.Connection]:
    """Give a catalog in memory."""
    made = sqlite3.connect(":memory:", isolation_level=None)
    migrate(made)
    yield made
    made.close()


def seen(path: bytes, digest: str = "sha256:a") -> Seen:
    """Describe a film at a place."""
    return Seen(
        path=path, size=1, mtime_ns=1, ctime_ns=1, inode=1, device=1, digest=digest, kind="video", sequence=None
    )


def tags(*labels: str) -> Tags:
    """Make tags."""
    return Tags(items=tuple(Tag(label=label, score=0.9, method="test") for label in labels), confidence=0.9)


def propose(conn: sqlite3.Connection, ident: str, result: Result, job: str = "", digest: str = "sha256:a") -> None:
    """Add a proposal for an asset."""
    proposals.add(conn, ident, job or ident, "run", digest, result, MADE_BY)


def decide(conn: sqlite3.Connection, ident: str, verb: str) -> None:
    """Decide on a proposal."""
    proposals.decide(conn, Decision(proposal=ident, decision=verb, by="zoe"), "run")  # type: ignore[arg-type]  # a literal in each test


def found(conn: sqlite3.Connection, query: str) -> list[str]:
    """Give the digests that a query finds."""
    return [hit.digest for hit in find(conn, query)]


def test_a_file_is_found_by_its_name_and_folders_while_it_is_there(conn: sqlite3.Connection) -> None:
    """A name is found as soon as the file is known, after a rename by the new one, and not once the file is gone."""
    journal.put_place(conn, "footage", seen(b"day_two/Harbour-Take3.MOV"))
    assert found(conn, "harbour take3") == found(conn, "day two") == ["sha256:a"]
    journal.put_place(conn, "footage", seen(b"day_two/pier.mov"))
    journal.drop_place(conn, "footage", b"day_two/Harbour-Take3.MOV")
    assert found(conn, "pier") == ["sha256:a"]
    assert found(conn, "harbour") == []
    journal.drop_place(conn, "footage", b"day_two/pier.mov")
    assert found(conn, "pier") == []


def test_other_content_at_a_place_takes_the_name_over(conn: sqlite3.Connection) -> None:
    """When a file's content changes, its name finds the new content alone."""
    journal.put_place(conn, "footage", seen(b"a.mov"))
    journal.put_place(conn, "footage", seen(b"a.mov", "sha256:b"))
    assert found(conn, "mov") == ["sha256:b"]


def test_rejected_words_are_not_found_until_they_are_proposed_again(conn: sqlite3.Connection) -> None:
    """Accepting keeps words findable, rejecting takes them out, reopening brings them back."""
    journal.put_place(conn, "footage", seen(b"a.mov"))
    propose(conn, "one", tags("lighthouse"))
    for verb, there in (("accept", True), ("reject", False), ("reopen", True), ("reject", False), ("accept", True)):
        decide(conn, "one", verb)
        assert bool(found(conn, "lighthouse")) is there, verb


def test_a_tag_that_was_left_out_is_not_found(conn: sqlite3.Connection) -> None:
    """A tag that a person accepts the others without is found no more, until the answer is proposed again."""
    journal.put_place(conn, "footage", seen(b"a.mov"))
    propose(conn, "one", tags("lighthouse", "windmill"))
    proposals.decide(conn, Decision(proposal="one", decision="accept", by="zoe", without=("windmill",)), "run")
    assert (found(conn, "lighthouse"), found(conn, "windmill")) == (["sha256:a"], [])
    decide(conn, "one", "reopen")
    assert found(conn, "windmill") == ["sha256:a"]


def test_superseded_words_are_not_found(conn: sqlite3.Connection) -> None:
    """Once a newer answer of a plugin is accepted, the words of the former one find nothing."""
    journal.put_place(conn, "footage", seen(b"a.mov"))
    propose(conn, "old", tags("lighthouse"))
    decide(conn, "old", "accept")
    propose(conn, "new", tags("windmill"))
    assert found(conn, "lighthouse") == found(conn, "windmill") == ["sha256:a"]
    decide(conn, "new", "accept")
    assert (found(conn, "lighthouse"), found(conn, "windmill")) == ([], ["sha256:a"])


def test_the_index_holds_what_its_rows_say(conn: sqlite3.Connection) -> None:
    """After many changes FTS5's own check finds the index and the rows in agreement."""
    for number in range(30):
        digest = f"sha256:{number % 7}"
        journal.put_place(conn, "footage", seen(b"%d.mov" % (number % 11), digest))
        propose(conn, f"p{number}", tags(f"word{number}", "sea"), digest=digest)
        decide(conn, f"p{number}", ("accept", "reject", "reopen")[number % 3])
    conn.execute("INSERT INTO words(words, rank) VALUES('integrity-check', 1)")


def test_a_catalog_of_version_one_is_indexed_after_its_migration(tmp_path: Path) -> None:
    """Places and proposals that an older version left are found as soon as the board has caught up."""
    cue = Cue(id=1, start=2, end=3, lines=("Fog", "over the sea"), confidence=0.9)
    rows = [("t", tags("lighthouse")), ("c", Captions(language="en", cues=(cue,), confidence=0.9))]
    with sqlite3.connect(tmp_path / "catalog.sqlite", isolation_level=None) as old:
        migrate(old, STEPS[:1])
        for number in range(120):
            old.execute(
                "INSERT INTO places VALUES('footage', ?, ?, 'video', 1, 1, 1, 1, 1, NULL, 'present', 1)",
                (b"clip%d.mov" % number, f"sha256:{number}"),
            )
        for ident, result in rows:
            old.execute(
                "INSERT INTO proposals(id, job, run, plugin, kind, result, digest, state, confidence, provenance, body,"
                " checksum, created) VALUES(?,'j','r','p','analyse','tags','sha256:7','accepted',0.9,'{}',?,'',?)",
                (ident, msgspec.json.encode(result), time.time()),
            )
    old.close()
    with Catalog(tmp_path) as catalog:
        assert catalog.read(version) == len(STEPS)
        while catalog.write_sync(texts.left):  # each write goes between two pieces of the catching up
            pass
        assert catalog.read(lambda conn: found(conn, "lighthouse fog clip7"))[0] == "sha256:7"
        assert len(catalog.read(lambda conn: find(conn, "mov", limit=1000))) == 120
    assert (tmp_path / "catalog.sqlite.v1.bak").exists()


def test_a_python_without_full_text_search_is_told(tmp_path: Path) -> None:
    """Where SQLite lacks a module, the error says that, not that the catalog is damaged, and the old one stays."""
    with Catalog(tmp_path, STEPS[:1]):
        pass
    with pytest.raises(CatalogError, match=r"SQLite cannot open .* no such module: fts9"):
        Catalog(tmp_path, (*STEPS[:1], "CREATE VIRTUAL TABLE words USING fts9(name)")).open()
    with Catalog(tmp_path, STEPS[:1]) as catalog:
        assert catalog.read(version) == 1


def test_catching_up_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    """A catalog that was closed while it was indexed anew is searchable in part, and whole after the next start."""
    with Catalog(tmp_path) as catalog:
        for number in range(20):
            catalog.write_sync(
                partial(journal.put_place, root="footage", seen=seen(b"clip%d.mov" % number, f"{number}"))
            )
        catalog.write_sync(lambda conn: conn.execute("DELETE FROM words").rowcount)
        catalog.write_sync(lambda conn: conn.execute("UPDATE texts SET name = ''").rowcount)
        catalog.write_sync(texts.forget)
        assert catalog.write_sync(lambda conn: texts.catch_up(conn, 5))
    with view(tmp_path) as reader:
        assert reader.read(texts.left) == 15
        assert len(reader.read(lambda conn: find(conn, "mov"))) == 5
    with Catalog(tmp_path) as catalog:
        while catalog.write_sync(texts.left):
            pass
        assert len(catalog.read(lambda conn: find(conn, "mov"))) == 20


def test_new_prints_replace_the_plugins_own_in_the_same_space(conn: sqlite3.Connection) -> None:
    """A plugin's newer answer takes the place of its former one; other spaces and other plugins are left alone."""
    one = Prints(items=(Print(space="phash", vector=b"1" * 8), Print(space="clip:x", vector=b"\0<" * 4)))
    prints.put(conn, "sha256:a", "autotag", one)
    prints.put(conn, "sha256:a", "other", Prints(items=(Print(space="phash", vector=b"2" * 8),)))
    prints.put(conn, "sha256:a", "autotag", Prints(items=(Print(space="phash", vector=b"3" * 8, start=1.5, frame=3),)))
    assert prints.spaces(conn) == ["clip:x", "phash"]
    assert [row.vector for row in prints.after(conn, "phash")] == [b"2" * 8, b"3" * 8]
    assert len(list(prints.after(conn, "clip:x"))) == 1


def test_evidence_says_where_a_tag_was_seen(conn: sqlite3.Connection) -> None:
    """The first evidence of a tag gives the place to jump to; on-screen text is told from other tags."""
    items = (
        Tag(label="boat", score=0.8, method="clip", evidence=(Evidence(start=4.5, end=6.0, frame=108),)),
        Tag(label="text: NO ENTRY", score=0.9, method="pp-ocr", group=("text",), evidence=(Evidence(start=9.0),)),
    )
    propose(conn, "one", Tags(items=items, confidence=0.9, description="A boat."))
    whats = {(passage.what, passage.text, passage.start) for passage in texts.passages(conn, "sha256:a")}
    assert whats == {("tags", "boat", 4.5), ("screen", "NO ENTRY", 9.0), ("about", "A boat.", None)}
