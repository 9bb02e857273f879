"""One request to an HTTP service: to the very address that was named, within a time and a size, and again if asked."""

from __future__ import annotations

import http.client
import ipaddress
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

from callboard.errors import Blocked, JobError, UsageError
from msgspec import Struct

TRIES: Final = 4
LONGEST_WAIT: Final = 60.0
"""Seconds that a service may ask for; one that wants more is out of order for now."""
MOST_BYTES: Final = 4 << 20
_CHUNK: Final = 1 << 16
_AGAIN: Final = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})


class Place(Struct, frozen=True):
    """Where a service is."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def shown(self) -> str:
        """Its address without what could be secret."""
        return f"{self.scheme}://{self.host}:{self.port}{self.path}"

    @property
    def local(self) -> bool:
        """Whether it is a program on this machine."""
        return self.host == "localhost" or (_address(self.host) or ipaddress.ip_address("::")).is_loopback


def place_of(url: str) -> Place:
    """Read the address of a service: of its API, such as ``https://host/v1``, or of chat completion itself.

    Raises:
        UsageError: it is no such address, holds a password, or would send texts unencrypted over a network.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise UsageError(f"service_url {url!r}: {error}") from None
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host or parts.username or parts.query or parts.fragment:
        raise UsageError(
            f"service_url {url!r} is no plain address of a service",
            "Such as https://host/v1; the key goes into a file that service_key_file names.",
        )
    path = parts.path.rstrip("/")
    place = Place(parts.scheme, host, port, path if path.endswith("/completions") else f"{path}/chat/completions")
    address = _address(host)
    if place.scheme == "http" and not place.local and not (address is not None and address.is_private):
        raise UsageError(f"service_url {url!r} would send texts unencrypted over a network", "Give an https address.")
    return place


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


class Post:
    """Sends requests to one place. *wait* is how it waits for a number of seconds."""

    def __init__(self, place: Place, key: str, seconds: float, wait: Callable[[float], None]) -> None:
        """Take where to send to, the key that goes along (or nothing), and what one try may take in all."""
        self._place, self._key, self._seconds, self._wait = place, key, seconds, wait

    def send(self, body: bytes, on_try: Callable[[], None]) -> bytes:
        """Send *body* as JSON and give the answer; *on_try* is called before each try.

        Raises:
            Blocked: the service cannot be reached, refuses the key, or asks for more patience than there is.
            JobError: it refuses this request, or its answer is too long.
        """
        problem, pause = "", 1.0
        for number in range(TRIES):
            if number:
                self._wait(min(pause, LONGEST_WAIT))
            on_try()
            try:
                status, asked, answer = self._once(body)
            except (OSError, http.client.HTTPException) as error:
                problem, pause = f"{type(error).__name__}: {error}", 2.0**number
                continue
            if status == 200:
                return answer
            self._refuse(status, answer)
            problem, pause = f"it answered {status}", 2.0**number if asked is None else asked
            if pause > LONGEST_WAIT:
                break
        raise Blocked(
            f"the translation service at {self._place.shown} does not answer: {problem}",
            f"Tried {TRIES} times or asked to wait longer than {LONGEST_WAIT:.0f} s; the job goes on when it is back.",
        )

    def _refuse(self, status: int, answer: bytes) -> None:
        """Raise for what another try would not mend."""
        if status in _AGAIN:
            return
        said = " ".join(answer[:300].decode(errors="replace").split())
        if status in (401, 402, 403):
            raise Blocked(
                f"the translation service refuses the key ({status}): {said}", "See service_key_file of the plugin."
            )
        if status == 404 or 300 <= status < 400:
            raise Blocked(
                f"there is no such service or model at {self._place.shown} ({status}): {said}",
                "See service_url and service_model of the plugin; addresses that redirect are not followed.",
            )
        raise JobError(f"the translation service refuses the request ({status}): {said}")

    def _once(self, body: bytes) -> tuple[int, float | None, bytes]:
        until = time.monotonic() + self._seconds
        connection = self._connect()
        try:
            headers = {"Content-Type": "application/json", "Accept": "application/json"}
            if self._key:
                headers["Authorization"] = f"Bearer {self._key}"
            connection.request("POST", self._place.path, body, headers)
            response = connection.getresponse()
            answer = bytearray()
            while chunk := self._more(connection, response, until):
                answer += chunk
                if len(answer) > MOST_BYTES:
                    raise JobError(f"the translation service answered more than {MOST_BYTES >> 20} MiB")
            return response.status, _asked(response.getheader("Retry-After")), bytes(answer)
        finally:
            connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        place = self._place
        if place.scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(place.host, place.port, timeout=self._seconds, context=context)
        return http.client.HTTPConnection(place.host, place.port, timeout=self._seconds)

    def _more(self, connection: http.client.HTTPConnection, response: http.client.HTTPResponse, until: float) -> bytes:
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"no whole answer within {self._seconds:.0f} s")
        if connection.sock is not None:
            connection.sock.settimeout(left)  # a drop now and then must not keep it open for ever
        return response.read1(_CHUNK)


def _asked(header: str | None) -> float | None:
    """Say how many seconds a service asks to wait."""
    if not header:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        return max(0.0, (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None


__all__ = ["LONGEST_WAIT", "MOST_BYTES", "TRIES", "Place", "Post", "place_of"]
