"""What is said about media: where it is, which content it is, how a sequence is numbered, and what uses it."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from callboard_schemas.envelope import Name

MediaKind = Literal["video", "audio", "image", "sequence", "subtitles", "other"]
"""What a file looks like from outside; ``other`` is anything that a plugin may still want."""

Digest = Annotated[str, Meta(pattern=r"^(sha256|sampled-sha256):[0-9a-f]{64}$")]
"""``sha256:`` of every byte; ``sampled-sha256:`` of size, head, tail and samples for very large files."""


class Sequence(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Numbered stills that are one asset, such as ``shot.%04d.exr``."""

    pattern: str
    """File name with a printf number, relative to the asset's folder."""
    first: int
    """First frame number on disk."""
    last: int
    """Last frame number on disk, inclusive."""
    missing: tuple[int, ...] = ()
    """Frame numbers between first and last with no file."""
    count: int = 0
    """Files on disk."""


class Place(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where an asset was last seen: a path inside a named root, never an absolute path on the bus."""

    root: Annotated[str, Meta(min_length=1, max_length=256)]
    path: Annotated[str, Meta(min_length=1, max_length=4096 * 3)]
    """Relative, ``/`` between parts, percent-encoded by ``encode_path``."""


class Asset(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A media file or an image sequence, known by its content."""

    digest: Digest
    place: Place
    kind: MediaKind
    size: Annotated[int, Meta(ge=0)]
    """Bytes; the sum over frames for a sequence."""
    mtime_ns: int = 0
    """Modification time in nanoseconds since 1970, as the file system gave it."""
    sequence: Sequence | None = None


class Use(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One use of a media file in a project: a strip, a clip on a timeline or in a bin, an asset in a library.

    Media time *t* is at ``start + (t - source_in) / speed`` on the timeline.
    """

    ref: Name
    """What the host finds it by again; stays the same while the project lives."""
    path: str
    """The media's absolute path as the application knows it; empty for what has no file."""
    name: str = ""
    revision: str = ""
    """Changes when this use is moved, cut or retimed, and at nothing else."""
    start: float = 0.0
    """Seconds on the timeline."""
    source_in: float = 0.0
    """Seconds into the media where it begins to be used."""
    duration: float = 0.0
    """Seconds on the timeline; 0 where it is on none."""
    speed: float = 1.0
