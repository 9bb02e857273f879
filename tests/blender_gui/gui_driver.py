"""Runs inside Blender with a window: does what lines of JSON on a socket say, from a timer, on the main thread."""

import json
import os
import socket
import sys
import traceback
from typing import Any

bpy: Any = __import__("bpy")  # it is inside Blender only

_link = socket.create_connection(("127.0.0.1", int(os.environ["GUI_PORT"])))
_link.setblocking(False)
_heard = bytearray()
_names: dict[str, Any] = {"bpy": bpy}


def window() -> Any:
    """Give the window; outside of its own events Blender has none in its context."""
    return bpy.context.window_manager.windows[0]


def area(kind: str = "SEQUENCE_EDITOR") -> tuple[Any, Any]:
    """Give the largest area of a kind, and its sidebar."""
    found = max((one for one in window().screen.areas if one.type == kind), key=lambda one: one.width * one.height)
    return found, next(region for region in found.regions if region.type == "UI")


def click(x: int, y: int) -> None:
    """Click into the window."""
    for kind, value in (("MOUSEMOVE", "NOTHING"), ("LEFTMOUSE", "PRESS"), ("LEFTMOUSE", "RELEASE")):
        window().event_simulate(type=kind, value=value, x=x, y=y)


def call(name: str, **arguments: object) -> list[str]:
    """Press a button: run an operator as the sequencer's sidebar would."""
    found, region = area()
    module, _, verb = name.partition(".")
    with bpy.context.temp_override(window=window(), screen=window().screen, area=found, region=region):
        operator = getattr(getattr(bpy.ops, module), verb)
        return sorted(operator("EXEC_DEFAULT", **arguments)) if operator.poll() else ["POLL"]


_names.update(window=window, area=area, click=click, call=call)


def answer(line: bytes) -> None:
    """Run a line; what it leaves in ``result`` is the answer."""
    try:
        _names["result"] = None
        exec(compile(json.loads(line), "<test>", "exec"), _names)
        said = {"result": _names["result"]}
    except Exception:  # noqa: BLE001 - the test is told, whatever it was
        said = {"error": traceback.format_exc()}
    _link.setblocking(True)
    _link.sendall(json.dumps(said, default=str).encode() + b"\n")
    _link.setblocking(False)


def tick() -> float:
    """Do what was heard."""
    try:
        heard = _link.recv(65536)
    except BlockingIOError:
        return 0.02
    if not heard:
        sys.stdout.flush()
        os._exit(0)
    _heard.extend(heard)
    while b"\n" in _heard:
        line, _, rest = bytes(_heard).partition(b"\n")
        _heard[:] = rest
        answer(line)
    return 0.02


bpy.app.timers.register(tick, persistent=True)
