"""What the command line asks a running board for, over the bus: ``cb.ctl.<verb>``, JSON in and JSON out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from callboard_schemas import decode_path
from msgspec import Meta, Struct

from callboard.bus import CONTROL, Bus, Unsubscribe
from callboard.catalog import jobs
from callboard.corrections import correct, hand_in
from callboard.errors import CallboardError
from callboard.taking import take_back

if TYPE_CHECKING:
    from callboard.daemon import Daemon

log = logging.getLogger(__name__)


class Order(Struct, frozen=True, kw_only=True):
    """What is asked; each verb reads the fields it needs."""

    ids: tuple[str, ...] = ()
    by: str = ""
    reason: str = ""
    tags: tuple[str, ...] = ()
    cues: tuple[str, ...] = ()
    run: str = ""
    root: str = ""
    path: str = ""
    seconds: Annotated[float, Meta(ge=0, le=31_536_000)] = 0.0


class Answer(Struct, frozen=True, kw_only=True):
    """What came of it: ``value`` as JSON, or what went wrong."""

    value: Any = None
    code: str = ""
    message: str = ""
    hint: str = ""


class Control:
    """Answers the verbs of a daemon."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._verbs: dict[str, Callable[[Order], Awaitable[Any]]] = {
            "status": self._status,
            "accept": lambda order: self._decide(order, "accept"),
            "reject": lambda order: self._decide(order, "reject"),
            "undo": self._undo,
            "replay": self._replay,
            "import": self._import,
            "correct": self._correct,
            "explain": self._explain,
            "runtime": self._runtime,
            "pause": self._pause,
            "resume": self._resume,
        }

    async def serve(self, bus: Bus) -> Unsubscribe:
        """Answer until the returned function is called."""
        return await bus.serve(f"{CONTROL}.*", self._answer)

    async def _answer(self, subject: str, body: bytes) -> bytes:
        verb = self._verbs.get(subject.rpartition(".")[2])
        try:
            order = msgspec.json.decode(body or b"{}", type=Order)
            if verb is None:
                return msgspec.json.encode(Answer(code="usage", message=f"no verb {subject!r}"))
            return msgspec.json.encode(Answer(value=await verb(order)))
        except CallboardError as error:
            return msgspec.json.encode(Answer(code=error.code, message=error.message, hint=error.hint))
        except msgspec.MsgspecError as error:
            return msgspec.json.encode(Answer(code="usage", message=str(error)))

    async def _status(self, _order: Order) -> Any:
        board = self._daemon.board
        return {
            "connected": board.bus.connected,
            "roots": [msgspec.to_builtins(root) for root in self._daemon.roots()],
            "jobs": board.catalog.read(jobs.counts),
            "hosts": self._daemon.hosting.status(),
            "held": board.dispatcher.held,
            "running": list(board.dispatcher.running),
            "vocabulary": msgspec.to_builtins(board.vocabulary.standing()),
            "glossary": msgspec.to_builtins(board.glossary.standing()),
            "plugins": [msgspec.to_builtins(one) for one in board.pool.status()],
            "runtime": msgspec.to_builtins(await board.runtime.status()),
        }

    async def _runtime(self, _order: Order) -> Any:
        board = self._daemon.board
        queued = board.catalog.read(jobs.counts).get("queued", 0)
        return {
            **msgspec.to_builtins(await board.runtime.status()),
            "busy": self._daemon.governing.governor.state()[1],
            "held": board.dispatcher.held,
            "held_jobs": queued if board.dispatcher.held else 0,
        }

    async def _pause(self, order: Order) -> Any:
        self._daemon.governing.pause(order.seconds)
        return None

    async def _resume(self, _order: Order) -> Any:
        self._daemon.governing.resume()
        return None

    async def _decide(self, order: Order, verb: Literal["accept", "reject"]) -> Any:
        board = self._daemon.board
        decided = await board.catalog.write(
            lambda conn: board.desk.decide_many(
                conn, order.ids, verb, order.by or "someone", order.reason, order.tags, order.cues
            )
        )
        board.wake()
        return msgspec.to_builtins(decided)

    async def _undo(self, order: Order) -> Any:
        board = self._daemon.board
        decided = await board.catalog.write(lambda conn: board.desk.undo(conn, order.run, order.by or "someone"))
        board.wake()
        return msgspec.to_builtins(decided)

    async def _replay(self, order: Order) -> Any:
        board = self._daemon.board
        decided = await board.catalog.write(lambda conn: board.desk.replay(conn, order.ids))
        board.wake()
        return msgspec.to_builtins(decided)

    async def _import(self, order: Order) -> Any:
        board = self._daemon.board
        brought = await board.catalog.write(
            lambda conn: take_back(conn, board.desk, board.following, Path(order.path), order.by or "someone")
        )
        board.wake()
        return msgspec.to_builtins(brought)

    async def _correct(self, order: Order) -> Any:
        board, path, ident = self._daemon.board, Path(order.path), next(iter(order.ids), "")
        document = await asyncio.to_thread(hand_in, path)
        decided = await board.catalog.write(
            lambda conn: correct(board.desk, conn, ident, document, order.by or "someone", path.name)
        )
        board.wake()
        return msgspec.to_builtins(decided)

    async def _explain(self, order: Order) -> Any:
        return await asyncio.to_thread(self._daemon.explain, order.root, decode_path(order.path))
