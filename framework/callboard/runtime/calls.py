"""One call of a model on its way: what was asked, which of its rows wait or run, and the answer."""

from __future__ import annotations

import itertools
import time
from collections.abc import Hashable, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from callboard.errors import Blocked
from callboard.runtime import Control, Progress, Session, Ticket
from callboard.runtime.gather import Size, check, shape_of

if TYPE_CHECKING:
    from callboard.context import Arrays
    from callboard.packs import Pack

_numbers = itertools.count(1)


class Call(Future[dict[str, Any]]):
    """A call and its answer. The scheduler's lock guards everything but the future itself."""

    def __init__(
        self, model: str, inputs: Arrays, options: Mapping[str, Any], ticket: Ticket, progress: Progress | None
    ) -> None:
        super().__init__()
        self.model, self.inputs, self.options, self.ticket = model, inputs, options, ticket
        self.follow = progress
        self.number = next(_numbers)
        self.deadline = ticket.deadline
        self.since = time.monotonic()
        self.size = Size(1, 0)
        self.kind: Hashable = None
        self.begun = self.gone = self.over = False
        """``gone``: nobody waits any more. ``over``: its answer or error is known."""
        self.batches: set[Batch] = set()
        self._answers: list[tuple[int, dict[str, Any]]] = []
        self._answered = 0

    def prepare(self, pack: Pack) -> None:
        """Compare the inputs with the pack, and see with what they may be run.

        Raises:
            JobError: an input is missing, or has another type or shape.
        """
        check(pack, self.inputs)
        self.size, self.kind = shape_of(pack.batch, self.inputs, self.options)

    def begin(self) -> bool:
        """Say that it runs; False when it was cancelled or answered before."""
        if not self.begun and not self.over:
            self.begun = self.set_running_or_notify_cancel()
            self.over = not self.begun
        return not self.over

    def leave(self) -> None:
        """Take note that nobody waits; a batch that nobody waits for at all is asked to stop."""
        self.gone = True
        for batch in list(self.batches):
            batch.left()

    def keep(self, piece: Piece, outputs: dict[str, Any]) -> bool:
        """Keep the answer for some rows; True once every row has one."""
        self._answers.append((piece.start, outputs))
        self._answered += piece.rows
        return self._answered >= self.size.rows

    def whole(self) -> dict[str, Any]:
        """The answer, put together."""
        if len(self._answers) == 1:
            return self._answers[0][1]
        import numpy as np

        parts = [part for _, part in sorted(self._answers, key=lambda entry: entry[0])]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


class Piece:
    """Rows of a call that are run together: all of them, or as many as a batch may have."""

    __slots__ = ("alone", "call", "start", "stop")

    def __init__(self, call: Call, start: int = 0, stop: int = 0) -> None:
        self.call, self.start, self.stop = call, start, stop or call.size.rows
        self.alone = False
        """It failed in a batch, and is to be run by itself."""

    @property
    def size(self) -> Size:
        """Rows and length."""
        return Size(self.stop - self.start, self.call.size.length)

    @property
    def rows(self) -> int:
        """Rows of it."""
        return self.stop - self.start

    @property
    def inputs(self) -> Arrays:
        """Its rows of the inputs."""
        if self.rows == self.call.size.rows:
            return self.call.inputs
        return {name: array[self.start : self.stop] for name, array in self.call.inputs.items()}

    def cut(self, rows: int) -> Piece:
        """Take the first *rows* off."""
        head = Piece(self.call, self.start, self.start + rows)
        head.alone = self.alone
        self.start += rows
        return head


class Batch:
    """Pieces that run at once in one session."""

    def __init__(self, pieces: list[Piece], session: Session) -> None:
        self.pieces, self.session = pieces, session
        self.control = Control(self._progress if len(pieces) == 1 and pieces[0].call.follow else None)
        for piece in pieces:
            piece.call.batches.add(self)

    @property
    def rows(self) -> int:
        """Rows of all its pieces."""
        return sum(piece.rows for piece in self.pieces)

    @property
    def work(self) -> int:
        """Rows times the longest length: what a run of it costs, padding included."""
        return self.rows * max(1, *(piece.call.size.length for piece in self.pieces))

    @property
    def calls(self) -> list[Call]:
        """Its calls, each once."""
        return list({piece.call.number: piece.call for piece in self.pieces}.values())

    def _progress(self, fraction: float) -> None:
        piece = self.pieces[0]
        if piece.call.follow is not None:
            piece.call.follow((piece.start + fraction * piece.rows) / piece.call.size.rows)

    def left(self) -> None:
        """One of its calls left; stop when that was the last."""
        if all(piece.call.gone for piece in self.pieces):
            self.control.stop()

    def end(self) -> None:
        """It no longer runs."""
        for piece in self.pieces:
            piece.call.batches.discard(self)


Settled = list[tuple[Call, BaseException | None]]
"""Calls whose answer is whole, or the errors that they get."""


def settle(settled: Settled) -> None:
    """Hand answers and errors to those who wait. Not under the lock: what they do then is theirs."""
    for call, error in settled:
        if not call.begun and not call.set_running_or_notify_cancel():
            continue
        if error is not None:
            call.set_exception(error)
        else:
            call.set_result(call.whole())


def late(call: Call) -> Blocked:
    """The error of a call whose time is over."""
    return Blocked(
        f"model {call.model!r}: the job's time was over before its call could run",
        "Raise the plugin's deadline, or run fewer jobs at once.",
    )


def closing() -> Blocked:
    """The error of a call that comes too late for this runtime."""
    return Blocked("the runtime is closing", "Try again once it is back.")


__all__ = ["Batch", "Call", "Piece", "Settled", "closing", "late", "settle"]
