"""What a command line names becomes media, sequences and failures."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from callboard.errors import MediaError
from callboard.sources import Found, collect, identify
from callboard.sources.digest import ENDS, digest_fd
from callboard.sources.sequences import frame_names


def put(folder: Path, *names: bytes | str, content: bytes = b"x") -> None:
    """Write files."""
    for name in names:
        path = os.path.join(os.fsencode(folder), os.fsencode(name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)


def names_of(found: list[Found], folder: Path) -> list[bytes]:
    """Give the paths found, relative to *folder*."""
    return [os.path.relpath(item.path, os.fsencode(folder)) for item in found]


def codes(found: list[Found]) -> list[str]:
    """Give the failure of each, empty for good ones."""
    return [item.failure.code if item.failure else "" for item in found]


def test_folder_in_natural_order(tmp_path: Path) -> None:
    """A folder's media comes in the order that people count in, below it too; other files do not come."""
    put(tmp_path, "take10.mov", "take2.MOV", "b/song.wav", "a.jpg", "notes.txt", "clip.mp4.xmp")
    found = collect([tmp_path])
    assert names_of(found, tmp_path) == [b"a.jpg", b"take2.MOV", b"take10.mov", b"b/song.wav"]
    assert [item.kind for item in found] == ["image", "video", "video", "audio"]


def test_renders_are_sequences_and_photographs_are_not(tmp_path: Path) -> None:
    """Frames become one asset with their gaps listed; numbered photographs stay apart."""
    put(tmp_path, *(f"shot.{n:04d}.exr" for n in (1, 2, 3, 6)), *(f"IMG_{n:04d}.jpg" for n in range(1, 6)))
    found = collect([tmp_path])
    sequence = next(item for item in found if item.kind == "sequence")
    assert len(found) == 6
    assert sequence.path == os.fsencode(tmp_path / "shot.%04d.exr")
    assert sequence.sequence is not None
    assert sequence.sequence.pattern == "shot.%04d.exr"
    assert (sequence.sequence.first, sequence.sequence.last, sequence.sequence.count) == (1, 6, 4)
    assert sequence.sequence.missing == (4, 5)
    assert list(sequence.frames) == frame_names(sequence.sequence)


@pytest.mark.parametrize("name", ["shot.####.exr", "shot.%04d.exr"])
def test_a_pattern_names_a_sequence(tmp_path: Path, name: str) -> None:
    """A sequence can be named by its pattern; other sequences beside it do not come."""
    put(tmp_path, *(f"shot.{n:04d}.exr" for n in range(3)), *(f"shotb.{n:04d}.exr" for n in range(3)))
    found = collect([tmp_path / name])
    assert names_of(found, tmp_path) == [b"shot.%04d.exr"]


def test_frames_named_by_a_shell_are_one(tmp_path: Path) -> None:
    """Frames that a shell glob spelled out are one sequence, at the place of the first; one frame is a picture."""
    put(tmp_path, "a.mov", "z.mov", *(f"shot.{n:04d}.exr" for n in range(3)))
    paths = [tmp_path / name for name in ("a.mov", "shot.0000.exr", "shot.0001.exr", "shot.0002.exr", "z.mov")]
    assert names_of(collect(paths), tmp_path) == [b"a.mov", b"shot.%04d.exr", b"z.mov"]
    alone = collect([tmp_path / "shot.0001.exr"])
    assert [item.kind for item in alone] == ["image"]


def test_what_cannot_be_worked_on_is_a_value(tmp_path: Path) -> None:
    """Missing, empty, odd and unknown paths come back as failures that say what to do, in their place."""
    put(tmp_path, "good.mov", "odd.xyz", "deep/notes.txt")
    put(tmp_path, "empty.mov", content=b"")
    os.mkfifo(tmp_path / "pipe.mov")
    names = ("gone.mov", "good.mov", "empty.mov", "odd.xyz", "pipe.mov", "deep")
    found = collect([tmp_path / name for name in names])
    assert codes(found) == ["missing", "", "empty", "unknown-kind", "not-a-file", "no-media"]
    assert all(item.failure is None or item.failure.hint for item in found)


def test_ignored_files_are_said_with_the_rule(tmp_path: Path) -> None:
    """What was passed over is told with the rule; naming a file outright overrides the rules."""
    put(tmp_path, "a.mov", ".hidden.mov", "~a.mov", "proxy/p.mov", "clip.srt")
    said: dict[bytes, str] = {}
    found = collect([tmp_path], ignore=["proxy/"], ignored=lambda path, why: said.update({path: why}))
    assert names_of(found, tmp_path) == [b"a.mov"]
    root = os.fsencode(tmp_path)
    assert said[root + b"/proxy"] == "rule 'proxy/' of the project's settings"
    assert said[root + b"/.hidden.mov"] == "rule '.*' of the defaults"
    assert names_of(collect([tmp_path / ".hidden.mov"]), tmp_path) == [b".hidden.mov"]


def test_links_inside_are_not_followed(tmp_path: Path) -> None:
    """A link inside a folder is passed over aloud, so loops end; a link that is named is followed."""
    put(tmp_path, "in/a.mov", "out/b.mov")
    (tmp_path / "in" / "loop").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "b.mov").symlink_to(tmp_path / "out" / "b.mov")
    os.mkfifo(tmp_path / "in" / "pipe.mov")
    said: dict[bytes, str] = {}
    found = collect([tmp_path / "in"], ignored=lambda path, why: said.update({os.path.basename(path): why}))
    assert names_of(found, tmp_path) == [b"in/a.mov"]
    assert said.keys() == {b"loop", b"b.mov", b"pipe.mov"}
    assert said[b"b.mov"].startswith("a symbolic link")
    assert names_of(collect([tmp_path / "in" / "b.mov"]), tmp_path) == [b"in/b.mov"]


def test_any_name_works(tmp_path: Path) -> None:
    """Newlines, bytes that are not UTF-8, emoji, quotes and leading dashes come through as they are."""
    odd = [b"-rf.mov", b"a\nb.mov", b"b\xff\xfe.mov", "🎬.mov".encode(), b'it\'s "x".mov', b"\x1b[31m.mov", b" .mov"]
    put(tmp_path, *odd)
    assert sorted(names_of(collect([tmp_path]), tmp_path)) == sorted(odd)
    assert all(item.failure is None for item in collect([tmp_path]))


def test_digest_is_sha256_of_the_bytes(tmp_path: Path) -> None:
    """The digest of a file is the sha256 of its bytes; progress counts them."""
    content = os.urandom(3_000_000)
    put(tmp_path, "a.mov", content=content)
    said: list[tuple[int, int]] = []
    identity = identify(collect([tmp_path / "a.mov"])[0], progress=lambda done, total: said.append((done, total)))
    assert identity.digest == "sha256:" + hashlib.sha256(content).hexdigest()
    assert identity.stat.size == 3_000_000
    assert said[-1] == (3_000_000, 3_000_000)


def test_a_changed_frame_changes_a_sequence(tmp_path: Path) -> None:
    """A sequence's digest follows its frames' contents and names."""
    put(tmp_path, *(f"s.{n:03d}.png" for n in range(4)))
    first = identify(collect([tmp_path])[0])
    put(tmp_path, "s.002.png", content=b"y")
    second = identify(collect([tmp_path])[0])
    (tmp_path / "s.003.png").rename(tmp_path / "s.005.png")
    third = identify(collect([tmp_path])[0])
    assert len({first.digest, second.digest, third.digest}) == 3


def test_a_terabyte_is_sampled(tmp_path: Path) -> None:
    """A very large file is sampled: at most 32 MiB read, and head, tail and size count."""
    path = tmp_path / "big.mov"
    with open(path, "wb") as file:
        file.truncate(1 << 40)
    read = 0

    def count(size: int) -> None:
        nonlocal read
        read += size

    with open(path, "rb") as reader:
        before = digest_fd(reader.fileno(), 1 << 40, read=count)
    assert before.startswith("sampled-sha256:")
    assert read == 2 * ENDS + (16 << 20) == 32 << 20
    with open(path, "r+b", buffering=0) as changer:
        changer.seek(-1, os.SEEK_END)
        changer.write(b"z")
        after = digest_fd(changer.fileno(), 1 << 40)
    assert after != before


def test_a_file_that_goes_is_a_media_error(tmp_path: Path) -> None:
    """A file that vanished after it was found is a typed error with its name."""
    put(tmp_path, "a.mov")
    found = collect([tmp_path])[0]
    (tmp_path / "a.mov").unlink()
    with pytest.raises(MediaError, match=r"^a\.mov: cannot be read: No such file or directory$"):
        identify(found)


@pytest.mark.parametrize("name", [b"a\nb.mov", b"\x1b[31m.mov", b"b\xff.mov", "\u202egnp.mov".encode()])
def test_failures_say_any_name_on_one_line(tmp_path: Path, name: bytes) -> None:
    """The message of a failure holds no control character, whatever the file is called."""
    with open(os.path.join(os.fsencode(tmp_path), name), "wb"):
        pass
    (found,) = collect([tmp_path])
    assert found.failure is not None
    assert found.failure.message.isprintable()
