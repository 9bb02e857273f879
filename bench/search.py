"""What search costs: the index per asset as the catalog grows, words against a plain LIKE scan, vectors against numpy.

    python bench/search.py [--only words|vectors] [--assets 100000] [--rows 1000000]

Assets are drawn from a fixed seed: 30 tags and 20 lines of speech each out of 20,000 words whose frequencies fall as
those of a language do (Zipf). Vectors have 512 numbers. ``usearch`` is measured too where it is installed.
"""

from __future__ import annotations

import argparse
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from callboard.catalog import journal, prints, proposals, texts
from callboard.catalog.migrations import migrate
from callboard.search import vectors
from callboard.search.text import find
from callboard.search.vectors import Space
from callboard.sources.facts import Seen
from callboard_schemas import Captions, Cue, Print, Prints, Provenance, Result, Tag, Tags

WORDS, LENGTH = 20_000, 512
_USEARCH_ROWS = 100_000  # more take many minutes to build
BY = Provenance(plugin="bench", version="1.0.0", kind="analyse")
Array = np.ndarray[Any, Any]


def median_ms(work: Callable[[], object], rounds: int = 7) -> float:
    """Give the median milliseconds of *work*, after one round that does not count."""
    work()
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken) * 1e3


class Drawn:
    """Draws assets."""

    def __init__(self) -> None:
        self.random = np.random.default_rng(1)
        shares = 1 / np.arange(1, WORDS + 1)
        self.bounds = np.cumsum(shares / shares.sum())

    def words(self, count: int) -> list[str]:
        """Draw words; the lower the number, the more often."""
        return [f"w{at}" for at in np.searchsorted(self.bounds, self.random.random(count)).tolist()]

    def tags(self) -> Tags:
        """Draw thirty tags."""
        items = tuple(Tag(label=word, score=0.9, method="bench", group=("scene",)) for word in self.words(30))
        return Tags(items=items, confidence=0.9)

    def captions(self) -> Captions:
        """Draw twenty lines."""
        lines = [" ".join(self.words(8)) for _ in range(20)]
        cues = tuple(
            Cue(id=at, start=at * 3.0, end=at * 3.0 + 2, lines=(line,), confidence=0.9) for at, line in enumerate(lines)
        )
        return Captions(language="en", cues=cues, confidence=0.9)


def add(conn: sqlite3.Connection, number: int, drawn: tuple[Tags, Captions]) -> None:
    """Commit one asset as the board does: its place, tags and captions."""
    digest = f"sha256:{number:064x}"
    conn.execute("BEGIN IMMEDIATE")
    path = f"day{number // 500}/clip_{number:06d}.mov".encode()
    seen = Seen(
        path=path, size=1, mtime_ns=1, ctime_ns=1, inode=1, device=1, digest=digest, kind="video", sequence=None
    )
    journal.put_place(conn, "footage", seen)
    results: list[tuple[str, Result]] = [("t", drawn[0]), ("c", drawn[1])]
    for name, result in results:
        proposals.add(conn, f"{number}-{name}", f"{number}-{name}", "run", digest, result, BY)
    conn.execute("COMMIT")


def opened(path: Path) -> sqlite3.Connection:
    """Open a catalog as its writer does."""
    conn = sqlite3.connect(path, isolation_level=None)
    conn.execute("PRAGMA journal_mode = WAL")
    conn.execute("PRAGMA synchronous = FULL")
    migrate(conn)
    return conn


def bench_index(folder: Path, assets: int) -> sqlite3.Connection:
    """Fill a catalog, and say what an asset costs early and late, with the index and without."""
    drawn, sample = Drawn(), 500
    refresh = texts.refresh
    given = [(drawn.tags(), drawn.captions()) for _ in range(2000)]
    bare = opened(folder / "bare.sqlite")
    texts.refresh = lambda conn, digest: None
    began = time.perf_counter()
    for number in range(2000):
        add(bare, number, given[number])
    without = (time.perf_counter() - began) / 2000
    bare.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    bare_bytes = (folder / "bare.sqlite").stat().st_size / 2000
    texts.refresh = refresh
    conn = opened(folder / "catalog.sqlite")
    spent: dict[int, list[float]] = {}
    for number in range(assets):
        began = time.perf_counter()
        add(conn, number, given[number % 2000])
        spent.setdefault(number // sample, []).append(time.perf_counter() - began)
    conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    means = {at: statistics.mean(times) for at, times in spent.items()}
    early = statistics.mean(means[at] for at in range(min(4, len(means))))
    late = statistics.mean(means[at] for at in sorted(means)[-4:])
    size = (folder / "catalog.sqlite").stat().st_size / assets
    print(f"without the index            {without * 1e6:8.0f} us an asset, {bare_bytes:7.0f} bytes")
    print(f"first 2,000 assets           {early * 1e6:8.0f} us an asset")
    more = f"{size:7.0f} bytes; {late / early:.2f} x the first"
    print(f"last 2,000 of {assets:<10,}     {late * 1e6:8.0f} us an asset, {more}")
    return conn


def bench_words(conn: sqlite3.Connection, assets: int) -> None:
    """Ask words of falling frequency, beside a LIKE scan of the same texts."""
    print(f"\nwords in {assets:,} assets            found   search ms   LIKE ms   ratio")
    for query in ("w12000", "w800 w900", "w3 w40", "w0", "w77*"):
        first, *rest = [f"% {word.rstrip('*')}{'' if word.endswith('*') else ' '}%" for word in query.split()]
        where = " AND ".join(["(' ' || tags || ' ' || said || ' ') LIKE ?"] * (1 + len(rest)))
        scan = f"SELECT count(*) FROM texts WHERE {where}"
        counted = len(find(conn, query, limit=1000))
        mine = median_ms(lambda query=query: find(conn, query))  # type: ignore[misc]  # a lambda with a default has no inferred type
        like = median_ms(lambda scan=scan, given=(first, *rest): conn.execute(scan, given).fetchall(), 3)  # type: ignore[misc]  # the same
        print(f"{query:<34} {counted:>5} {mine:10.1f} {like:10.1f} {like / mine:8.1f}")


def unit(random: np.random.Generator, count: int) -> Array:
    """Draw float16 vectors of length one, in blocks."""
    made = np.empty((count, LENGTH), np.float16)
    for top in range(0, count, 50_000):
        block = random.standard_normal((min(50_000, count - top), LENGTH), np.float32)
        made[top : top + len(block)] = block / np.linalg.norm(block, axis=1, keepdims=True)
    return made


def bench_catalog_vectors(folder: Path, rows: Array) -> None:
    """Search vectors that lie in a catalog: the first search makes the file, the next one reads it."""
    conn = opened(folder / "vectors.sqlite")
    conn.execute("BEGIN")
    for number, row in enumerate(rows):
        prints.put(conn, f"d{number}", "bench", Prints(items=(Print(space="clip:x", vector=row.tobytes()),)))
    conn.execute("COMMIT")
    query = rows[5].astype(np.float32)
    began = time.perf_counter()
    Space(conn, "clip:x", folder).nearest(query)
    first = (time.perf_counter() - began) * 1e3
    without = median_ms(lambda: Space(conn, "clip:x").nearest(query), 3)
    mine = median_ms(lambda: Space(conn, "clip:x", folder).nearest(query))
    print(
        f"catalog of {len(rows):,}: first search {first:.0f} ms, then {mine:.1f} ms; without the file {without:.0f} ms"
    )


def bench_vectors(folder: Path, count: int) -> None:
    """Search a mapped file beside a bare numpy product in float32 that is all in memory."""
    rows = unit(np.random.default_rng(2), count)
    query = rows[5].astype(np.float32)
    name = "clip:big"
    conn = opened(folder / f"big{count}.sqlite")
    path = folder / vectors.FOLDER / "big.prints"
    path.parent.mkdir(exist_ok=True)
    with path.open("wb") as file:
        file.write(vectors.head(LENGTH))
        for top in range(0, count, 50_000):
            numbers = np.arange(top + 1, top + 1 + min(50_000, count - top))
            file.write(vectors.rounded(numbers, rows[top : top + 50_000]).tobytes())
    path.rename(vectors.file_of(folder, name))
    mine = median_ms(lambda: Space(conn, name, folder).nearest(query), 5)
    bare = bare_ms(rows.astype(np.float32), query)
    size = vectors.file_of(folder, name).stat().st_size / 1e6
    print(f"{count:>10,} {mine:12.1f} {bare:12.1f} {mine / bare:8.2f} {size:8.0f}{bench_usearch(rows, query)}")


def bare_ms(full: Array, query: Array) -> float:
    """Measure the product with a float32 matrix in memory, and the choice of the fifty best."""
    return median_ms(lambda: np.argpartition(full @ query, len(full) - 50)[-50:], 5)


def bench_usearch(rows: Array, query: Array) -> str:
    """Measure usearch's HNSW index on the same rows: build, search, and how many of the true ten it finds."""
    try:
        from usearch.index import Index  # type: ignore[import-not-found]  # it may be absent
    except ImportError:
        return "   usearch is not installed"
    if len(rows) > _USEARCH_ROWS:
        return ""
    index = Index(ndim=LENGTH, metric="ip", dtype="f16")
    began = time.perf_counter()
    index.add(np.arange(len(rows)), rows)
    built = time.perf_counter() - began
    searched = median_ms(lambda: index.search(query.astype(np.float16), 50))
    some = rows[:: max(len(rows) // 50, 1)][:50]
    found = [set(index.search(row, 10).keys.tolist()) for row in some]
    true = [set(np.argsort(-(rows.astype(np.float32) @ row.astype(np.float32)))[:10].tolist()) for row in some]
    recall = statistics.mean(len(a & b) / 10 for a, b in zip(found, true, strict=True))
    return f"   usearch: built in {built:.0f} s, {searched:.1f} ms, finds {recall:.0%}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--assets", type=int, default=100_000)
    parser.add_argument("--rows", type=int, default=1_000_000, help="vectors at most")
    parser.add_argument("--only", choices=("words", "vectors"), help="one half")
    given = parser.parse_args()
    print(f"Python {sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}, numpy {np.__version__}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if given.only != "vectors":
            conn = bench_index(folder, given.assets)
            bench_words(conn, given.assets)
            conn.close()
        if given.only != "words":
            bench_catalog_vectors(folder, unit(np.random.default_rng(3), 10_000))
            print("\n      rows    search ms  numpy f32 ms   ratio       MB")
            for count in (10_000, 100_000, 1_000_000):
                if count <= given.rows:
                    bench_vectors(folder, count)


if __name__ == "__main__":
    main()
