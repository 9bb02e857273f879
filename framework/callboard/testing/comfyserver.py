"""A ComfyUI server in small: its routes, its messages and its refusals, with nodes that make numbers of numbers."""

from __future__ import annotations

import contextlib
import hashlib
import json
import socket
import threading
import time
import uuid
from collections.abc import Callable
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from websockets.frames import Frame, Opcode

from callboard.testing.comfynodes import CATALOGUE, compute, film, order_of, png, validate
from callboard.testing.comfyroutes import Routes


class _Interrupted(Exception):
    pass


class ComfyServer(ThreadingHTTPServer):
    """Runs until it is closed. The attributes are what goes wrong, and what a test looks at."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, folder: Path, port: int = 0) -> None:
        """Take an empty folder for what comes and goes."""
        super().__init__(("127.0.0.1", port), Routes)
        self.folder = folder
        for name in ("input", "output", "temp"):
            (folder / name).mkdir(exist_ok=True)
        self.lock = threading.Condition()
        self.sockets: dict[str, socket.socket] = {}
        self.sending = threading.RLock()
        """Held while a socket is taken in, given up, or written to: no message is lost between, none cuts another."""
        self.pending: list[list[Any]] = []
        self.running: list[list[Any]] = []
        self.history: dict[str, Any] = {}
        self.kept: dict[str, Any] = {}
        self.interrupted = False
        self.fails = ""
        """Kind of node that raises when it is run."""
        self.hold = threading.Event()
        """While it is not set, samplers wait in their first step."""
        self.hold.set()
        self.waiting = threading.Event()
        """A sampler waits."""
        self.silent = False
        """It sends no messages."""
        self.before_delete: Callable[[], None] = lambda: None
        """Called before a prompt is taken off the queue."""
        self.prompts: list[dict[str, Any]] = []
        self.posted: list[tuple[str, Any]] = []
        self.closed = False
        serve = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self._workers = [serve, threading.Thread(target=self._work, daemon=True)]
        for thread in self._workers:
            thread.start()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def drop_sockets(self) -> None:
        """Break every WebSocket off, as a network does."""
        with self.sending:
            for one in self.sockets.values():
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
            self.sockets.clear()

    def forget(self) -> None:
        """Lose queue, history and connections, as a process does that is started anew."""
        with self.lock:
            self.pending.clear()
            self.running.clear()
            self.history.clear()
            self.kept.clear()
            self.interrupted = True
        self.drop_sockets()

    def close(self) -> None:
        """End it, with every connection."""
        with self.lock:
            closed = self.closed
            self.closed = self.interrupted = True
            self.lock.notify_all()
        self.hold.set()
        self.drop_sockets()
        if not closed:
            self.shutdown()
            self.server_close()
        for thread in self._workers:
            thread.join(10)

    def send(self, kind: str, data: dict[str, Any], client: str | None) -> None:
        """Send a message to one client, or to all."""
        if self.silent:
            return
        text = json.dumps({"type": kind, "data": data}).encode()
        frame = Frame(Opcode.TEXT, text).serialize(mask=False)
        with self.sending:
            for name, one in self.sockets.items():
                if client in (None, name):
                    with contextlib.suppress(OSError):
                        one.sendall(frame)

    def preview(self, client: str) -> None:
        """Send a picture on the way, as binary messages go: an event's number, a format's, and the file."""
        content = (1).to_bytes(4, "big") + (2).to_bytes(4, "big") + b"\x89PNG no more than that"
        with self.sending, contextlib.suppress(OSError):
            one = self.sockets.get(client)
            if one is not None and not self.silent:
                one.sendall(Frame(Opcode.BINARY, content).serialize(mask=False))

    def status(self) -> dict[str, Any]:
        """What every client is told of the queue."""
        return {"status": {"exec_info": {"queue_remaining": len(self.pending) + len(self.running)}}}

    def put(self, given: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Take a prompt, or refuse it."""
        if "prompt" not in given:
            return 400, {"error": "no prompt", "node_errors": []}
        error, wrong = validate(given["prompt"], self.folder / "input")
        if error is not None:
            return 400, {"error": error, "node_errors": wrong}
        number, name = len(self.prompts), str(uuid.uuid4())
        self.prompts.append(given["prompt"])
        with self.lock:
            extra = {"client_id": given.get("client_id", "")}
            self.pending.append([number, name, given["prompt"], extra, order_of(given["prompt"], wrong)])
            self.lock.notify_all()
        self.send("status", self.status(), None)
        return 200, {"prompt_id": name, "number": number, "node_errors": wrong}

    def _work(self) -> None:
        while True:
            with self.lock:
                self.lock.wait_for(lambda: self.closed or self.pending)
                if self.closed:
                    return
                item = self.pending.pop(0)
                self.running.append(item)
                self.interrupted = False
            self._run(item)

    def _run(self, item: list[Any]) -> None:
        _, name, prompt, extra, nodes = item
        client, messages = str(extra["client_id"]), list[Any]()
        outputs: dict[str, Any] = {}

        def tell(kind: str, **data: Any) -> None:
            message = {**data, "prompt_id": name, "timestamp": int(time.time() * 1000)}
            messages.append([kind, message])
            self.send(kind, message, client)

        tell("execution_start")
        good, node = False, ""
        results: dict[str, Any] = {}
        cached = [one for one in nodes if self._digest(one, prompt) in self.kept]
        tell("execution_cached", nodes=cached)
        try:
            for node in nodes:
                results[node] = self._node(node, prompt, results, name, client, outputs)
            tell("execution_success")
            good = True
        except _Interrupted:
            tell("execution_interrupted", node_id=node, node_type=prompt[node]["class_type"], executed=list(results))
        except RuntimeError as error:
            tell(
                "execution_error", node_id=node, node_type=prompt[node]["class_type"], executed=list(results),
                exception_message=f"{error}\n", exception_type="RuntimeError", traceback=[], current_inputs={},
                current_outputs=[],
            )  # fmt: skip
        status = {"status_str": "success" if good else "error", "completed": good, "messages": messages}
        with self.lock:
            if item not in self.running:
                return  # it was forgotten
            self.running.remove(item)
            self.history[name] = {"prompt": item, "outputs": outputs, "status": status, "meta": {}}
        self.send("executing", {"node": None, "prompt_id": name}, client)
        self.send("status", self.status(), None)

    def _digest(self, node: str, prompt: dict[str, Any]) -> str:
        inputs = prompt[node]["inputs"]
        parts = {
            key: [self._digest(str(one[0]), prompt), one[1]] if isinstance(one, list) else one
            for key, one in inputs.items()
        }
        text = json.dumps([prompt[node]["class_type"], parts], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def _node(
        self,
        node: str,
        prompt: dict[str, Any],
        results: dict[str, Any],
        name: str,
        client: str,
        outputs: dict[str, Any],
    ) -> Any:
        if self.interrupted:
            raise _Interrupted
        kind, digest = prompt[node]["class_type"], self._digest(node, prompt)
        inputs = {
            key: results[str(one[0])][one[1]] if isinstance(one, list) else one
            for key, one in prompt[node]["inputs"].items()
        }
        if digest not in self.kept or CATALOGUE[kind][2]:
            self.send("executing", {"node": node, "display_node": node, "prompt_id": name}, client)
            if kind == "KSampler":
                self._steps(int(inputs["steps"]), node, name, client)
            if kind == self.fails:
                raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")
            self.kept[digest] = (
                self._save(kind, inputs) if CATALOGUE[kind][2] else compute(kind, inputs, self.folder / "input")
            )
        if CATALOGUE[kind][2]:
            outputs[node] = self.kept[digest]
            self.send(
                "executed", {"node": node, "display_node": node, "output": outputs[node], "prompt_id": name}, client
            )
        return self.kept[digest]

    def _steps(self, steps: int, node: str, name: str, client: str) -> None:
        for step in range(steps):
            self.send("progress", {"value": step + 1, "max": steps, "prompt_id": name, "node": node}, client)
            self.preview(client)
            self.waiting.set()
            while not self.hold.wait(0.02):
                if self.interrupted:
                    raise _Interrupted
            if self.interrupted:
                raise _Interrupted

    def _save(self, kind: str, inputs: dict[str, Any]) -> dict[str, Any]:
        type_ = "temp" if kind == "PreviewImage" else "output"
        number = len(list((self.folder / type_).iterdir())) + 1
        if kind == "VHS_VideoCombine":
            file = f"film_{number:05}.mp4"
            (self.folder / type_ / file).write_bytes(film(inputs["images"], int(inputs["frame_rate"])))
            return {"gifs": [{"filename": file, "subfolder": "", "type": type_, "format": "video/h264-mp4"}]}
        images = []
        for index, picture in enumerate(inputs["images"]):
            file = f"{inputs.get('filename_prefix', 'temp')}_{number + index:05}_.png"
            (self.folder / type_ / file).write_bytes(png(picture))
            images.append({"filename": file, "subfolder": "", "type": type_})
        return {"images": images}


__all__ = ["ComfyServer"]
