"""One request to one decoding process, from the side that asks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from callboard.errors import Blocked, MediaCrash, MediaError
from callboard.media import Loudness, MediaFacts
from callboard.media.buffers import make_buffer
from callboard.media.channel import (
    Alive,
    Drawn,
    End,
    Facts,
    Filled,
    FromDecoder,
    Item,
    Measured,
    Memory,
    Refused,
    Request,
    Stop,
    Unable,
)
from callboard.media.files import own_position, shown
from callboard.media.pool import Decoder, Pool

if TYPE_CHECKING:
    import numpy as np

_STOP_SECONDS = 2.0  # for a decoder to notice that a call was cut short; after that a new one is cheaper


class Call:
    """One request to one decoder; whatever happens, the decoder is given back in order or ended."""

    def __init__(self, fd: int, path: Path, request: Request, pool: Pool, shm_folder: Path) -> None:
        self.problems: tuple[str, ...] = ()
        """What was skipped or cut off; known when the call is over."""
        self._path, self._request, self._pool, self._folder = path, request, pool, shm_folder
        self._stall = request.limits.stall_seconds
        self._fd = own_position(fd, path)
        self._decoder: Decoder | None = None
        self._over = False

    def __enter__(self) -> Self:
        try:
            self._decoder = self._pool.take()
            try:
                self._decoder.channel.send(self._request, self._fd)
            except (OSError, EOFError):
                raise self._died() from None
        finally:
            os.close(self._fd)
        return self

    def __exit__(self, *_: object) -> None:
        decoder, self._decoder = self._decoder, None
        if decoder is None:
            return
        if self._over or self._stopped(decoder):
            self._pool.give_back(decoder)
        else:
            decoder.end()

    def facts(self) -> MediaFacts:
        """Wait for the facts, and for the end of the call."""
        found: MediaFacts | None = None
        while not self._over:
            message = self._next()
            if isinstance(message, Facts):
                found = message.facts
        if found is None:
            raise self._broken("gave no facts")
        return found

    def loudness(self) -> Loudness | None:
        """Wait for the measurement, and for the end of the call."""
        found: Measured | None = None
        while not self._over:
            message = self._next()
            if isinstance(message, Measured):
                found = message
        if found is None:
            raise self._broken("measured nothing")
        return found.loudness

    def drawn(self) -> bytes:
        """Wait for the picture, and for the end of the call."""
        found = b""
        while not self._over:
            message = self._next()
            if isinstance(message, Drawn):
                found = message.jpeg
        if not found:
            raise self._broken("drew nothing")
        return found

    def items(self) -> Iterator[tuple[Item, np.ndarray[Any, Any]]]:
        """Give the arrays as they are decoded; the next one is decoded while this one is used."""
        while True:
            item = self._next()
            if self._over:
                return
            if not isinstance(item, Item):
                raise self._broken("answered out of turn")
            yield item, self._fetch(item)

    def _fetch(self, item: Item) -> np.ndarray[Any, Any]:
        if item.dtype not in ("|u1", "<f4", ">f4") or min(item.shape, default=0) < 1:
            raise self._broken("announced a strange array")
        assert self._decoder is not None
        with make_buffer(self._folder, item.dtype, item.shape) as (fd, array):
            try:
                self._decoder.channel.send(Memory(), fd)
            except OSError:
                raise self._died() from None
        if not isinstance(self._next(), Filled):
            raise self._broken("answered out of turn")
        return array

    def _next(self) -> FromDecoder:
        """Wait for the next message that says something."""
        assert self._decoder is not None
        while True:
            try:
                message, fd = self._decoder.channel.receive(self._stall)
            except TimeoutError:
                raise self._broken(f"gave nothing for {self._stall:g} s and was stopped") from None
            except (EOFError, OSError):
                raise self._died() from None
            except ValueError as error:
                raise self._broken(f"sent nonsense ({error})") from None
            if fd is not None:
                os.close(fd)
            if not isinstance(message, Alive):
                return self._heard(message)

    def _heard(self, message: FromDecoder) -> FromDecoder:
        if isinstance(message, End):
            self._over = True
            self.problems = message.problems
        elif isinstance(message, Refused):
            self._over = True
            raise MediaError(shown(self._path), message.problem, message.hint)
        elif isinstance(message, Unable):
            raise Blocked(f"media cannot be decoded here: {message.problem}")
        return message

    def _broken(self, what: str) -> MediaCrash:
        assert self._decoder is not None
        self._decoder.end()
        self._decoder = None
        return MediaCrash(f"{shown(self._path)}: the decoder {what}", "Other files are not affected.")

    def _died(self) -> MediaCrash:
        assert self._decoder is not None
        how = self._decoder.farewell()
        self._decoder = None
        return MediaCrash(f"{shown(self._path)}: the decoder {how}", "Other files are not affected.")

    def _stopped(self, decoder: Decoder) -> bool:
        """Cut a call short; whether the decoder is ready for another."""
        try:
            decoder.channel.send(Stop())
            while True:
                message, fd = decoder.channel.receive(_STOP_SECONDS)
                if fd is not None:
                    os.close(fd)
                if isinstance(message, End | Refused):
                    return True
        except (OSError, EOFError, ValueError):
            return False


__all__ = ["Call"]
