"""Processes are known by their mark, whatever had their number before."""

from __future__ import annotations

import copy
import os
import subprocess

import psutil
import pytest
from callboard.process_group import MARK, kill_marked, kill_orphans


@pytest.mark.parametrize("orphan", [False, True])
def test_a_number_that_is_used_again_protects_nobody(monkeypatch: pytest.MonkeyPatch, orphan: bool) -> None:
    """A marked process is ended although psutil remembers another one under its number, and others are left alone."""
    gone = subprocess.Popen(["true"])
    gone.wait()
    mark = f"number-used-again-{gone.pid}-1"
    others = subprocess.Popen(["sleep", "300"], env={**os.environ, MARK: mark.replace("again", "once")})
    marked = subprocess.Popen(["sleep", "300"], env={**os.environ, MARK: mark})
    try:
        former = copy.copy(psutil.Process(marked.pid))
        monkeypatch.setattr(former, "_ident", (marked.pid, 1.0))  # it began at another time
        monkeypatch.setitem(vars(psutil)["_pmap"], marked.pid, former)
        assert (kill_orphans("number-used-again-") if orphan else kill_marked(mark)) == 1
        assert marked.wait(60) == -9
        assert others.poll() is None
    finally:
        for process in (marked, others):
            process.kill()
            process.wait()
