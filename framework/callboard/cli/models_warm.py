"""``callboard models warm``: loads packs once, to see that they load here and what they take."""

from __future__ import annotations

import time
from typing import Any

import click
import psutil
from msgspec import Struct

from callboard.cli.models import chosen, known_packs
from callboard.cli.options import json_flag
from callboard.cli.output import cell, console, print_json
from callboard.cli.project import ask_now, board_runs, here_or_default
from callboard.config import RuntimeSettings
from callboard.control import Order
from callboard.errors import Blocked, CallboardError
from callboard.packs import Pack, verify
from callboard.runtime import NoMemory, make_engine


class Warmed(Struct, frozen=True, kw_only=True):
    """How one pack loaded: seconds, MiB that its engine tells of, and MiB by which the process grew."""

    name: str
    device: str
    verify_seconds: float
    load_seconds: float
    memory_mb: int
    grown_mb: int


@click.command("warm")
@click.argument("names", nargs=-1, required=True)
@json_flag
def command(names: tuple[str, ...], as_json: bool) -> int:
    """Load the packs NAMES once, on the device that jobs would use; say what each took, and let go of it.

    Files are in the system's cache afterwards, so the board's own first load is faster.
    """
    settings = here_or_default().settings.runtime
    held = _held()
    warmed: list[Warmed] = []
    for pack in chosen(names, known_packs()):
        warmed.append(warm(pack, settings))
        if not as_json:
            console().print(_line(warmed[-1], held.get(pack.name, 0)))
    if as_json:
        print_json({"warmed": warmed, "held_by_the_board": {name: held.get(name, 0) for name in names}})
    return 0


def warm(pack: Pack, settings: RuntimeSettings) -> Warmed:
    """Load *pack* on the best device that has room, and let go of it.

    Raises:
        ModelMissing: it is not here, not whole or not allowed, or its engine is not installed.
        Blocked: no device has room for it.
    """
    began = time.monotonic()
    folder = verify(pack)
    verified = time.monotonic() - began
    engine = make_engine(pack)
    for device in engine.devices(pack, settings):
        before, began = psutil.Process().memory_info().rss, time.monotonic()
        try:
            session = engine.load(pack, folder, settings, device)
        except (NoMemory, MemoryError):
            continue
        seconds = time.monotonic() - began
        grown = max(0, psutil.Process().memory_info().rss - before) >> 20
        memory_mb, where = session.memory_mb, session.device
        session.close()
        return Warmed(
            name=pack.name,
            device=where,
            verify_seconds=verified,
            load_seconds=seconds,
            memory_mb=memory_mb,
            grown_mb=grown,
        )
    raise Blocked(f"model {pack.name!r}: no device has room for it", "Close other programs, or use a smaller model.")


def _held() -> dict[str, int]:
    """Say which models the running board holds, and how many MiB each takes; nothing where none runs."""
    project = here_or_default()
    if not board_runs(project):
        return {}
    try:
        told: dict[str, Any] = ask_now(project, "runtime", Order())
    except CallboardError:  # it is starting or stopping: warming does not depend on it
        return {}
    return {one["name"]: one["memory_mb"] for one in told.get("models", ()) if one["memory_mb"]}


def _line(one: Warmed, held_mb: int) -> str:
    words = (
        f"{cell(one.name)}: loaded on {one.device} in {one.load_seconds:.2f} s, {one.memory_mb} MiB "
        f"(the process grew by {one.grown_mb} MiB), after {one.verify_seconds:.2f} s of checking its files"
    )
    return f"{words}; the running board holds it too, in {held_mb} MiB" if held_mb else words


__all__ = ["Warmed", "command", "warm"]
