"""The decoding process: takes files as open descriptors, one call at a time, and gives facts, frames and sound.

Started as ``python -m callboard.media.decoder FD PARENT`` with one end of a socket pair as FD. It is
handed no path, may write no file, and ends when the socket closes. Nothing else imports this module.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import mmap
import os
import pkgutil
import signal
import socket
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from callboard.lifeline import die_with_parent
from callboard.media import AudioBlock, Frame, Wanted
from callboard.media.channel import (
    Alive,
    Channel,
    Drawn,
    End,
    Facts,
    Filled,
    FromClient,
    FromDecoder,
    Item,
    Loud,
    Measured,
    Memory,
    Probe,
    Refused,
    Request,
    Sound,
    Stop,
    Thumb,
    Unable,
)
from callboard.media.landlock import close_file_system
from callboard.media.limits import Limits, allow, gain_no_privileges, shut_in

if TYPE_CHECKING:
    import numpy as np

    from callboard.media.source import Source

_ALIVE_EVERY = 5.0  # seconds; well inside the client's limit for silence


_trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None  # musl has none


class _Stopped(Exception):
    """The client wants no more of this call."""


class _Call:
    """One call: sends its items as the client takes them."""

    def __init__(self, channel: Channel[FromClient]) -> None:
        self.channel = channel
        self._spoke = time.monotonic()

    def alive(self) -> None:
        """Tell the client now and then that work goes on."""
        if time.monotonic() - self._spoke > _ALIVE_EVERY:
            self.say(Alive())

    def say(self, message: FromDecoder) -> None:
        """Send one message."""
        self.channel.send(message)
        self._spoke = time.monotonic()

    def give(self, item: Frame | AudioBlock) -> None:
        """Announce an array, and write it into the memory that the client hands over."""
        if isinstance(item, AudioBlock):
            self._give(item.samples, item.time)
            return
        self._give(item.pixels, item.time, item.index, more=item.large is not None)
        if item.large is not None:
            self._give(item.large, item.time, item.index)

    def _give(self, array: np.ndarray[Any, Any], time: float, index: int = 0, *, more: bool = False) -> None:
        self.say(Item(time, index, array.dtype.str, tuple(array.shape), more))
        answer, fd = self.channel.receive()
        if not isinstance(answer, Memory) or fd is None:
            if fd is not None:
                os.close(fd)
            raise _Stopped
        try:
            with mmap.mmap(fd, array.nbytes) as mapped:
                mapped[:] = array.data.cast("B")
        finally:
            os.close(fd)
        self.say(Filled())


def _items(source: Source, request: Request) -> Iterator[Facts | Measured | Drawn | Frame | AudioBlock]:
    if isinstance(request, Probe):
        yield Facts(source.facts())
    elif isinstance(request, Loud):
        yield Measured(source.loudness())
    elif isinstance(request, Thumb):
        yield Drawn(_drawn(source, request))
    elif isinstance(request, Sound):
        yield from source.sound(request.rate, request.block_seconds, channels=request.channels)
    else:
        yield from source.pictures(request.wanted)


def _drawn(source: Source, request: Thumb) -> bytes:
    """Give the picture at a time as a JPEG file, the better the more bytes it may have."""
    import io

    from PIL import Image

    wanted = Wanted(every=request.seconds, max_side=request.side, limit=2 if request.seconds else 1)
    pixels = [frame.pixels for frame in source.pictures(wanted)][-1]  # the first, or the one at that time
    image = Image.fromarray(pixels)
    for quality in (85, 70, 50, 30, 10):
        file = io.BytesIO()
        image.save(file, "JPEG", quality=quality)
        if file.tell() <= request.most:
            break
    return file.getvalue()


def _answer(channel: Channel[FromClient], request: Request, fd: int) -> FromDecoder:
    """Do one call; return the message that ends it."""
    from callboard.media.source import NotMedia, open_source

    call = _Call(channel)
    try:
        with open_source(fd, request.suffix, request.limits, call.alive) as source:
            for item in _items(source, request):
                if isinstance(item, Facts | Measured | Drawn):
                    call.say(item)
                else:
                    call.give(item)
            return End(tuple(source.problems))
    except _Stopped:
        return End()
    except NotMedia as error:
        return Refused(error.problem, error.hint)
    except MemoryError:
        size = request.limits.memory >> 20
        return Refused(f"decoding it takes more memory than the {size} MiB a decoder may have")
    except (EOFError, ConnectionError):
        raise
    except Exception as error:  # noqa: BLE001 - whatever a decoder raises is this file's failure, not the process's
        return Refused(f"cannot be decoded: {type(error).__name__}: {error}"[:500])


def serve(channel: Channel[FromClient]) -> None:
    """Answer calls until the client is gone."""
    with contextlib.suppress(EOFError, ConnectionError):
        while True:
            request, fd = channel.receive()
            if isinstance(request, Memory | Stop) or fd is None:
                continue  # a Stop that crossed the end of its call
            allow(request.limits)
            try:
                channel.send(_answer(channel, request, fd))
            finally:
                os.close(fd)
                _tidy()


def _tidy() -> None:
    """Give back what the last call used: PyAV's objects refer to each other, and glibc keeps what is freed."""
    gc.collect()
    if _trim is not None:
        _trim(0)


def _load() -> None:
    """Import everything that calls need: nothing can be imported once the file system is closed."""
    import av.logging

    import callboard.media.loudness
    import callboard.media.pictures
    import callboard.media.sound
    import callboard.media.source
    import callboard.media.stills
    import callboard.media.streams

    for module in pkgutil.walk_packages(av.__path__, "av."):
        if module.name not in ("av.__main__", "av.datasets"):  # a command line, and a downloader
            importlib.import_module(module.name)
    av.logging.set_level(None)
    callboard.media.stills.load_formats()
    gc.freeze()  # what is loaded now stays, so that tidying after a call looks at that call's objects only


def main(arguments: list[str]) -> int:
    """Shut this process in, then serve the socket whose descriptor is the first argument."""
    fd, parent = (int(argument) for argument in arguments)
    die_with_parent(parent)
    gain_no_privileges()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the client's to handle
    channel: Channel[FromClient] = Channel(socket.socket(fileno=fd), FromClient)
    shut_in(Limits())
    try:
        _load()
    except ImportError as error:
        channel.send(Unable(f"{error}; install the media extra: pip install 'callboard[media]'"))
        return 1
    close_file_system()
    with contextlib.suppress(ConnectionError):
        channel.send(Alive())  # ready for calls
    serve(channel)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
