"""What sources say: media that settled, moved or went; what a host did; what somebody asked for."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from callboard_schemas.envelope import Name
from callboard_schemas.media import Asset, Place, Use
from callboard_schemas.placeholders import Brief, Gap

Language = Annotated[str, Meta(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
"""A BCP 47 language tag."""

Scalar = str | int | float | bool | None
Parameters = dict[str, Scalar | list[str]]


class MediaSettled(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file or a sequence is whole: nobody is writing to it any more."""

    asset: Asset
    reason: Literal["new", "changed", "requested", "found"] = "new"
    settle_seconds: Annotated[float, Meta(ge=0)] = 0.0
    """From the last change seen to this event."""
    plugins: tuple[Name, ...] = ()
    """Only these plugins answer; empty means every plugin that wants the event."""


class MediaRenamed(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The same content has another path."""

    asset: Asset
    old: Place


class MediaGone(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file is no longer where it was, while its root is online."""

    place: Place
    digest: str | None = None


class RootState(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A watched root went offline or came back; nothing is deleted either way."""

    root: Name
    reason: str = ""


class Request(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody asks for captions, tags or a translation of an asset."""

    asset: Asset
    by: Name | None = None
    languages: tuple[Language, ...] = ()
    parameters: Parameters = {}


class PlaceholderRequested(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A shot is missing: make a stand-in of this length."""

    shot: Name
    purpose: str = ""
    duration: Annotated[float, Meta(gt=0)] = 1.0
    """Seconds."""
    width: Annotated[int, Meta(ge=1, le=65536)] = 1920
    height: Annotated[int, Meta(ge=1, le=65536)] = 1080
    rate: Annotated[float, Meta(gt=0, le=1000)] = 24.0
    """Frames per second."""
    counted: str = ""
    """The rate as timecode counts it, such as ``23.976`` or ``29.97df``; it goes before *rate*, which rounds."""
    frames: Annotated[int, Meta(ge=0, le=10_000_000)] = 0
    """Exactly how long; it goes before *duration*, which rounds. 0: not said."""
    start: str = ""
    """Timecode of its first frame on the timeline."""
    pixel_aspect: Annotated[str, Meta(pattern=r"^([1-9]\d{0,4}:[1-9]\d{0,4})?$")] = ""
    """Width to height of a pixel, such as ``16:15``; empty is square."""
    timeline: str = ""
    """The file that misses it, as a person named it."""
    ref: str = ""
    """Where in the timeline, such as ``V1-48``."""
    project: str = ""
    """Absolute path of the project of an application into which it goes, where it is for one."""
    gap: Gap | None = None
    """Where in that project, as its application says it; nothing where a clip lacks its media."""
    use: Use | None = None
    """The clip of that project which lacks its media, as its application says it; nothing where there is a gap."""
    reel: str = ""
    """The tape or card of the missing media, where the timeline says; with ``source``, media is known by it."""
    source: str = ""
    """Timecode of its first frame on that reel."""
    brief: Brief | None = None
    seed: Annotated[int, Meta(ge=0, lt=2**31)] = 0
    versions: Annotated[int, Meta(ge=1, le=16)] = 1
    """How many to choose from, each with a seed of its own."""
    engines: tuple[Name, ...] = ()
    """Which engines make them; empty takes the settings'."""
    by: str = ""
    """Who asks."""
    parameters: Parameters = {}


class HostEvent(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something happened inside an application: a scene saved, a render or playback started or ended."""

    host: Name
    project: str = ""
    revision: str = ""
    detail: Parameters = {}
