"""What hosts and Callboard say to each other."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from msgspec import Meta, Struct

from callboard_schemas.envelope import Name
from callboard_schemas.events import Language, Parameters
from callboard_schemas.media import Digest, Use
from callboard_schemas.placeholders import Gap
from callboard_schemas.review import Decision

Verb = Literal[
    "tags.write",
    "description.write",
    "markers.write",
    "subtitles.write",
    "placeholder.insert",
    "relink",
    "clear",
]
"""All that a host can be asked for. ``clear`` takes away what we made for a proposal, and nothing else."""

VERBS: tuple[Verb, ...] = get_args(Verb)


class Presence(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A host is there, with what it can do, or has left (also as its last will)."""

    host: Name
    application: Name
    version: str
    state: Literal["online", "offline"]
    capabilities: tuple[str, ...] = ()
    """The verbs that it takes in the project that is open."""
    project: str = ""
    """The open project, as the application names it: an absolute path, or an id of its own."""
    revision: str = ""


class HostUses(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which media a project uses; all pages together take the place of what was said before."""

    host: Name
    project: str
    uses: tuple[Use, ...] = ()
    page: Annotated[int, Meta(ge=0)] = 0
    pages: Annotated[int, Meta(ge=1)] = 1


class HostRequest(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A person in an application asks for captions, tags or a translation of media, or for a stand-in in a gap."""

    host: Name
    project: str
    what: Literal["captions", "tags", "translation", "placeholder"]
    uses: tuple[Use, ...] = ()
    gap: Gap | None = None
    languages: tuple[Language, ...] = ()
    parameters: Parameters = {}


class HostDecision(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A person in an application decided on a proposal."""

    host: Name
    decision: Decision


class HostCue(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A subtitle for a host."""

    id: int
    start: float
    """Seconds of the media, as ``end``."""
    end: float
    text: str
    """Its lines, with line feeds between them and no markup."""
    italic: bool = False
    """All of it is in italics."""
    align: int = 2
    """Where on the picture, as the keys of a number pad lie."""
    speaker: str = ""


class HostMarker(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A marker for a host."""

    start: float
    """Seconds of the media."""
    name: str
    note: str = ""
    duration: float = 0.0
    colour: str = ""


class Content(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a command brings; each verb reads the fields it needs."""

    tags: tuple[str, ...] = ()
    description: str = ""
    author: str = ""
    cues: tuple[HostCue, ...] = ()
    language: str = ""
    markers: tuple[HostMarker, ...] = ()
    file: str = ""
    """Absolute path of a placeholder, of the real shot, or of the subtitle file with these cues."""
    digest: Digest | None = None
    gap: Gap | None = None
    source_in: float = 0.0
    """Seconds into the file of what the first frame of the placeholder's own file becomes: its handle at the head."""


class Command(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Asks a host to apply one proposal to the revision it was made for."""

    id: Name
    host: Name
    verb: Name
    """One of ``VERBS``; a host refuses any other."""
    proposal: Name
    """Also the id that everything made for it carries, so that only ours is replaced or cleared."""
    project: str = ""
    revision: str = ""
    """Of the use it is for; on a newer one a host refuses until a person agrees."""
    expires: float = 0.0
    """Seconds since 1970; 0 never expires."""
    arguments: Parameters = {}
    use: Use | None = None
    """What it is for: one proposal comes once for each use, and takes the place of what was made for it and that use.
    Left out where it is for no single use; ``clear`` without one takes away what was made for all of them."""
    content: Content | None = None
    """Left out where it would be too long for a message; then it is asked for in parts."""
    parts: int = 0
    """How many parts the content has, where it is left out."""


class CommandReceipt(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What landed in the host, read back from its project."""

    command: Name
    host: Name
    state: Literal["applied", "partial", "refused", "stale", "failed"]
    landed: tuple[str, ...] = ()
    """Names of what is there now, as the host shows them."""
    missing: tuple[str, ...] = ()
    """What did not land, and why."""
    note: str = ""
    proposal: str = ""
    project: str = ""
