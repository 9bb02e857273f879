"""A display for programs with a window, on a machine without a screen."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

PATIENT = 60.0
"""Seconds that only guard against hanging."""


@contextmanager
def display(width: int, height: int) -> Iterator[str]:
    """Give the name of an X display of so many pixels, with OpenGL, that takes connections until the block ends.

    The server picks a free number and says it once it is ready. (``xvfb-run`` waits for a signal instead, and for ever
    where that comes before it waits.)

    Raises:
        RuntimeError: the server does not start.
    """
    screen = ["-screen", "0", f"{width}x{height}x24", "+extension", "GLX"]
    command = ["Xvfb", "-displayfd", "1", *screen, "-nolisten", "tcp", "-noreset"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stdout is not None
            number = server.stdout.readline().strip()
            if not number:
                raise RuntimeError("Xvfb ended before it had a display")
            yield f":{number}"
        finally:
            server.terminate()  # which removes its socket and lock
            try:
                server.wait(PATIENT)
            finally:
                server.kill()


__all__ = ["PATIENT", "display"]
