"""Perceptual hashes and vectors: copies are near, others are not, and the file beside the catalog is not believed."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from callboard.catalog import journal, prints
from callboard.catalog.migrations import migrate
from callboard.search import vectors
from callboard.search.phash import NEAR, as_number, count_bits, distance, distances, phash
from callboard.search.pictures import ALIKE, copies, near
from callboard.search.sequence import TRACK, pack
from callboard.search.vectors import FOLDER, Space
from callboard.sources.facts import Seen
from callboard_schemas import MediaKind, Print, Prints
from PIL import Image, ImageEnhance

Array = np.ndarray[Any, Any]


@pytest.fixture
def conn() -> Iterator[sqlite3.Connection]:
    """Give a catalog in memory."""
    made = sqlite3.connect(":memory:", isolation_level=None)
    migrate(made)
    yield made
    made.close()


def scene(seed: int) -> Image.Image:
    """Draw a picture of shapes on a gradient, 640 x 360."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:360, 0:640]
    pixels = np.stack([rows * random.uniform(0, 0.5) + columns * random.uniform(0, 0.3)] * 3, axis=2)
    for _ in range(12):
        y, x, radius = random.integers(0, 360), random.integers(0, 640), random.integers(20, 120)
        pixels[(rows - y) ** 2 + (columns - x) ** 2 < radius**2] = random.integers(0, 256, 3)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def hashed(picture: Image.Image) -> bytes:
    """Hash a picture that has shapes."""
    found = phash(np.asarray(picture.convert("RGB")))
    assert found is not None
    return found


def as_jpeg(picture: Image.Image, quality: int) -> Image.Image:
    """Save as JPEG and open again."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return Image.open(file)


def put(conn: sqlite3.Connection, digest: str, *items: Print, kind: MediaKind = "image") -> None:
    """Add an asset with prints."""
    place = Seen(
        path=f"{digest}.jpg".encode(),
        size=1,
        mtime_ns=1,
        ctime_ns=1,
        inode=1,
        device=1,
        digest=digest,
        kind=kind,
        sequence=None,
    )
    journal.put_place(conn, "footage", place)
    prints.put(conn, digest, "autotag", Prints(items=items))


def unit(random: np.random.Generator, count: int, length: int = 32) -> Array:
    """Give random vectors of length one."""
    made = random.standard_normal((count, length)).astype(np.float32)
    return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True))


def vector(row: Array) -> bytes:
    """Write a vector as prints hold it."""
    return row.astype("<f2").tobytes()


@pytest.mark.parametrize("seed", range(4))
def test_copies_of_a_picture_have_nearly_its_hash(seed: int) -> None:
    """Another size, shape, quality, brightness or a little blur changes few bits."""
    one = scene(seed)
    others = [
        one.resize((160, 90)),
        one.resize((1280, 720), Image.Resampling.BICUBIC),
        one.resize((640, 480)),
        as_jpeg(one, 20),
        ImageEnhance.Brightness(one).enhance(0.8),
        ImageEnhance.Color(one).enhance(0.3),
        one.convert("L"),
    ]
    assert [distance(hashed(one), hashed(other)) <= NEAR for other in others] == [True] * len(others)


def test_other_pictures_have_other_hashes() -> None:
    """No two of thirty unrelated pictures are as near as copies; a mirrored copy is not near either."""
    hashes = [hashed(scene(seed)) for seed in range(30)]
    apart = [distance(a, b) for at, a in enumerate(hashes) for b in hashes[at + 1 :]]
    assert min(apart) > NEAR
    assert distance(hashes[0], hashed(scene(0).transpose(Image.Transpose.FLIP_LEFT_RIGHT))) > NEAR


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_flat_picture_has_no_hash(value: int) -> None:
    """Black, white and grey pictures, also noisy ones, would all be copies of each other: they are none."""
    flat = np.full((90, 160, 3), value, np.uint8)
    noise = np.random.default_rng(1).integers(0, 6, flat.shape).astype(np.uint8)
    assert phash(flat) is None
    assert phash(np.where(flat > 128, flat - noise, flat + noise)) is None


@pytest.mark.parametrize("numpy_counts", [True, False])
def test_bits_are_counted_alike_one_by_one_and_together(monkeypatch: pytest.MonkeyPatch, numpy_counts: bool) -> None:
    """Distances over an array are those of single hashes, also with a numpy that cannot count bits."""
    if not numpy_counts:
        monkeypatch.delattr(np, "bitwise_count", raising=False)
    values = np.random.default_rng(2).integers(0, 1 << 63, 50).astype(np.uint64)
    one = as_number(b"\x00\xff" * 4)
    expected = [(int(value) ^ one).bit_count() for value in values]
    assert distances(values, one).tolist() == expected
    assert count_bits(values.reshape(5, 10) ^ np.uint64(one)).reshape(-1).tolist() == expected


def test_the_nearest_vectors_are_those_of_a_bare_product(conn: sqlite3.Connection) -> None:
    """Order and cosines are those of numpy on the same float16 rows."""
    rows = unit(np.random.default_rng(3), 500)
    for number, row in enumerate(rows):
        put(conn, f"d{number}", Print(space="clip:x", vector=vector(row)))
    found, mean, spread = Space(conn, "clip:x").nearest(rows[7], 10)
    cosines = rows.astype(np.float16).astype(np.float32) @ rows[7]
    assert [one.row.asset for one in found] == (np.argsort(-cosines)[:10] + 1).tolist()
    assert found[0].cosine == pytest.approx(1.0, abs=2e-3)
    assert (mean, spread) == pytest.approx((float(cosines.mean()), float(cosines.std())), abs=1e-3)


def test_only_what_stands_out_is_near(conn: sqlite3.Connection) -> None:
    """Among many pictures those that are no nearer than most are not given, however many are asked for."""
    random = np.random.default_rng(4)
    rows = unit(random, 400)
    for number, row in enumerate(rows):
        put(conn, f"d{number}", Print(space="clip:x", vector=vector(row), start=2.5))
    hits = near(conn, "clip:x", rows[5], limit=100)
    assert hits[0].digest == "d5"
    assert hits[0].reasons[0].start == 2.5
    assert len(hits) < 20


def test_a_file_with_many_shots_is_given_once_with_its_best(conn: sqlite3.Connection) -> None:
    """Of an asset's prints the nearest is its reason, and kinds that were not asked for are left out."""
    rows = unit(np.random.default_rng(5), 3)
    many = [Print(space="clip:x", vector=vector(row), start=float(at)) for at, row in enumerate(rows)]
    put(conn, "film", *many, kind="video")
    put(conn, "still", Print(space="clip:x", vector=vector(rows[1])))
    hits = near(conn, "clip:x", rows[1])
    assert {hit.digest for hit in hits} == {"film", "still"}
    assert next(hit.reasons[0].start for hit in hits if hit.digest == "film") == 1.0
    assert [hit.digest for hit in near(conn, "clip:x", rows[1], kind="video")] == ["film"]
    assert near(conn, "clip:other", rows[1]) == []
    assert near(conn, "clip:x", unit(np.random.default_rng(6), 1, 16)[0]) == []


@pytest.mark.parametrize("harm", ["none", "cut", "noise", "gone", "locked"])
def test_the_file_beside_the_catalog_is_never_believed(
    conn: sqlite3.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    """With the file whole, cut, full of noise, deleted or impossible to write, the catalog's own answer is given."""
    monkeypatch.setattr(vectors, "_BEHIND", 10)
    rows = unit(np.random.default_rng(7), 60)
    for number, row in enumerate(rows[:40]):
        put(conn, f"d{number}", Print(space="clip:x", vector=vector(row)))
    if harm == "locked":
        (tmp_path / FOLDER).write_text("not a folder")
    assert len(Space(conn, "clip:x", tmp_path)) == 40
    files = list((tmp_path / FOLDER).glob("*.prints"))
    assert len(files) == (0 if harm == "locked" else 1)
    for path in files:
        content = path.read_bytes()
        harmed = {"none": content, "cut": content[:-5], "noise": b"\x07" * len(content), "gone": b"", "locked": b""}
        path.write_bytes(harmed[harm])
    for number, row in enumerate(rows[40:45], 40):  # newer than the file
        put(conn, f"d{number}", Print(space="clip:x", vector=vector(row)))
    put(conn, "d3", Print(space="clip:x", vector=vector(rows[59])))  # replaced: the file holds what is no more
    assert near(conn, "clip:x", rows[44], data=tmp_path)[0].digest == "d44"
    assert near(conn, "clip:x", rows[59], data=tmp_path)[0].digest == "d3"
    assert all(hit.score < 0.9 for hit in near(conn, "clip:x", rows[3], data=tmp_path))


def test_a_still_is_found_in_a_film_with_its_time(conn: sqlite3.Connection) -> None:
    """A picture out of a film finds the film, and the moment of it."""
    moments = [hashed(scene(seed)) for seed in range(20)]
    put(conn, "film", Print(space=TRACK, vector=pack([None, *moments]), start=0.5), kind="video")
    put(conn, "copy", Print(space="phash", vector=hashed(scene(8).resize((320, 180)))))
    put(conn, "other", Print(space="phash", vector=hashed(scene(99))))
    hits = copies(conn, hashed(as_jpeg(scene(8), 40)))
    assert {hit.digest for hit in hits} == {"film", "copy"}
    film = next(hit for hit in hits if hit.digest == "film")
    assert film.reasons[0].start == 0.5 + 9 * 0.25
    assert film.score >= 1 - ALIKE / 64
