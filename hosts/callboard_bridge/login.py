"""The first words to a server: who we are, with the nonce signed in slices where it asks for an nkey."""

from __future__ import annotations

import time

from callboard_bridge.nkey import SeedError, sign
from callboard_bridge.places import Trouble
from callboard_bridge.wire import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Any

    from callboard_bridge.places import Where

MAX_NONCE = 1024
"""Characters; servers send 15."""
SLICE_SECONDS = 0.0035
"""Of one poll, which does nothing else: servers wait two seconds for a login, and some applications poll rarely."""


class Login:
    """Makes the CONNECT frame.

    Args:
        where: Who we are there.
        info: The server's greeting.
        name: What the server lists us as.
    """

    def __init__(self, where: Where, info: dict[str, Any], name: str) -> None:
        self._says: dict[str, Any] = {"verbose": False, "pedantic": False, "lang": "python", "version": "1.0"}
        self._says.update({"protocol": 1, "headers": True, "no_responders": True, "echo": False, "name": name})
        self._says.update(where.credentials)
        self._signing: Generator[None, None, tuple[str, str]] | None = None
        nonce = info.get("nonce")
        if where.seed and isinstance(nonce, str) and len(nonce) < MAX_NONCE:
            self._signing = sign(where.seed, nonce.encode("utf-8"))

    def step(self) -> bytes:
        """Work on the signature for a while; give the frame once it is done, b"" before.

        Raises:
            Trouble: the seed is none.
        """
        until = time.monotonic() + SLICE_SECONDS
        try:
            while self._signing is not None:
                next(self._signing)
                if time.monotonic() > until:
                    return b""
        except StopIteration as done:
            self._says["nkey"], self._says["sig"] = done.value
        except SeedError as error:
            raise Trouble(str(error)) from None
        return b"CONNECT " + encode(self._says) + b"\r\nPING\r\n"
