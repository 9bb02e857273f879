"""Failpoints: silent unless armed, and then exactly as told."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time

import pytest
from callboard.errors import UsageError
from callboard.failpoints import armed, failpoint, parse


def test_an_unarmed_failpoint_does_nothing() -> None:
    """Passing one is free when none, or another, is armed."""
    failpoint("a.b")
    with armed("a.c:eio"):
        failpoint("a.b")


@pytest.mark.parametrize(("action", "code"), [("eio", errno.EIO), ("enospc", errno.ENOSPC)])
def test_an_armed_failpoint_fails_as_the_disk_would(action: str, code: int) -> None:
    """The error is the system's own, and names the failpoint."""
    with armed(f"a.b:{action}"), pytest.raises(OSError, match=r"failpoint a\.b") as raised:
        failpoint("a.b")
    assert raised.value.errno == code
    failpoint("a.b")


def test_a_failpoint_acts_on_the_pass_that_was_asked_for() -> None:
    """``@3`` lets two pass, stops the third, and no later one."""
    with armed("a:delay=0.0,b:eio@3"):
        failpoint("b")
        failpoint("b")
        with pytest.raises(OSError, match="failpoint b"):
            failpoint("b")
        failpoint("b")


def test_a_delay_lasts_as_long_as_it_says() -> None:
    """Seconds, as a decimal number."""
    with armed("a:delay=0.05"):
        start = time.monotonic()
        failpoint("a")
        assert time.monotonic() - start >= 0.05


def test_the_environment_arms_a_kill() -> None:
    """The process dies on the spot, with nothing after it run."""
    script = "from callboard.failpoints import failpoint; failpoint('a.b'); print('alive')"
    found = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"CALLBOARD_FAILPOINT": "a.b:kill"},
        capture_output=True,
        check=False,
    )
    assert (found.returncode, found.stdout) == (-signal.SIGKILL, b"")


@pytest.mark.parametrize("text", ["a", "a:explode", "a:kill@x", "A B:eio", "a:delay="])
def test_what_is_no_failpoint_is_refused(text: str) -> None:
    """A slip in the variable is told, not ignored."""
    with pytest.raises(UsageError, match="is not a failpoint"):
        parse(text)
