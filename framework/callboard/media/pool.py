"""Decoding processes of this process: started ahead, used one call at a time, thrown away at the first doubt."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from callboard.media.channel import Channel, FromDecoder

_IDLE = 2  # processes kept warm, of about 60 MB each
_LINGER = 30.0  # seconds that more of them stay: starting one costs as much as decoding ten photographs
_CALLS = 400  # calls after which a process is renewed, so that what codecs leak stays small
_KEPT = ("LANG", "LC_ALL", "LC_CTYPE", "SYSTEMROOT", "TMPDIR")


def _environment() -> dict[str, str]:
    """Make a decoder's surroundings: nothing of ours that could be a secret, and few allocator arenas."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    path = os.environ.get("PYTHONPATH")
    if path:
        kept["PYTHONPATH"] = os.pathsep.join(os.path.abspath(part) for part in path.split(os.pathsep) if part)
    # One BLAS thread: numpy is used for copies only. Two arenas: each costs 64 MiB of the address space allowed.
    return kept | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}


class Decoder:
    """One decoding process and the channel to it."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-B", "-P", "-m", "callboard.media.decoder", str(theirs.fileno()), str(os.getpid())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env=_environment(),
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        self.channel: Channel[FromDecoder] = Channel(ours, FromDecoder)
        self.calls = 0
        self.since = 0.0
        """``time.monotonic()`` of its last call's end."""

    @property
    def pid(self) -> int:
        """The process id, which is also its group's."""
        return self._process.pid

    def wait_ready(self, seconds: float = 60.0) -> None:
        """Wait until the process can take calls; one that cannot says so, or why it died, at its first call."""
        with contextlib.suppress(OSError, EOFError, ValueError):
            self.channel.receive(seconds)

    def running(self) -> bool:
        """Whether the process is still there."""
        return self._process.poll() is None

    def end(self) -> str:
        """Kill the process and all it started, reap it, and say how it had ended before, if it had."""
        code = self._process.poll()
        if code is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
        self.channel.close()
        self._process.wait()
        return _how_it_ended(code)

    def farewell(self) -> str:
        """Reap a process whose channel closed, and say how it ended."""
        try:
            code = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            code = None
        self.end()
        return _how_it_ended(code)


def _how_it_ended(code: int | None) -> str:
    if code is None:
        return "was stopped"
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"died by {signal.Signals(-code).name}"
        return f"died by signal {-code}"
    return f"ended with status {code}"


class Pool:
    """Decoders for one process; every method may be called from any thread.

    As many as were used at once stay warm while they are; *idle* of them stay for good.
    """

    def __init__(self, idle: int = _IDLE) -> None:
        self._most = idle
        self._lock = threading.Lock()
        self._idle: list[Decoder] = []
        # The kernel ends a decoder with the *thread* that started it, so one thread that stays starts them all.
        self._starter: ThreadPoolExecutor | None = None
        self._timer: threading.Timer | None = None
        self._owner = os.getpid()
        self.started = 0
        """Processes started so far."""

    def _start(self) -> Decoder:
        with self._lock:
            if self._starter is None:
                self._starter = ThreadPoolExecutor(1, "callboard-decoder-start")
            starter = self._starter
            self.started += 1
        return starter.submit(Decoder).result()

    def take(self) -> Decoder:
        """Return a warm decoder, or start one."""
        if os.getpid() != self._owner:  # after a fork the decoders are the parent's
            self.__init__(self._most)  # type: ignore[misc]  # a fresh pool in place of the inherited one
        while True:
            with self._lock:
                decoder = self._idle.pop() if self._idle else None
            if decoder is None:
                return self._start()
            if decoder.running():
                return decoder
            decoder.end()

    def give_back(self, decoder: Decoder) -> None:
        """Keep a decoder whose call ended well, or end it when it is old."""
        decoder.calls += 1
        if decoder.calls >= _CALLS:
            decoder.end()
            return
        decoder.since = time.monotonic()
        with self._lock:
            self._idle.append(decoder)
            self._watch()

    def _watch(self) -> None:
        """Look again later, while there are more decoders than stay for good."""
        if self._timer is None and len(self._idle) > self._most:
            self._timer = threading.Timer(_LINGER, self._thin)
            self._timer.daemon = True
            self._timer.start()

    def _thin(self) -> None:
        """End what has not been used for a while; the last one given back is taken first, so those are the first."""
        ended: list[Decoder] = []
        with self._lock:
            self._timer = None
            while len(self._idle) > self._most and self._idle[0].since + _LINGER <= time.monotonic():
                ended.append(self._idle.pop(0))
            self._watch()
        for decoder in ended:
            decoder.end()

    def warm(self) -> None:
        """Start a decoder now, so that the first call finds it ready."""
        decoder = self._start()
        decoder.wait_ready()
        self.give_back(decoder)

    def close(self) -> None:
        """End every idle decoder; the pool may be used again."""
        with self._lock:
            idle, self._idle = self._idle, []
            starter, self._starter = self._starter, None
            timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        for decoder in idle:
            decoder.end()
        if starter is not None:
            starter.shutdown()


shared = Pool()
"""The pool of this process."""

atexit.register(shared.close)

__all__ = ["Decoder", "Pool", "shared"]
