"""The routes of a ComfyUI server in small: HTTP and its WebSocket."""

from __future__ import annotations

import base64
import contextlib
import email.parser
import hashlib
import json
import uuid
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

from websockets.frames import Frame, Opcode

if TYPE_CHECKING:
    from callboard.testing.comfyserver import ComfyServer

_KEY: Final = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""From RFC 6455, section 1.3."""


class Routes(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: ComfyServer  # pyright: ignore[reportIncompatibleVariableOverride]  # the library's own way to reach it

    def handle(self) -> None:
        """Answer until the other side is gone, which is nothing to tell of."""
        with contextlib.suppress(ConnectionError):
            super().handle()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer, or become a WebSocket."""
        parts = urlsplit(self.path)
        asked = {key: values[0] for key, values in parse_qs(parts.query).items()}
        server = self.server
        if parts.path == "/ws":
            self._socket(asked.get("clientId", ""))
        elif parts.path == "/system_stats":
            self._answer(200, {"system": {"os": "posix", "comfyui_version": "0.3.75"}, "devices": []})
        elif parts.path == "/queue":
            with server.lock:
                self._answer(200, {"queue_running": server.running, "queue_pending": server.pending})
        elif parts.path.startswith("/history/"):
            name = parts.path.rpartition("/")[2]
            with server.lock:
                self._answer(200, {name: server.history[name]} if name in server.history else {})
        elif parts.path == "/view":
            path = server.folder / asked.get("type", "output") / asked.get("subfolder", "") / asked.get("filename", "")
            inside = path.resolve().is_relative_to(server.folder.resolve())
            self._answer(200, path.read_bytes()) if inside and path.is_file() else self._answer(404, b"")
        else:
            self._answer(404, b"")

    def do_POST(self) -> None:
        """Take a prompt, a picture, or a wish to stop."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server, route = self.server, urlsplit(self.path).path
        if route == "/upload/image":
            return self._upload(body)
        given = json.loads(body) if body else {}
        server.posted.append((route, given))
        if route == "/prompt":
            return self._answer(*server.put(given))
        if route == "/queue":
            server.before_delete()
            with server.lock:
                server.pending[:] = [one for one in server.pending if one[1] not in given.get("delete", ())]
            return self._answer(200, b"")
        if route == "/interrupt":
            with server.lock:
                wanted = given.get("prompt_id")
                if wanted is None or any(one[1] == wanted for one in server.running):
                    server.interrupted = True
            return self._answer(200, b"")
        return self._answer(404, b"")

    def _upload(self, body: bytes) -> None:
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        form: Any = email.parser.BytesParser().parsebytes(head + body)
        parts = {str(one.get_param("name", header="content-disposition")): one for one in form.get_payload()}
        name, folder = parts["image"].get_filename(), parts["subfolder"].get_payload()
        if not name or ".." in str(folder):
            return self._answer(400, b"")
        target = self.server.folder / "input" / str(folder) / name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(parts["image"].get_payload(decode=True))
        return self._answer(200, {"name": name, "subfolder": folder, "type": "input"})

    def _answer(self, code: int, content: object) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body)

    def _socket(self, client: str) -> None:
        proof = base64.b64encode(hashlib.sha1(f"{self.headers['Sec-WebSocket-Key']}{_KEY}".encode()).digest())  # noqa: S324 - RFC 6455 says so
        client = client or uuid.uuid4().hex
        self.close_connection = True
        with self.server.sending:  # whoever reads that it is open hears everything from then on
            self.send_response(101)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "Upgrade")
            self.send_header("Sec-WebSocket-Accept", proof.decode())
            self.end_headers()
            self.server.sockets[client] = self.connection
            self.server.send("status", {**self.server.status(), "sid": client}, client)
        with contextlib.suppress(OSError):
            self._listen()
        with self.server.sending:
            if self.server.sockets.get(client) is self.connection:
                del self.server.sockets[client]

    def _listen(self) -> None:
        """Answer pings and a farewell, until the other side is gone; it says nothing else."""
        while len(head := self.rfile.read(2)) == 2:
            length = head[1] & 0x7F  # control frames are short, and the client's are masked
            mask, content = self.rfile.read(4), self.rfile.read(length)
            plain = bytes(byte ^ mask[index % 4] for index, byte in enumerate(content))
            answer = {Opcode.PING: Opcode.PONG, Opcode.CLOSE: Opcode.CLOSE}.get(Opcode(head[0] & 0x0F))
            if answer is not None:
                with self.server.sending:
                    self.connection.sendall(Frame(answer, plain).serialize(mask=False))
            if answer == Opcode.CLOSE:
                return


__all__ = ["Routes"]
