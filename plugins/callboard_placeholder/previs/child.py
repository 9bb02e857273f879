"""Blender as a child: what it says, how long it may be silent, and its end with all that it started."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, Final

from callboard.errors import JobError
from callboard.process_group import kill_group

MARK: Final = "CALLBOARD "
SILENT_SECONDS: Final = 300.0
"""A picture of 4K takes half a minute on an old laptop; what says nothing for longer hangs."""
_TURN: Final = 0.25  # seconds between two looks at whether the job was cancelled
_LAST: Final = 2000  # characters of what it said that are kept for a report
_NICE: Final = "5"  # whoever works on this machine comes first, and it still gets a quarter of a core that is shared

# The C library's functions round by the processor (tunable glibc.cpu.hwcaps); this holds them to what all x86-64 have.
_STEADY: Final = {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4,-AVX512F"}
_DROPPED: Final = frozenset({"PYTHONPATH", "PYTHONHOME", "BLENDER_SYSTEM_SCRIPTS", "BLENDER_USER_SCRIPTS"})


class Child:
    """A Blender at work. Not for several threads at once."""

    def __init__(self, command: list[str], folder: Path, turn: Callable[[], None]) -> None:
        """Start it.

        Args:
            command: Its command line.
            folder: Where it may keep files.
            turn: Called a few times a second while it is waited for; what it raises ends the child.

        Raises:
            JobError: it cannot be started.
        """
        self._turn, self._said, self._name = turn, "", Path(command[0]).name
        kept = {name: value for name, value in os.environ.items() if name not in _DROPPED}
        nice = shutil.which("nice")
        try:
            self._process = subprocess.Popen(
                [*([nice, "-n", _NICE] if nice else []), *command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=folder,
                start_new_session=True,
                env={**kept, **_STEADY, "BLENDER_USER_RESOURCES": str(folder / "user"), "LC_ALL": "C.UTF-8"},
            )
        except OSError as error:
            raise JobError(f"{self._name} cannot be started ({error})", "Look at 'blender' in the settings.") from None
        assert self._process.stdout is not None
        lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._lines = lines
        threading.Thread(target=_read, args=(self._process.stdout, lines), daemon=True).start()
        self.close = weakref.finalize(self, _end, self._process)
        """Ends it with all that it started; done by itself when nobody holds the child any more."""

    @property
    def pid(self) -> int:
        """Its process, which leads a group of its own."""
        return self._process.pid

    def told(self) -> Mapping[str, Any] | None:
        """Wait for the next thing that it tells, or ``None`` at its end.

        Raises:
            JobError: it failed, or said nothing for ``SILENT_SECONDS``.
        """
        until = time.monotonic() + SILENT_SECONDS
        while True:
            try:
                self._turn()
                line = self._lines.get(timeout=_TURN)
            except queue.Empty:
                if time.monotonic() > until:
                    raise self._failed(f"said nothing for {SILENT_SECONDS:.0f} s") from None
                continue
            except BaseException:
                self.close()
                raise
            if line is None:
                status = self._process.wait()
                self.close()
                if status:
                    raise self._failed(f"failed ({status})")
                return None
            if line.startswith(MARK):
                told: dict[str, Any] = json.loads(line.removeprefix(MARK))
                return told
            self._said = (self._said + line)[-_LAST:]

    def _failed(self, problem: str) -> JobError:
        self.close()
        return JobError(
            f"{self._name} {problem}; it said: {self._said.strip()[-600:]}", "Try another Blender: 3.4 to 5.0."
        )


def _read(stream: IO[bytes], lines: queue.SimpleQueue[str | None]) -> None:
    """Pass lines on; a pipe that is waited for cannot be asked to stop on every system, a queue can."""
    try:
        for line in stream:
            lines.put(line.decode("utf-8", "replace"))
    except (OSError, ValueError):
        pass  # it was closed
    lines.put(None)


def _end(process: subprocess.Popen[bytes]) -> None:
    kill_group(process.pid)
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


__all__ = ["MARK", "SILENT_SECONDS", "Child"]
