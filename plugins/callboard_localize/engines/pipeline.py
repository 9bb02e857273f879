"""One Apertium mode as a pipeline of processes that stays open: one request at a time, each flushed by a NUL."""

from __future__ import annotations

import contextlib
import os
import selectors
import shutil
import signal
import subprocess
import tempfile
import time
import weakref
from pathlib import Path
from typing import IO, Final

from callboard.errors import Blocked

SHELL_WRITER: Final = "apertium-wblank-mode"
"""Writes a mode as a shell pipeline whose every stage flushes at a NUL; comes with Apertium 3.8."""
_CHUNK: Final = 1 << 16
_PIPE: Final = 1 << 12
"""Bytes that a pipe which is ready takes at least without blocking (POSIX: PIPE_BUF; 4096 on Linux)."""


class PipelineBroken(Exception):
    """A pipeline ended, hung or answered what nobody asked; it has been ended with all its processes."""

    def __init__(self, mode: str, problem: str) -> None:
        self.mode, self.problem = mode, problem
        super().__init__(f"apertium {mode}: {problem}")


class Pipeline:
    """The processes of one mode. Not for several threads at once."""

    def __init__(self, mode: str, path: Path) -> None:
        """Start the mode in the file *path*.

        Raises:
            Blocked: it cannot be started.
        """
        self.mode, script = mode, _script(mode, path)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the processes that write into it
        try:
            self._process = subprocess.Popen(
                ["bash", "-c", script, "apertium", "-g", ""],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                bufsize=0,
                start_new_session=True,
                env={**os.environ, "LC_ALL": "C.UTF-8"},
            )
        except OSError as error:
            self._errors.close()
            raise Blocked(f"apertium {mode} cannot be started ({error})", "Is bash installed?") from None
        self.close = weakref.finalize(self, _end, self._process, self._errors)
        """Ends every process of it; done by itself when nobody holds the pipeline any more."""

    def ask(self, request: bytes, seconds: float) -> bytes:
        """Send one request without its NUL, and give what comes back before the next.

        Raises:
            PipelineBroken: no answer came in time, the pipeline ended, or it said more than it was asked.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        waiting, answer = memoryview(request + b"\0"), bytearray()
        until = time.monotonic() + seconds
        with selectors.DefaultSelector() as ready:
            ready.register(self._process.stdin, selectors.EVENT_WRITE)
            ready.register(self._process.stdout, selectors.EVENT_READ)
            while not answer.endswith(b"\0"):
                left = until - time.monotonic()
                events = ready.select(left) if left > 0 else []
                if not events:
                    raise self._broken(f"no answer within {seconds:.0f} s")
                for key, _ in events:
                    if key.fileobj is self._process.stdout:
                        answer += self._read(key.fd)
                    elif waiting:
                        waiting = waiting[self._write(key.fd, waiting) :]
                        if not waiting:
                            ready.unregister(self._process.stdin)
        if waiting or answer.count(b"\0") != 1:
            raise self._broken("it answered more than it was asked")
        return bytes(answer[:-1])

    def _read(self, descriptor: int) -> bytes:
        chunk = os.read(descriptor, _CHUNK)
        if not chunk:
            raise self._broken("it ended")
        return chunk

    def _write(self, descriptor: int, waiting: memoryview) -> int:
        try:
            return os.write(descriptor, waiting[:_PIPE])
        except OSError:
            raise self._broken("it ended") from None

    def _broken(self, problem: str) -> PipelineBroken:
        said = b""
        with contextlib.suppress(OSError, ValueError):
            self._errors.seek(0)
            said = self._errors.read(400)
        self.close()
        words = " ".join(said.decode(errors="replace").split())
        return PipelineBroken(self.mode, f"{problem}; it said: {words}" if words else problem)


def _script(mode: str, path: Path) -> str:
    writer = shutil.which(SHELL_WRITER)
    if writer is None:
        raise Blocked(f"{SHELL_WRITER} is not installed", "Install Apertium 3.8 or newer: sudo apt install apertium")
    try:
        done = subprocess.run([writer, "-z", str(path)], capture_output=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise Blocked(f"apertium {mode} cannot be read ({error})", "Install its language pair again.") from None
    return done.stdout.decode()


def _end(process: subprocess.Popen[bytes], errors: IO[bytes]) -> None:
    """End the whole group: a stage that hangs does not notice that its input is closed."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    for stream in (process.stdin, process.stdout, errors):
        with contextlib.suppress(OSError):
            if stream is not None:
                stream.close()
    process.wait()


__all__ = ["SHELL_WRITER", "Pipeline", "PipelineBroken"]
