"""A plugin's manifest: what it says of itself before it is imported."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from callboard_schemas.events import Scalar
from callboard_schemas.media import MediaKind
from callboard_schemas.results import Kind

Identifier = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,63}$")]
Version = Annotated[str, Meta(pattern=r"^\d+\.\d+\.\d+([-+][0-9A-Za-z.-]+)?$")]
Permission = Literal["network", "subprocess", "write-media-folder"]


class Parameter(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One setting of a plugin, with its type, default and limits."""

    type: Literal["string", "integer", "number", "boolean", "strings"]
    default: Scalar | list[str]
    help: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    project_only: bool = False
    """Only the project's settings may set it, never a request: whoever can ask cannot choose where texts go."""
    path: Literal["", "file", "content", "profile"] = ""
    """What a string names. ``file``: a file, counted from the project's folder; the plugin is told its whole path.
    ``content``: the same, and what is in the file is part of a job's key.
    ``profile``: a delivery profile, by its name or path; one of the project's own is told by its whole path, and its
    content is part of a job's key."""


class Manifest(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """``manifest.toml`` in a plugin's package; read and validated without importing the plugin."""

    id: Identifier
    name: Annotated[str, Meta(min_length=1, max_length=80)]
    version: Version
    kind: Kind
    summary: Annotated[str, Meta(min_length=1, max_length=200)]
    license: Annotated[str, Meta(min_length=1, max_length=80)]
    """An SPDX expression."""
    events: tuple[str, ...]
    """Event types it answers."""
    results: tuple[Literal["tags", "captions", "translation", "placeholder", "prints"], ...]
    media: tuple[MediaKind, ...] = ("video", "audio", "image", "sequence")
    """Kinds of media it answers ``media.settled`` for."""
    idle_without: tuple[str, ...] = ()
    """Parameters that must say something: while one is empty, it answers only what somebody asks it for."""
    models: tuple[str, ...] = ()
    """Model packs that must be present."""
    optional_models: tuple[str, ...] = ()
    """Model packs that are used where they are present; one that comes or goes makes its jobs new."""
    optional_tasks: tuple[str, ...] = ()
    """The same for every pack of a task, such as ``translate``, whatever it is called."""
    sends_to: tuple[str, ...] = ()
    """Parameters that name where what it works on is sent to; while they are empty, nothing leaves the machine."""
    extras: tuple[str, ...] = ()
    """Extras of its distribution that must be installed."""
    requires: tuple[str, ...] = ()
    """Import names that those extras bring; looked for, never imported, by ``callboard plugins``."""
    report: Annotated[str, Meta(pattern=r"^([a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)*)?$")] = ""
    """A module of its package, such as ``engines.report``, that ``callboard doctor`` runs in a process of its own: it
    says what the plugin finds on this machine."""
    permissions: tuple[Permission, ...] = ()
    deadline: Annotated[float, Meta(gt=0, le=86400)] = 600.0
    """Seconds that one job may take."""
    threshold: Annotated[float, Meta(ge=0, le=1)] = 0.5
    """Confidence from which the policy may accept an ``analyse`` result."""
    concurrency: Annotated[int, Meta(ge=1, le=64)] = 2
    """Jobs at once in its process."""
    vocabulary: bool = False
    """Its answers depend on the project's vocabulary: a changed one makes its jobs new."""
    each: str = ""
    """A parameter that is a list, such as ``languages``: each of its values gets a job of its own, so that one that has
    to wait holds up no other. A request's own list of that name takes its place."""
    glossary: bool = False
    """The same for the project's glossary of names and terms."""
    parameters: dict[str, Parameter] = {}
