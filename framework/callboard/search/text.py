"""Finding assets by words: what people type, made into an FTS5 query, and the best places in each asset found.

``lighthouse fog`` asks for both, ``"harbour wall"`` for a phrase, ``light*`` for a beginning, ``-fog`` leaves out.
What has all the words comes first, then what has words that begin so; what has only some, where nothing has all.
"""

from __future__ import annotations

import difflib
import re
import sqlite3
import unicodedata
from collections.abc import Sequence
from contextlib import closing
from typing import Final

from msgspec import Struct

from callboard.catalog import texts
from callboard.search import MARKS, Hit, Reason

WEIGHTS: Final = {"name": 3.0, "tags": 4.0, "about": 0.5, "said": 1.0, "screen": 2.0}
"""What a word counts by where it stands; the description repeats the tags."""
_TOKENS: Final = 24  # words of a snippet
_REASONS: Final = 3  # places shown of one asset
_MOST_WORDS: Final = 32  # of a query; more is a pasted page
_LONG_VOCABULARY: Final = 20_000  # words compared with a misspelt one; difflib does some 100 a millisecond

_FILLERS: Final = frozenset(
    re.findall(
        r"\w+",
        """a an and are as at by for from in is it of on or that the this to was with
        au aux dans de des du en est et la le les ou par pour sur un une
        am auf aus bei das dem den der die ein eine einem einen im ist mit und vom von zu zum zur
        al con da del della di e el gli i il las lo los nel per su y""",
    )
)
"""Words that say nothing alone. They count in phrases, and where a query has no others."""


class Term(Struct, frozen=True):
    """One word or phrase of a query."""

    text: str
    prefix: bool = False
    without: bool = False
    phrase: bool = False

    def match(self, prefix: bool = False) -> str:
        """Write it as FTS5 does; with *prefix* a word also stands for longer ones."""
        quoted = '"' + self.text.replace('"', '""') + '"'
        return f"{quoted} *" if self.prefix or (prefix and not self.phrase and len(self.text) > 2) else quoted


def parse(query: str) -> tuple[Term, ...]:
    """Read what a person typed; anything but letters and digits only separates words."""
    clean = query.encode("utf-8", "replace").decode("utf-8").replace("\0", " ")  # SQLite's texts end at a zero
    found = []
    for minus, phrase, word in re.findall(r'(?:(?<=\s)|^)(-?)(?:"([^"]*)"|(\S+))', unicodedata.normalize("NFC", clean)):
        text = phrase or word
        if any(char.isalnum() for char in text):
            prefix = not phrase and text.endswith("*")
            found.append(Term(text.rstrip("*"), prefix, bool(minus), bool(phrase)))
    said = [term for term in found if term.text.casefold() not in _FILLERS]
    return tuple((said if any(not term.without for term in said) else found)[:_MOST_WORDS])


def _stages(terms: Sequence[Term]) -> list[str]:
    """Give the queries to try one after the other: all words, all as beginnings, and any, where all found nothing."""
    wanted = [term for term in terms if not term.without]
    refused = " OR ".join(term.match() for term in terms if term.without)
    if not wanted:
        return []
    bodies = [
        " AND ".join(term.match() for term in wanted),
        " AND ".join(term.match(prefix=True) for term in wanted),
        " OR ".join(term.match(prefix=True) for term in wanted),
    ]
    return [f"({body}) NOT ({refused})" if refused else body for body in bodies]


_ANY = 2  # the stage that asks for any of the words

_FIND = """
SELECT t.digest FROM words JOIN texts t ON t.id = words.rowid
WHERE words MATCH ? AND EXISTS (
  SELECT 1 FROM places p WHERE p.digest = t.digest AND p.state != 'gone' AND (? = '' OR p.kind = ?))
ORDER BY bm25(words, ?, ?, ?, ?, ?) LIMIT ?
"""


def find(conn: sqlite3.Connection, query: str, *, kind: str = "", limit: int = 20) -> list[Hit]:
    """Find assets by words, best first.

    Args:
        conn: The catalog.
        query: As typed.
        kind: Only media of this kind; empty for all.
        limit: Most assets to give.
    """
    terms = parse(query)
    ranked: dict[str, None] = {}
    for number, stage in enumerate(_stages(terms)):
        if len(ranked) < limit and not (number == _ANY and ranked):
            rows = conn.execute(_FIND, (stage, kind, kind, *WEIGHTS.values(), limit))
            ranked.update((digest, None) for (digest,) in rows)  # those of a stricter stage keep their places
    best = list(ranked)[:limit]
    places = _places(conn, best, terms)
    return [Hit(digest=digest, score=1 / place, reasons=places.get(digest, ())) for place, digest in enumerate(best, 1)]


def _places(conn: sqlite3.Connection, digests: Sequence[str], terms: Sequence[Term]) -> dict[str, tuple[Reason, ...]]:
    """Find where in each asset the words stand: its passages go into a small index of their own."""
    words = [word for term in terms if not term.without for word in re.findall(r"[^\W_]+", term.text)]
    asked = " OR ".join(Term(word).match(prefix=True) for word in dict.fromkeys(words))
    stems = [fold(word) for word in words]
    found: dict[str, list[tuple[tuple[float, ...], Reason]]] = {}
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as small:
        small.execute("CREATE VIRTUAL TABLE p USING fts5(text, tokenize = 'unicode61 remove_diacritics 2')")
        kept: list[tuple[str, texts.Passage]] = []
        for digest in digests:
            for passage in texts.passages(conn, digest):
                folded = fold(passage.text)
                if any(stem in folded for stem in stems):
                    kept.append((digest, passage))
                    small.execute("INSERT INTO p(rowid, text) VALUES(?,?)", (len(kept) - 1, passage.text))
        if not asked or not kept:
            return {}
        shown = small.execute(
            "SELECT rowid, snippet(p, 0, ?, ?, '…', ?), bm25(p) FROM p WHERE p MATCH ?", (*MARKS, _TOKENS, asked)
        )
        for number, text, rank in shown:
            digest, passage = kept[number]
            found.setdefault(digest, []).append((_order(passage, text, rank), _reason(passage, text)))
    return {digest: _distinct(rows) for digest, rows in found.items()}


def _order(passage: texts.Passage, text: str, rank: float) -> tuple[float, ...]:
    """Rank a passage: with most of the words, decided on, of a kind that counts more."""
    matched = {fold(word) for word in re.findall(f"{MARKS[0]}(.*?){MARKS[1]}", text)}
    return (-len(matched), passage.state != "accepted", -WEIGHTS[passage.what], rank)


def _reason(passage: texts.Passage, text: str) -> Reason:
    return Reason(
        why=passage.what,
        text=text,
        start=passage.start,
        end=passage.end,
        frame=passage.frame,
        state=passage.state,
        score=passage.score,
    )


def _distinct(rows: list[tuple[tuple[float, ...], Reason]]) -> tuple[Reason, ...]:
    """Keep the best passages, the same words once, and of each kind at most two."""
    kept: dict[tuple[str, str], Reason] = {}
    more = any(reason.why != "about" for _, reason in rows)
    for _, reason in sorted(rows, key=lambda row: row[0]):
        if reason.why == "about" and more:  # the description is made of the tags, and says the same again
            continue
        of_kind = sum(why == reason.why for why, _ in kept)
        if of_kind < 2 and len(kept) < _REASONS:
            kept.setdefault((reason.why, reason.text), reason)
    return tuple(kept.values())


def fold(text: str) -> str:
    """Write text as the index does: small letters, no diacritics."""
    if text.isascii():
        return text.lower()
    return "".join(char for char in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(char))


def suggest(conn: sqlite3.Connection, query: str) -> list[str]:
    """Give words of the index that are near to those words of *query* that it has not, nearest first."""
    found: list[str] = []
    for term in parse(query):
        for word in re.findall(r"[^\W_]+", fold(term.text)):
            if not _known(conn, word):
                found += difflib.get_close_matches(word, _like(conn, word), n=2, cutoff=0.7)
    return list(dict.fromkeys(found))[:4]


def _known(conn: sqlite3.Connection, word: str) -> bool:
    return conn.execute("SELECT 1 FROM vocabulary WHERE term = ?", (word,)).fetchone() is not None


def _like(conn: sqlite3.Connection, word: str) -> list[str]:
    """Give words of about the same length: of the same first letter, and all others where there are not too many."""
    size = (len(word) - 2, len(word) + 2)
    near = conn.execute(
        "SELECT term FROM vocabulary WHERE term >= ? AND term < ? AND length(term) BETWEEN ? AND ? LIMIT ?",
        (word[0], chr(ord(word[0]) + 1), *size, _LONG_VOCABULARY),
    ).fetchall()
    everything = conn.execute(
        "SELECT term FROM vocabulary WHERE length(term) BETWEEN ? AND ? LIMIT ?", (*size, _LONG_VOCABULARY)
    )
    return list(dict.fromkeys(row[0] for row in (*near, *everything)))


__all__ = ["WEIGHTS", "Term", "find", "fold", "parse", "suggest"]
