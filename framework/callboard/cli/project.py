"""What commands share: which project they work on, and how they reach its board."""

from __future__ import annotations

import asyncio
import getpass
import os
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import platformdirs

from callboard.bus import CONTROL, Bus
from callboard.catalog import Catalog, view
from callboard.config import Broker, Project, Settings, find_project, require_project
from callboard.control import Answer, Order
from callboard.errors import BrokerError, CallboardError
from callboard.lock import held

GIVEN_BROKER = "broker.json"
"""In the data folder while a board runs on a broker that its command line names: where other commands find it."""
_PATIENCE = 30.0
"""Seconds that a board of this machine may take to answer: it may be busy with everything else."""
_FOREIGN = 10.0
"""Seconds that a connection to a server may take that is no board's own, and so may be away altogether."""


def here() -> Project:
    """Find the project of the current folder.

    Raises:
        UsageError: there is none.
    """
    return require_project(Path.cwd())


def here_or_default() -> Project:
    """Find the project of the current folder, else the user's own, which needs no settings file."""
    found = find_project(Path.cwd())
    if found is not None:
        return found
    folder = Path(os.environ.get("CALLBOARD_HOME") or platformdirs.user_data_path("callboard", appauthor=False))
    return Project(folder=folder, data=folder / "data", settings=Settings())


def me() -> str:
    """Say who decides."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "someone"


def running(project: Project) -> str:
    """Say which process owns the project; an empty string when none does."""
    return held(project.data) if project.data.is_dir() else ""


def board_runs(project: Project) -> bool:
    """Say whether a board, not a one-shot command, is at work in the project."""
    return running(project).startswith("callboard up")


def catalog(project: Project) -> AbstractContextManager[Catalog]:
    """Open the project's catalog to read, also beside a running board."""
    return view(project.data)


async def ask(project: Project, verb: str, order: Order) -> Any:
    """Ask the project's running board.

    Raises:
        CallboardError: what the board said.
        BrokerError: it cannot be reached.
    """
    async with bus_of(project) as bus:
        body = await bus.request(f"{CONTROL}.{verb}", msgspec.json.encode(order), timeout=_PATIENCE)
    answer = msgspec.json.decode(body, type=Answer)
    if answer.code:
        raise _Told(answer)
    return answer.value


@asynccontextmanager
async def bus_of(project: Project) -> AsyncIterator[Bus]:
    """Give the bus of the project's running board; on a busy machine connecting takes longer than a bus waits itself.

    Raises:
        BrokerError: no board has started a broker.
    """
    from callboard.bus.nats import NatsBus
    from callboard.bus.roles import seed_path

    broker = broker_of(project)
    own = broker.nkey_seed == str(seed_path(project.data, "cli"))
    bus = NatsBus(broker, role="cli", publish_seconds=_PATIENCE)
    try:
        await bus.connect(_PATIENCE if own else _FOREIGN)
        yield bus
    finally:
        await bus.close()


def broker_of(project: Project) -> Broker:
    """Say how to reach the project's broker: the user's own, or the embedded one of a running board.

    Raises:
        BrokerError: no board has started one.
    """
    from callboard.bus.roles import seed_path

    try:
        return msgspec.json.decode((project.data / GIVEN_BROKER).read_bytes(), type=Broker)
    except (OSError, msgspec.MsgspecError):
        pass
    if project.settings.broker.url:
        return project.settings.broker
    try:
        told = msgspec.json.decode((project.data / "nats" / "board.json").read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.MsgspecError):
        raise BrokerError("no board is running here", "Start it with 'callboard up'.") from None
    return Broker(url=told["url"], nkey_seed=str(seed_path(project.data, "cli")))


class _Told(CallboardError):
    """What a board answered instead of doing it."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.message, answer.hint)
        self.exit_code = 2 if answer.code in ("usage", "config") else 1  # type: ignore[misc]  # this one tells for its sender


def ask_now(project: Project, verb: str, order: Order) -> Any:
    """Ask from a plain function."""
    return asyncio.run(ask(project, verb, order))


__all__ = [
    "GIVEN_BROKER",
    "ask",
    "ask_now",
    "board_runs",
    "broker_of",
    "bus_of",
    "catalog",
    "here",
    "here_or_default",
    "me",
    "running",
]
