"""Last words when the interpreter ends, of bridges that nobody closed."""

from __future__ import annotations

import atexit
import os
import weakref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_alive: dict[int, tuple[int, Any]] = {}
"""A process id and a weak reference, by the bridge's identity."""


def expect(bridge: Any) -> None:
    """Close *bridge* when the interpreter ends, if it lives until then."""
    key = id(bridge)
    _alive[key] = os.getpid(), weakref.ref(bridge, lambda _gone: _alive.pop(key, None))


def forget(bridge: Any) -> None:
    """It was closed."""
    _alive.pop(id(bridge), None)


@atexit.register
def _leave() -> None:
    for process, reference in list(_alive.values()):
        bridge = reference()
        if bridge is not None and process == os.getpid():  # a fork leaves the connection to its parent
            bridge.close()
