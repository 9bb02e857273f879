"""From an application's absolute paths to roots, places and digests, and what has not settled yet."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest
from callboard.catalog import Catalog, hosts, journal
from callboard.catalog.hosts import Used
from callboard.errors import MediaError
from callboard.hosting.identify import Waits, identified
from callboard.hosting.mapping import NOWHERE, Roots, Spot, digest_at, settled
from callboard.sources.facts import Seen, Stat
from callboard_schemas import Sequence, Use

PLATE = Sequence(pattern="plate.%04d.exr", first=10, last=20, count=11)


def _seen(path: bytes, digest: str, sequence: Sequence | None = None) -> Seen:
    stat = Stat(size=1, mtime_ns=1, ctime_ns=1, inode=1, device=1)
    return Seen.of(path, "sequence" if sequence else "video", digest, stat, sequence)


def test_a_path_is_in_the_innermost_root(tmp_path: Path) -> None:
    """Roots inside roots, dots and links are seen through; what only looks like a root is none."""
    folder, inner, link = tmp_path / "footage", tmp_path / "footage" / "day 1", tmp_path / "link"
    inner.mkdir(parents=True)
    link.symlink_to(folder)
    roots = Roots({"local": b"/", "footage": bytes(folder), "day": bytes(inner)})
    assert roots.locate(str(inner / "a.mov")) == Spot("day", b"a.mov")
    assert roots.locate(f"{folder}/x/../b.mov") == Spot("footage", b"b.mov")
    assert roots.locate(f"{link}/c.mov") == Spot("footage", b"c.mov")
    outside = (f"{folder}/../d.mov", f"{folder}2/e.mov", str(folder), "f.mov", "", "/etc/passwd", "/a\0b", "\ud800")
    assert {roots.locate(path) for path in outside} == {NOWHERE}
    assert "day 1" in roots.named()


def test_a_link_out_of_a_root_is_inside_by_its_name(tmp_path: Path) -> None:
    """Media that is linked into a watched folder is in it, as the watch source sees it too."""
    (tmp_path / "footage").mkdir()
    (tmp_path / "a.mov").touch()
    (tmp_path / "footage" / "a.mov").symlink_to(tmp_path / "a.mov")
    roots = Roots({"footage": bytes(tmp_path / "footage")})
    assert roots.locate(str(tmp_path / "footage" / "a.mov")) == Spot("footage", b"a.mov")


@pytest.mark.parametrize(
    ("path", "digest"),
    [
        (b"a.mov", "sha256:a"),
        (b"shots/plate.%04d.exr", "sha256:p"),
        (b"shots/plate.####.exr", "sha256:p"),
        (b"shots/plate.0010.exr", "sha256:p"),
        (b"shots/plate.0020.exr", "sha256:p"),
        (b"shots/plate.0021.exr", ""),
        (b"plate.0010.exr", ""),
        (b"b.mov", ""),
    ],
)
def test_a_place_is_known_by_its_path_and_a_sequence_by_its_frames(tmp_path: Path, path: bytes, digest: str) -> None:
    """A frame inside the range, a printf pattern and hashes name a sequence."""
    with Catalog(tmp_path) as catalog:

        def put(conn: sqlite3.Connection) -> None:
            journal.put_place(conn, "footage", _seen(b"a.mov", "sha256:a"))
            journal.put_place(conn, "footage", _seen(b"shots/plate.%04d.exr", "sha256:p", PLATE))

        catalog.write_sync(put)
        assert catalog.read(lambda conn: digest_at(conn, Spot("footage", path))) == digest
        assert catalog.read(lambda conn: digest_at(conn, Spot("other", path))) == ""


def test_what_settles_is_found_in_the_uses_of_its_frames(tmp_path: Path) -> None:
    """Uses of frames in the folder of a sequence that settles become uses of it; others stay as they were."""
    paths = (b"shots/plate.0011.exr", b"shots/plate.0099.exr", b"shots/deep/plate.0011.exr", b"plate.0011.exr")
    with Catalog(tmp_path) as catalog:

        def work(conn: sqlite3.Connection) -> list[str]:
            rows = [
                Used("blender", "/p", "footage", path, "", Use(ref=str(at), path="/x")) for at, path in enumerate(paths)
            ]
            hosts.put_uses(conn, rows)
            seen = _seen(b"shots/plate.%04d.exr", "sha256:p", PLATE)
            journal.put_place(conn, "footage", seen)
            changed = settled(conn, "footage", seen)
            assert settled(conn, "footage", seen) == []
            return [one.use.ref for one in changed]

        assert catalog.write_sync(work) == ["0"]
        assert catalog.read(lambda conn: hosts.refs_of(conn, "blender", "/p", "sha256:p")) == ["0"]


def test_media_is_identified_once_it_is_whole(tmp_path: Path) -> None:
    """A file is read when nobody writes to it, a frame stands for its sequence, and what is none is refused."""
    root = bytes(tmp_path)
    clip = tmp_path / "a.mov"
    with clip.open("w") as writing:
        writing.write("a clip")
        writing.flush()
        with pytest.raises(Waits, match="is being written"):
            identified(root, b"a.mov")
    assert identified(root, b"a.mov").digest.startswith("sha256:")
    for number in range(5):
        (tmp_path / f"plate.{number:04d}.exr").write_text(str(number))
    found = identified(root, b"plate.0003.exr")
    assert (found.path, found.kind) == (b"plate.%04d.exr", "sequence")
    assert found.sequence is not None
    assert (found.sequence.first, found.sequence.last) == (0, 4)
    (tmp_path / "photo.0001.png").write_text("alone")
    assert identified(root, b"photo.0001.png").kind == "image"
    (tmp_path / "empty.mov").touch()
    os.utime(tmp_path / "empty.mov", (0, 0))
    for name, said in ((b"empty.mov", "is empty"), (b"none.mov", "cannot be read"), (b"a.docx", "no extension")):
        with pytest.raises(MediaError, match=said):
            identified(root, name)
