"""Duplicates on real media: films encoded again, cut shorter, in other sizes and rates, beside other clips."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from callboard.catalog import journal, prints, proposals
from callboard.catalog.migrations import migrate
from callboard.media import Frame
from callboard.search.duplicates import exact, films, near
from callboard.search.sequence import align, candidates, pack, unpack
from callboard.sources.facts import Seen
from callboard_autotag.analyser import Picture
from callboard_autotag.prints import PrintMaker
from callboard_schemas import MediaKind, Prints, Provenance, Tags
from msgspec.structs import replace
from PIL import Image

Array = np.ndarray[Any, Any]
FILMS = ("harbour_take3.mp4", "interview.mov", "vfr_phone.mp4", "silent_pan.mp4", "odd_size.mkv")


_TRACKS: dict[Path, Array] = {}


@pytest.fixture
def conn() -> Iterator[sqlite3.Connection]:
    """Give a catalog in memory."""
    made = sqlite3.connect(":memory:", isolation_level=None)
    migrate(made)
    yield made
    made.close()


def frames(path: Path) -> Iterator[Frame]:
    """Give every frame, small, as watchers see them."""
    with av.open(str(path)) as media:
        first = None
        for index, frame in enumerate(media.decode(video=0)):
            first = frame.time if first is None else first
            scale = 160 / max(frame.width, frame.height)
            size = (max(2, round(frame.width * scale)), max(2, round(frame.height * scale)))
            yield Frame(frame.time - first, index, frame.to_ndarray(width=size[0], height=size[1], format="rgb24"))


def copy(
    source: Path,
    target: Path,
    *,
    size: tuple[int, int] | None = None,
    rate: int = 0,
    start: float = 0.0,
    end: float = 1e9,
    quality: int = 32,
) -> Path:
    """Encode a part of a film again with H.264, dropping frames for a lower *rate*."""
    with av.open(str(source)) as media, av.open(str(target), "w") as made:
        video = media.streams.video[0]
        per_second = Fraction(rate or video.average_rate or 25)
        stream: Any = made.add_stream("libx264", rate=per_second)
        stream.width, stream.height = size or (video.width, video.height)
        stream.pix_fmt, stream.options = "yuv420p", {"crf": str(quality), "preset": "ultrafast"}
        count = 0
        for frame in media.decode(video=0):
            if not start <= frame.time < end or int((frame.time - start) * per_second + 1e-6) < count:
                continue
            scaled = frame.reformat(width=stream.width, height=stream.height, format="yuv420p")
            scaled.pts, scaled.time_base = count, 1 / per_second
            count += 1
            made.mux(stream.encode(scaled))
        made.mux(stream.encode())
    return target


def made(path: Path) -> Prints:
    """Make the prints of a film as the tagger does."""
    maker = PrintMaker()
    for frame in frames(path):
        maker.add(frame)
    found = maker.prints()
    assert found is not None
    return found


def track(path: Path) -> Array:
    """Give the track of a film; of the samples once."""
    if path not in _TRACKS:
        _TRACKS[path] = unpack(made(path).items[-1].vector)
    return _TRACKS[path]


def put(conn: sqlite3.Connection, digest: str, given: Prints, kind: MediaKind = "video", **facts: float) -> None:
    """Add an asset with prints and facts."""
    place = Seen(
        path=digest.encode(), size=9, mtime_ns=1, ctime_ns=1, inode=1, device=1, digest=digest, kind=kind, sequence=None
    )
    journal.put_place(conn, "footage", place)
    prints.put(conn, digest, "autotag", given)
    by = Provenance(plugin="autotag", version="1.0.0", kind="analyse")
    proposals.add(conn, digest, digest, "run", digest, Tags(items=(), confidence=1.0, facts=dict(facts)), by)


@pytest.mark.parametrize(
    ("name", "change", "relation", "first"),
    [
        ("harbour_take3.mp4", {"size": (320, 180), "quality": 40}, "copy", (0.0, 12.5)),
        ("harbour_take3.mp4", {"rate": 12, "size": (426, 240)}, "copy", (0.0, 12.5)),
        ("harbour_take3.mp4", {"start": 3.1, "end": 6.6}, "part", (3.1, 6.6)),
        ("harbour_take3.mp4", {"start": 4.2, "rate": 15, "quality": 38}, "part", (4.2, 12.5)),
        ("silent_pan.mp4", {"start": 1.13, "size": (426, 240)}, "part", (1.13, 6.0)),
        ("vfr_phone.mp4", {"start": 2.0, "rate": 20}, "part", (2.0, 7.2)),
    ],
)
def test_a_changed_copy_of_a_film_is_found_with_its_times(
    samples: Path, tmp_path: Path, name: str, change: dict[str, Any], relation: str, first: tuple[float, float]
) -> None:
    """Encoded again, smaller, slower, or cut: the overlap is told to half a second, and found among other films."""
    tracks = {number: track(samples / other) for number, other in enumerate(FILMS)}
    changed = track(copy(samples / name, tmp_path / "copy.mp4", **change))
    original = FILMS.index(name)
    overlap = align(tracks[original], changed)
    assert overlap is not None
    assert overlap.relation == relation
    assert overlap.first == pytest.approx(first, abs=0.5)
    assert overlap.second[0] == pytest.approx(0.0, abs=0.5)
    assert [number for number in tracks if align(tracks[number], changed)] == [original]
    assert (original, 99) in candidates({**tracks, 99: changed})


def test_different_films_share_nothing(samples: Path) -> None:
    """None of the sample films is taken for another."""
    tracks = [track(samples / name) for name in FILMS]
    assert [align(a, b) for at, a in enumerate(tracks) for b in tracks[at + 1 :]] == [None] * 10


def test_a_black_film_is_no_copy_of_another() -> None:
    """Films without shapes have nothing to be compared by."""
    black = unpack(pack([None] * 40))
    assert align(black, black) is None
    assert candidates({1: black, 2: black}) == []


def test_a_stretch_that_two_films_share_is_told_as_that() -> None:
    """Two long films with the same minute in them share a stretch; a second of logo is not worth telling."""
    random = np.random.default_rng(1)
    one, other = (random.integers(1, 1 << 63, 400).astype(np.uint64) for _ in range(2))
    other[50:170] = one[200:320]
    overlap = align(one, other)
    assert overlap is not None
    assert (overlap.first, overlap.second, overlap.relation) == ((50.0, 80.0), (12.5, 42.5), "shares")
    other[54:170] = 7
    assert align(one, other) is None


def test_groups_name_the_largest_first(conn: sqlite3.Connection, samples: Path, tmp_path: Path) -> None:
    """A film and its copies are one group, the one with the most pixels marked, with times for the others."""
    original = samples / "harbour_take3.mp4"
    put(conn, "small", made(copy(original, tmp_path / "a.mp4", size=(320, 180))), width=320, height=180)
    put(conn, "original", made(original), width=640, height=360, duration_seconds=12.5)
    put(conn, "cut", made(copy(original, tmp_path / "b.mp4", start=3.1, end=6.6)), width=640, height=360)
    put(conn, "pan", made(samples / "silent_pan.mp4"))
    (group,) = films(conn)
    assert (group.members[0].digest, group.members[0].best) == ("original", True)
    overlaps = {member.digest: member.overlap for member in group.members}
    assert overlaps.keys() == {"original", "small", "cut"}
    assert overlaps["small"] is not None
    assert overlaps["small"].relation == "copy"
    assert overlaps["cut"] is not None
    assert overlaps["cut"].second == pytest.approx((0.0, 3.5), abs=0.5)
    journal.drop_place(conn, "footage", b"cut")
    journal.drop_place(conn, "footage", b"small")
    assert films(conn) == []


def test_stills_that_look_the_same_are_grouped(conn: sqlite3.Connection, samples: Path) -> None:
    """A photo and its smaller JPEG are one group; another picture and a film's pictures are in none."""
    photo = Image.open(samples / "still_photo.jpg").convert("RGB")
    bars = Image.open(samples / "still_bars.png").convert("RGB")
    for name, picture in {"photo": photo, "small": photo.resize((200, 150)), "bars": bars}.items():
        maker = PrintMaker()
        maker.look(Picture(0.0, 0, np.asarray(picture), 1.0))
        found = maker.prints()
        assert found is not None
        put(conn, name, found, "image", width=picture.width, height=picture.height)
        put(conn, f"film of {name}", Prints(items=(replace(found.items[0], start=1.0),)))
    (group,) = near(conn)
    assert [(member.digest, member.best) for member in group.members] == [("photo", True), ("small", False)]


def test_the_same_bytes_at_two_places_are_one_group(conn: sqlite3.Connection) -> None:
    """A file that lies in two folders is told, until one is gone."""
    for path in (b"one/a.mov", b"two/a.mov", b"b.mov"):
        digest = "sha256:b" if path == b"b.mov" else "sha256:a"
        place = Seen(
            path=path, size=9, mtime_ns=1, ctime_ns=1, inode=1, device=1, digest=digest, kind="video", sequence=None
        )
        journal.put_place(conn, "footage", place)
    (group,) = exact(conn)
    assert [(member.digest, member.size) for member in group.members] == [("sha256:a", 9)]
    journal.drop_place(conn, "footage", b"two/a.mov")
    assert exact(conn) == []
