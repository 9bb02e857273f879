"""One workflow on a ComfyUI server: queued, followed, taken off again where nobody wants it any more.

The socket tells how far it is; whether it is done is asked of the server's history, which outlives a lost connection.
"""

from __future__ import annotations

import contextlib
import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from callboard.errors import Blocked, JobError

from callboard_placeholder.comfy.address import Away, Http, Refused, away
from callboard_placeholder.comfy.workflow import Nodes, title

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

_LOOK: Final = 0.5
"""Seconds of silence after which it is looked whether the job still goes on."""
_ASK: Final = 5.0
"""Seconds of silence after which the history is asked: a message may have been lost."""
_AWAY: Final = 60.0
"""Seconds that a server which went away may take to come back."""
_AGAIN: Final = 2
"""Times that a workflow is queued again which a server has forgotten."""
_PREVIEW: Final = 32 << 20
"""Bytes of a message at most; previews come as pictures."""
_SOON: Final = 5.0
"""Seconds for taking a workflow off again."""

Say = Callable[[float, str], None]
"""Takes how far it is and what is done; raises where the job was cancelled."""


class Run:
    """One workflow on its way."""

    def __init__(self, http: Http, nodes: Nodes, seconds: float, say: Say) -> None:
        """Take the server, the filled workflow, how long all of it may take, and who is told how far it is."""
        self._http, self._nodes, self._say = http, nodes, say
        self._seconds, self._until = seconds, time.monotonic() + seconds
        self._client = uuid.uuid4().hex
        self._id = ""
        self._done: set[str] = set()
        self._begun = False
        self._far = 0.0
        self.notes: list[str] = []

    def outputs(self) -> dict[str, Any]:
        """Run it, and give what its nodes put out, by node.

        Raises:
            JobError: the workflow is refused or fails, the message names the node; or it takes too long.
            Blocked: the server is away, or busy with others all that time.
        """
        try:
            return self._run()
        except BaseException:  # a cancelled job above all
            self._abandon()
            raise

    def _run(self) -> dict[str, Any]:
        away_since, problem, again = 0.0, "", 0
        while True:
            try:
                with self._socket() as socket:
                    if self._id and self._forgotten():
                        again += 1
                        if again > _AGAIN:
                            raise Blocked(
                                f"ComfyUI at {self._http.address.shown} forgot the workflow {again} times",
                                "It may be ending for lack of memory; its log says more.",
                            )
                        self.notes.append("the server was started anew meanwhile, and the workflow queued again")
                        self._id = ""
                    if not self._id:
                        self._queue()
                    away_since = 0.0
                    return self._listen(socket)
            except Away as error:
                now, problem = time.monotonic(), str(error)
                away_since = away_since or now
                if not (self._id or again) or now - away_since > _AWAY:
                    raise away(self._http.address, problem) from None
                self._check_time()
                self._say(self._far, "waits for ComfyUI to come back")
                time.sleep(_LOOK)  # a server that is away raises no event
            except Refused as error:
                raise JobError(f"ComfyUI at {self._http.address.shown} answered {error}") from None

    @contextlib.contextmanager
    def _socket(self) -> Iterator[ClientConnection]:
        try:
            from websockets.exceptions import ConnectionClosed, InvalidHandshake
            from websockets.sync.client import connect
        except ImportError:
            raise Blocked("websockets is not installed", "pip install 'callboard[placeholder]'") from None
        try:
            with connect(
                self._http.address.socket(self._client),
                max_size=_PREVIEW,
                open_timeout=_SOON * 2,
                close_timeout=_SOON / 5,
                proxy=None,
            ) as socket:
                yield socket
        except (OSError, ConnectionClosed, InvalidHandshake) as error:
            raise Away(f"{type(error).__name__}: {error}") from None

    def _queue(self) -> None:
        try:
            answer = self._http.post("/prompt", {"prompt": self._nodes, "client_id": self._client})
        except Refused as error:
            raise JobError(refusal(self._nodes, error), "Mend the workflow in ComfyUI, and export it again.") from None
        found = answer.get("prompt_id") if isinstance(answer, dict) else None
        if not isinstance(found, str) or not found:
            raise Refused(200, answer, "it does not say which number the workflow has")
        if answer.get("node_errors"):  # what hangs on them is left out, the rest is run
            left = refusal(self._nodes, Refused(200, answer, "part of it is wrong"))
            self.notes.append(f"part of the workflow was left out: {left}")
        self._id = found
        self._done.clear()
        self._begun = False

    def _forgotten(self) -> bool:
        """Say whether the server knows the workflow no more: neither as queued nor as done."""
        return self._finished() is None and self._place() == ""

    def _place(self) -> str:
        queue = self._http.get("/queue")
        for name in ("queue_running", "queue_pending"):
            if any(isinstance(one, list) and self._id in one[:2] for one in queue.get(name) or ()):
                return name
        return ""

    def _listen(self, socket: ClientConnection) -> dict[str, Any]:
        heard = time.monotonic()
        while True:
            finished = None
            try:
                message = socket.recv(timeout=_LOOK)
                heard = time.monotonic()
                if isinstance(message, str) and self._take(message):
                    finished = self._finished()
            except TimeoutError:
                if time.monotonic() - heard > _ASK:
                    heard = time.monotonic()
                    finished = self._finished()
                    if finished is None and not self._place():
                        finished = self._finished()  # it may have ended between the two
                        if finished is None:
                            raise Away("it has forgotten the workflow") from None
            if finished is not None:
                return finished
            self._check_time()
            self._say(self._far, self._note())

    def _take(self, text: str) -> bool:
        """Take a message, and say whether the workflow may be done."""
        try:
            message = json.loads(text)
            kind, data = str(message["type"]), message["data"]
        except (ValueError, KeyError, TypeError):
            return False
        if not isinstance(data, dict) or data.get("prompt_id", self._id) != self._id:
            return False
        if kind == "execution_cached":
            self._done |= {str(node) for node in data.get("nodes") or ()}
        elif kind in ("executing", "executed"):
            self._begun = True
            node = data.get("node")
            if kind == "executed":
                self._done.add(str(node))
            self._current = str(node or "")
            self._far = max(self._far, len(self._done & set(self._nodes)) / len(self._nodes))
            return kind == "executing" and node is None
        elif kind == "progress":
            self._begun = True
            self._step(data)
        return kind in ("execution_success", "execution_error", "execution_interrupted")

    _current = ""

    def _step(self, data: Mapping[str, Any]) -> None:
        with contextlib.suppress(TypeError, ValueError, ZeroDivisionError):
            part = min(max(float(data["value"]) / float(data["max"]), 0.0), 1.0)
            done = len(self._done & set(self._nodes))
            self._far = max(self._far, min((done + part) / len(self._nodes), 1.0))
            self._current = str(data.get("node") or self._current)

    def _note(self) -> str:
        if not self._begun:
            return "waits in ComfyUI's queue"
        return f"ComfyUI: {title(self._nodes, self._current)}" if self._current else "ComfyUI works"

    def _finished(self) -> dict[str, Any] | None:
        """Look in the history: the outputs once it is done, ``None`` before.

        Raises:
            JobError: it failed.
        """
        history = self._http.get(f"/history/{self._id}")
        entry = history.get(self._id) if isinstance(history, dict) else None
        if not isinstance(entry, dict):
            return None
        status = entry.get("status") or {}
        if status.get("status_str") == "error":
            raise JobError(failure(self._nodes, status.get("messages") or ()), "ComfyUI's own log says more.")
        outputs = entry.get("outputs")
        return outputs if isinstance(outputs, dict) else {}

    def _check_time(self) -> None:
        if time.monotonic() < self._until:
            return
        if not self._begun:
            raise Blocked(
                f"ComfyUI at {self._http.address.shown} was busy with others for {self._seconds:.0f} s",
                "The job goes on later; comfy_seconds is how long it waits.",
            )
        raise JobError(f"the workflow was not done within {self._seconds:.0f} s", "Raise comfy_seconds, or do less.")

    def _abandon(self) -> None:
        """Take the workflow off the server's queue, or stop it; nobody else's."""
        if not self._id:
            return
        http = Http(self._http.address, _SOON)
        with contextlib.suppress(Away, Refused, AttributeError):
            if self._place() == "queue_pending":
                http.post("/queue", {"delete": [self._id]})
            if self._place() == "queue_running":  # looked at again: it may have begun before it could be taken off
                http.post("/interrupt", {"prompt_id": self._id})


def refusal(nodes: Nodes, error: Refused) -> str:
    """Say in words why a workflow was not taken, node by node."""
    answer = error.answer if isinstance(error.answer, dict) else {}
    general = answer.get("error")
    said = [_said(general)] if isinstance(general, dict) else [str(general or error)]
    wrong = answer.get("node_errors")
    for node, found in wrong.items() if isinstance(wrong, dict) else ():
        errors = found.get("errors") or () if isinstance(found, dict) else ()
        said += [f"{title(nodes, str(node))}: {_said(one)}" for one in errors]
    return "ComfyUI does not take the workflow: " + "; ".join(said[:10])


def _said(error: Mapping[str, Any]) -> str:
    message, details = str(error.get("message") or error.get("type") or "wrong"), str(error.get("details") or "")
    return f"{message} ({details[:300]})" if details else message


def failure(nodes: Nodes, messages: Any) -> str:
    """Say in words why a workflow failed, from what the history tells."""
    for kind, data in (one for one in messages if isinstance(one, list | tuple) and len(one) == 2):
        if kind == "execution_error" and isinstance(data, dict):
            what = f"{data.get('exception_type', 'error')}: {str(data.get('exception_message', '')).strip()[:500]}"
            return f"the workflow failed at {title(nodes, str(data.get('node_id')))}: {what}"
        if kind == "execution_interrupted":
            return "somebody stopped the workflow in ComfyUI"
    return "the workflow failed, and ComfyUI does not say where"


__all__ = ["Run", "failure", "refusal"]
