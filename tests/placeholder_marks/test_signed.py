"""Credentials are looked for in files of anybody: damaged, cut off, or made to mislead."""

from __future__ import annotations

import random
import struct
import time
from pathlib import Path

import pytest
from callboard import marks
from callboard.signed import credentials, is_signed

USER_TYPE = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
STORE = b"\x00\x00\x00\x20jumb\x00\x00\x00\x18jumdc2pa" + b"\x00" * 12


def box(kind: bytes, data: bytes) -> bytes:
    """Make an ISO base media box."""
    return struct.pack(">I4s", len(data) + 8, kind) + data


def chunk(kind: bytes, data: bytes) -> bytes:
    """Make a PNG chunk, its checksum left empty."""
    return struct.pack(">I4s", len(data), kind) + data + b"\x00" * 4


FTYP = box(b"ftyp", b"qt  " + b"\x00" * 12)
BMFF = FTYP + box(b"uuid", USER_TYPE + STORE) + box(b"mdat", b"\x00" * 40)
LARGE = FTYP + struct.pack(">I4sQ", 1, b"mdat", 16 + 64) + b"\x00" * 64 + box(b"uuid", USER_TYPE + STORE)
PNG = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", b"\x00" * 13) + chunk(b"caBX", STORE) + chunk(b"IEND", b"")
JPEG = (
    b"\xff\xd8\xff\xe0"
    + struct.pack(">H", 4)
    + b"xx"
    + b"\xff\xff\xff\xeb"
    + struct.pack(">H", len(STORE) + 10)
    + b"JP\x00\x01\x00\x00\x00\x01"
    + STORE
    + b"\xff\xda"
)
RIFF = (
    b"RIFF\x00\x00\x00\x00WAVE"
    + struct.pack("<4sI", b"fmt ", 3)
    + b"abc\x00"
    + struct.pack("<4sI", b"C2PA", 32)
    + STORE
)
TIFF = b"II*\x00\x08\x00\x00\x00" + struct.pack("<HHHII", 1, 0xCD41, 7, len(STORE), 26) + b"\x00" * 4 + STORE
ALL = {"mov": BMFF, "large.mov": LARGE, "png": PNG, "jpg": JPEG, "wav": RIFF, "tif": TIFF}


@pytest.mark.parametrize("name", ALL)
def test_the_store_is_found_where_the_standard_puts_it(tmp_path: Path, name: str) -> None:
    """Every kind of container gives its manifest store, and none where the mark is another one."""
    path = tmp_path / f"a.{name}"
    path.write_bytes(ALL[name])
    assert credentials(path)[:32] == STORE
    for mark, other in ((USER_TYPE, b"\x00" * 16), (b"caBX", b"tEXt"), (b"C2PA", b"LIST"), (b"\x41\xcd", b"\x42\xcd")):
        path.write_bytes(ALL[name].replace(mark, other).replace(b"\xff\xeb", b"\xff\xe1"))
        if ALL[name].replace(mark, other) != ALL[name]:
            assert not is_signed(path)


@pytest.mark.parametrize("name", ALL)
def test_a_file_cut_off_anywhere_is_read_as_far_as_it_goes(tmp_path: Path, name: str) -> None:
    """No length makes it fail, and what ends behind the store still has one."""
    path = tmp_path / f"a.{name}"
    end = ALL[name].index(STORE) + len(STORE)
    for length in range(len(ALL[name])):
        path.write_bytes(ALL[name][:length])
        assert is_signed(path) or length < end


def test_rubbish_is_read_quickly_and_without_a_fault(tmp_path: Path) -> None:
    """Random bytes behind any beginning end soon, with nothing or with something, and never with an error."""
    path = tmp_path / "a"
    source = random.Random(5)
    begun = time.thread_time()
    for begin in ALL.values():
        for _ in range(60):
            cut = source.randrange(4, len(begin))
            path.write_bytes(begin[:cut] + source.randbytes(2000))
            credentials(path)
            assert marks.read(path) is None
    path.write_bytes(FTYP + b"\x00\x00\x00\x08free" * 200_000)
    assert not is_signed(path)
    path.write_bytes(b"\xff\xd8" + b"\xff" * 200_000)
    assert not is_signed(path)
    assert time.thread_time() - begun < 40


def test_what_is_not_there_is_an_error_and_a_text_is_not(tmp_path: Path) -> None:
    """A missing file is said; a file of no kind that carries credentials has none; neither is a placeholder."""
    with pytest.raises(FileNotFoundError):
        is_signed(tmp_path / "none.mov")
    (tmp_path / "a.txt").write_text("text")
    assert not is_signed(tmp_path / "a.txt")
    (tmp_path / "empty").touch()
    assert not is_signed(tmp_path / "empty")
    assert marks.read(tmp_path / "none.mov") is None
    assert marks.read(tmp_path) is None
