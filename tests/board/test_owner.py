"""One process owns a data folder; whoever only asks who it is keeps nobody out."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest
from callboard.errors import BoardBusy
from callboard.lock import Owner, held


def test_an_owner_is_named_while_it_is_there(tmp_path: Path) -> None:
    """Who holds the folder is said, to a second one too; before and after nobody does, and asking makes no file."""
    assert held(tmp_path) == ""
    assert list(tmp_path.iterdir()) == []
    with Owner(tmp_path, "up"):
        assert held(tmp_path) == f"callboard up, process {os.getpid()}"
        with pytest.raises(BoardBusy, match="callboard up, process"), Owner(tmp_path, "run"):
            pass
    assert held(tmp_path) == ""
    with Owner(tmp_path, "run"):
        assert held(tmp_path).startswith("callboard run")


def test_who_only_looks_keeps_nobody_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A board that starts while somebody looks waits until they have looked."""
    looker = os.open(tmp_path / "owner.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(looker, fcntl.LOCK_SH)
    assert held(tmp_path) == ""
    monkeypatch.setattr("callboard.lock.time.sleep", lambda _seconds: os.close(looker))
    with Owner(tmp_path, "up"):
        assert held(tmp_path).startswith("callboard up")


def test_an_owner_that_has_not_said_who_it_is_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between its lock and its name, an owner is not taken for somebody unknown."""
    owner = os.open(tmp_path / "owner.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(owner, fcntl.LOCK_EX)
    monkeypatch.setattr("callboard.lock.time.sleep", lambda _seconds: os.write(owner, b"callboard up, process 7\n"))
    assert held(tmp_path) == "callboard up, process 7"
    os.close(owner)
