"""What a placeholder says of itself, wherever it was carried and whatever it is called now.

The sidecar beside it says everything, so that it can be made again from that alone; signed content credentials inside
the file say which shot it stands for and what made it, and stay when the sidecar does not.
"""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import Final, Literal

import msgspec
from callboard_schemas import Brief, Placeholder, PlaceholderRequested
from msgspec import Struct

from callboard.effects.spans import Element, XmlRefused, parse
from callboard.effects.xmpmodel import PLACEHOLDER, find_rdf
from callboard.signed import credentials
from callboard.timedtext.rate import parse_rate

LABEL: Final = "dev.callboard.placeholder"
"""Of the assertion in content credentials that says what is in ``Claim``."""
_LARGEST: Final = 16 * 1024 * 1024
"""Bytes of a sidecar that are read."""
_ASSERTION: Final = re.compile(re.escape(LABEL.encode()) + rb"\x00.{0,64}?(.{4})json(\{)", re.DOTALL)
"""The label of a JUMBF superbox, then its content: a box of JSON behind its length (ISO 19566-5)."""


class Claim(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What content credentials say of a placeholder. They leave the house with the file: no brief and no prompt."""

    shot: str
    engine: str
    source_type: str = ""
    seed: int | None = None
    models: dict[str, str] = {}
    references: tuple[str, ...] = ()
    """Digests alone."""


class Mark(Struct, frozen=True, kw_only=True):
    """A file is a placeholder, and this is how it is known."""

    shot: str
    engine: str
    by: Literal["sidecar", "credentials"]
    """Credentials are read, not verified: they say what the file says of itself."""
    digest: str = ""
    """Of the media that the sidecar was written for; empty where credentials say it. Another file may have taken its
    name since: compare."""
    made: Placeholder | None = None
    """Everything, where a sidecar says it."""


def sidecars(path: Path) -> tuple[Path, ...]:
    """Give the names under which the sidecar of a media file may lie."""
    return (path,) if path.suffix.lower() == ".xmp" else (path.with_name(path.name + ".xmp"), path.with_suffix(".xmp"))


def read(path: Path) -> Mark | None:
    """Tell whether a media file is a placeholder, by its sidecar, else by its content credentials.

    Args:
        path: The media, or its sidecar; for an image sequence its first picture.

    Returns:
        ``None`` where nothing says so. A sidecar that cannot be read says nothing.
    """
    for sidecar in sidecars(path):
        if (made := _made(sidecar)) is not None:
            return Mark(shot=made.shot, engine=made.generator, by="sidecar", digest=made.digest, made=made)
    claim = _claim(path)
    return Mark(shot=claim.shot, engine=claim.engine, by="credentials") if claim else None


def _made(sidecar: Path) -> Placeholder | None:
    try:
        with sidecar.open("rb") as file:
            root = parse(file.read(_LARGEST))
        record = _record(root)
        return msgspec.json.decode(record, type=Placeholder) if record else None
    except (OSError, XmlRefused, msgspec.MsgspecError):
        return None


def _record(root: Element) -> str:
    """Find our record: an element, or an attribute as other programs write short properties."""
    rdf = find_rdf(root)
    for description in rdf.children if rdf else ():
        if (PLACEHOLDER, "record") in description.attributes:
            return description.attributes[PLACEHOLDER, "record"]
        for node in description.children:
            if node.name == (PLACEHOLDER, "record"):
                return node.text
    return ""


def _claim(path: Path) -> Claim | None:
    try:
        found = _ASSERTION.search(data := credentials(path))
        if found is None:
            return None
        start, length = found.start(2), int.from_bytes(found[1], "big")
        return msgspec.json.decode(data[start : start + length - 8], type=Claim)
    except (OSError, msgspec.MsgspecError):
        return None


def again(made: Placeholder) -> PlaceholderRequested:
    """Give the request that makes a placeholder again: the same engine, brief, seed and parameters."""
    rate = parse_rate(made.rate)
    return PlaceholderRequested(
        shot=made.shot,
        duration=float(Fraction(made.frames) / rate.fps),
        width=made.width,
        height=made.height,
        rate=float(rate.fps),
        counted=made.rate,
        frames=made.frames,
        start=made.start,
        pixel_aspect=made.pixel_aspect,
        timeline=made.timeline,
        ref=made.ref,
        brief=made.brief or Brief(),
        seed=made.seed or 0,
        engines=(made.generator,),
        by=made.by,
        parameters=made.parameters,
    )


__all__ = ["LABEL", "Claim", "Mark", "again", "read", "sidecars"]
