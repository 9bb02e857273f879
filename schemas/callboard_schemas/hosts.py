"""What hosts and Callboard say to each other."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from callboard_schemas.envelope import Name
from callboard_schemas.events import Parameters


class Presence(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A host is there, with what it can do, or has left (also as its last will)."""

    host: Name
    application: Name
    version: str
    state: Literal["online", "offline"]
    capabilities: tuple[str, ...] = ()
    project: str = ""
    revision: str = ""


class Command(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Asks a host to apply one proposal to the revision it was made for."""

    id: Name
    host: Name
    verb: Name
    proposal: Name
    project: str = ""
    revision: str = ""
    expires: float = 0.0
    """Seconds since 1970; 0 never expires."""
    arguments: Parameters = {}


class CommandReceipt(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What landed in the host, read back from its project."""

    command: Name
    host: Name
    state: Literal["applied", "partial", "refused", "stale", "failed"]
    landed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    note: str = ""
