"""Runs inside Blender with a window: does what lines of JSON on a socket say, from a timer, on the main thread."""

import json
import os
import socket
import sys
import traceback

import bpy

_link = socket.create_connection(("127.0.0.1", int(os.environ["GUI_PORT"])))
_link.setblocking(False)
_heard = bytearray()
_names = {"bpy": bpy}


def window():
    """Give the window; outside of its own events Blender has none in its context."""
    return bpy.context.window_manager.windows[0]


def area(kind="SEQUENCE_EDITOR"):
    """Give the largest area of a kind, and its sidebar."""
    found = max((one for one in window().screen.areas if one.type == kind), key=lambda one: one.width * one.height)
    return found, next(region for region in found.regions if region.type == "UI")


def click(x, y):
    """Click into the window."""
    for kind, value in (("MOUSEMOVE", "NOTHING"), ("LEFTMOUSE", "PRESS"), ("LEFTMOUSE", "RELEASE")):
        window().event_simulate(type=kind, value=value, x=x, y=y)


def call(name, **arguments):
    """Press a button: run an operator as the sequencer's sidebar would."""
    found, region = area()
    module, _, verb = name.partition(".")
    with bpy.context.temp_override(window=window(), screen=window().screen, area=found, region=region):
        operator = getattr(getattr(bpy.ops, module), verb)
        return sorted(operator("EXEC_DEFAULT", **arguments)) if operator.poll() else ["POLL"]


_names.update(window=window, area=area, click=click, call=call)


def answer(line):
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


def tick():
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
