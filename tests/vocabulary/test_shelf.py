"""A running board notices a changed vocabulary, keeps the last whole one, and jobs get exactly the one they name."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from callboard.errors import Blocked, VocabularyError
from callboard.vocabulary import Shelf, parse, read_compiled

ONE = '[[concepts]]\nid = "beach"\nlabel = "beach"\n'
TWO = ONE + 'synonyms = ["seaside"]\n'


def write(path: Path, text: str) -> None:
    """Write a file anew, as editors do: another inode each time."""
    temp = path.with_suffix(".tmp")
    temp.write_text(text, encoding="utf-8")
    os.replace(temp, path)


def test_a_changed_file_is_noticed(tmp_path: Path) -> None:
    """Each look gives the file as it is: none, the first version, the next one, none again."""
    file = tmp_path / "vocabulary.toml"
    shelf = Shelf(file, tmp_path / "kept")
    assert shelf.current() is None
    assert shelf.digest() == ""
    write(file, ONE)
    assert shelf.digest() == parse(ONE).digest
    write(file, TWO)
    assert shelf.digest() == parse(TWO).digest
    file.unlink()
    assert shelf.current() is None
    assert Shelf(None, tmp_path / "kept").current() is None


def test_a_change_within_one_tick_of_the_clock_is_noticed(tmp_path: Path) -> None:
    """A file written again in place, with the same size and the same time, is another file."""
    file = tmp_path / "vocabulary.toml"
    shelf = Shelf(file, tmp_path / "kept")
    just_now = time.time_ns() + 3_600_000_000_000  # so that it still is where this process stands still for a while
    other = ONE.replace("beach", "coast")
    for text, used in ((ONE, ONE), (other, other), ("never = 5".ljust(len(ONE)), other), (ONE, ONE)):
        file.write_text(text)
        os.utime(file, ns=(just_now, just_now))
        assert shelf.digest() == parse(used).digest
        assert bool(shelf.problem) == (text != used)


def test_each_version_is_kept_for_its_jobs(tmp_path: Path) -> None:
    """Earlier versions can be read by their digest after the file has changed."""
    file = tmp_path / "vocabulary.toml"
    shelf = Shelf(file, tmp_path / "kept")
    for text in (ONE, TWO):
        write(file, text)
        shelf.digest()
    for text in (ONE, TWO):
        assert read_compiled(shelf.path(parse(text).digest)) == parse(text)


def test_a_broken_file_changes_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """While the file is broken the last whole one stays, the reason is told once, and a mended one is taken."""
    file = tmp_path / "vocabulary.toml"
    shelf = Shelf(file, tmp_path / "kept")
    write(file, ONE)
    shelf.digest()
    write(file, TWO + "label = 5")
    assert shelf.digest() == parse(ONE).digest
    assert shelf.digest() == parse(ONE).digest
    assert "Cannot overwrite a value" in shelf.problem
    assert [one.levelname for one in caplog.records if one.name == "callboard.shelf"] == ["ERROR"]
    assert shelf.standing().problem == shelf.problem
    with pytest.raises(VocabularyError):
        shelf.require()
    again = Shelf(file, tmp_path / "kept")
    assert again.digest() == parse(ONE).digest
    write(file, TWO)
    assert shelf.digest() == again.digest() == parse(TWO).digest
    assert shelf.standing().concepts == 1
    assert shelf.problem == ""
    shelf.require()


def test_a_broken_first_file_is_no_vocabulary(tmp_path: Path) -> None:
    """Where no version was ever whole there is none, and the reason is told."""
    (tmp_path / "vocabulary.toml").write_text("never = 5")
    shelf = Shelf(tmp_path / "vocabulary.toml", tmp_path / "kept")
    assert shelf.current() is None
    assert "never" in shelf.standing().problem


@pytest.mark.parametrize("damage", ["gone", "altered", "cut"])
def test_a_lost_version_blocks_its_jobs(tmp_path: Path, damage: str) -> None:
    """A kept vocabulary that is gone, or is not what its name says, is not used."""
    (tmp_path / "vocabulary.toml").write_text(ONE)
    shelf = Shelf(tmp_path / "vocabulary.toml", tmp_path / "kept")
    path = shelf.path(shelf.digest())
    if damage == "gone":
        path.unlink()
    elif damage == "altered":
        path.write_bytes(path.read_bytes().replace(b"beach", b"peach"))
    else:
        path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(Blocked, match="vocabulary"):
        read_compiled(path)
