"""What waits for one model: two lanes, and in each the callers take turns by rows."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator
from typing import Final

from callboard.runtime.calls import Call, Piece
from callboard.runtime.gather import choose

AHEAD: Final = 256
"""Pieces that are looked at for one batch."""
_FORGET: Final = 256
"""Callers that are kept in mind, before those who wait for nothing are forgotten."""


class _Caller:
    """Who waits, and how many rows they had: the least served is next."""

    __slots__ = ("pieces", "served")

    def __init__(self, served: float) -> None:
        self.served = served
        self.pieces: deque[Piece] = deque()


class Lane:
    """Pieces of one urgency, in turns (start-time fair queueing, each row being one unit)."""

    def __init__(self) -> None:
        self._callers: dict[str, _Caller] = {}
        self._clock = 0.0
        self.rows = 0
        self.calls = 0
        """Calls that have not begun."""

    def put(self, piece: Piece) -> None:
        """Let a piece wait behind its caller's others."""
        self._caller(piece).pieces.append(piece)
        self.rows += piece.rows
        self.calls += not piece.call.begun

    def put_back(self, piece: Piece) -> None:
        """Let a piece that could not be run wait before its caller's others; its turn was not used."""
        caller = self._caller(piece)
        caller.pieces.appendleft(piece)
        caller.served -= piece.rows
        self.rows += piece.rows

    def _caller(self, piece: Piece) -> _Caller:
        name = piece.call.ticket.caller
        caller = self._callers.get(name)
        if caller is None:
            if len(self._callers) >= _FORGET:
                self._callers = {
                    key: one for key, one in self._callers.items() if one.pieces or one.served > self._clock
                }
            caller = self._callers[name] = _Caller(self._clock)
        elif not caller.pieces:
            caller.served = max(caller.served, self._clock)
        return caller

    def in_turn(self, most: int) -> list[Piece]:
        """List the pieces that are due, at most *most*, as turns would take them one by one."""
        turns = [
            (caller.served, caller.pieces[0].call.number, 0, caller)
            for caller in self._callers.values()
            if caller.pieces
        ]
        heapq.heapify(turns)
        due: list[Piece] = []
        while turns and len(due) < most:
            served, _, index, caller = turns[0]
            piece = caller.pieces[index]
            due.append(piece)
            if index + 1 < len(caller.pieces):
                after = caller.pieces[index + 1]
                heapq.heapreplace(turns, (served + piece.rows, after.call.number, index + 1, caller))
            else:
                heapq.heappop(turns)
        return due

    def take(self, piece: Piece, rows: int) -> Piece:
        """Take a piece out, or only its first *rows*; its caller's turn is used."""
        caller = self._callers[piece.call.ticket.caller]
        self._clock = max(self._clock, caller.served)
        caller.served += rows
        self.rows -= rows
        self.calls -= not piece.call.begun
        if rows < piece.rows:
            return piece.cut(rows)
        if caller.pieces[0] is piece:
            caller.pieces.popleft()
        else:
            caller.pieces.remove(piece)
        return piece

    def drop(self, call: Call) -> None:
        """Take a call out that nobody waits for."""
        caller = self._callers.get(call.ticket.caller)
        for piece in [piece for piece in caller.pieces if piece.call is call] if caller else ():
            assert caller is not None
            caller.pieces.remove(piece)
            self.rows -= piece.rows
            self.calls -= not call.begun

    def __iter__(self) -> Iterator[Piece]:
        """Every piece that waits."""
        return (piece for caller in self._callers.values() for piece in caller.pieces)


class Queue:
    """What waits for one model; the urgent lane is always first."""

    def __init__(self) -> None:
        self.urgent, self.bulk = Lane(), Lane()

    def lane(self, call: Call) -> Lane:
        """The lane that a call waits in."""
        return self.urgent if call.ticket.urgent else self.bulk

    def due(self, *, held: bool) -> Lane | None:
        """The lane to be served next; with *held* only what is urgent is served."""
        if self.urgent.rows:
            return self.urgent
        return self.bulk if self.bulk.rows and not held else None

    def take(self, limit: int, free: int, *, held: bool) -> list[Piece]:
        """Take what makes the next batch.

        Args:
            limit: Rows of a batch at most.
            free: Workers that could run a batch now, this one among them: each is left a share. A call that is longer
                than a share, or than the limit, is cut into parts of about equal length.
            held: Leave alone what is not urgent.
        """
        lane = self.due(held=held)
        if lane is None:
            return []
        first, *others = lane.in_turn(AHEAD)
        if first.call.kind is None:
            return [lane.take(first, first.rows)]
        fellows = [other for other in others if other.call.kind == first.call.kind and not other.alone]
        share = -(-(first.rows + sum(fellow.rows for fellow in fellows)) // max(free, 1))
        most = limit if first.alone else min(limit, share)
        if first.rows > most:
            return [lane.take(first, -(-first.rows // -(-first.rows // most)))]
        if first.alone:
            return [lane.take(first, first.rows)]
        chosen = choose(first.size, [fellow.size for fellow in fellows], most)
        pieces = [first, *(fellows[index] for index in chosen)]
        return [lane.take(piece, piece.rows) for piece in pieces]

    def drop(self, call: Call) -> None:
        """Take a call out of its lane."""
        self.lane(call).drop(call)

    def __iter__(self) -> Iterator[Piece]:
        """Every piece that waits."""
        yield from self.urgent
        yield from self.bulk


__all__ = ["AHEAD", "Lane", "Queue"]
