"""What the supervisor and a plugin process say to each other."""

from __future__ import annotations

from callboard_schemas import AnyResult, Failure, Manifest
from msgspec import Struct


class Load(Struct, frozen=True, tag=True):
    """Import a plugin and set it up."""

    package: str
    manifest: Manifest
    distribution: str


class Run(Struct, frozen=True, tag=True):
    """Do one job. The job travels as JSON: it holds its event as raw JSON."""

    id: int
    job: bytes


class Cancel(Struct, frozen=True, tag=True):
    """Let go of a job."""

    id: int


class Ping(Struct, frozen=True, tag=True):
    """Say that you are listening."""


class Stop(Struct, frozen=True, tag=True):
    """Tear down and end."""

    seconds: float
    """What each plugin gets for its teardown."""


class Hello(Struct, frozen=True, tag=True):
    """The process is ready for orders."""


class Loaded(Struct, frozen=True, tag=True):
    """A plugin is ready, or why it is not."""

    plugin: str
    failure: Failure | None = None


class Finished(Struct, frozen=True, tag=True):
    """A job ended, with results or with a failure."""

    id: int
    results: tuple[AnyResult, ...] = ()
    failure: Failure | None = None


class Said(Struct, frozen=True, tag=True):
    """How far a job is, 0 to 1."""

    id: int
    fraction: float
    note: str = ""


class Logged(Struct, frozen=True, tag=True):
    """A line from the plugin's log; *id* is 0 outside of a job."""

    id: int
    plugin: str
    level: int
    text: str


class Pong(Struct, frozen=True, tag=True):
    """The process listens."""


ToPlugins = Load | Run | Cancel | Ping | Stop
FromPlugins = Hello | Loaded | Finished | Said | Logged | Pong
