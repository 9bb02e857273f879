"""Where a ComfyUI server is, and what is asked of it over HTTP: within a time, and no more than a size."""

from __future__ import annotations

import http.client
import ipaddress
import json
import ssl
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from callboard.errors import Blocked, JobError
from msgspec import Struct

_CHUNK: Final = 1 << 18
_TEXT_BYTES: Final = 64 << 20
"""Of an answer in JSON: a history holds the workflow again."""
_SECONDS: Final = 30.0
"""For one request, but for files."""
_START: Final = "Is ComfyUI running there? See comfy_server under [plugins.placeholder] in callboard.toml."


class Address(Struct, frozen=True):
    """Where a server is."""

    secure: bool
    host: str
    port: int
    path: str
    """Before its routes, for one behind a proxy; empty for most."""

    @property
    def shown(self) -> str:
        """Its address for people."""
        return f"http{'s' * self.secure}://{self._host}:{self.port}{self.path}"

    @property
    def local(self) -> bool:
        """Whether it is a program on this machine."""
        return self.host == "localhost" or bool((address := _address(self.host)) and address.is_loopback)

    def socket(self, client: str) -> str:
        """Give the address of the WebSocket for a client."""
        return f"ws{'s' * self.secure}://{self._host}:{self.port}{self.path}/ws?{urlencode({'clientId': client})}"

    @property
    def _host(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host


class Refused(Exception):
    """A server answered that it will not; *answer* is its JSON, where it gave any."""

    def __init__(self, status: int, answer: Any, text: str) -> None:
        self.status, self.answer, self.text = status, answer, text
        super().__init__(f"{status}: {text}")


class Away(Exception):
    """A server cannot be reached, or broke off."""


def address_of(url: str) -> Address:
    """Read ``comfy_server``, such as ``http://127.0.0.1:8188``.

    Raises:
        JobError: it is no such address, or would send prompts and pictures unencrypted over a network.
    """
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        port = parts.port or (443 if parts.scheme == "https" else 8188)
    except ValueError as error:
        raise JobError(f"comfy_server {url!r}: {error}") from None
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host or parts.username or parts.query or parts.fragment:
        raise JobError(f"comfy_server {url!r} is no plain address of a server", "Such as http://127.0.0.1:8188.")
    found = Address(parts.scheme == "https", host, port, parts.path.rstrip("/"))
    near = _address(host)
    if not found.secure and not found.local and not (near is not None and near.is_private):
        raise JobError(
            f"comfy_server {url!r} would send prompts and pictures unencrypted over a network", "Give an https address."
        )
    return found


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


class Http:
    """Asks one server."""

    def __init__(self, address: Address, seconds: float = _SECONDS) -> None:
        self.address, self._seconds = address, seconds

    def get(self, route: str) -> Any:
        """Give the JSON of a route.

        Raises:
            Refused: it is answered with an error.
            Away: nobody answers.
        """
        return self._json("GET", route, None, {})

    def post(self, route: str, content: object) -> Any:
        """Post JSON and give the answer's; ``None`` where it is empty. Raises as ``get``."""
        body = json.dumps(content).encode()
        return self._json("POST", route, body, {"Content-Type": "application/json"})

    def upload(self, name: str, picture: bytes) -> str:
        """Store a PNG among the server's inputs, and give the name by which a node loads it. Raises as ``get``."""
        edge = "callboard-7d1f0c2a9b3e4856"
        parts = {"type": "input", "subfolder": "callboard", "overwrite": "true"}
        body = b"".join(
            f'--{edge}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
            for key, value in parts.items()
        )
        head = f'Content-Disposition: form-data; name="image"; filename="{name}"\r\nContent-Type: image/png'
        body += f"--{edge}\r\n{head}\r\n\r\n".encode() + picture + f"\r\n--{edge}--\r\n".encode()
        answer = self._json(
            "POST", "/upload/image", body, {"Content-Type": f"multipart/form-data; boundary={edge}"}, 4 * self._seconds
        )
        if not isinstance(answer, dict) or not answer.get("name"):
            raise Refused(200, answer, "it does not say where it put the picture")
        folder = answer.get("subfolder")
        return f"{folder}/{answer['name']}" if folder else str(answer["name"])

    def fetch(self, file: Mapping[str, Any], target: Path, most: int, seconds: float) -> int:
        """Write one file of the server's outputs to *target*, at most *most* bytes, and give its size.

        Raises:
            Refused: it is not there.
            Away: it broke off.
            JobError: it is larger.
        """
        asked = {key: str(file.get(key) or "") for key in ("filename", "subfolder", "type")}
        done = 0
        with target.open("wb") as writing:
            for chunk in self._chunks("GET", f"/view?{urlencode(asked)}", None, {}, seconds):
                done += len(chunk)
                if done > most:
                    raise JobError(f"{asked['filename']} from ComfyUI has more than {most >> 20} MiB")
                writing.write(chunk)
        return done

    def _json(
        self, method: str, route: str, body: bytes | None, headers: Mapping[str, str], seconds: float = 0.0
    ) -> Any:
        answer = bytearray()
        for chunk in self._chunks(method, route, body, headers, seconds or self._seconds):
            answer += chunk
            if len(answer) > _TEXT_BYTES:
                raise Refused(200, None, f"{route} answers with more than {_TEXT_BYTES >> 20} MiB")
        try:
            return json.loads(answer) if answer.strip() else None
        except ValueError:
            raise Refused(200, None, f"{route} does not answer in JSON: is it ComfyUI?") from None

    def _chunks(self, method: str, route: str, body: bytes | None, headers: Mapping[str, str], seconds: float) -> Any:
        until = time.monotonic() + seconds
        connection = self._connect(seconds)
        try:
            connection.request(method, self.address.path + route, body, dict(headers))
            response = connection.getresponse()
            if response.status != 200:
                raise _refused(response)
            while True:
                left = until - time.monotonic()
                if left <= 0:
                    raise Away(f"no whole answer within {seconds:.0f} s")
                if connection.sock is not None:
                    connection.sock.settimeout(left)  # a drop now and then must not keep it open for ever
                chunk = response.read1(_CHUNK)
                if not chunk:
                    break
                yield chunk
            if response.length:
                raise Away("it broke off in the middle of an answer")
        except (OSError, http.client.HTTPException) as error:
            raise Away(f"{type(error).__name__}: {error}") from None
        finally:
            connection.close()

    def _connect(self, seconds: float) -> http.client.HTTPConnection:
        place = self.address
        if place.secure:
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(place.host, place.port, timeout=seconds, context=context)
        return http.client.HTTPConnection(place.host, place.port, timeout=seconds)


def _refused(response: http.client.HTTPResponse) -> Refused:
    content = response.read(_CHUNK)
    try:
        answer = json.loads(content)
    except ValueError:
        answer = None
    return Refused(response.status, answer, " ".join(content[:300].decode(errors="replace").split()))


def away(address: Address, problem: object) -> Blocked:
    """The error of a server that cannot be used now."""
    return Blocked(f"ComfyUI at {address.shown} does not answer: {problem}", _START)


__all__ = ["Address", "Away", "Http", "Refused", "address_of", "away"]
