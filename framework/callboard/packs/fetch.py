"""Fetches one file of known size and digest over HTTP, and goes on where it was cut off."""

from __future__ import annotations

import hashlib
import http.client
import os
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from callboard.errors import DigestDiffers, PullError, PullForbidden, PullGone, PullOffline

Told = Callable[[int, int], None]
"""Takes bytes that are here and bytes in all."""

_CHUNK: Final = 1 << 18
_TIMEOUT: Final = 60.0
"""Seconds without a byte after which a connection counts as dead."""
_TRIES: Final = 5
"""Connections in a row that bring nothing new before it is given up."""
_PAUSE: Final = 0.5
"""Seconds before the second connection; twice as long before each further one."""


def fetch(
    name: str, url: str, target: Path, size: int, sha256: str, told: Told, headers: Mapping[str, str] | None = None
) -> Path:
    """Fetch *url* into *target*, on from what is there already, and check it.

    What is fetched stays at *target* when this is broken off; the next call goes on from there. A file that is
    complete and wrong is thrown away, and fetched anew once if parts of it came from an earlier call.

    Args:
        name: The pack that it is for, named in errors.
        url: ``http``, ``https`` or ``file``.
        target: The file to write; its folder is there.
        size: Bytes that it must have.
        sha256: Hex digest that it must have.
        told: Hears how far it is.
        headers: Sent with the request, and to nobody that it is passed on to.

    Raises:
        PullOffline, PullForbidden, PullGone, PullError: it cannot be had.
        DigestDiffers: it is not what it should be.
        OSError: it cannot be written.
    """
    for resumed in (_size(target) > 0, False):
        _fill(_Wanted(name, url, target, size, told, headers or {}))
        with target.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found == sha256:
            return target
        target.unlink()
        if not resumed:
            break
    raise DigestDiffers(
        name,
        f"{url} is not the file that the pack names (SHA-256 {found[:12]}…, not {sha256[:12]}…)",
        "It was thrown away. Try again; if it stays so, what is offered there has changed: do not use it.",
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


class _Wanted(NamedTuple):
    name: str
    url: str
    target: Path
    size: int
    told: Told
    headers: Mapping[str, str]


def _fill(wanted: _Wanted) -> None:
    name, url, target, size, told, _ = wanted
    futile = 0
    pause = threading.Event()  # never set: the wait is for the network, and Ctrl-C ends it
    while (have := _size(target)) < size:
        told(have, size)
        try:
            _once(wanted)
        except (http.client.HTTPException, urllib.error.URLError, OSError) as error:
            if isinstance(error, OSError) and not _of_network(error):
                raise
            futile = futile + 1 if _size(target) <= have else 1
            if futile >= _TRIES or isinstance(getattr(error, "reason", None), ssl.SSLCertVerificationError):
                raise _offline(name, url, error) from None
            pause.wait(_PAUSE * 2 ** (futile - 1))
    told(size, size)


def _of_network(error: OSError) -> bool:
    return isinstance(error, urllib.error.URLError | ConnectionError | TimeoutError | ssl.SSLError)


def _offline(name: str, url: str, error: Exception) -> PullOffline:
    why = getattr(error, "reason", None) or error
    return PullOffline(
        name,
        f"{url} cannot be reached ({why})",
        "Check the network, then give the same command: it goes on where it stopped. "
        "On a machine without a network, see 'callboard models bundle --help'.",
    )


def _once(wanted: _Wanted) -> None:
    name, url, target, size, told, headers = wanted
    have = _size(target)
    request = urllib.request.Request(url, headers={"User-Agent": "callboard", "Accept-Encoding": "identity"})  # noqa: S310 - the index's or the user's own address; what comes is only kept if its digest is right
    for header, value in headers.items():
        request.add_unredirected_header(header, value)
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer, target.open("ab") as file:  # noqa: S310 - as above
            if have and not _goes_on(answer, have):
                file.truncate(0)
                have = 0
            while have < size and (chunk := answer.read(min(_CHUNK, size - have))):
                file.write(chunk)
                have += len(chunk)
                told(have, size)
            if have == size and answer.read(1):
                file.truncate(0)
                raise DigestDiffers(name, f"{url} is longer than the {size} bytes that the pack names", "")
            file.flush()
            os.fsync(file.fileno())
        if have < size:
            raise http.client.IncompleteRead(b"", size - have)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416:  # what is here is not a beginning of what is there
            target.unlink()
            raise ConnectionError(str(error)) from None
        if error.code < 500 and error.code not in (408, 429):
            raise refused(name, url, error.code, error.reason) from None
        raise


def _goes_on(answer: http.client.HTTPResponse, have: int) -> bool:
    return getattr(answer, "status", None) == 206 and answer.headers.get("Content-Range", "").startswith(
        f"bytes {have}-"
    )


def refused(name: str, url: str, code: int, reason: str) -> PullError:
    """Make the error for what a server refused."""
    what = f"{url} answered {code} {reason}"
    if code in (401, 403, 407):
        return PullForbidden(name, what, "It wants a login, or that you accept its terms there first.")
    if code in (404, 410):
        return PullGone(name, what, "It is no longer offered there; look for a newer version of the plugin.")
    return PullError(name, what, "Try again later.")


__all__ = ["Told", "fetch", "refused"]
